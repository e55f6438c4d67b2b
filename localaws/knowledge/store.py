"""Documents, chunks and vectors on disk (SQLite), and what waits to be ingested."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy

from localaws.knowledge.index import Chunk, Document, Index
from localaws.state import State

_SCHEMA = """
CREATE TABLE IF NOT EXISTS document (
    base TEXT, source TEXT, name TEXT, kind TEXT, status TEXT, updated TEXT, reason TEXT,
    version TEXT, sidecar TEXT, attributes TEXT, acl TEXT, embedded TEXT,
    PRIMARY KEY (base, source, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS chunk (
    base TEXT, source TEXT, document TEXT, place INTEGER, name TEXT, text TEXT, shown TEXT,
    vector BLOB, PRIMARY KEY (base, source, document, place));
CREATE TABLE IF NOT EXISTS waiting (
    number INTEGER PRIMARY KEY AUTOINCREMENT, base TEXT, source TEXT, name TEXT, task TEXT);
"""
_READ = (
    "SELECT source, name, kind, status, updated, reason, version, sidecar, attributes, acl,"
    " embedded FROM document WHERE base = ?"
)

_FORGET = tuple(
    statement + " WHERE base = :base AND (:source IS NULL OR source = :source)"
    for statement in ("DELETE FROM document", "DELETE FROM chunk", "DELETE FROM waiting")
)

_stores: dict[Path, Store] = {}
_stores_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something accepted and not yet done: a document to ingest or to delete."""

    number: int
    base: str
    source: str
    name: str
    task: dict[str, Any]


def store(state: State) -> Store:
    """Return the one store of a state's folder."""
    with _stores_lock:
        found = _stores.get(state.folder)
        if found is None:
            found = _stores[state.folder] = Store(state.folder)
        return found


class Store:
    """See the module. Threads may share one."""

    def __init__(self, folder: Path) -> None:
        self._lock = threading.RLock()
        self._indexes: dict[str, Index] = {}
        self._db = sqlite3.connect(
            folder / "knowledge.sqlite", isolation_level=None, check_same_thread=False
        )
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)

    def index(self, base: str) -> Index:
        """Return the index of a knowledge base, read from disk at first."""
        with self._lock:
            found = self._indexes.get(base)
            if found is None:
                found = self._indexes[base] = self._read(base)
            return found

    def document(self, base: str, source: str, name: str) -> Document | None:
        """Return one document, or None."""
        with self._lock:
            row = self._db.execute(
                _READ + " AND source = ? AND name = ?",
                (base, source, name),
            ).fetchone()
        return None if row is None else _document(row)

    def documents(self, base: str, source: str, after: str = "", limit: int = -1) -> list[Document]:
        """Return documents of a data source by name, those after a name; -1: all."""
        with self._lock:
            rows = self._db.execute(
                _READ + " AND source = ? AND name > ? ORDER BY name LIMIT ?",
                (base, source, after, limit),
            ).fetchall()
        return [_document(row) for row in rows]

    def note(self, base: str, *documents: Document) -> None:
        """Keep documents' status, attributes and rights; their chunks stay as they are."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            for document in documents:
                self._put(base, document)
            self._db.execute("COMMIT")
            for document in documents:
                self.index(base).update(document)

    def replace(
        self, base: str, document: Document, chunks: Sequence[Chunk], vectors: numpy.ndarray
    ) -> None:
        """Keep a document with new chunks instead of its old ones.

        Args:
            vectors: float32, L2-normalised, shape (chunks, dimensions).
        """
        index = self.index(base)
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            self._put(base, document)
            self._clear(base, document.source, document.name)
            self._db.executemany(
                "INSERT INTO chunk VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        *(base, document.source, document.name, place, chunk.name, chunk.text),
                        None if chunk.shown == chunk.text else chunk.shown,
                        numpy.ascontiguousarray(vector, numpy.float32).tobytes(),
                    )
                    for place, (chunk, vector) in enumerate(zip(chunks, vectors, strict=True))
                ],
            )
            self._db.execute("COMMIT")
            index.replace(document, chunks, vectors)

    def remove(self, base: str, source: str, name: str) -> None:
        """Forget a document and its chunks."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(
                "DELETE FROM document WHERE base = ? AND source = ? AND name = ?",
                (base, source, name),
            )
            self._clear(base, source, name)
            self._db.execute("COMMIT")
            self.index(base).remove((source, name))

    def forget(self, base: str, source: str | None = None) -> None:
        """Forget all of a knowledge base, or of one of its data sources."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            for statement in _FORGET:
                self._db.execute(statement, {"base": base, "source": source})
            self._db.execute("COMMIT")
            self._indexes.pop(base, None)

    def wait(
        self, base: str, source: str, tasks: Sequence[tuple[Document, dict[str, Any]]]
    ) -> None:
        """Accept tasks, each with its document as it is until the task is done."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            for document, task in tasks:
                self._put(base, document)
                self._db.execute(
                    "INSERT INTO waiting (base, source, name, task) VALUES (?, ?, ?, ?)",
                    (base, source, document.name, json.dumps(task)),
                )
            self._db.execute("COMMIT")

    def waiting(self, limit: int) -> list[Waiting]:
        """Return the tasks accepted first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT number, base, source, name, task FROM waiting ORDER BY number LIMIT ?",
                (limit,),
            ).fetchall()
        return [Waiting(a, b, c, d, json.loads(task)) for a, b, c, d, task in rows]

    def awaited(self, base: str, source: str, name: str) -> str | None:
        """Return what was accepted last for a document and is not yet done: its action."""
        with self._lock:
            row = self._db.execute(
                "SELECT task FROM waiting WHERE base = ? AND source = ? AND name = ?"
                " ORDER BY number DESC LIMIT 1",
                (base, source, name),
            ).fetchone()
        return json.loads(row[0])["action"] if row else None

    def done(self, number: int) -> None:
        """A task is done."""
        with self._lock:
            self._db.execute("DELETE FROM waiting WHERE number = ?", (number,))

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _read(self, base: str) -> Index:
        index = Index()
        documents = {
            one.key: one
            for one in map(
                _document,
                self._db.execute(_READ, (base,)),
            )
        }
        held: dict[tuple[str, str], list[tuple[Chunk, numpy.ndarray]]] = {}
        for source, name, chunk, text, shown, vector in self._db.execute(
            "SELECT source, document, name, text, shown, vector FROM chunk WHERE base = ?"
            " ORDER BY rowid",
            (base,),
        ):
            passage = Chunk(chunk, text, text if shown is None else shown)
            held.setdefault((source, name), []).append(
                (passage, numpy.frombuffer(vector, numpy.float32))
            )
        for key, chunks in held.items():
            if key in documents:
                vectors = numpy.stack([vector for _, vector in chunks])
                index.replace(documents[key], [chunk for chunk, _ in chunks], vectors)
        return index

    def _put(self, base: str, document: Document) -> None:
        acl = None if document.acl is None else json.dumps(document.acl)
        self._db.execute(
            "INSERT OR REPLACE INTO document VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(base, document.source, document.name, document.kind, document.status),
                *(document.updated, document.reason, document.version, document.sidecar),
                *(json.dumps(document.attributes), acl, document.embedded),
            ),
        )

    def _clear(self, base: str, source: str, name: str) -> None:
        self._db.execute(
            "DELETE FROM chunk WHERE base = ? AND source = ? AND document = ?",
            (base, source, name),
        )


def _document(row: Any) -> Document:
    source, name, kind, status, updated, reason, version, sidecar, attributes, acl, embedded = row
    rights = None if acl is None else tuple((who, access) for who, access in json.loads(acl))
    return Document(
        source=source,
        name=name,
        kind=kind,
        status=status,
        updated=updated,
        reason=reason,
        version=version,
        sidecar=sidecar,
        attributes=json.loads(attributes),
        acl=rights,
        embedded=embedded,
    )
