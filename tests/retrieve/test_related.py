"""Far down a list, what lies near other things that were found rises."""

from __future__ import annotations

import numpy as np

from rag.records import Chunk, Hit
from rag.retrieve import related
from rag.retrieve.candidates import Candidate
from rag.retrieve.related import FIRST, POOL, smoothed
from tests.masked import masked


def hits(vectors: list[np.ndarray | None]) -> list[Candidate]:
    return [
        Candidate.of(
            Hit(
                Chunk(f"c{place}", "d", place, masked(""), masked(f"passage {place}"), 3),
                masked("doc.md"),
                100.0 - place,
                acl=("group:staff",),
            ),
            vector,
        )
        for place, vector in enumerate(vectors)
    ]


def ids(found: list[Candidate]) -> list[str]:
    return [hit.chunk.id for hit in found]


def spread(count: int) -> list[np.ndarray]:
    """Vectors in all directions."""
    made = np.random.default_rng(3).standard_normal((count, 64)).astype(np.float32)
    return list(made / np.linalg.norm(made, axis=1, keepdims=True))


def test_a_passage_among_the_best_ones_neighbours_rises_and_one_alone_does_not() -> None:
    vectors = spread(80)
    for place in (*range(8), 60):  # the first eight, and one far down, are about the same
        vectors[place] = vectors[0] + 0.05 * vectors[place]
    found = hits(list(vectors))
    order = ids(smoothed(found, 0.5))
    assert order.index("c60") < 30 < order.index("c59")
    assert order[:FIRST] == ids(found)[:FIRST]
    assert sorted(order) == sorted(ids(found))


def test_a_share_of_nothing_changes_nothing() -> None:
    found = hits(list(spread(60)))
    assert ids(smoothed(found, 0)) == ids(found)


def test_short_lists_and_those_without_vectors_stay_as_they_are() -> None:
    assert ids(smoothed(hits(list(spread(FIRST))), 0.5)) == [f"c{n}" for n in range(FIRST)]
    alone = hits([None] * 60)
    assert smoothed(alone, 0.5) == alone


def test_what_lies_beyond_the_pool_stays_behind() -> None:
    found = hits(list(spread(POOL + 30)))
    order = ids(smoothed(found, 0.5))
    assert order[POOL:] == ids(found)[POOL:]
    assert related._NEIGHBOURS < FIRST < POOL
