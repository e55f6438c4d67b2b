"""Embeddings for chunks: identical text once, what was embedded before not again."""

from __future__ import annotations

import hashlib
import re
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import SluiceError
from rag.records import Chunk

if TYPE_CHECKING:
    import numpy

    from rag.models import Embedder

CACHED_VECTORS = 1_000_000
"""At 384 dimensions about 2 GB; the least recently used go first."""

_ASKED_AT_ONCE = 500  # parameters of a statement
_SCHEMA = """
CREATE TABLE IF NOT EXISTS embedding (
    key BLOB PRIMARY KEY, vector BLOB NOT NULL, used INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS embedding_used ON embedding (used);
"""
_MARKS = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS named (mark BLOB, key BLOB, PRIMARY KEY (mark, key)) WITHOUT ROWID;
INSERT OR IGNORE INTO named
    SELECT x'', key FROM embedding WHERE (SELECT user_version FROM pragma_user_version) = 0;
PRAGMA user_version = 1;
COMMIT;
"""
_CODE = re.compile(r"_([a-z2-7]{8})(?![a-z2-7])")
"""What tells one pseudonym from another, whatever stands before it."""
_ANYBODY = b""
"""Mark of a text of which it is not known who is named in it: from before there were marks."""


@dataclass(frozen=True, slots=True)
class EmbedCounts:
    """What embedding some chunks took.

    Attributes:
        embedded: Distinct texts that the model read.
        cached: Chunks that it did not: their text was known, or another chunk's.
        padding: Share of padding in what the model computed, 0 to 1.
    """

    embedded: int
    cached: int
    padding: float = 0.0


def embed_chunks(
    chunks: Sequence[Chunk], embedder: Embedder, cache: EmbeddingCache
) -> tuple[numpy.ndarray, EmbedCounts]:
    """Return the chunks' embeddings, float32, L2-normalised, shape (chunks, dimensions).

    What the model reads of a chunk is its heading and its text. Chunks that say the same share
    one vector, whatever documents they stand in.

    Raises:
        ServiceFailed, ServiceRefused: The model runs elsewhere and could not be had; what it had
            embedded before is kept.
    """
    import numpy

    texts = [chunk.embedded_text for chunk in chunks]
    keys = _keys(embedder.fingerprint, texts)
    found = cache.get(list(dict.fromkeys(keys)), 4 * embedder.dimensions)
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
    padding = 0.0
    todo = list(missing)
    for start in range(0, len(todo), embedder.together):
        some = todo[start : start + embedder.together]
        vectors = embedder.embed([missing[key] for key in some])
        padding = embedder.padding
        made = {key: row.astype("<f4").tobytes() for key, row in zip(some, vectors, strict=True)}
        cache.put(made, {key: missing[key] for key in some})
        found |= made
    stacked = numpy.zeros((len(keys), embedder.dimensions), numpy.float32)
    for place, key in enumerate(keys):
        stacked[place] = numpy.frombuffer(found[key], "<f4")
    return stacked, EmbedCounts(len(missing), len(chunks) - len(missing), padding)


def no_vectors(chunks: Sequence[Chunk]) -> tuple[numpy.ndarray, EmbedCounts]:
    """Return what stands for embeddings where every target makes its own; shape (chunks, 0)."""
    import numpy

    return numpy.zeros((len(chunks), 0), numpy.float32), EmbedCounts(0, 0)


def _keys(fingerprint: str, texts: Sequence[str]) -> list[bytes]:
    """Hashes that differ by model: its fingerprint is the hash's key."""
    model = hashlib.blake2b(fingerprint.encode(), digest_size=32).digest()
    return [hashlib.blake2b(text.encode(), key=model, digest_size=20).digest() for text in texts]


def _marks(text: str | None) -> set[bytes]:
    """Hashes of the pseudonyms in a text."""
    if text is None:
        return {_ANYBODY}
    return {
        hashlib.blake2b(found.encode(), digest_size=8).digest() for found in _CODE.findall(text)
    }


class EmbeddingCache:
    """Vectors by a hash of model and text, in a SQLite file that several processes share.

    It holds no text. It saves time and nothing depends on it: a file that is damaged, full or
    locked for long means that more is embedded, not that a run fails.

    Args:
        limit: Of vectors; above it go those that were not used for the longest.
    """

    def __init__(self, path: Path, limit: int = CACHED_VECTORS) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._limit = limit
        self._uncounted = limit  # vectors put since they were last counted
        self._lock = threading.Lock()
        try:
            self._open(path)
        except sqlite3.OperationalError:
            self._open(None)
        except sqlite3.DatabaseError:  # not a database, or no longer one
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            self._open(path)

    def _open(self, path: Path | None) -> None:
        self._db = sqlite3.connect(
            path or ":memory:", timeout=30, isolation_level=None, check_same_thread=False
        )
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)
        if self._db.execute("PRAGMA user_version").fetchone() == (0,):
            self._db.executescript(_MARKS)
        latest = "SELECT coalesce(max(used), 0) + 1 FROM embedding"
        self._opening: int = self._db.execute(latest).fetchone()[0]  # how recent a use is

    def get(self, keys: Sequence[bytes], size: int) -> dict[bytes, bytes]:
        """Return the vectors that are there, float32 bytes by key, and note that they are used.

        Args:
            size: Of a vector in bytes; anything else under a key is damage and not returned.
        """
        found: dict[bytes, bytes] = {}
        old: list[tuple[int, bytes]] = []
        with self._lock, suppress(sqlite3.Error):
            for start in range(0, len(keys), _ASKED_AT_ONCE):
                some = keys[start : start + _ASKED_AT_ONCE]
                marks = ",".join("?" * len(some))
                query = f"SELECT key, vector, used FROM embedding WHERE key IN ({marks})"  # noqa: S608
                for key, vector, used in self._db.execute(query, some):
                    if len(vector) == size:
                        found[key] = vector
                    if used < self._opening:
                        old.append((self._opening, key))
            if old:
                with self._transaction():
                    self._db.executemany("UPDATE embedding SET used = ? WHERE key = ?", old)
        return found

    def put(self, vectors: Mapping[bytes, bytes], texts: Mapping[bytes, str] | None = None) -> None:
        """Keep vectors; when there are too many, drop a tenth of the limit.

        Args:
            texts: What was embedded, by key, so that `forget` finds who is named in it; only
                hashes of pseudonyms are kept of it. Without a text it could be anybody.
        """
        rows = [(key, vector, self._opening) for key, vector in vectors.items()]
        marks = [(mark, key) for key in vectors for mark in _marks((texts or {}).get(key))]
        with self._lock, suppress(sqlite3.Error), self._transaction():
            self._db.executemany("INSERT OR REPLACE INTO embedding VALUES (?, ?, ?)", rows)
            self._db.executemany("INSERT OR IGNORE INTO named VALUES (?, ?)", marks)
            self._uncounted += len(rows)
            if self._uncounted > self._limit // 50:
                self._uncounted = 0
                self._drop()

    def _drop(self) -> None:
        (count,) = self._db.execute("SELECT count(*) FROM embedding").fetchone()
        if count > self._limit:
            self._db.execute(
                "DELETE FROM embedding WHERE key IN"
                " (SELECT key FROM embedding ORDER BY used, rowid LIMIT ?)",
                (count - self._limit * 9 // 10,),
            )
            self._db.execute("DELETE FROM named WHERE key NOT IN (SELECT key FROM embedding)")

    def forget(self, pseudonyms: Iterable[str]) -> int:
        """Delete the vectors of texts that name somebody, from the file too; return how many.

        Raises:
            SluiceError: The file is held by another process.
        """
        marks = [(mark,) for one in pseudonyms for mark in _marks(one)] + [(_ANYBODY,)]
        try:
            with self._lock:
                with self._transaction():
                    before = self._db.total_changes
                    self._db.executemany(
                        "DELETE FROM embedding WHERE key IN (SELECT key FROM named WHERE mark = ?)",
                        marks,
                    )
                    gone = self._db.total_changes - before
                    self._db.executemany("DELETE FROM named WHERE mark = ?", marks)
                self._db.execute("VACUUM")
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise SluiceError(
                f"The embedding cache could not be cleaned ({type(error).__name__}).",
                "Wait until nothing else is syncing, then run it again.",
            ) from None
        return gone

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
