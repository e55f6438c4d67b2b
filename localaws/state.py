"""What survives a restart: JSON documents by kind and id, in one SQLite file."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class State:
    """A store of plain records; threads may share it.

    Args:
        folder: Holds the file; other parts may keep files of their own beside it.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self._lock = threading.RLock()
        self._depth = 0
        self._db = sqlite3.connect(
            folder / "state.sqlite", isolation_level=None, check_same_thread=False
        )
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS record"
            " (kind TEXT, id TEXT, value TEXT NOT NULL, PRIMARY KEY (kind, id))"
        )

    def get(self, kind: str, name: str) -> Any | None:
        """Return a record, or None."""
        with self._lock:
            row = self._db.execute(
                "SELECT value FROM record WHERE kind = ? AND id = ?", (kind, name)
            ).fetchone()
        return None if row is None else json.loads(row[0])

    def put(self, kind: str, name: str, value: Any) -> None:
        """Keep a record: anything that JSON can say (moments as ISO 8601 texts)."""
        with self._lock:
            self._db.execute(
                "INSERT OR REPLACE INTO record VALUES (?, ?, ?)", (kind, name, json.dumps(value))
            )

    def delete(self, kind: str, name: str) -> bool:
        """Drop a record; return whether it was there."""
        with self._lock:
            done = self._db.execute("DELETE FROM record WHERE kind = ? AND id = ?", (kind, name))
            return done.rowcount > 0

    def all(self, kind: str, prefix: str = "") -> list[tuple[str, Any]]:
        """Return the records of a kind whose id starts with `prefix`, by id."""
        with self._lock:
            rows = self._db.execute(
                "SELECT id, value FROM record WHERE kind = ? AND substr(id, 1, ?) = ? ORDER BY id",
                (kind, len(prefix), prefix),
            ).fetchall()
        return [(name, json.loads(value)) for name, value in rows]

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let what follows happen whole or not at all, with no other thread in between."""
        with self._lock:
            if self._depth == 0:
                self._db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._db.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._db.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._db.close()
