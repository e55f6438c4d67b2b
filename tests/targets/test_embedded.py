from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rag import config
from rag.errors import CorpusBusy, TargetFailed
from rag.retrieve.candidates import Candidate
from rag.retrieve.query import Query, Where
from rag.targets import embedded as embedded_module
from rag.targets import open_target
from rag.targets.embedded import EmbeddedIndex
from tests.masked import masked
from tests.targets.documents import DIMENSIONS, make, told, vector

STAFF = ("group:staff",)
ANYWHERE = Where()


def found(index: EmbeddedIndex, text: str, where: Where = ANYWHERE) -> list[str]:
    hits = index.legs(Query(masked(text), None, STAFF, where), 100)
    return [hit.id for hit in hits.get("text", [])]


def everything(index: EmbeddedIndex, principals: tuple[str, ...] = STAFF) -> dict[str, str]:
    hits = index.legs(Query(masked(""), list(vector("any")), principals), 1000)
    return {hit.chunk.id: hit.chunk.text for hit in told(index, hits.get("vector", []))}


def test_what_is_applied_is_there_once_however_often_it_is_applied(index: EmbeddedIndex) -> None:
    for _ in range(3):
        index.apply([make("a", "one", "two"), make("b", "three")], [])
        held = index.inventory()
        assert {key: held[key].chunks for key in held} == {"a": ("a-1-0", "a-1-1"), "b": ("b-1-0",)}
        assert held["a"].digest == "1"
        assert held["a"].acl == STAFF
        assert index.stats().documents == 2
        assert index.stats().chunks == 3


def test_a_new_version_replaces_the_whole_old_one(index: EmbeddedIndex) -> None:
    index.apply([make("a", "one", "two", "three"), make("b", "one")], [])
    index.apply([make("a", "new", version="2")], [])
    assert everything(index) == {"a-2-0": "new", "b-1-0": "one"}
    assert index.inventory()["a"].digest == "2"


def test_chunk_ids_that_stay_take_the_new_text_and_rights(index: EmbeddedIndex) -> None:
    index.apply([make("a", "old", "more")], [])
    index.apply([make("a", "fresh", acl=("user:x",))], [])
    assert everything(index) == {}
    assert everything(index, ("user:x",)) == {"a-1-0": "fresh"}
    assert found(index, "old") == []


def test_two_documents_with_equal_text_are_two_and_one_can_go(index: EmbeddedIndex) -> None:
    index.apply([make("a", "identical text"), make("b", "identical text")], [])
    assert sorted(found(index, "identical")) == ["a-1-0", "b-1-0"]
    index.apply([], ["a"])
    index.compact()
    assert found(index, "identical") == ["b-1-0"]
    assert list(everything(index)) == ["b-1-0"]


def test_deleting_what_is_not_there_and_applying_nothing_are_fine(index: EmbeddedIndex) -> None:
    index.apply([], [])
    index.apply([], ["nobody"])
    index.compact()
    assert index.inventory() == {}


def test_a_document_without_chunks_is_not_there(index: EmbeddedIndex) -> None:
    index.apply([make("a", "one")], [])
    index.apply([make("a")], [])
    assert index.inventory() == {}


def test_a_search_of_an_index_that_was_never_written_finds_nothing(index: EmbeddedIndex) -> None:
    assert everything(index) == {}
    assert index.inventory() == {}
    assert index.stats().chunks == 0
    assert not index.folder.exists()


def test_a_hit_carries_the_whole_chunk(index: EmbeddedIndex) -> None:
    document = make("a", "one", "two")
    index.apply([document], [])
    found = index.legs(Query(masked("two"), None, STAFF), 5)["text"]
    (hit,) = told(index, found)
    assert (found[0].id, found[0].acl) == (hit.chunk.id, hit.acl)
    assert hit.chunk == document.chunks[1]
    assert (hit.document, hit.title, hit.acl) == ("a.txt", "Title", STAFF)


def test_hits_are_the_same_from_the_table_and_from_beside_it(index: EmbeddedIndex) -> None:
    index.apply([make("a", "word one", "word two"), make("b", "word three")], [])
    query = Query(masked("word"), list(vector("q")), STAFF, vectors=True)

    def legs() -> dict[str, list[Candidate]]:
        return {
            leg: sorted(hits, key=lambda hit: hit.id) for leg, hits in index.legs(query, 10).items()
        }

    table = legs()
    index.compact()
    assert len(list(index.folder.rglob("*.arrow"))) == 1
    beside = legs()
    index.apply([make("b", "word four")], [])  # not beside the table yet
    both = legs()["text"]
    for leg in ("vector", "text"):
        assert told(index, table[leg]) == told(index, beside[leg])
        for one, other in zip(table[leg], beside[leg], strict=True):
            assert np.array_equal(one.vector, other.vector)
    assert {hit.chunk.text for hit in told(index, both)} == {"word one", "word two", "word four"}


def test_vectors_are_compared_by_cosine_exactly(index: EmbeddedIndex) -> None:
    texts = [f"text {number}" for number in range(40)]
    index.apply([make("a", *texts)], [])
    asked = vector("question")
    cosines = np.stack([vector(text) for text in texts]) @ asked
    hits = index.legs(Query(masked(""), list(asked), STAFF), 40)["vector"]
    assert [hit.chunk.position for hit in told(index, hits)] == list(np.argsort(-cosines))
    assert np.allclose([hit.score for hit in hits], np.sort(cosines)[::-1], atol=1e-5)


def test_words_match_whatever_their_case_ending_or_accent(index: EmbeddedIndex) -> None:
    index.apply([make("a", "Approvals of Café expenses"), make("b", "nothing else")], [])
    index.compact()
    index.apply([make("c", "just written approval")], [])  # not in the full-text index yet
    assert sorted(found(index, "approval")) == ["a-1-0", "c-1-0"]
    assert found(index, "cafe") == ["a-1-0"]


def test_a_pseudonym_matches_as_one_word(index: EmbeddedIndex) -> None:
    index.apply(
        [
            make("a", "PERSON_yafx2q4g signed it"),
            make("b", "PERSON_yafx2q4h signed it"),
            make("c", "ask EMAIL_yafx2q4g, please"),
        ],
        [],
    )
    for _ in range(2):
        assert found(index, "what did PERSON_yafx2q4g?") == ["a-1-0"]
        assert found(index, "EMAIL_yafx2q4g") == ["c-1-0"]
        index.compact()


@pytest.mark.parametrize("text", ["?!", '"', "a AND (b", "~*:\\", "'", "\x00", "𝕏 漢字", "the of"])
def test_no_question_is_a_syntax_error(index: EmbeddedIndex, text: str) -> None:
    index.apply([make("a", "one")], [])
    found(index, text)


def test_rights_change_without_a_new_embedding(index: EmbeddedIndex) -> None:
    index.apply([make("a", "one", "two"), make("b", "three")], [])
    index.set_acl({"a": ("user:x",), "gone": ("user:x",)}, {"a": "2"})
    assert list(everything(index)) == ["b-1-0"]
    assert everything(index, ("user:x",)) == {"a-1-0": "one", "a-1-1": "two"}
    held = index.inventory()
    assert (held["a"].digest, held["a"].acl, held["b"].digest) == ("2", ("user:x",), "1")
    index.set_acl({"a": ()})
    assert everything(index, ("user:x",)) == {}


def test_filters_narrow_both_legs(index: EmbeddedIndex) -> None:
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


def test_another_embedding_size_starts_anew_and_the_old_index_goes(tmp_path: Path) -> None:
    corpus = config.CorpusConfig(corpus="corpus", source=config.Source(url="folder"))
    old = open_target(config.EmbeddedTarget(), corpus, DIMENSIONS, tmp_path)
    old.apply([make("a", "one")], [])
    new = open_target(config.EmbeddedTarget(), corpus, 4, tmp_path)
    with pytest.raises(ValueError, match="shape"):
        new.apply([make("a", "one")], [])
    assert new.inventory() == {}
    assert set(old.inventory()) == {"a"}
    new.compact()
    assert old.inventory() == {}


def test_a_document_given_twice_is_refused(index: EmbeddedIndex) -> None:
    with pytest.raises(ValueError, match="twice"):
        index.apply([make("a", "one"), make("a", "two")], [])
    with pytest.raises(ValueError, match="twice"):
        index.apply([make("a", "one")], ["a"])


def test_large_applies_go_in_parts_of_whole_documents(
    index: EmbeddedIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_module, "_BATCH_CHUNKS", 4)
    monkeypatch.setattr(embedded_module, "_IDS_IN_FILTER", 3)
    documents = [make(f"d{n}", *[f"text {n} {i}" for i in range(n % 6 + 1)]) for n in range(12)]
    index.apply(documents, [])
    index.apply(documents[1:], ["d0"])
    assert set(index.inventory()) == {f"d{n}" for n in range(1, 12)}
    assert index.stats().chunks == sum(len(d.chunks) for d in documents[1:])


def test_writers_take_turns(index: EmbeddedIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_module, "_LOCK_SECONDS", 0.1)
    index.apply([make("a", "one")], [])
    other = EmbeddedIndex(index.folder, DIMENSIONS)
    with index._writing(), pytest.raises(CorpusBusy):
        other.apply([make("b", "two")], [])
    other.apply([make("b", "two")], [])
    assert set(index.inventory()) == {"a", "b"}


def test_a_damaged_index_is_reported_without_what_it_holds(index: EmbeddedIndex) -> None:
    index.apply([make("a", "one")], [])
    for path in index.folder.rglob("*.manifest"):
        path.write_bytes(b"secret")
    with pytest.raises(TargetFailed) as caught:
        EmbeddedIndex(index.folder, DIMENSIONS).inventory()
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_what_did_not_change_since_it_was_compacted_is_told_without_lancedb(
    index: EmbeddedIndex,
) -> None:
    documents = [make("a", "one", "two"), make("b'", "three", acl=("user:ä",))]
    index.apply(documents, [])
    told_by_table = index.inventory()
    index.compact()
    code = """
import sys
from pathlib import Path
from rag.targets.embedded import EmbeddedIndex
index = EmbeddedIndex(Path(sys.argv[1]), int(sys.argv[2]))
index.compact()
print(sorted(index.inventory().items()), index.stats().chunks, "lancedb" in sys.modules)
"""
    told = subprocess.run(
        [sys.executable, "-c", code, str(index.folder), str(DIMENSIONS)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert told.strip() == f"{sorted(told_by_table.items())} 3 False"
    index.apply([make("c", "four")], ["a"])
    assert set(index.inventory()) == {"b'", "c"}
    index.set_acl({"c": ()})
    assert index.inventory()["c"].acl == ()
