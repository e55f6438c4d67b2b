"""A cluster that refuses, stumbles and loses answers holds the same in the end."""

from __future__ import annotations

import pytest

from rag.errors import DocumentsRefused, TargetFailed
from tests.services.opensearch import OpenSearch
from tests.services.opensearch_faults import busy
from tests.targets.documents import make
from tests.targets.opensearch_index import everything, index_of

DOCUMENTS = [make(f"d{n}", *[f"text {n} part {i}" for i in range(10)]) for n in range(60)]


def test_refused_items_alone_are_sent_again_and_the_index_is_the_same(
    opensearch: OpenSearch,
) -> None:
    bulk_bytes = 10_000
    with busy(opensearch.url) as calm:
        ideal = index_of(OpenSearch(calm.url, f"{opensearch.index}-calm"), bulk_bytes=bulk_bytes)
        ideal.apply(DOCUMENTS, [])
    with busy(opensearch.url, items=0.3) as cluster:
        index = index_of(OpenSearch(cluster.url, opensearch.index), bulk_bytes=bulk_bytes)
        index.apply(DOCUMENTS, [])
        assert index.inventory() == ideal.inventory()
    calmly = index_of(OpenSearch(opensearch.url, f"{opensearch.index}-calm"))
    assert everything(index_of(opensearch)) == everything(calmly)
    assert calm.calls["_bulk"] > 20
    assert cluster.calls["_bulk"] <= 2 * calm.calls["_bulk"]


def test_lost_answers_and_refused_requests_leave_nothing_twice_and_nothing_out(
    opensearch: OpenSearch,
) -> None:
    with busy(opensearch.url, items=0.3, requests=0.05, resets=0.05) as cluster:
        index = index_of(OpenSearch(cluster.url, opensearch.index), bulk_bytes=20_000)
        index.apply(DOCUMENTS, [])
        index.apply([make("d1", "new", version="2")], ["d0"])
        index.set_acl({"d2": ("user:x",)})
        held = index.inventory()
    assert held.keys() == {f"d{n}" for n in range(1, 60)}
    assert held["d1"].chunks == ("d1-2-0",)
    assert held["d2"].acl == ("user:x",)
    assert sum(len(one.chunks) for one in held.values()) == 58 * 10 + 1
    assert everything(index_of(opensearch), ("user:x",)).keys() == set(held["d2"].chunks)


def test_a_document_that_is_refused_for_good_is_named_and_the_others_are_there(
    opensearch: OpenSearch,
) -> None:
    with busy(opensearch.url, refused=("d3",)) as cluster:
        index = index_of(OpenSearch(cluster.url, opensearch.index))
        with pytest.raises(DocumentsRefused) as caught:
            index.apply(DOCUMENTS[:6], [])
        assert caught.value.reasons == {"d3": "refused"}
        assert index.inventory().keys() == {"d0", "d1", "d2", "d4", "d5"}


def test_a_request_that_is_too_large_is_sent_in_halves(opensearch: OpenSearch) -> None:
    with busy(opensearch.url, largest=20_000) as cluster:
        index = index_of(OpenSearch(cluster.url, opensearch.index))
        index.apply(DOCUMENTS[:20], [])
        assert len(index.inventory()) == 20
        with pytest.raises(DocumentsRefused) as caught:
            index.apply([make("large", "word " * 20_000), make("small", "one")], [])
        assert caught.value.reasons == {"large": "a passage is too large"}
        assert len(index.inventory()) == 21


def test_a_cluster_that_stays_busy_is_given_up_and_serves_what_it_served(
    opensearch: OpenSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.targets.opensearch.bulk.PATIENCE", 0.2)
    index_of(opensearch).apply([make("d0", "old")], [])
    with busy(opensearch.url, items=1.0) as cluster:
        index = index_of(OpenSearch(cluster.url, opensearch.index))
        with pytest.raises(TargetFailed, match="too busy"):
            index.apply([make("d0", "new", version="2")], [])
    assert everything(index_of(opensearch)) == {"d0-1-0": "old"}
