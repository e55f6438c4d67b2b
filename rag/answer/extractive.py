"""The embedded answerer: it quotes the sentences that answer, or says that none do.

It writes no word of its own into an answer, so it invents nothing; it can only pick badly. Two
small linear models do the picking: one orders the sentences, one says how likely it is that the
best one answers at all. ``bench/fit_extractive.py`` fitted both. The best passages are read
together with the question first (`rag.models.reader`), unless it is told not to.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rag.answer import Draft, Sentence, Sentences, Silence, citation, drafted
from rag.answer.readable import readable
from rag.masked import SPACE, Masked, fixed
from rag.privacy.pseudonym import MASK
from rag.retrieve.pack import Passage
from rag.sentences import split

FEATURES = (
    *("bias", "cosine", "cover", "cover_near", "cover_passage", "number", "length", "named"),
    "pieces",
    "reader",
)


@dataclass(frozen=True, slots=True)
class Weights:
    """Of `FEATURES`.

    Attributes:
        rank: Of a softmax over a question's sentences.
        support: Log-odds that the best one answers.
    """

    rank: tuple[float, ...]
    support: tuple[float, ...]


PLAIN = Weights(
    (0.0, 4.33, 0.0, 3.6, 3.06, 2.47, 0.0, 1.5, 11.26, 0.0),
    (-3.37, 5.57, 0.0, 0.33, 0.0, 0.0, 0.0, 0.6, 0.0, 0.0),
)
READING = Weights(
    (0.0, 3.58, 0.0, 2.49, 1.61, 1.34, 0.0, 1.5, 6.3, 0.25),
    (-1.64, 3.65, 0.0, 0.09, 0.0, 0.0, 0.0, 0.6, 0.0, 0.18),
)
"""With `rag.models.reader`. `named` (the sentence has every pseudonym of the question) is set by
hand: the collection fitted on has no pseudonyms.
"""

_SENTENCES = 3
_CLOSE = 0.9  # of the best sentence's support: what comes less near is not quoted along with it
_NAMED_DOCUMENTS = 3
_READ = 2  # passages; more cost as much time each and change nothing
_FAR = 10.0  # log-odds of the reader: what is beyond is as sure, and what is not read as sure not

_WORD = re.compile(rf"{MASK.pattern}|\w+")
_ASKS_NUMBER = re.compile(
    r"\bhow (?:many|much|long|old|far|often|large|big|high|tall|fast)\b|\bwhen\b"
    r"|\b(?:what|which) (?:year|date|day|month|time|percentage|percent|number|amount|age)\b",
    re.IGNORECASE,
)
_NUMBERS = frozenset(
    _WORD.findall(
        """one two three four five six seven eight nine ten eleven twelve hundred thousand million
        billion half third quarter dozen daily weekly monthly yearly annually"""
    )
)
_STOP = frozenset(
    _WORD.findall(
        """a about after all am an and any are as at be been before being between both but by can
        could did do does doing done for from get had has have having he her hers him
        his how i if in into is it its just me might more most much must my no nor not
        of on or other our out over own please same she should so some such than that
        the their them then there these they this those to too under up us very was we
        were what when where which who whom whose why will with would you your tell give
        show say says said many name called"""
    )
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that might answer.

    Attributes:
        text: Stands literally in the passage.
        features: As `FEATURES` names them.
        order: Place of the passage, then of the sentence in it.
        weights: By which it is judged.
    """

    passage: Passage
    text: Masked
    features: tuple[float, ...]
    order: tuple[int, int]
    weights: Weights

    @property
    def rank(self) -> float:
        """Logit that this sentence answers, among those of the same question."""
        return _dot(self.weights.rank, self.features)

    @property
    def support(self) -> float:
        """0 to 1; from 0.6 on an answer is more likely there than not."""
        return 1 / (1 + math.exp(-_dot(self.weights.support, self.features)))


class Extractive:
    """Answers with one to three sentences of the passages.

    Args:
        reads: Whether the best passages are read together with the question.
    """

    def __init__(self, *, reads: bool = True) -> None:
        self._reads = reads

    def answer(self, question: Masked, passages: Sequence[Passage], min_support: float) -> Draft:
        """Return all sentences at once."""
        return drafted(self.sentences(question, passages, min_support))

    def sentences(
        self, question: Masked, passages: Sequence[Passage], min_support: float
    ) -> Sentences:
        """See `rag.answer.Answerer.sentences`."""
        found = candidates(question, passages, reads=self._reads)
        ranked = sorted(found, key=lambda c: (-c.rank, c.order))
        support = ranked[0].support if ranked else 0.0
        if not ranked or support < min_support:
            return Silence(support, abstention(question, passages))
        for one in _choose(ranked, max(min_support, _CLOSE * support)):
            cited = citation(one.passage, one.text, one.support)
            yield Sentence(SPACE.join(one.text.split()), (cited,), one.support)
        return None


def candidates(question: Masked, passages: Sequence[Passage], *, reads: bool) -> list[Candidate]:
    """Every sentence of `passages` with its features, in reading order.

    Passages that have no pseudonym of a question with pseudonyms are left out: they are about
    somebody else.
    """
    from rag.models import pairs

    named = {mask for mask in MASK.findall(question) if not mask.startswith("<")}
    wanted = terms(question)
    kept: list[tuple[Passage, tuple[int, int], Masked]] = []
    told: list[list[Masked]] = []
    for place, passage in enumerate(passages):
        if named and not any(pseudonym in passage.shown for pseudonym in named):
            continue
        spans = split(passage.text)
        sentences = [passage.text[start:end] for start, end in spans]
        kept += [
            (passage, (place, start), text)
            for (start, _), text in zip(spans, sentences, strict=True)
        ]
        told.append(sentences)
    if not kept:
        return []
    read = [readable([question, *sentences]) for sentences in told]
    asked = read[0][0]
    texts = [sentences for _, *sentences in read]
    pieces, cosines = pairs.compared(asked, [text for some in texts for text in some])
    own = [terms(text) for _, _, text in kept]
    weights = _weights(wanted, own)
    asks_number = _ASKS_NUMBER.search(question) is not None
    whole = [terms(passage.shown) for passage in passages]
    found = []
    for at, (passage, order, text) in enumerate(kept):
        around = own[at] | terms(passage.hit.chunk.heading)
        near = around | own[at - 1] if at and kept[at - 1][1][0] == order[0] else around
        features = (
            1.0,
            float(cosines[at]),
            _cover(around, weights),
            _cover(near, weights),
            _cover(whole[order[0]], weights),
            (0.5 if _has_number(own[at] - wanted) else -0.5) if asks_number else 0.0,
            math.log1p(len(text) / 100),
            1.0 if named and all(pseudonym in text for pseudonym in named) else 0.0,
            float(pieces[at]),
            -_FAR,
        )
        found.append(Candidate(passage, text, features, order, READING if reads else PLAIN))
    return _read(asked, texts, found) if reads else found


def _read(
    asked: Masked, texts: Sequence[Sequence[Masked]], found: Sequence[Candidate]
) -> list[Candidate]:
    """Have the passages that rank best by all else read together with the question.

    Args:
        texts: Sentences by passage; of each one there is a candidate.
    """
    from rag.models import reader

    places = [place for place, some in enumerate(texts) for _ in some]
    best: dict[int, float] = {}
    for place, candidate in zip(places, found, strict=True):
        best[place] = max(best.get(place, -math.inf), candidate.rank)
    chosen = sorted(best, key=lambda place: -best[place])[:_READ]
    scores = reader.read(asked, [texts[place] for place in chosen])
    odds = {place: iter(some) for place, some in zip(chosen, scores, strict=True)}
    read = []
    for place, candidate in zip(places, found, strict=True):
        if place in odds:
            score = max(-_FAR, min(_FAR, next(odds[place])))
            candidate = replace(candidate, features=(*candidate.features[:-1], score))
        read.append(candidate)
    return read


def terms(text: str) -> frozenset[str]:
    """Content words, lower case and stemmed; pseudonyms as they are."""
    return frozenset(
        word if MASK.fullmatch(word) else _stem(word.lower())
        for word in _WORD.findall(text)
        if word.lower() not in _STOP
    )


def _stem(word: str) -> str:
    for ending in ("ingly", "edly", "ing", "ies", "ed", "es", "ly", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word


def _weights(wanted: frozenset[str], sentences: Sequence[frozenset[str]]) -> Mapping[str, float]:
    """What is rarer among the sentences counts more; numbers and pseudonyms twice."""
    counts = Counter(term for own in sentences for term in own & wanted)
    return {
        term: math.log(1 + (len(sentences) + 1) / (counts[term] + 0.5))
        * (2.0 if MASK.fullmatch(term) or any(map(str.isdigit, term)) else 1.0)
        for term in wanted
    }


def _cover(own: frozenset[str], weights: Mapping[str, float]) -> float:
    """Share of the question's terms, by weight."""
    total = math.fsum(weights.values())
    return math.fsum(w for term, w in weights.items() if term in own) / total if total else 0.0


def _has_number(words: frozenset[str]) -> bool:
    return any(word[0].isdigit() or word in _NUMBERS for word in words)


def _dot(weights: Sequence[float], features: Sequence[float]) -> float:
    return math.fsum(w * f for w, f in zip(weights, features, strict=True))


def _choose(ranked: Sequence[Candidate], least: float) -> list[Candidate]:
    """The best sentence, then up to two others that are supported as well and say more."""
    chosen: list[Candidate] = []
    said: set[str] = set()
    for candidate in ranked:
        words = " ".join(candidate.text.split()).casefold()
        repeated = any(words in other or other in words for other in said)
        if not repeated and (not chosen or candidate.support >= least):
            chosen.append(candidate)
            said.add(words)
        if len(chosen) == _SENTENCES:
            break
    return chosen


def abstention(question: Masked, passages: Sequence[Passage]) -> Masked:
    """Say that nothing answers, and which documents lie nearest."""
    names = list(dict.fromkeys(passage.hit.document for passage in passages))[:_NAMED_DOCUMENTS]
    asked = SPACE.join(question.split())
    if not names:
        return fixed("Nothing that you may read was found for: {}", asked)
    return fixed(
        "No passage that you may read answers: {} The nearest documents are: {}.",
        asked,
        fixed(", ").join(names),
    )
