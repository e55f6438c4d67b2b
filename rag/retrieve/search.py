"""Hybrid search within the asker's rights: by meaning and by words, fused by rank."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.masked import Masked
from rag.records import Hit, Principal
from rag.retrieve.filters import EVERYTHING, Filter
from rag.retrieve.query import Query, Where
from rag.telemetry import ERROR, event

if TYPE_CHECKING:
    from rag.config import Embedding
    from rag.targets import Target

_RRF = 60
_DEPTH = 50

log = logging.getLogger(__name__)


def search(
    target: Target,
    question: Masked,
    vector: Sequence[float] | None,
    principals: Sequence[Principal],
    k: int = 10,
    where: Where | Filter | None = None,
    embedding: Embedding | None = None,
) -> list[Hit]:
    """The `k` best passages that the asker may read, best first.

    Args:
        target: Where to search.
        question: Masked.
        vector: Its embedding, shape (dimensions,); None: by words only.
        principals: Who asks; nobody finds nothing.
        k: How many at most.
        where: Narrows what is searched.
        embedding: The model that made `vector`, as the target named it.

    Raises:
        ModelChanged: the target serves an index of another model by now.
        TargetFailed: the target did not answer.
    """
    query = Query(question, vector, tuple(principals), where or EVERYTHING, embedding)
    legs = target.legs(query, depth=max(_DEPTH, 4 * k))
    return readable(fuse(legs), principals)[:k]


def fuse(legs: Mapping[str, Sequence[Hit]]) -> list[Hit]:
    """Reciprocal rank fusion: a hit's score is the sum of 1 / (60 + rank) over its legs.

    Cormack, Clarke, Büttcher: Reciprocal Rank Fusion outperforms Condorcet and individual rank
    learning methods. SIGIR 2009. Ties are broken by chunk id, so that order is reproducible.
    """
    hits: dict[str, Hit] = {}
    ranks: dict[str, dict[str, int]] = {}
    for leg, found in legs.items():
        for rank, hit in enumerate(found, start=1):
            hits.setdefault(hit.chunk.id, hit)
            ranks.setdefault(hit.chunk.id, {}).setdefault(leg, rank)
    fused = [
        replace(hits[chunk], score=sum(1 / (_RRF + rank) for rank in own.values()), legs=own)
        for chunk, own in ranks.items()
    ]
    return sorted(fused, key=lambda hit: (-hit.score, hit.chunk.id))


def readable(hits: Sequence[Hit], principals: Sequence[Principal]) -> list[Hit]:
    """Only the hits whose ACL names one of `principals`.

    The target has checked already: whatever is dropped here is a defect, and logged as one.
    """
    asker = frozenset(principals)
    kept = [hit for hit in hits if not asker.isdisjoint(hit.acl)]
    if len(kept) < len(hits):
        event(
            log,
            ERROR,
            "search: {dropped} hits beyond the asker's rights were dropped",
            dropped=len(hits) - len(kept),
        )
    return kept
