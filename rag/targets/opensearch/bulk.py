"""Bulk requests by size; what a busy cluster refuses is sent again, item by item."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from rag.errors import TargetFailed
from rag.targets.opensearch.connection import BUSY, PATIENCE, failed, is_busy, pause

if TYPE_CHECKING:
    from rag.targets.opensearch.connection import Connection

SIDE_BY_SIDE = 2
"""Requests under way at once: one is read there while the next is made here."""
SERVERLESS_BYTES = 10 * 2**20 - 1024
"""OpenSearch Serverless takes requests of 10 MiB."""

Item = bytes
"""One action, with its document where it has one: one or two lines of the request."""


def index(row: Mapping[str, Any], row_id: str | None) -> Item:
    """Return the action that puts a row in place; without an id the collection gives one."""
    return _item({"index": _address(row_id, row["document_id"])}, row)


def update(row_id: str, document_id: str, fields: Mapping[str, Any]) -> Item:
    """Return the action that changes some fields of a row."""
    return _item({"update": _address(row_id, document_id)}, {"doc": fields})


def delete(row_id: str, document_id: str | None) -> Item:
    """Return the action that removes a row; `document_id` None: it is not routed by document."""
    return _item({"delete": _address(row_id, document_id)})


def _address(row_id: str | None, document_id: str | None) -> dict[str, str]:
    if row_id is None:
        return {}
    # By document, so that all its rows are in one shard and are refreshed in one moment.
    return {"_id": row_id} | ({"routing": document_id} if document_id is not None else {})


def _item(*lines: Mapping[str, Any]) -> Item:
    import orjson

    how = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE
    return b"".join(orjson.dumps(line, option=how) for line in lines)


def write(connection: Connection, into: str, items: Iterable[Item], most_bytes: int) -> None:
    """Do all actions; nothing is refreshed.

    Items that a busy cluster refused wait until the others are through, and are sent again
    together, so that a third refused costs a third more, not a request each.

    Raises:
        TargetFailed: An item was refused for good, or the cluster stays busy.
    """
    moved, attempt = time.monotonic(), 0
    todo: Iterable[Item] = items
    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        while True:
            sent, again = 0, []
            for part in _side_by_side(threads, connection, into, packs(todo, most_bytes)):
                sent += part[0]
                again += part[1]
            if not again:
                return
            if sent:
                moved, attempt = time.monotonic(), 0
            elif time.monotonic() - moved > PATIENCE:
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
        if pack and size + len(item) > most_bytes:
            yield pack
            pack, size = [], 0
        pack.append(item)
        size += len(item)
    if pack:
        yield pack


Outcome = tuple[int, list[Item]]
"""How many items were done, and those to send again."""


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

    shown = "items.*._id,items.*.status,items.*.error.type"
    try:
        answer = connection.client.bulk(
            body=b"".join(items), index=into, params={"filter_path": f"errors,{shown}"}
        )
    except TransportError as error:
        if error.status_code == 413 and len(items) > 1:
            half = len(items) // 2
            halves = [_send(connection, into, part) for part in (items[:half], items[half:])]
            return sum(done for done, _ in halves), [item for _, left in halves for item in left]
        if not is_busy(error):
            raise failed(error) from None
        return 0, list(items)  # it may have been done: doing it again gives the same
    if not answer.get("errors"):
        return len(items), []
    again: list[Item] = []
    for item, outcome in zip(items, answer["items"], strict=True):
        ((action, result),) = outcome.items()
        if result["status"] in BUSY:
            again.append(item)
        elif result["status"] >= 300 and not (action != "index" and result["status"] == 404):
            kind = result.get("error", {}).get("type", "error")
            raise TargetFailed(
                f"OpenSearch refused a passage (HTTP {result['status']}, {kind}).",
                "The cluster's log says why; `sluice reindex` builds the index anew.",
            )
    return len(items) - len(again), again
