"""The embedded target's searches: both legs at once, addresses first, then what lies there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.retrieve.candidates import Candidate, Legs
from rag.retrieve.query import Query
from rag.targets.embedded import conditions
from rag.targets.embedded.beside import Beside
from rag.targets.rows import COLUMNS, as_hits, searchable
from rag.targets.rows import vectors as vectors_of

_REPEATED = 4
"""Repetitions of the question's words beside further, weighted ones: weights by quarters."""
_CLOSER = 2
"""Times as many passages as are wanted are taken from the vector index, which knows vectors to 4
bits, and then compared exactly: that finds 99.9 % of the exact best 100 (`bench.latency`)."""
_PARTITION = 8192
"""Rows of a partition of the vector index, as LanceDB makes them when it tidies up. All are read:
fewer would lose passages of those who may read little."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A version of the table, as it is searched.

    Attributes:
        files: By which it is known that there is another version.
        partitions: Of the index that vectors are searched by; 0: there is none.
        columns: Of the table; one that was made before there were days has none of them.
    """

    files: tuple[int, frozenset[Path]]
    table: Any
    beside: Beside
    partitions: int
    columns: frozenset[str]


def legs(opened: Opened, query: Query, depth: int) -> Legs:
    """Return what each leg of a search finds, best first, within rights and filter.

    Args:
        depth: Of a leg.
    """
    condition = conditions.within(sorted(set(query.principals)), query.filter, opened.columns)
    asked: dict[str, Any] = {}
    times = 1
    if query.vector is not None:
        wanted = depth * (_CLOSER if opened.partitions else 1)
        asked["vector"] = _nearest(opened, query.vector).limit(wanted)
    if query.text.strip():
        spoken, times = _spoken(query)
        asked["text"] = _best(opened.table, spoken).limit(depth)
    found = dict(zip(asked, _together(asked.values(), condition), strict=True))
    if "vector" in found:
        found["vector"] = _closest(opened, *found["vector"], query.vector, depth)
    if "text" in found:
        places, scores = found["text"]
        found["text"] = places, [score / times for score in scores]
    every = {one for places, _ in found.values() for one in places}
    candidates = _candidates(opened, every, vectors=query.vectors)
    return {
        leg: [candidates[one].scored(value) for one, value in zip(*own, strict=True)]
        for leg, own in found.items()
    }


def _spoken(query: Query) -> tuple[Any, int]:
    """Return the text leg's query, and by what its scores are too high.

    A word that comes several times counts so often, so that weights are numbers of repetitions:
    one list of words is cut short at the best hits, which LanceDB does not do for a query of
    several clauses (12 against 130 ms over 100,000 passages, for 30 further words).
    """
    from lancedb.query import MatchQuery

    asked = searchable(query.text)
    times = _REPEATED if query.weighted else 1
    words = [asked] * times
    for word, weight in query.weighted:
        words += [searchable(word)] * round(weight * times)
    return MatchQuery(" ".join(words), "words"), times


def vector_index(rows: int, dimensions: int) -> Any:
    """An inverted file of quantised vectors (RaBitQ: Gao, Long, SIGMOD 2024), 4 bits a dimension.

    It is read in a quarter of the time of one that has the vectors themselves. Codes are made of
    whole bytes of one bit a dimension; others are kept as they are.
    """
    from lancedb.index import IvfFlat, IvfRq

    how: dict[str, Any] = {
        "distance_type": "dot",
        "num_partitions": partitions(rows),
        "max_iterations": 15,
        "sample_rate": 64,
    }
    return IvfFlat(**how) if dimensions % 8 else IvfRq(**how, num_bits=4)


def partitions(rows: int) -> int:
    return max(2, -(-rows // _PARTITION))


def _nearest(opened: Opened, vector: Sequence[float]) -> Any:
    """The vector leg's query, which answers addresses and distances."""
    query = _inner(opened.table).query().nearest_to(vector).column("vector").distance_type("dot")
    if opened.partitions:
        query = query.nprobes(opened.partitions)
    return query.select(["_distance"])


def _best(table: Any, spoken: Any) -> Any:
    """The text leg's query, which answers addresses and scores."""
    return _inner(table).query().nearest_to_text(spoken).select(["_score"])


def _inner(table: Any) -> Any:
    """LanceDB's asynchronous table, over which its plain one lies: one round trip a query, not six.

    The two share their caches, which a table of another connection would not.
    """
    return table._table


def _together(queries: Iterable[Any], condition: str) -> list[tuple[list[int], list[float]]]:
    """Ask for several legs at once; return each one's addresses and values, best first.

    Args:
        condition: That holds inside each of them.
    """
    from lancedb.background_loop import LOOP

    async def one(query: Any) -> tuple[list[int], list[float]]:
        rows = await query.where(condition).with_row_id().to_arrow()
        value = next(name for name in ("_distance", "_score") if name in rows.column_names)
        return rows.column("_rowid").to_pylist(), rows.column(value).to_pylist()

    async def every() -> list[tuple[list[int], list[float]]]:
        return await asyncio.gather(*(one(query) for query in queries))

    found: list[tuple[list[int], list[float]]] = LOOP.run(every())
    return found


def _candidates(opened: Opened, addresses: set[int], *, vectors: bool) -> Mapping[int, Candidate]:
    """Return the passages at these addresses, without scores."""
    found = opened.beside.candidates(sorted(addresses), vectors=vectors)
    if missing := sorted(addresses - found.keys()):
        taken = opened.table.take_row_ids(missing).with_row_id()
        known = [name for name in COLUMNS if name in opened.columns]
        rows = taken.select([*known, "vector"]).to_arrow()
        own = vectors_of(rows) if vectors else [None] * len(missing)
        each = zip(rows.column("_rowid").to_pylist(), as_hits(rows), own, strict=True)
        found.update((address, Candidate.of(hit, vector)) for address, hit, vector in each)
    return found


def _closest(
    opened: Opened,
    addresses: Sequence[int],
    distances: Sequence[float],
    vector: Sequence[float] | None,
    depth: int,
) -> tuple[list[int], list[float]]:
    """Return the passages by their exact products with the question, the best first, and these.

    Args:
        distances: As the index knows them, which breaks ties.
    """
    import numpy

    if not addresses:
        return [], []
    known = opened.beside.vectors(addresses)
    if missing := [one for one in addresses if one not in known]:
        rows = opened.table.take_row_ids(missing).with_row_id().select(["vector"]).to_arrow()
        known.update(zip(rows.column("_rowid").to_pylist(), vectors_of(rows), strict=True))
    own = numpy.asarray([known[one] for one in addresses], numpy.float32)
    products = own @ numpy.asarray(vector, numpy.float32)
    order = numpy.lexsort((numpy.asarray(distances), -products))[:depth]
    return [addresses[one] for one in order.tolist()], products[order].tolist()
