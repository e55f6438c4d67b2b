"""One order out of the legs' orders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rag.retrieve.candidates import Candidate, Legs

if TYPE_CHECKING:
    import numpy

    from rag.retrieve.spread import Spread

_RRF = 60
_SHOWN = 100
"""Hits of a leg by which its scores are scaled, however deep it goes."""
_TEXT = 2.5
"""Root mean square of the text leg's scores, in the vector leg's standard deviations."""
_RANGE = 3.0
"""From the worst to the best of a vector leg whose index is too small to say how it lies."""


def by_rank(legs: Legs) -> list[Candidate]:
    """Reciprocal rank fusion: a hit's score is the sum of 1 / (60 + rank) over its legs.

    Cormack, Clarke, Büttcher: Reciprocal Rank Fusion outperforms Condorcet and individual rank
    learning methods. SIGIR 2009. Ties are broken by chunk id, so that order is reproducible.
    """
    hits, ranks = gathered(legs)
    return in_order(
        hits[chunk].scored(sum(1 / (_RRF + rank) for rank in own.values()), own)
        for chunk, own in ranks.items()
    )


def by_score(
    legs: Legs,
    weights: Mapping[str, float],
    question: numpy.ndarray | None = None,
    spread: Spread | None = None,
    others: Sequence[Candidate] = (),
    best: int | None = None,
) -> list[Candidate]:
    """Weighted sum of scores that are made comparable: standard deviations over the index's mean.

    A vector's product with the question is exactly that, for each hit whose vector is known, also
    of another leg's. Scores of the text leg, whose distribution over the index no target says, are
    scaled by their root mean square; who is not in it has none.

    Args:
        legs: Of one search.
        weights: By leg, 0 and above; a leg without one has 1.
        question: As the vector leg was asked, (dimensions,); None: no vector leg.
        spread: Of the index; None: scores of the vector leg are scaled from its worst to its best.
        others: Hits in none of these legs, which their vectors may bring in.
        best: So many are returned; None: all.
    """
    hits, ranks = gathered(legs)
    for hit in others:
        if hit.id not in hits:
            hits[hit.id], ranks[hit.id] = hit, {}
    scores = dict.fromkeys(hits, 0.0)
    for leg, found in legs.items():
        weight = weights.get(leg, 1.0)
        if leg == "vector" and question is not None:
            known = _products(hits, found, question)
            scaled = _by_spread(known, question, spread) if spread else _by_range(known)
        else:
            scaled = _by_size(found)
        for chunk, value in scaled.items():
            scores[chunk] += weight * value
    order = sorted(scores, key=lambda chunk: (-scores[chunk], chunk))[:best]
    return [hits[chunk].scored(scores[chunk], ranks[chunk]) for chunk in order]


def gathered(legs: Legs) -> tuple[dict[str, Candidate], dict[str, dict[str, int]]]:
    """Return each hit once, and its ranks by leg, both by chunk id."""
    hits: dict[str, Candidate] = {}
    ranks: dict[str, dict[str, int]] = {}
    for leg, found in legs.items():
        for rank, hit in enumerate(found, start=1):
            hits.setdefault(hit.id, hit)
            ranks.setdefault(hit.id, {}).setdefault(leg, rank)
    return hits, ranks


def in_order(hits: Iterable[Candidate]) -> list[Candidate]:
    """Best first; equal scores by chunk id."""
    return sorted(hits, key=lambda hit: (-hit.score, hit.id))


def _products(
    hits: Mapping[str, Candidate], found: Sequence[Candidate], question: numpy.ndarray
) -> dict[str, float]:
    """The question's product with every hit; the least one where its vector is not known."""
    import numpy

    known = {hit.id: hit.score for hit in found}
    others = [
        (chunk, hit.vector)
        for chunk, hit in hits.items()
        if chunk not in known and hit.vector is not None
    ]
    if others:
        products = numpy.asarray([vector for _, vector in others], numpy.float32) @ question
        known.update(zip((chunk for chunk, _ in others), products.tolist(), strict=True))
    least = min(known.values(), default=0.0)
    return {chunk: known.get(chunk, least) for chunk in hits}


def _by_spread(
    products: Mapping[str, float], question: numpy.ndarray, spread: Spread
) -> dict[str, float]:
    import numpy

    scaled = spread.standard(question, numpy.asarray(list(products.values()), numpy.float32))
    return dict(zip(products, scaled.tolist(), strict=True))


def _by_range(products: Mapping[str, float]) -> dict[str, float]:
    low, high = min(products.values(), default=0.0), max(products.values(), default=0.0)
    size = max(high - low, 1e-6)
    return {chunk: _RANGE * (value - low) / size for chunk, value in products.items()}


def _by_size(found: Sequence[Candidate]) -> dict[str, float]:
    shown = [hit.score for hit in found[:_SHOWN] if hit.score > 0]
    if not shown:
        return {hit.id: 0.0 for hit in found}
    size = (sum(score * score for score in shown) / len(shown)) ** 0.5
    return {hit.id: _TEXT * max(hit.score, 0.0) / size for hit in found}
