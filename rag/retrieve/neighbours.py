"""The passages before and after one that was found, which may hold the rest of what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.retrieve.candidates import Candidate
from rag.retrieve.query import Query

if TYPE_CHECKING:
    from rag.targets import Target

_MANY = 40
"""Passages of the documents found that are looked at, for each hit."""


def joined(target: Target, query: Query, hits: Sequence[Candidate], reach: int) -> list[Candidate]:
    """Return the hits, each followed by up to `reach` passages before and after it.

    They are found by the same question within the hits' documents, so within the same rights; a
    neighbour has its hit's score and no leg.

    Args:
        query: As the hits were found, with a vector.
    """
    from rag.retrieve.filters.tree import All, Among

    if not hits or query.vector is None:
        return list(hits)
    documents = tuple(dict.fromkeys(hit.chunk.document_id for hit in hits))
    inside = replace(query, where=All((query.filter, Among("id", documents))), weighted=())
    found = target.legs(inside, len(documents) * _MANY)
    around = {
        (hit.chunk.document_id, hit.chunk.position): hit
        for leg in found.values()
        for hit in target.read(leg, query.principals)
    }
    made = {hit.id: hit for hit in hits}
    order: dict[str, Candidate] = {}
    for hit in hits:
        order.setdefault(hit.id, hit)
        place = hit.chunk.position
        for position in range(place - reach, place + reach + 1):
            near = around.get((hit.chunk.document_id, position))
            if near and near.id not in made:
                order.setdefault(near.id, near.scored(hit.score, {}))
    return list(order.values())
