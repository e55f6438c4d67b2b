"""What holds of an OpenSearch collection without servers: no ids of ours, no refresh."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag import config
from rag.errors import TargetFailed
from rag.retrieve.query import Query
from rag.targets.opensearch import OpenSearchIndex
from tests.masked import masked
from tests.services.opensearch import OpenSearch
from tests.services.serverless import KEY, SECRET, Collection, collection
from tests.targets.documents import DIMENSIONS, make, told, vector
from tests.targets.opensearch_index import corpus, everything, found

AOSS = {"kind": "sigv4", "service": "aoss"}


@pytest.fixture
def served(opensearch: OpenSearch, monkeypatch: pytest.MonkeyPatch) -> Iterator[Collection]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with collection(opensearch.url) as made:
        yield made


@pytest.fixture
def index(served: Collection, opensearch: OpenSearch) -> OpenSearchIndex:
    return open_index(served, opensearch)


def open_index(served: Collection, server: OpenSearch) -> OpenSearchIndex:
    target = config.OpenSearchTarget(
        kind="opensearch", url=served.url, index=server.index, auth=config.Auth(**AOSS)
    )
    return OpenSearchIndex(target, corpus(), DIMENSIONS)


def test_documents_are_kept_equal_with_the_collections_own_ids(
    index: OpenSearchIndex, served: Collection
) -> None:
    index.apply([make("a", "one", "two"), make("b", "three"), make("c", "four")], [])
    index.apply([make("a", "one", "two"), make("b", "new", version="2")], ["c"])
    held = index.inventory()
    assert {name: one.chunks for name, one in held.items()} == {
        "a": ("a-1-0", "a-1-1"),
        "b": ("b-2-0",),
    }
    assert everything(index) == {"a-1-0": "one", "a-1-1": "two", "b-2-0": "new"}
    assert found(index, "new") == ["b-2-0"]
    assert index.stats().bytes == -1
    assert served.refused == []


def test_rights_are_changed_by_writing_the_rows_anew(
    index: OpenSearchIndex, served: Collection
) -> None:
    index.apply([make("a", "one", "two"), make("b", "three")], [])
    before = index.inventory()
    index.set_acl({"a": ("user:x",)}, {"a": "2"})
    assert list(everything(index)) == ["b-1-0"]
    hits = index.legs(Query(masked("one"), list(vector("one")), ("user:x",)), 10)
    assert told(index, hits["vector"], "user:x")[0].chunk.text == "one"
    assert hits["vector"][0].score == pytest.approx(1.0, abs=1e-5)
    held = index.inventory()
    assert (held["a"].digest, held["a"].acl, held["a"].chunks) == (
        "2",
        ("user:x",),
        before["a"].chunks,
    )
    assert served.refused == []


def test_an_answer_that_got_lost_leaves_no_row_twice(
    index: OpenSearchIndex, served: Collection
) -> None:
    served.lose = 2
    index.apply([make("a", "one", "two"), make("b", "three")], [])
    held = index.inventory()
    assert {name: one.chunks for name, one in held.items()} == {
        "a": ("a-1-0", "a-1-1"),
        "b": ("b-1-0",),
    }


def test_a_reader_never_sees_both_versions_or_neither_while_a_document_is_replaced(
    index: OpenSearchIndex, served: Collection, opensearch: OpenSearch
) -> None:
    import threading

    texts = [f"word {part}" for part in range(4)]
    index.apply([make("a", *texts)], [])
    index.inventory()
    done = threading.Event()
    seen: list[set[str]] = []

    def read() -> None:
        reader = open_index(served, opensearch)
        while not done.is_set():
            seen.append({hit.split("-")[1] for hit in everything(reader)})

    reading = threading.Thread(target=read)
    reading.start()
    for version in ("2", "3"):
        index.apply([make("a", *texts, version=version)], [])
    done.set()
    reading.join()
    assert {len(versions) for versions in seen} == {1}


def test_another_generation_is_built_and_served(index: OpenSearchIndex, served: Collection) -> None:
    index.apply([make("a", "one")], [])
    beside = index.beside(index._target, config.Embedding(), DIMENSIONS)
    beside.apply([make("a", "one")], [])
    assert beside.inventory() == index.inventory()
    index.serve(beside)
    assert everything(index) == {"a-1-0": "one"}
    assert served.refused == []


def test_requests_stay_below_ten_mebibytes(served: Collection, opensearch: OpenSearch) -> None:
    target = config.OpenSearchTarget(
        kind="opensearch",
        url=served.url,
        index=opensearch.index,
        auth=config.Auth(**AOSS),
        bulk_bytes=100 * 2**20,
    )
    index = OpenSearchIndex(target, corpus(), DIMENSIONS)
    index.apply([make(f"d{n}", "word " * 200_000) for n in range(12)], [])
    assert len(index.inventory()) == 12
    assert served.refused == []


def test_who_signs_with_another_secret_is_told_what_to_check(
    index: OpenSearchIndex, served: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    with pytest.raises(TargetFailed, match="does not let us in") as caught:
        index.inventory()
    assert "data access policy" in caught.value.hint
    assert [status for status, *_ in served.refused] == [403]


def test_a_domain_is_signed_for_as_es(opensearch: OpenSearch, served: Collection) -> None:
    target = config.OpenSearchTarget(
        kind="opensearch",
        url=served.url,
        index=opensearch.index,
        auth=config.Auth(kind="sigv4", service="es"),
    )
    with pytest.raises(TargetFailed, match="does not let us in"):
        OpenSearchIndex(target, corpus(), DIMENSIONS).inventory()
    assert [status for status, *_ in served.refused] == [403]


def test_the_engine_of_a_collection_is_faiss() -> None:
    target = config.OpenSearchTarget(
        kind="opensearch", url="https://x.aoss.amazonaws.com", auth=config.Auth(**AOSS)
    )
    assert target.engine == "faiss"
    with pytest.raises(ValueError, match="faiss"):
        config.OpenSearchTarget(
            kind="opensearch",
            url="https://x.aoss.amazonaws.com",
            auth=config.Auth(**AOSS),
            engine="lucene",
        )
