"""What holds of every ingestion: an index equal to its bucket, passages that cover their text."""

from __future__ import annotations

import json
import re
import tempfile
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localaws.knowledge import records
from localaws.knowledge.chunks import pieces, windows
from localaws.knowledge.crawl import Progress, crawl
from localaws.knowledge.store import Store
from localaws.operations import Faults
from rag.sentences import split
from tests.services.s3 import KEY, SECRET, Bucket

KEYS = ("a.txt", "b.md", "deep/c.html")
TEXTS = st.sampled_from(["The cat sleeps.", "A dog barks.", "Rain falls on the roof.", " "])
NOTES = st.one_of(st.none(), st.fixed_dictionaries({"n": st.integers(0, 2)}), st.just("{broken"))


@dataclass
class Truth:
    """What a bucket holds, and what an index must hold of it."""

    texts: dict[str, str] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    indexed: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)

    def synced(self) -> None:
        """A document that is fine is there as it is; one that is not stays as it was."""
        for key in list(self.indexed):
            if key not in self.texts:
                del self.indexed[key]
        for key, text in self.texts.items():
            note = self.notes.get(key)
            if note != "{broken" and text.strip():
                self.indexed[key] = (text, note or {})


@pytest.fixture
def reached(s3_endpoint: str, s3_bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_endpoint)
    monkeypatch.setenv("LOCALAWS_S3_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("LOCALAWS_S3_SECRET_ACCESS_KEY", SECRET)
    return s3_bucket


def change(bucket: Bucket, truth: Truth, key: str, text: str | None, note: Any) -> None:
    """Write or delete a document and its metadata file."""
    sidecar = json.dumps({"metadataAttributes": note}) if isinstance(note, dict) else note
    both = ((key, truth.texts, text, text), (f"{key}.metadata.json", truth.notes, note, sidecar))
    for name, held, value, content in both:
        if content is None:
            held.pop(key, None)
            bucket.client.delete_object(Bucket=bucket.name, Key=name)
        else:
            held[key] = value
            bucket.put(name, content)


def test_a_job_makes_the_index_equal_to_the_bucket(reached: Bucket) -> None:
    number = iter(range(1000))

    @settings(max_examples=12, deadline=None, derandomize=True)
    @given(
        st.lists(
            st.lists(
                st.tuples(st.sampled_from(KEYS), st.one_of(st.none(), TEXTS), NOTES), max_size=3
            ),
            min_size=1,
            max_size=4,
        )
    )
    def holds(rounds: list[list[tuple[str, str | None, Any]]]) -> None:
        base = {
            "id": "BASE",
            "knowledgeBaseConfiguration": {
                "type": "VECTOR",
                "vectorKnowledgeBaseConfiguration": {
                    "embeddingModelArn": "amazon.titan-embed-text-v2:0",
                    "embeddingModelConfiguration": {
                        "bedrockEmbeddingModelConfiguration": {"dimensions": 256}
                    },
                },
            },
        }
        prefix = f"{next(number)}/"
        source = {
            "id": "SOURCE",
            "dataSourceConfiguration": {
                "type": "S3",
                "s3Configuration": {
                    "bucketArn": f"arn:aws:s3:::{reached.name}",
                    "inclusionPrefixes": [prefix],
                },
            },
        }
        truth = Truth()
        with tempfile.TemporaryDirectory() as folder, closing(Store(Path(folder))) as store:
            for changes in rounds:
                for key, text, note in changes:
                    change(reached, truth, prefix + key, text, note)
                before = dict(truth.indexed)
                truth.synced()
                progress = Progress()
                crawl(store, base, source, progress, lambda progress: None, Faults())
                with closing(Store(Path(folder))) as again:
                    assert held(again, reached) == truth.indexed
                check(progress, before, truth)

    holds()


def held(store: Store, bucket: Bucket) -> dict[str, tuple[str, dict[str, Any]]]:
    """What an index, read from disk, gives back by key."""
    import numpy

    found = store.index("BASE").search(
        numpy.ones(256, numpy.float32) / 16, None, 100, "all", lambda document: True
    )
    root = f"s3://{bucket.name}/"
    return {
        one.document.name.removeprefix(root): (one.chunk.shown, one.document.attributes)
        for one in found
    }


def check(progress: Progress, before: dict[str, Any], truth: Truth) -> None:
    """Statistics say what happened."""
    after = truth.indexed
    assert progress.scanned == len(truth.texts)
    assert progress.sidecars == len(truth.notes)
    assert progress.new == len(after.keys() - before.keys())
    assert progress.deleted == len(before.keys() - after.keys())
    changed = {key for key in before.keys() & after.keys() if before[key][0] != after[key][0]}
    assert progress.modified >= len(changed)
    failed = [
        key
        for key, text in truth.texts.items()
        if truth.notes.get(key) == "{broken" or not text.strip()
    ]
    assert sum(map(len, progress.failed.values())) <= len(failed)


WORDS = st.text("ab .!?\n", max_size=200)


@given(WORDS, st.integers(1, 12), st.integers(0, 10))
def test_passages_cover_a_text_and_none_is_too_long(text: str, size: int, overlap: int) -> None:
    spans = windows(text, size, overlap)
    covered: set[int] = set()
    for start, end in spans:
        covered.update(range(start, end))
        assert len(re.findall(r"\w+|[^\w\s]", text[start:end])) <= size
    said = {at for start, end in split(text) for at in range(start, end) if not text[at].isspace()}
    assert said <= covered
    assert spans == sorted(set(spans))


@given(WORDS)
def test_small_passages_lie_in_their_large_ones(text: str) -> None:
    levels = {"levelConfigurations": [{"maxTokens": 12}, {"maxTokens": 4}], "overlapTokens": 2}
    chunking = {"chunkingStrategy": "HIERARCHICAL", "hierarchicalChunkingConfiguration": levels}
    for piece in pieces(text, chunking):
        assert piece.text in piece.shown


def test_ids_are_ten_capitals_and_digits() -> None:
    made = {records.new_id() for _ in range(100)}
    assert len(made) == 100
    assert all(len(one) == 10 and one.isalnum() and one == one.upper() for one in made)
