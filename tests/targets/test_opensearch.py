from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rag import config
from rag.errors import ConfigError, TargetFailed
from rag.retrieve.query import Query, Where
from rag.targets import open_target
from rag.targets.opensearch import OpenSearchIndex, reading
from tests.masked import masked
from tests.services.opensearch import OpenSearch
from tests.targets.documents import DIMENSIONS, make, told, vector
from tests.targets.opensearch_index import STAFF, asked, corpus, everything, found, index_of, target


@pytest.fixture
def index(opensearch: OpenSearch) -> OpenSearchIndex:
    return index_of(opensearch)


def test_what_is_applied_is_there_once_however_often_it_is_applied(index: OpenSearchIndex) -> None:
    for _ in range(3):
        index.apply([make("a", "one", "two"), make("b", "three")], [])
        held = index.inventory()
        assert {key: held[key].chunks for key in held} == {"a": ("a-1-0", "a-1-1"), "b": ("b-1-0",)}
        assert (held["a"].digest, held["a"].acl) == ("1", STAFF)
    stats = index.stats()
    assert (stats.documents, stats.chunks) == (2, 3)
    assert stats.bytes > 0


def test_a_new_version_replaces_the_whole_old_one(index: OpenSearchIndex) -> None:
    index.apply([make("a", "one", "two", "three"), make("b", "one")], [])
    index.apply([make("a", "new", version="2")], [])
    assert everything(index) == {"a-2-0": "new", "b-1-0": "one"}
    assert index.inventory()["a"].digest == "2"


def test_chunk_ids_that_stay_take_the_new_text_and_rights(index: OpenSearchIndex) -> None:
    index.apply([make("a", "old", "more")], [])
    index.apply([make("a", "fresh", acl=("user:x",))], [])
    assert everything(index) == {}
    assert everything(index, ("user:x",)) == {"a-1-0": "fresh"}
    assert found(index, "old") == []


def test_two_documents_with_equal_text_are_two_and_one_can_go(index: OpenSearchIndex) -> None:
    index.apply([make("a", "identical text"), make("b", "identical text")], [])
    assert sorted(found(index, "identical")) == ["a-1-0", "b-1-0"]
    index.apply([], ["a"])
    index.compact()
    assert found(index, "identical") == ["b-1-0"]


def test_many_segments_become_one(
    index: OpenSearchIndex, opensearch: OpenSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        index.apply([make(name, "segmented")], [])

    def segments() -> int:
        shards = opensearch.client().indices.segments(index=f"{opensearch.index}*")["indices"]
        return sum(
            one[0]["num_search_segments"] for i in shards.values() for one in i["shards"].values()
        )

    index.compact()
    assert segments() == 3
    monkeypatch.setattr("rag.targets.opensearch.MANY", 2)
    index.compact()
    assert segments() == 1
    assert sorted(found(index, "segmented")) == ["a-1-0", "b-1-0", "c-1-0"]


def test_what_is_not_there_can_be_deleted_searched_and_counted(
    index: OpenSearchIndex, opensearch: OpenSearch
) -> None:
    index.apply([], [])
    index.apply([], ["nobody"])
    index.set_acl({"nobody": ()})
    index.compact()
    assert index.inventory() == {}
    assert everything(index) == {}
    assert index.stats().chunks == 0
    assert index.model() is None
    assert opensearch.client().indices.get(index=f"{opensearch.index}*") == {}


def test_a_document_without_chunks_is_not_there(index: OpenSearchIndex) -> None:
    index.apply([make("a", "one")], [])
    index.apply([make("a")], [])
    assert index.inventory() == {}


@pytest.mark.parametrize("hybrid", [False, True])
def test_a_hit_carries_the_whole_chunk(opensearch: OpenSearch, hybrid: bool) -> None:
    index = index_of(opensearch, hybrid=hybrid)
    document = make("a", "one", "two")
    index.apply([document], [])
    hit = asked(index, "two")[0]
    assert hit.chunk == document.chunks[1]
    assert (hit.document, hit.title, hit.acl) == ("a.txt", "Title", STAFF)


@pytest.mark.parametrize("method", ["hnsw", "exact"])
def test_vectors_are_compared_by_cosine(opensearch: OpenSearch, method: str) -> None:
    index = index_of(opensearch, method=method)
    texts = [f"text {number}" for number in range(40)]
    index.apply([make("a", *texts)], [])
    question = vector("question")
    cosines = np.stack([vector(text) for text in texts]) @ question
    hits = index.legs(Query(masked(""), list(question), STAFF), 40)["vector"]
    assert [hit.chunk.position for hit in told(index, hits)] == list(np.argsort(-cosines))
    assert np.allclose([hit.score for hit in hits], np.sort(cosines)[::-1], atol=1e-5)


def test_words_match_whatever_their_case_ending_or_accent(index: OpenSearchIndex) -> None:
    index.apply([make("a", "Approvals of Café expenses"), make("b", "nothing else")], [])
    assert found(index, "approval") == ["a-1-0"]
    assert found(index, "cafe") == ["a-1-0"]


@pytest.mark.parametrize(
    ("analyzer", "written", "asked_for"),
    [
        ("german", "Genehmigungen der Straße", "genehmigung strasse"),
        ("french", "L'avion", "avions"),
    ],
)
def test_words_are_those_of_the_configured_language(
    opensearch: OpenSearch, analyzer: str, written: str, asked_for: str
) -> None:
    index = index_of(opensearch, analyzer=analyzer)
    index.apply([make("a", written)], [])
    for word in asked_for.split():
        assert found(index, word) == ["a-1-0"]


def test_a_pseudonym_matches_as_one_word(index: OpenSearchIndex) -> None:
    index.apply(
        [
            make("a", "PERSON_yafx2q4g signed it"),
            make("b", "PERSON_yafx2q4h signed it"),
            make("c", "ask EMAIL_yafx2q4g, please"),
        ],
        [],
    )
    assert found(index, "what did PERSON_yafx2q4g?") == ["a-1-0"]
    assert found(index, "EMAIL_yafx2q4g") == ["c-1-0"]


@pytest.mark.parametrize("hybrid", [False, True])
def test_no_question_is_a_syntax_error(opensearch: OpenSearch, hybrid: bool) -> None:
    index = index_of(opensearch, hybrid=hybrid)
    index.apply([make("a", "one")], [])
    long = [" ".join("abcdefghijklmnopqrstuvwxyz" * 400), "漢" * 9000]
    for text in ["?!", '"', "a AND (b", "~*:\\", "'", "\x00", "𝕏 漢字", "the of", *long]:
        assert asked(index, text)


def test_rights_change_without_a_new_embedding(index: OpenSearchIndex) -> None:
    index.apply([make("a", "one", "two"), make("b", "three")], [])
    index.set_acl({"a": ("user:x",), "gone": ("user:x",)}, {"a": "2"})
    assert list(everything(index)) == ["b-1-0"]
    assert everything(index, ("user:x",)) == {"a-1-0": "one", "a-1-1": "two"}
    held = index.inventory()
    assert (held["a"].digest, held["a"].acl, held["b"].digest) == ("2", ("user:x",), "1")
    index.set_acl({"a": ()})
    assert everything(index, ("user:x",)) == {}


def test_filters_narrow_both_legs(index: OpenSearchIndex, opensearch: OpenSearch) -> None:
    index.apply(
        [
            make("a", "word one"),
            make("b'; --", "word two", media_type="application/pdf"),
            make("c", "word three", kind="table"),
        ],
        [],
    )
    for where, expected in (
        (Where(documents=("a", "c")), ["a-1-0", "c-1-0"]),
        (Where(documents=("b'; --",)), ["b'; ---1-0"]),
        (Where(names=("b'; --.txt",)), ["b'; ---1-0"]),
        (Where(media_types=("application/pdf",)), ["b'; ---1-0"]),
        (Where(kinds=("table",)), ["c-1-0"]),
        (Where(kinds=("table",), documents=("a",)), []),
    ):
        hits = index.legs(Query(masked("word"), list(vector("w")), STAFF, where), 10)
        assert sorted(hit.id for hit in hits["text"]) == expected
        assert sorted(hit.id for hit in hits["vector"]) == expected
        fused = asked(index_of(opensearch, hybrid=True), "word", where=where)
        assert sorted(hit.chunk.id for hit in fused) == expected


def test_the_clusters_fusion_and_ours_rank_the_same(opensearch: OpenSearch) -> None:
    ours = index_of(opensearch)
    theirs = index_of(opensearch, hybrid=True)
    words = ["pump", "filter", "week", "room", "clinic", "overtime"]
    texts = [" ".join(words[: number % 6 + 1]) + f" number {number}" for number in range(60)]
    ours.apply([make(f"d{number}", text) for number, text in enumerate(texts)], [])
    for question in ("pump", "room clinic", "overtime number 7", "nothing of it"):
        legs = theirs.legs(Query(masked(question), list(vector(question)), STAFF), 100)
        assert set(legs) == {"hybrid"}
        mine, other = asked(ours, question, depth=100), asked(theirs, question, depth=100)
        assert {hit.chunk.id for hit in mine} == {hit.chunk.id for hit in other}
        scores = {hit.chunk.id: hit.score for hit in mine}
        assert [round(scores[hit.chunk.id], 3) for hit in other[:20]] == [
            round(hit.score, 3) for hit in mine[:20]
        ]


def test_legs_over_several_shards_are_not_fused_by_the_cluster(opensearch: OpenSearch) -> None:
    index = index_of(opensearch, hybrid=True, shards=3)
    index.apply([make(f"d{n}", f"word {n}") for n in range(20)], [])
    legs = index.legs(Query(masked("word"), list(vector("word")), STAFF), 50)
    assert {leg: len(hits) for leg, hits in legs.items()} == {"vector": 20, "text": 20}


def test_without_the_pipeline_the_legs_are_asked_side_by_side(opensearch: OpenSearch) -> None:
    index = index_of(opensearch, hybrid=True)
    index.apply([make("a", "one")], [])
    client = opensearch.client()  # as a cluster that was restored from a snapshot
    meta = client.indices.get_mapping(index=opensearch.index)
    ((name, about),) = meta.items()
    about["mappings"]["_meta"]["sluice"]["pipeline"] = "sluice-gone"
    client.indices.put_mapping(index=name, body={"_meta": about["mappings"]["_meta"]})
    fresh = index_of(opensearch, hybrid=True)
    for _ in range(2):
        legs = fresh.legs(Query(masked("one"), list(vector("one")), STAFF), 10)
        assert {leg: [hit.id for hit in hits] for leg, hits in legs.items()} == {
            "vector": ["a-1-0"],
            "text": ["a-1-0"],
        }


def test_for_nobody_the_cluster_is_not_even_asked() -> None:
    index = index_of(OpenSearch("http://127.0.0.1:9", "unreachable"))
    assert index.legs(Query(masked("one"), list(vector("one")), ()), 10) == {}


def test_a_document_given_twice_or_of_another_size_is_refused(index: OpenSearchIndex) -> None:
    with pytest.raises(ValueError, match="twice"):
        index.apply([make("a", "one"), make("a", "two")], [])
    with pytest.raises(ValueError, match="twice"):
        index.apply([make("a", "one")], ["a"])
    other = OpenSearchIndex(index._target, corpus(), 4)
    with pytest.raises(ValueError, match="shape"):
        other.apply([make("a", "one")], [])


def test_more_rows_than_one_answer_holds_are_all_there(
    index: OpenSearchIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGE", 7)
    monkeypatch.setattr(reading, "IDS", 3)
    documents = [make(f"d{n}", *[f"text {n} {i}" for i in range(n % 6 + 1)]) for n in range(12)]
    index.apply(documents, [])
    index.apply(documents[1:], ["d0"])
    held = index.inventory()
    assert {name: len(one.chunks) for name, one in held.items()} == {
        document.id: len(document.chunks) for document in documents[1:]
    }


def test_an_inventory_is_exact_beyond_ten_thousand_rows(opensearch: OpenSearch) -> None:
    index = index_of(opensearch, method="exact")
    documents = [make(f"d{n}", *[f"{n} {i}" for i in range(520)]) for n in range(20)]
    index.apply(documents, [])
    held = index.inventory()
    assert held.keys() == {f"d{n}" for n in range(20)}
    assert all(held[one.id].chunks == tuple(c.id for c in one.chunks) for one in documents)


def test_the_name_of_somebody_elses_index_is_left_alone(opensearch: OpenSearch) -> None:
    client = opensearch.client()
    name = f"{opensearch.index}-x"
    client.indices.create(index=name, body={})
    with pytest.raises(ConfigError, match="belongs to an index"):
        index_of(opensearch, index=name).apply([make("a", "one")], [])


def test_a_cluster_that_is_not_there_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.targets.opensearch.connection.PATIENCE", 0.0)
    index = index_of(OpenSearch("http://127.0.0.1:9", "x"))
    with pytest.raises(TargetFailed, match="cannot be reached"):
        index.inventory()


def test_a_target_is_opened_by_its_kind(opensearch: OpenSearch, tmp_path: Path) -> None:
    opened = open_target(target(opensearch), corpus(), DIMENSIONS, tmp_path)
    opened.apply([make("a", "one")], [])
    assert opened.inventory().keys() == {"a"}
    assert opened.model() == config.Embedding()
