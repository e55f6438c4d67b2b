"""Which passages the sentences of an answer are from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.sentences import split

SUPPORT = 0.6
"""Share of a sentence's words that a passage must hold to be its source."""

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an answer, ``answer[start:end]``, and the places of its sources."""

    start: int
    end: int
    sources: tuple[int, ...]


def parts(answer: str, passages: Sequence[str]) -> list[Part]:
    """Cut an answer where its sources change. What nothing supports has no sources."""
    words = [set(_WORD.findall(passage.lower())) for passage in passages]
    found: list[Part] = []
    for start, end in split(answer):
        sources = _sources(answer[start:end], words)
        if found and found[-1].sources == sources:
            found[-1] = Part(found[-1].start, end, sources)
        else:
            found.append(Part(start, end, sources))
    if found and not any(part.sources for part in found):
        return [Part(0, len(answer), ())]
    return found


def _sources(sentence: str, passages: Sequence[set[str]]) -> tuple[int, ...]:
    said = set(_WORD.findall(sentence.lower()))
    if not said:
        return ()
    shares = [len(said & words) / len(said) for words in passages]
    best = max(shares, default=0.0)
    return tuple(at for at, share in enumerate(shares) if share >= max(SUPPORT, best))
