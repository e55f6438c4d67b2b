"""Writing to OpenSearch Serverless, which shows what was written when it likes.

A vector search collection gives rows their ids, takes neither updates by id nor deletions by
query, and refreshes by itself, every minute or so. So a document's new rows are written beside
its old ones; once all of them are found, the old ones are deleted. A request that was sent twice
because its answer got lost leaves rows twice; those go the same way.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rag.errors import TargetFailed
from rag.records import IndexedDocument
from rag.targets.opensearch import bulk, rows
from rag.targets.opensearch.reading import Row, rows_of

if TYPE_CHECKING:
    from rag.targets.opensearch.connection import Connection

PATIENCE = 300.0
"""Seconds within which a collection shows what was written."""
FIRST_LOOK, LAST_LOOK = 0.1, 5.0
"""Seconds between looks, growing."""


@dataclass
class Settling:
    """Writes that a collection may not show yet.

    Attributes:
        expected: By index and document: when its rows were written, and their chunk ids. No
            chunks: the document is to be gone.
        deleted: Ids of rows whose deletion was sent.
    """

    connection: Connection
    expected: dict[str, dict[str, tuple[int, frozenset[str]]]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    deleted: set[str] = field(default_factory=set)

    def replace(
        self,
        index: str,
        before: Sequence[Row],
        upserts: Sequence[IndexedDocument],
        written: int,
        layout: int,
        most_bytes: int,
    ) -> dict[str, str]:
        """Write documents; the rows that were there `before` go once the new ones are found.

        Returns:
            The documents that were refused, and why: nothing of them is waited for.
        """
        new = (bulk.index(row, None) for one in upserts for row in rows.rows(one, written, layout))
        refused = bulk.write(self.connection, index, new, most_bytes)
        expected = self.expected[index]
        for row in before:
            expected[row.document_id] = (written, frozenset())
        for one in upserts:
            expected[one.id] = (written, frozenset(chunk.id for chunk in one.chunks))
        for document in refused:
            expected.pop(document, None)
        gone = {row.document_id for row in before} - {one.id for one in upserts}
        self._delete(index, [row for row in before if row.document_id in gone])
        if before:
            self.wait()
        return refused

    def rewrite(
        self,
        index: str,
        found: Iterable[tuple[str, Mapping[str, Any]]],
        fields: Callable[[str], Mapping[str, Any]],
        most_bytes: int,
    ) -> None:
        """Replace some fields of rows, and wait until that is seen.

        The old rows are deleted in the same request: rights taken away do not wait for the new
        rows to be found.
        """
        written = time.time_ns() // 1000
        chunks: dict[str, set[str]] = defaultdict(set)
        items = []
        for row_id, row in found:
            document = row["document_id"]
            chunks[document].add(row["chunk_id"])
            items.append(bulk.index({**row, **fields(document), "written": written}, None))
            items.append(bulk.delete(Row(row_id, document, row["chunk_id"], 0), routed=False))
            self.deleted.add(row_id)
        bulk.write(self.connection, index, items, most_bytes)
        for document, ids in chunks.items():
            self.expected[index][document] = (written, frozenset(ids))
        self.wait()

    def wait_for(self, index: str, documents: Iterable[str]) -> None:
        """Wait before documents are written again that may not show their last write yet."""
        if not self.expected[index].keys().isdisjoint(documents):
            self.wait()

    def wait(self) -> None:
        """Wait until every index shows what was written and nothing else of those documents.

        Raises:
            TargetFailed: It takes longer than five minutes.
        """
        until, pause = time.monotonic() + PATIENCE, FIRST_LOOK
        while left := [index for index in self.expected if not self._settled(index)]:
            if time.monotonic() > until:
                raise TargetFailed(
                    f"The collection does not show what was written to {left[0]}.",
                    "Run again later: it goes on from there.",
                )
            time.sleep(pause)
            pause = min(LAST_LOOK, pause * 1.5)
        self.expected.clear()
        self.deleted.clear()

    def _settled(self, index: str) -> bool:
        """Look once, and delete what is no longer needed; return whether all is as it should be."""
        expected = self.expected[index]
        seen: dict[str, list[Row]] = defaultdict(list)
        for row in rows_of(self.connection, index, sorted(expected)):
            seen[row.document_id].append(row)
        stale: list[Row] = []
        settled = True
        for document, (written, chunks) in expected.items():
            first: dict[str, Row] = {}
            for row in seen[document]:
                if row.written == written and row.id not in self.deleted:
                    first.setdefault(row.chunk_id, row)
            if first.keys() >= chunks:
                kept = {row.id for row in first.values() if row.chunk_id in chunks}
                stale += [row for row in seen[document] if row.id not in kept]
            settled = settled and len(seen[document]) == len(chunks) == len(first)
        self._delete(index, [row for row in stale if row.id not in self.deleted])
        return settled

    def _delete(self, index: str, found: Sequence[Row]) -> None:
        if found:
            items = [bulk.delete(row, routed=False) for row in found]
            bulk.write(self.connection, index, items, bulk.SERVERLESS_BYTES)
            self.deleted.update(row.id for row in found)
