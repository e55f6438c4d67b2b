"""Bulk requests by size; what a busy cluster refuses is sent again, item by item."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rag.errors import TargetFailed
from rag.targets.opensearch.connection import BUSY, PATIENCE, failed, is_busy, pause

if TYPE_CHECKING:
    from rag.targets.opensearch.connection import Connection
    from rag.targets.opensearch.reading import Row

SIDE_BY_SIDE = 2
"""Requests under way at once: one is read there while the next is made here."""
SERVERLESS_BYTES = 10 * 2**20 - 1024
"""OpenSearch Serverless takes requests of 10 MiB."""


@dataclass(frozen=True, slots=True)
class Item:
    """One action.

    Attributes:
        document: Id of the document that it is for.
        lines: The action, and the row where it has one, as the request has them.
    """

    document: str
    lines: bytes


def index(row: Mapping[str, Any], row_id: str | None) -> Item:
    """Return the action that puts a row in place; without an id the collection gives one."""
    document = row["document_id"]
    return Item(document, _lines({"index": _address(row_id, document, row_id is not None)}, row))


def update(row: Row, fields: Mapping[str, Any]) -> Item:
    """Return the action that changes some fields of a row."""
    address = _address(row.id, row.document_id, True)
    return Item(row.document_id, _lines({"update": address}, {"doc": fields}))


def delete(row: Row, *, routed: bool = True) -> Item:
    """Return the action that removes a row."""
    return Item(row.document_id, _lines({"delete": _address(row.id, row.document_id, routed)}))


def _address(row_id: str | None, document: str, routed: bool) -> dict[str, str]:
    # By document, so that all its rows are in one shard and are refreshed in one moment.
    return ({"_id": row_id} if row_id else {}) | ({"routing": document} if routed else {})


def _lines(*lines: Mapping[str, Any]) -> bytes:
    import orjson

    how = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE
    return b"".join(orjson.dumps(line, option=how) for line in lines)


def write(
    connection: Connection, into: str, items: Iterable[Item], most_bytes: int
) -> dict[str, str]:
    """Do all actions; nothing is refreshed.

    Items that a busy cluster refused wait until the others are through, and are sent again
    together, so that a third refused costs a third more, not a request each.

    Returns:
        The documents of which an item was refused for good, and the kind of the reason.

    Raises:
        TargetFailed: The cluster stays busy, or refuses whole requests.
    """
    progress, attempt = time.monotonic(), 0
    refused: dict[str, str] = {}
    todo: Iterable[Item] = items
    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        while True:
            done, again = 0, []
            for outcome in _side_by_side(threads, connection, into, packs(todo, most_bytes)):
                done += outcome.done
                again += outcome.again
                refused |= outcome.refused
            if not again:
                return refused
            if done:
                progress, attempt = time.monotonic(), 0
            elif time.monotonic() - progress > PATIENCE:
                raise TargetFailed(
                    f"OpenSearch was too busy for {len(again)} passages.",
                    "Run again later: it goes on from there.",
                )
            time.sleep(pause(attempt))
            attempt += 1
            todo = again


def packs(items: Iterable[Item], most_bytes: int) -> Iterator[list[Item]]:
    """Yield items in requests of at most so many bytes; a larger item goes alone."""
    pack: list[Item] = []
    size = 0
    for item in items:
        if pack and size + len(item.lines) > most_bytes:
            yield pack
            pack, size = [], 0
        pack.append(item)
        size += len(item.lines)
    if pack:
        yield pack


@dataclass(slots=True)
class Outcome:
    """What became of one request: items done, items to send again, documents refused."""

    done: int = 0
    again: list[Item] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def _side_by_side(
    threads: ThreadPoolExecutor, connection: Connection, into: str, requests: Iterator[list[Item]]
) -> Iterator[Outcome]:
    under_way: deque[Future[Outcome]] = deque()
    for request in requests:
        under_way.append(threads.submit(_send, connection, into, request))
        if len(under_way) > SIDE_BY_SIDE:
            yield under_way.popleft().result()
    while under_way:
        yield under_way.popleft().result()


def _send(connection: Connection, into: str, items: Sequence[Item]) -> Outcome:
    from opensearchpy.exceptions import TransportError

    shown = {"filter_path": "errors,items.*.status,items.*.error.type"}
    try:
        body = b"".join(item.lines for item in items)
        answer = connection.client.bulk(body=body, index=into, params=shown)
    except TransportError as error:
        if error.status_code == 413 and len(items) > 1:
            half = len(items) // 2
            return _both(*(_send(connection, into, part) for part in (items[:half], items[half:])))
        if error.status_code == 413:
            return Outcome(refused={items[0].document: "a passage is too large"})
        if not is_busy(error):
            raise failed(error) from None
        return Outcome(again=list(items))  # it may have been done: again gives the same
    if not answer["errors"]:
        return Outcome(done=len(items))
    outcome = Outcome()
    for item, result in zip(items, answer["items"], strict=True):
        ((action, said),) = result.items()
        absent = action != "index" and said["status"] == 404
        if said["status"] < 300 or absent:
            outcome.done += 1
        elif said["status"] in BUSY:
            outcome.again.append(item)
        else:
            outcome.refused[item.document] = str(said.get("error", {}).get("type", "error"))
    return outcome


def _both(first: Outcome, second: Outcome) -> Outcome:
    return Outcome(
        first.done + second.done, first.again + second.again, first.refused | second.refused
    )
