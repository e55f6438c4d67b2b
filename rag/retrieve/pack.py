"""Passages into a token budget: whole sentences, chosen by what they add for their tokens.

A hit gives one run of neighbouring sentences, as long as the budget and its worth allow: what is
quoted stays literal, and what leans on the sentence before it keeps it. The best evidence stands
at the two ends, for models read the middle worst (Liu et al.: Lost in the Middle. TACL 2024).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rag.masked import EMPTY, Masked, fixed
from rag.records import Hit
from rag.sentences import split

Count = Callable[[str], int]
"""Tokens of a text, as the answering model counts."""

_WORD = re.compile(r"\w+")
_LEANS = re.compile(
    r"(?:(?:he|she|it|they|his|her|its|their|this|these|that|those|such|there|then|both|also"
    r"|however|therefore|thus|hence|moreover|otherwise|instead|here|the (?:former|latter|same))\b"
    r"|and\b|but\b|or\b)",
    re.IGNORECASE,
)
"""How a sentence begins that says little without the one before it."""

_STEEP = 1.0
"""How much less a hit is worth than the one before it: 1 / rank to this power."""
_PLAIN = 0.15
"""Worth of a sentence for being in a hit, beside its share of the question's terms."""
_AGAIN = 0.7
"""What a term of the question is still worth when a chosen sentence has it already."""
_NEAR = 0.2
"""What a sentence gets of a neighbour's share: answers often stand beside the question's words."""
_SAME = 0.8
"""Share of a sentence's words in a chosen one from which on it says nothing new."""
_STEM = 5
"""Letters of a word that are compared: enough to tell words apart, not their endings."""


@dataclass(frozen=True, slots=True)
class Passage:
    """What an answerer reads of one hit.

    Attributes:
        text: The chunk's text, or some of its whole sentences that follow each other; stands
            literally in the chunk.
        tokens: Of the heading and `text`.
    """

    hit: Hit
    text: Masked
    tokens: int

    @property
    def shown(self) -> Masked:
        """Heading and text, as counted."""
        return _shown(self.hit.chunk.heading, self.text)


@dataclass(frozen=True, slots=True)
class Packed:
    """The passages chosen, and what was left out: chunk id to reason.

    The best passage comes first, the second best last, and so on towards the middle.
    """

    passages: tuple[Passage, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        return sum(passage.tokens for passage in self.passages)


def pack(hits: Sequence[Hit], budget_tokens: int, count: Count, question: Masked = EMPTY) -> Packed:
    """Choose what fits into `budget_tokens`.

    All hits whole, if they fit. Else sentences are added one by one, the one first that adds most
    for its tokens: by its hit's rank, by the question's terms that it has (rare ones count more)
    and that no chosen sentence has yet. A hit whose text is there already is dropped. The tokens
    of the passages, each counted by `count`, never exceed the budget together.

    Args:
        hits: Best first.
        budget_tokens: Hard limit.
        question: What is to be answered; empty: by rank alone.
    """
    left_out: dict[str, str] = {}
    runs = _runs(hits, count, left_out)
    if budget_tokens <= 0:
        pass  # a counter may find no token in a text, and yet nothing is to be sent
    elif sum(run.tokens_whole for run in runs) <= budget_tokens:
        for run in runs:
            run.first, run.last = 0, len(run.spans) - 1
            run.tokens = run.tokens_whole
    else:
        _fill(runs, budget_tokens, count, question)
    passages = []
    for run in runs:
        if run.first is None:
            left_out[run.hit.chunk.id] = f"over the budget of {budget_tokens} tokens"
            continue
        passages.append(Passage(run.hit, run.text(run.first, run.last), run.tokens))
        if missing := len(run.spans) - (run.last - run.first + 1):
            left_out[run.hit.chunk.id] = f"{missing} of its sentences: over the budget"
    return Packed(_ends_first(passages), left_out)


@dataclass(slots=True)
class _Run:
    """A hit, and which of its sentences are chosen: `first` to `last`; None: none yet.

    Attributes:
        words: Of each sentence.
        found: Of those, and of the heading, the question's.
        repeats: Sentences that a chosen one says already.
    """

    hit: Hit
    weight: float
    spans: Sequence[tuple[int, int]]
    words: Sequence[frozenset[str]]
    tokens_whole: int
    found: list[frozenset[str]] = field(default_factory=list)
    repeats: set[int] = field(default_factory=set)
    counted: dict[tuple[int, int], int] = field(default_factory=dict)
    first: int | None = None
    last: int = -1
    tokens: int = 0

    def text(self, first: int, last: int) -> Masked:
        whole = self.hit.chunk.text
        if first == 0 and last == len(self.spans) - 1:
            return whole
        return whole.cut(self.spans[first][0], self.spans[last][1])

    def chosen(self, at: int) -> bool:
        return self.first is not None and self.first <= at <= self.last


@dataclass(frozen=True, slots=True)
class _Step:
    """A run made longer: its new ends, its tokens then, and what that adds for a token more."""

    run: _Run
    first: int
    last: int
    tokens: int
    rate: float

    @property
    def new(self) -> list[int]:
        """The sentences that it adds."""
        return [at for at in range(self.first, self.last + 1) if not self.run.chosen(at)]


@dataclass(slots=True)
class _Wanted:
    """The question's terms, by weight, and those that a chosen sentence has already."""

    rare: Mapping[str, float]
    had: set[str] = field(default_factory=set)

    def share(self, terms: frozenset[str]) -> float:
        """Share of the question that `terms` of it are; of those had already, less."""
        return math.fsum(self.rare[term] * (_AGAIN if term in self.had else 1.0) for term in terms)


def _runs(hits: Sequence[Hit], count: Count, left_out: dict[str, str]) -> list[_Run]:
    seen: dict[str, str] = {}
    runs: list[_Run] = []
    for hit in hits:
        chunk = hit.chunk
        key = " ".join(chunk.text.split()).casefold()
        if not key:
            left_out[chunk.id] = "it has no text"
            continue
        if key in seen:
            left_out[chunk.id] = f"the same text as {seen[key]}"
            continue
        seen[key] = chunk.id
        spans = split(chunk.text)
        words = [_terms(chunk.text[start:end]) for start, end in spans]
        whole = count(_shown(chunk.heading, chunk.text))
        runs.append(_Run(hit, 1 / (len(runs) + 1) ** _STEEP, spans, words, whole))
    return runs


def _wanted(question: Masked, runs: Sequence[_Run]) -> _Wanted:
    """Weigh the question's terms, and note where they are."""
    terms = _terms(question)
    often = Counter(term for run in runs for own in run.words for term in own & terms)
    rare = {term: 1 / math.log(2 + often[term]) for term in sorted(terms)}
    total = math.fsum(rare.values()) or 1.0
    for run in runs:
        heading = _terms(run.hit.chunk.heading)
        run.found = [(own | heading) & terms for own in run.words]
    return _Wanted({term: weight / total for term, weight in rare.items()})


def _fill(runs: Sequence[_Run], budget: int, count: Count, question: Masked) -> None:
    """Make runs longer while something fits, the step first that adds most for its tokens."""
    left = budget
    wanted = _wanted(question, runs)
    said: list[frozenset[str]] = []
    while True:
        steps = (step for run in runs for step in _steps(run, left, count, wanted))
        best = max(steps, key=lambda step: step.rate, default=None)
        if best is None:
            return
        run, new = best.run, best.new
        repeated = [at for at in new if at not in run.repeats and _said(run.words[at], said)]
        if repeated:
            run.repeats.update(repeated)  # worth nothing by now: look again
            continue
        left -= best.tokens - run.tokens
        for at in new:
            wanted.had |= run.found[at]
            said.append(run.words[at])
        run.first, run.last, run.tokens = best.first, best.last, best.tokens


def _said(words: frozenset[str], said: Sequence[frozenset[str]]) -> bool:
    return bool(words) and any(len(words & own) >= _SAME * len(words) for own in said)


def _steps(run: _Run, left: int, count: Count, wanted: _Wanted) -> Iterator[_Step]:
    """Yield the ways in which a run can begin or grow within `left` tokens more."""
    ends = []
    if run.first is None:
        ends = [(_leans_on(run, at), at) for at in range(len(run.spans))]
    else:
        if run.first > 0:
            ends.append((_leans_on(run, run.first - 1), run.last))
        if run.last < len(run.spans) - 1:
            ends.append((run.first, run.last + 1))
    if not ends:
        return
    share = [
        0.0 if at in run.repeats else _PLAIN + wanted.share(terms)
        for at, terms in enumerate(run.found)
    ]
    for first, last in ends:
        if (first, last) not in run.counted:
            run.counted[first, last] = count(_shown(run.hit.chunk.heading, run.text(first, last)))
        tokens = run.counted[first, last]
        more = tokens - run.tokens
        if more > left:
            continue
        value = math.fsum(
            share[at]
            + _NEAR * max((*share[max(0, at - 1) : at], *share[at + 1 : at + 2]), default=0)
            for at in range(first, last + 1)
            if not run.chosen(at)
        )
        yield _Step(run, first, last, tokens, run.weight * value / max(more, 1))


def _leans_on(run: _Run, at: int) -> int:
    """The sentence from which on `at` can be read: it may begin with a pronoun."""
    text = run.hit.chunk.text
    while at > 0 and _LEANS.match(text, run.spans[at][0]):
        at -= 1
    return at


def _ends_first(best_first: Sequence[Passage]) -> tuple[Passage, ...]:
    return (*best_first[::2], *reversed(best_first[1::2]))


def _shown(heading: Masked, text: Masked) -> Masked:
    return fixed("{}\n{}", heading, text) if heading else text


def _terms(text: str) -> frozenset[str]:
    words = (word.lower() for word in _WORD.findall(text))
    return frozenset(word[:_STEM] for word in words if word not in _COMMON)


_COMMON = frozenset(
    _WORD.findall(
        """a an and are as at be by did do does for from had has have how in is it its of on or
        that the their there these this those to was were what when where which who why will
        with much many"""
    )
)
