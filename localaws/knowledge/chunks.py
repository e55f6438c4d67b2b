"""Passages of a text, by a data source's chunking strategy.

Tokens are words and marks; a passage ends where a sentence does, if one ends in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rag.sentences import split

DEFAULT: Mapping[str, Any] = {
    "chunkingStrategy": "FIXED_SIZE",
    "fixedSizeChunkingConfiguration": {"maxTokens": 300, "overlapPercentage": 20},
}
"""The service's own choice when a data source makes none."""

_TOKEN = re.compile(r"\w+|[^\w\s]")
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Piece:
    """A passage: what is embedded, and what is given back when it is found."""

    text: str
    shown: str


def pieces(text: str, chunking: Mapping[str, Any] | None) -> list[Piece]:
    """Return a text's passages in their order.

    Args:
        chunking: As the service's ChunkingConfiguration.
    """
    chunking = chunking or DEFAULT
    strategy = chunking["chunkingStrategy"]
    if strategy == "NONE":
        whole = text.strip()
        return [Piece(whole, whole)] if whole else []
    if strategy == "HIERARCHICAL":
        levels = chunking["hierarchicalChunkingConfiguration"]
        parent, child = (one["maxTokens"] for one in levels["levelConfigurations"])
        return _two_levels(text, parent, child, levels["overlapTokens"])
    fixed = chunking["fixedSizeChunkingConfiguration"]
    size = fixed["maxTokens"]
    overlap = size * fixed["overlapPercentage"] // 100
    return [Piece(text[start:end], text[start:end]) for start, end in windows(text, size, overlap)]


def windows(text: str, size: int, overlap: int) -> list[Span]:
    """Return spans of at most `size` tokens that end with a sentence where one ends.

    Each begins with whole sentences of the one before, at most `overlap` tokens of them.
    """
    units = _units(text, size)
    spans: list[Span] = []
    at = 0
    while at < len(units):
        until, held = at, 0
        while until < len(units) and held + units[until][2] <= size:
            held += units[until][2]
            until += 1
        spans.append((units[at][0], units[until - 1][1]))
        if until >= len(units):
            break
        back, repeated = until, 0
        while back > at + 1 and repeated + units[back - 1][2] <= min(
            overlap, size - units[until][2]
        ):
            back -= 1
            repeated += units[back][2]
        at = back
    return spans


def _units(text: str, size: int) -> list[tuple[int, int, int]]:
    """Sentences with their tokens; one that has more than `size` is cut."""
    found = []
    for start, end in split(text):
        tokens = [match.span() for match in _TOKEN.finditer(text, start, end)]
        for first in range(0, len(tokens), size):
            part = tokens[first : first + size]
            found.append((part[0][0], part[-1][1], len(part)))
    return found


def _two_levels(text: str, parent: int, child: int, overlap: int) -> list[Piece]:
    found = []
    for start, end in windows(text, parent, min(overlap, parent - 1)):
        shown = text[start:end]
        for first, last in windows(shown, child, min(overlap, child - 1)):
            found.append(Piece(shown[first:last], shown))
    return found
