"""Embeddings for chunks: identical text once, what was embedded before not again."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag.records import Chunk

if TYPE_CHECKING:
    import numpy

    from rag.models import Embedder

CACHED_VECTORS = 2_000_000
"""At 384 dimensions about 3 GB; the least recently used go first."""
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class EmbedCounts:
    """How many chunks were embedded by the model, and how many it had been asked before."""

    embedded: int
    cached: int


class EmbeddingCache:
    """Vectors by a hash of model and text, in a SQLite file that several processes share.

    It holds no text. Losing it costs time, nothing else.
    """

    def __init__(self, path: Path, limit: int = CACHED_VECTORS) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._limit = limit
        self._local = threading.local()

    @property
    def _db(self) -> sqlite3.Connection:
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = sqlite3.connect(self._path, timeout=30, isolation_level=None)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = OFF")
            db.execute(
                "CREATE TABLE IF NOT EXISTS vectors "
                "(key BLOB PRIMARY KEY, vector BLOB NOT NULL, day INTEGER NOT NULL) WITHOUT ROWID"
            )
            self._local.db = db
        return db

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the vectors that are there, float32 bytes by key, and note that they are used."""
        found: dict[bytes, bytes] = {}
        for start in range(0, len(keys), 500):
            some = keys[start : start + 500]
            marks = ",".join("?" * len(some))
            rows = self._db.execute(
                f"SELECT key, vector, day FROM vectors WHERE key IN ({marks})",  # noqa: S608
                some,
            ).fetchall()
            found |= {row[0]: row[1] for row in rows}
            old = [(row[0],) for row in rows if row[2] < _today()]
            if old:
                self._many(f"UPDATE vectors SET day = {_today()} WHERE key = ?", old)  # noqa: S608
        return found

    def put(self, vectors: Mapping[bytes, bytes]) -> None:
        """Keep vectors; when the cache is full, drop a tenth of it, the longest unused."""
        day = _today()
        self._many(
            "INSERT OR IGNORE INTO vectors VALUES (?, ?, ?)",
            [(key, vector, day) for key, vector in vectors.items()],
        )
        (count,) = self._db.execute("SELECT count(*) FROM vectors").fetchone()
        if count > self._limit:
            self._db.execute(
                "DELETE FROM vectors WHERE key IN (SELECT key FROM vectors ORDER BY day LIMIT ?)",
                (count - self._limit * 9 // 10,),
            )

    def _many(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany(statement, rows)
        finally:
            self._db.execute("COMMIT")


def embed_chunks(
    chunks: Sequence[Chunk], embedder: Embedder, cache: EmbeddingCache
) -> tuple[numpy.ndarray, EmbedCounts]:
    """Return the chunks' embeddings, float32, L2-normalised, shape (chunks, dimensions).

    What the model reads of a chunk is its heading and its text. Chunks that say the same share
    one vector, whatever documents they stand in.
    """
    import numpy

    texts = [chunk.embedded_text for chunk in chunks]
    keys = [_key(embedder.fingerprint, text) for text in texts]
    found = cache.get(list(dict.fromkeys(keys))) if keys else {}
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
    if missing:
        vectors = embedder.embed(list(missing.values()))
        made = {key: row.tobytes() for key, row in zip(missing, vectors, strict=True)}
        cache.put(made)
        found |= made
    stacked = numpy.zeros((len(keys), embedder.dimensions), numpy.float32)
    for place, key in enumerate(keys):
        stacked[place] = numpy.frombuffer(found[key], numpy.float32)
    return stacked, EmbedCounts(len(missing), len(chunks) - len(missing))


def _key(model: str, text: str) -> bytes:
    return hashlib.blake2b(f"{model}\0{text}".encode(), digest_size=20).digest()


def _today() -> int:
    return int(time.time() // _DAY)
