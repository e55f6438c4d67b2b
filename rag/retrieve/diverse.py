"""Order that does not say the same twice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.retrieve.candidates import Candidate, Read

if TYPE_CHECKING:
    import numpy

_ALIKE = 0.97
"""Cosine from which two passages are compared by their words."""
_SAME_WORDS = 0.9
_NUMBER = re.compile(r"\d")


def collapsed(hits: Sequence[Candidate], k: int, read: Read = list) -> list[Candidate]:
    """Return the hits, best first, with near-duplicates of better ones behind all others.

    Near-duplicates share nine tenths of their words (Jaccard) and every number, for editions of a
    rule may differ in nothing else. Only as many hits are looked at as it takes to fill `k` places;
    scores stay, so that behind them they do not fall evenly.

    Args:
        read: Reads as many at once.
    """
    kept: list[Candidate] = []
    again: list[Candidate] = []
    size = k + k // 2  # room for what comes twice
    for start in range(0, len(hits), size):
        page = read(hits[start : start + size])
        for place, hit in enumerate(page):
            if len(kept) >= k:
                return [*kept, *again, *page[place:], *hits[start + size :]]
            alike = _alike(hit, kept)
            said = any(_same(_words(hit), _words(one)) for one in alike)
            (again if said else kept).append(hit)
    return [*kept, *again]


def spread_out(hits: Sequence[Candidate], share: float) -> list[Candidate]:
    """Return the hits chosen one after the other: relevant, and unlike those before.

    Maximal marginal relevance: Carbonell, Goldstein, SIGIR 1998. Hits without a vector are unlike
    any other.

    Args:
        hits: Best first, with scores.
        share: Of unlikeness in the choice, 0 to 1.
    """
    import numpy

    vectors = _vectors(hits)
    if vectors is None:
        return list(hits)
    scores = numpy.asarray([hit.score for hit in hits])
    scores = (scores - scores.min()) / max(float(scores.max() - scores.min()), 1e-9)
    left = numpy.ones(len(hits), bool)
    nearest = numpy.zeros(len(hits))
    chosen: list[int] = []
    for _ in hits:
        gain = numpy.where(left, (1 - share) * scores - share * nearest, -numpy.inf)
        best = int(gain.argmax())
        left[best] = False
        chosen.append(best)
        nearest = numpy.maximum(nearest, vectors @ vectors[best])
    return [hits[one] for one in chosen]


def _alike(hit: Candidate, kept: Sequence[Candidate]) -> list[Candidate]:
    import numpy

    if hit.vector is None or not kept or any(other.vector is None for other in kept):
        return list(kept)
    others = numpy.asarray([other.vector for other in kept], numpy.float32)
    return [kept[one] for one in numpy.flatnonzero(others @ hit.vector >= _ALIKE).tolist()]


def _words(hit: Candidate) -> frozenset[str]:
    return frozenset(hit.chunk.text.casefold().split())


def _vectors(hits: Sequence[Candidate]) -> numpy.ndarray | None:
    import numpy

    known = next((hit.vector for hit in hits if hit.vector is not None), None)
    if known is None:
        return None
    none = numpy.zeros_like(known)
    return numpy.asarray([none if hit.vector is None else hit.vector for hit in hits])


def _same(one: frozenset[str], other: frozenset[str]) -> bool:
    both = one & other
    if len(both) < _SAME_WORDS * (len(one) + len(other) - len(both)):
        return False
    return not any(map(_NUMBER.search, one ^ other))
