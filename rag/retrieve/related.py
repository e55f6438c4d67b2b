"""Passages that lie near others that were found rise a little.

What is relevant lies together (cluster hypothesis), so a score is smoothed over a passage's nearest
neighbours among the candidates (score regularisation: Diaz, CIKM 2005). The first ones are left as
they are: there a reranker does better, and in a collection of single answers a neighbour is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.retrieve.candidates import Candidate

FIRST = 20
"""Hits that stay where they are: more than a reranker reads, unless it is told otherwise."""
POOL = 300
"""Hits among which neighbours are looked for; those after them stay behind."""
_NEIGHBOURS = 8


def smoothed(hits: Sequence[Candidate], share: float) -> list[Candidate]:
    """Return `hits` with those after the first in the order that their neighbours give them.

    Args:
        hits: Best first; those without a vector have no neighbours.
        share: Of the neighbours' scores in a hit's own, 0 to 1.
    """
    import numpy

    known = [place for place, hit in enumerate(hits[:POOL]) if hit.vector is not None]
    if len(hits) <= FIRST or len(known) <= _NEIGHBOURS:
        return list(hits)
    vectors = numpy.asarray([hits[place].vector for place in known], numpy.float32)
    near = vectors @ vectors.T
    numpy.fill_diagonal(near, -1)
    nearest = numpy.argpartition(-near, _NEIGHBOURS, axis=1)[:, :_NEIGHBOURS]
    weights = numpy.maximum(numpy.take_along_axis(near, nearest, axis=1), 1e-9)
    weights /= weights.sum(axis=1, keepdims=True)
    scores = numpy.array([hit.score for hit in hits])
    own = scores[known]
    scores[known] = (1 - share) * own + share * (weights * own[nearest]).sum(axis=1)
    later = sorted(range(FIRST, min(POOL, len(hits))), key=lambda place: -scores[place])
    return [*hits[:FIRST], *(hits[place] for place in later), *hits[POOL:]]
