"""Order that does not say the same twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.records import Hit

if TYPE_CHECKING:
    import numpy

_ALIKE = 0.97
"""Cosine from which two passages are compared by their words."""
_SAME_WORDS = 0.9


def collapsed(hits: Sequence[Hit], k: int) -> list[Hit]:
    """Return the hits, best first, with near-duplicates of better ones behind all others.

    Near-duplicates share nine tenths of their words (Jaccard). Only as many hits are looked at as
    it takes to fill `k` places; scores stay, so that behind them they do not fall evenly.
    """
    kept: list[Hit] = []
    again: list[Hit] = []
    words: list[frozenset[str]] = []
    for place, hit in enumerate(hits):
        if len(kept) >= k:
            return [*kept, *again, *hits[place:]]
        own = frozenset(hit.chunk.text.casefold().split())
        alike = _candidates(hit, kept)
        if any(_jaccard(own, words[other]) >= _SAME_WORDS for other in alike):
            again.append(hit)
        else:
            kept.append(hit)
            words.append(own)
    return [*kept, *again]


def spread_out(hits: Sequence[Hit], k: int, share: float) -> list[Hit]:
    """Return `k` hits chosen one after the other: relevant, and unlike those before.

    Maximal marginal relevance: Carbonell, Goldstein, SIGIR 1998. Hits without a vector are unlike
    any other.

    Args:
        hits: Best first, with scores.
        share: Of unlikeness in the choice, 0 to 1.
    """
    import numpy

    if len(hits) < 2 or not share:
        return list(hits[:k])
    scores = numpy.asarray([hit.score for hit in hits])
    scores = (scores - scores.min()) / max(float(scores.max() - scores.min()), 1e-9)
    vectors = _vectors(hits)
    nearest = numpy.zeros(len(hits))
    left = list(range(len(hits)))
    chosen: list[int] = []
    while left and len(chosen) < k:
        best = max(left, key=lambda one: (1 - share) * scores[one] - share * nearest[one])
        left.remove(best)
        chosen.append(best)
        if vectors is not None:
            nearest = numpy.maximum(nearest, vectors @ vectors[best])
    return [hits[one] for one in chosen]


def _candidates(hit: Hit, kept: Sequence[Hit]) -> list[int]:
    import numpy

    if hit.vector is None or any(other.vector is None for other in kept):
        return list(range(len(kept)))
    if not kept:
        return []
    others = numpy.asarray([other.vector for other in kept], numpy.float32)
    return numpy.flatnonzero(others @ numpy.asarray(hit.vector) >= _ALIKE).tolist()  # type: ignore[no-any-return]


def _vectors(hits: Sequence[Hit]) -> numpy.ndarray | None:
    import numpy

    known = next((hit.vector for hit in hits if hit.vector is not None), None)
    if known is None:
        return None
    none = numpy.zeros_like(known)
    return numpy.asarray([none if hit.vector is None else hit.vector for hit in hits])


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    both = len(one & other)
    return both / (len(one) + len(other) - both) if one or other else 1.0
