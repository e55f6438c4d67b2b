"""Passages into a token budget: whole sentences, best first, nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rag.masked import EMPTY, Masked, fixed
from rag.records import Hit
from rag.sentences import split


@dataclass(frozen=True, slots=True)
class Passage:
    """What an answerer reads of one hit.

    Attributes:
        text: The chunk's text, or its first whole sentences; stands literally in the chunk.
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
    """The passages chosen, best first, and what was left out: chunk id to reason."""

    passages: tuple[Passage, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        return sum(passage.tokens for passage in self.passages)


def pack(
    hits: Sequence[Hit],
    budget_tokens: int,
    count: Callable[[str], int],
    question: Masked = EMPTY,
) -> Packed:
    """Choose what fits into `budget_tokens`.

    A hit that does not fit whole gives its first sentences that do; one whose text is there
    already is dropped. The tokens of the passages, each counted by `count`, never exceed the
    budget together.

    Args:
        hits: Best first.
        budget_tokens: Hard limit.
        count: Tokens of a text, as the answering model counts.
    """
    passages: list[Passage] = []
    left_out: dict[str, str] = {}
    seen: dict[str, str] = {}
    left = budget_tokens
    for hit in hits:
        chunk = hit.chunk
        key = " ".join(chunk.text.split()).casefold()
        if key in seen:
            left_out[chunk.id] = f"the same text as {seen[key]}"
            continue
        text, dropped = _fitting(hit, left, count)
        if not text:
            left_out[chunk.id] = f"over the budget of {budget_tokens} tokens"
            continue
        seen[key] = chunk.id
        tokens = count(_shown(chunk.heading, text))
        left -= tokens
        passages.append(Passage(hit, text, tokens))
        if dropped:
            left_out[chunk.id] = f"its last {dropped} sentences: over the budget"
    return Packed(tuple(passages), left_out)


def _shown(heading: Masked, text: Masked) -> Masked:
    return fixed("{}\n{}", heading, text) if heading else text


def _fitting(hit: Hit, left: int, count: Callable[[str], int]) -> tuple[Masked, int]:
    """The longest run of first sentences within `left` tokens, and how many were dropped."""
    heading, text = hit.chunk.heading, hit.chunk.text
    if left <= 0 or not text:
        return EMPTY, 0
    if count(_shown(heading, text)) <= left:
        return text, 0
    spans = split(text)

    def first(sentences: int) -> Masked:
        return text.cut(spans[0][0], spans[sentences - 1][1])

    low, high = 0, len(spans) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if count(_shown(heading, first(middle))) <= left:
            low = middle
        else:
            high = middle - 1
    if not low:
        return EMPTY, len(spans)
    return first(low), len(spans) - low
