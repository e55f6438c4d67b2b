"""What the parts of a search do to the order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.config import Recency, Search
from rag.records import Chunk, Hit
from rag.retrieve import spread
from rag.retrieve.candidates import Candidate
from rag.retrieve.diverse import collapsed, spread_out
from rag.retrieve.exact import named, preferred
from rag.retrieve.feedback import moved, weights, words
from rag.retrieve.fuse import by_score
from rag.retrieve.query import Query
from rag.retrieve.search import search
from rag.retrieve.words import about
from rag.targets.embedded import EmbeddedIndex
from tests.masked import masked
from tests.targets.documents import DIMENSIONS, make, told, vector

STAFF = ("group:staff",)


def hit(
    name: str, text: str = "", score: float = 0.0, vector: np.ndarray | None = None
) -> Candidate:
    chunk = Chunk(name, name, 0, masked(""), masked(text), 1)
    return Candidate.of(Hit(chunk, masked(name), score, acl=STAFF), vector)


def names(hits: list[Candidate]) -> list[str]:
    return [one.chunk.id for one in hits]


def test_a_question_is_searched_by_its_own_words() -> None:
    assert about(masked("What is the lift of a PERSON_k7q2mz5a wing?"), "english") == (
        "lift PERSON_k7q2mz5a wing"
    )
    assert about(masked("What is it?"), "english") == "What is it?"


def test_scores_of_both_legs_count_by_their_weights() -> None:
    legs = {
        "vector": [hit("near", score=0.9), hit("far", score=0.1)],
        "text": [hit("far", score=8.0)],
    }
    asked = np.zeros(2, np.float32)
    assert names(by_score(legs, {"text": 0}, asked)) == ["near", "far"]
    assert names(by_score(legs, {"vector": 0.1}, asked)) == ["far", "near"]
    assert [one.legs for one in by_score(legs, {}, asked) if one.chunk.id == "far"] == [
        {"vector": 2, "text": 1}
    ]


def test_a_hit_of_the_text_leg_is_weighed_by_its_vector_too() -> None:
    asked = np.array([1, 0], np.float32)
    legs = {
        "vector": [hit("a", score=0.9), hit("b", score=0.2)],
        "text": [
            hit("like", score=1.0, vector=np.array([0.8, 0.6], np.float32)),
            hit("unlike", score=1.0, vector=np.array([0, 1], np.float32)),
        ],
    }
    order = names(by_score(legs, {}, asked))
    assert order.index("like") < order.index("unlike")


def test_what_all_passages_share_does_not_count() -> None:
    random = np.random.default_rng(1)
    own = random.normal(size=(400, 16)).astype(np.float32)
    shared = own + 5 * np.eye(16, dtype=np.float32)[0]
    shared /= np.linalg.norm(shared, axis=1, keepdims=True)
    fitted = spread.fit(shared)
    assert fitted is not None
    centred = fitted.centred(shared)
    assert abs(float(np.mean(centred @ np.eye(16)[0]))) < 0.05
    assert np.allclose(np.linalg.norm(centred, axis=1), 1, atol=1e-4)


def test_too_few_passages_say_nothing_of_an_index() -> None:
    assert spread.fit(np.eye(16, dtype=np.float32)) is None


def test_feedback_adds_words_of_the_first_passages_only() -> None:
    found = [hit("a", "boundary layers separate", 3.0), hit("b", "laminar boundary 1952", 2.0)]
    added = dict(words(masked("airflow"), found, 0.3, "english"))
    assert set(added) == {"boundary", "layers", "separate", "laminar"}
    assert max(added, key=lambda word: added[word]) == "boundary"
    assert words(masked("airflow"), [], 0.3, "english") == ()


def test_feedback_moves_the_question_towards_what_was_found() -> None:
    asked = np.array([1, 0], np.float32)
    found = [hit("a", vector=np.array([0, 1], np.float32))]
    new = moved(asked, found, 0.3, None)
    assert new[1] > 0
    assert np.isclose(np.linalg.norm(new), 1)
    assert moved(asked, [hit("a")], 0.3, None) is asked


@given(st.lists(st.floats(-50, 50), max_size=30))
def test_beliefs_in_hits_are_shares(scores: list[float]) -> None:
    shares = weights([hit(str(place), score=score) for place, score in enumerate(scores)])
    assert len(shares) == min(10, len(scores))
    assert not shares or np.isclose(sum(shares), 1)


@pytest.mark.parametrize(
    ("question", "codes"),
    [
        ("Which clause of ISO-13485 applies?", ["iso-13485"]),
        ("What does error E1042x mean?", ["e1042x"]),
        ('Where is "quick release pin" shown?', ["quick release pin"]),
        ('What makes an office "virtual," and what "final"?', []),
        ("What happened in 1952, on 3.5 acres, in the 19th year?", []),
        ("What is Mach 2.5 flow over a well-known wing?", ["well-known"][:0]),
    ],
)
def test_codes_and_quotes_are_what_a_question_names(question: str, codes: list[str]) -> None:
    found, phrases, masks = named(masked(question))
    assert (found + phrases, masks) == (codes, [])


def test_the_passage_with_the_code_comes_first() -> None:
    hits = [hit("a", "ISO-1348 and ISO 13485", 2.0), hit("b", "as iso-13485 demands", 1.0)]
    assert names(preferred(masked("What of ISO-13485?"), hits)) == ["b", "a"]
    assert names(preferred(masked("What of it?"), hits)) == ["a", "b"]


def test_near_duplicates_come_behind_all_else() -> None:
    long = "one two three four five six seven eight nine ten eleven twelve"
    hits = [hit("a", long, 3.0), hit("a2", f"{long} x", 2.0), hit("b", "other", 1.0)]
    assert names(collapsed(hits, 3)) == ["a", "b", "a2"]
    assert names(collapsed(hits, 1)) == ["a", "a2", "b"]
    editions = [hit("a", f"{long} 27.", 3.0), hit("b", f"{long} 26.", 2.0), hit("c", "o", 1.0)]
    assert names(collapsed(editions, 3)) == ["a", "b", "c"]


@given(st.lists(st.sampled_from(["one", "two", "one two"]), max_size=8), st.integers(1, 9))
def test_collapsing_loses_and_invents_nothing(texts: list[str], k: int) -> None:
    hits = [hit(str(place), text, -place) for place, text in enumerate(texts)]
    assert sorted(names(collapsed(hits, k))) == sorted(names(hits))


def test_diversity_chooses_what_is_unlike() -> None:
    same, other = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
    hits = [hit("a", score=3, vector=same), hit("b", score=2.9, vector=same)]
    hits.append(hit("c", score=2.5, vector=other))
    assert names(spread_out(hits, 0)) == ["a", "b", "c"]
    assert names(spread_out(hits, 0.6)) == ["a", "c", "b"]
    assert names(spread_out([one._replace(vector=None) for one in hits], 0.6)) == ["a", "b", "c"]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedIndex:
    made = EmbeddedIndex(Path(tmp_path_factory.mktemp("index")), DIMENSIONS)
    texts = [f"{n:04}nth passage about subject{n % 7} and matter{n % 11}" for n in range(300)]
    made.apply([make(f"d{n}", text) for n, text in enumerate(texts)], [])
    made.apply([make("secret", "subject3 quetzal", acl=("user:other",))], [])
    made.apply([make("code", "the pump AX-200 leaks", "its valve", "its seal")], [])
    return made


def test_a_target_brings_vectors_and_words_with_weights(index: EmbeddedIndex) -> None:
    query = Query(masked("subject1"), list(vector("x")), STAFF, vectors=True)
    legs = index.legs(query, 10)
    assert all(getattr(one.vector, "shape", None) == (DIMENSIONS,) for one in legs["text"])
    assert all(one.vector is None for one in index.legs(replace(query, vectors=False), 3)["text"])
    weighted = replace(query, weighted=((masked("matter5"), 2.0),))
    first = told(index, index.legs(weighted, 1)["text"])[0].chunk.text
    assert "matter5" in first
    assert "subject1" in first


def test_the_sample_is_the_same_until_the_index_changes(index: EmbeddedIndex) -> None:
    once = index.sample(200)
    assert once is index.sample(200)
    assert once is not None
    assert once.shape == (200, DIMENSIONS)


@pytest.mark.parametrize(
    "settings",
    [
        Search(),
        Search(fusion="ranks"),
        Search(centred=False, feedback=0),
        Search(feedback=0.9, diversity=0.5, neighbours=2),
        Search(recency=Recency()),
    ],
)
def test_no_setting_shows_what_the_asker_may_not_read(
    index: EmbeddedIndex, settings: Search
) -> None:
    asked = list(vector("subject3 quetzal"))
    hits = search(index, masked("quetzal subject3"), asked, STAFF, 20, settings=settings)
    assert hits
    assert all("group:staff" in one.acl for one in hits)
    assert "secret" not in {one.chunk.document_id for one in hits}


def test_a_code_is_found_and_its_neighbours_come_with_it(index: EmbeddedIndex) -> None:
    asked = list(vector("anything"))
    found = search(index, masked("What about AX-200?"), asked, STAFF, 1)
    assert [one.chunk.id for one in found] == ["code-1-0"]
    settings = Search(neighbours=1)
    found = search(index, masked("What about AX-200?"), asked, STAFF, 1, settings=settings)
    assert [one.chunk.id for one in found] == ["code-1-0", "code-1-1"]
