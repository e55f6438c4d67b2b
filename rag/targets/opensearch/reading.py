"""What is in an index: its rows, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from rag.errors import TargetFailed
from rag.targets import Stored
from rag.targets.opensearch.rows import valued

if TYPE_CHECKING:
    from rag.targets.opensearch.connection import Connection

PAGE = 5000
"""Rows of an answer: a cluster gives 10,000 at most, unless it is told otherwise."""
WHOLE = 200
"""The same with their vectors."""
IDS = 2000
"""Document ids in one filter: a cluster takes 65,536."""


@dataclass(frozen=True, slots=True)
class Row:
    """One passage as it is stored, without its text.

    Attributes:
        id: OpenSearch's; the chunk's own, except on Serverless.
        written: When, in microseconds; the same for all rows of one version.
    """

    id: str
    document_id: str
    chunk_id: str
    written: int


def rows_of(
    connection: Connection, index: str, documents: Sequence[str], other_than: int | None = None
) -> Iterator[Row]:
    """Yield the rows of documents, as the last refresh shows them.

    Args:
        other_than: Leave out rows that were written then.
    """
    without = [] if other_than is None else [{"term": {"written": other_than}}]
    fields = ["document_id", "chunk_id", "written"]
    for start in range(0, len(documents), IDS):
        among = [{"terms": {"document_id": list(documents[start : start + IDS])}}]
        query = {"bool": {"filter": among, "must_not": without}}
        for hit in _pages(connection, index, query, PAGE, valued(fields, ids=True)):
            found = hit["fields"]
            document, chunk, written = (found[field][0] for field in fields)
            yield Row(hit["_id"], document, chunk, int(written))


def whole_rows(
    connection: Connection, index: str, documents: Sequence[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield id and content of the rows of documents, vectors included."""
    for start in range(0, len(documents), IDS):
        query = {"terms": {"document_id": list(documents[start : start + IDS])}}
        for hit in _pages(connection, index, query, WHOLE, {"_source": True}):
            yield hit["_id"], hit["_source"]


def inventory(connection: Connection, index: str) -> dict[str, Stored]:
    """Return what is there of each document, by its id."""
    fields = ["document_id", "chunk_id", "digest", "position", "acl"]
    found: dict[str, tuple[str, tuple[str, ...], list[tuple[int, str]]]] = {}
    for hit in _pages(connection, index, {"match_all": {}}, PAGE, valued(fields)):
        values = hit["fields"]
        document, chunk, digest, position = (values[field][0] for field in fields[:4])
        acl = tuple(values.get("acl", ()))
        _, _, chunks = found.setdefault(document, (digest, acl, []))
        chunks.append((int(position), chunk))
    return {
        document: Stored(digest, acl, tuple(chunk for _, chunk in sorted(chunks)))
        for document, (digest, acl, chunks) in found.items()
    }


@dataclass(frozen=True, slots=True)
class Size:
    """How much room an index takes.

    Attributes:
        bytes: On disk, with all copies; -1: the cluster does not say.
        deleted: Rows that are still there.
        shard_bytes: Of a shard, without copies.
        shard_segments: The files with an index of their own that a shard is made of; each is
            searched apart.
    """

    bytes: int
    deleted: int = 0
    shard_bytes: int = 0
    shard_segments: int = 0


def size(connection: Connection, index: str) -> Size:
    """Return how much room an index takes, as far as the cluster says it."""
    try:
        answer = connection.ask(
            lambda client: client.indices.stats(
                index=index, metric="store,docs,segments", level="shards"
            )
        )
    except TargetFailed:
        return Size(-1)
    if not answer:
        return Size(-1)
    total, own = answer["_all"]["total"], answer["_all"]["primaries"]
    shards = max(1, sum(len(one["shards"]) for one in answer["indices"].values()))
    return Size(
        int(total["store"]["size_in_bytes"]),
        int(total["docs"]["deleted"]),
        int(own["store"]["size_in_bytes"]) // shards,
        int(own["segments"]["count"]) // shards,
    )


def refreshed(client: Any, index: str) -> None:
    """Let searches see what was written, in every copy.

    Raises:
        opensearchpy.TransportError: One copy did not answer; it may be on its way elsewhere.
    """
    from opensearchpy.exceptions import TransportError

    if client.indices.refresh(index=index)["_shards"]["failed"]:
        raise TransportError(503, "refresh", {})


def _pages(
    connection: Connection, index: str, query: Mapping[str, Any], size: int, what: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield all hits, in the order of chunk ids; the caller alone writes meanwhile.

    Each page begins after the last one's end, from the same copies of the shards: exact at any
    number, and every kind of OpenSearch has it.
    """
    body: dict[str, Any] = {
        "query": query,
        "size": size,
        "sort": ["chunk_id", "written"],
        "track_total_hits": False,
        **what,
    }
    same_copies = uuid4().hex
    while True:
        answer = connection.ask(_search(index, body, same_copies))
        hits = answer["hits"]["hits"] if answer else []
        yield from hits
        if len(hits) < size:
            return
        body["search_after"] = hits[-1]["sort"]


def _search(index: str, body: Mapping[str, Any], preference: str) -> Callable[[Any], Any]:
    whole = {"allow_partial_search_results": "false", "preference": preference}
    return lambda client: client.search(index=index, body=body, params=whole)
