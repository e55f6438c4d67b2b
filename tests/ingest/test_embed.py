from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rag.ingest.embed import EmbeddingCache, embed_chunks
from rag.models import embedder
from rag.records import Chunk
from tests.masked import masked

MODEL = embedder("embedded/minilm")


def chunks(*texts: str, heading: str = "") -> list[Chunk]:
    return [
        Chunk(str(at), "d", at, masked(heading), masked(text), 0) for at, text in enumerate(texts)
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "embeddings.sqlite"


def test_a_text_is_embedded_once_ever(path: Path) -> None:
    three = chunks("The pump is old.", "Leave is 27 days.", "The pump is old.")
    first, counts = embed_chunks(three, MODEL, EmbeddingCache(path))
    assert (counts.embedded, counts.cached) == (2, 1)
    assert (first[0] == first[2]).all()
    assert first[1] @ MODEL.embed([masked("Leave is 27 days.")])[0] > 0.999

    again, counts = embed_chunks(three, MODEL, EmbeddingCache(path))
    assert (counts.embedded, counts.cached, counts.padding) == (0, 3, 0.0)
    assert (first == again).all()


def test_the_heading_is_part_of_what_is_read(path: Path) -> None:
    cache = EmbeddingCache(path)
    plain, _ = embed_chunks(chunks("It is 27 days."), MODEL, cache)
    headed, counts = embed_chunks(chunks("It is 27 days.", heading="Annual leave"), MODEL, cache)
    assert counts.embedded == 1
    assert plain[0] @ headed[0] < 0.99


def test_no_chunks_are_no_vectors(path: Path) -> None:
    vectors, counts = embed_chunks([], MODEL, EmbeddingCache(path))
    assert vectors.shape == (0, MODEL.dimensions)
    assert counts.embedded == counts.cached == 0


def test_another_model_has_other_keys(path: Path) -> None:
    class Renamed(type(MODEL)):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(threads=1)
            self.fingerprint = "another"

    cache = EmbeddingCache(path)
    embed_chunks(chunks("One text."), MODEL, cache)
    assert embed_chunks(chunks("One text."), Renamed(), cache)[1].embedded == 1


def test_processes_share_the_cache(path: Path) -> None:
    """Two write at the same time; a third finds what both wrote."""
    program = """
import sys
from pathlib import Path
import numpy as np
from rag.ingest.embed import EmbeddingCache
cache = EmbeddingCache(Path(sys.argv[1]))
for at in range(150):
    cache.put({bytes([at, int(sys.argv[2])]): np.full(4, at, "<f4").tobytes()})
"""
    command = [sys.executable, "-c", program, str(path)]
    both = [subprocess.Popen([*command, number]) for number in "12"]
    assert [process.wait() for process in both] == [0, 0]
    keys = [bytes([at, number]) for at in range(150) for number in (1, 2)]
    found = EmbeddingCache(path).get(keys, 16)
    assert len(found) == 300
    assert np.frombuffer(found[bytes([149, 2])], "<f4").tolist() == [149] * 4


def test_the_cache_is_bounded_and_what_is_used_stays(path: Path) -> None:
    keys = [bytes([at]) for at in range(120)]
    EmbeddingCache(path, limit=100).put(dict.fromkeys(keys[:100], b"four"))
    later = EmbeddingCache(path, limit=100)
    later.get(keys[:10], 4)
    for key in keys[100:]:
        later.put({key: b"four"})
    held = EmbeddingCache(path, limit=100).get(keys, 4)
    assert len(held) <= 100
    assert {*keys[:10], *keys[100:]} <= set(held)


def test_the_cache_holds_no_text(path: Path) -> None:
    embed_chunks(chunks("Zebrafish PERSON_yafx2q4g sleeps."), MODEL, EmbeddingCache(path))
    written = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"SQLite format" in written
    assert b"ebrafish" not in written
    assert b"yafx2q4g" not in written


def test_a_damaged_cache_costs_time_only(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database at all, but long enough to be looked at " * 40)
    cache = EmbeddingCache(path)
    assert embed_chunks(chunks("One text."), MODEL, cache)[1].embedded == 1
    with sqlite3.connect(path) as file:
        file.execute("UPDATE embedding SET vector = x'00'")
    assert embed_chunks(chunks("One text."), MODEL, EmbeddingCache(path))[1].embedded == 1
    with sqlite3.connect(path) as file:
        file.execute("DROP TABLE embedding")
    vectors, counts = embed_chunks(chunks("One text."), MODEL, cache)
    assert (vectors.shape, counts.embedded) == ((1, MODEL.dimensions), 1)
