from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answer import Answerer, answerer, drafted
from rag.answer.extractive import Extractive
from rag.errors import ConfigError
from rag.masked import NotMasked
from rag.models import embedder, pairs
from rag.records import Chunk, Hit
from rag.retrieve.pack import Passage, pack
from tests.masked import masked

LEAVE = "Staff get 27 days of annual leave a year. Leave is requested from the line manager."
RECORDS = "Patient records are kept for 30 years after the last treatment. They are then shredded."
PERSONS = "PERSON_yafx2q4g is the ward manager of Ward 7. PERSON_4rbaljzr is the head of nursing."


def passages(*texts: str, heading: str = "") -> tuple[Passage, ...]:
    hits = [
        Hit(
            Chunk(f"c{n}", f"id{n}", 0, masked(heading), masked(text), 0, page=n + 1),
            masked(f"d{n}.txt"),
            1.0,
            acl=("group:any",),
        )
        for n, text in enumerate(texts)
    ]
    return pack(hits, 10_000, lambda text: len(text.split())).passages


@pytest.fixture(scope="module")
def extractive() -> Answerer:
    return answerer("embedded/extractive", embedder("embedded/minilm").embed)


def test_it_answers_with_the_sentence_that_answers_and_cites_it(extractive: Answerer) -> None:
    question = masked("How many days of annual leave do staff get?")
    draft = extractive.answer(question, passages(RECORDS, LEAVE), 0.6)
    assert not draft.abstained
    assert draft.text.startswith("Staff get 27 days of annual leave a year.")
    first = draft.citations[0]
    assert (first.document, first.document_id, first.chunk, first.page) == (
        "d1.txt",
        "id1",
        "c1",
        2,
    )
    assert first.quote == "Staff get 27 days of annual leave a year."
    assert draft.support >= 0.6


def test_it_abstains_for_lack_of_evidence_and_says_what_is_near(extractive: Answerer) -> None:
    question = masked("What is the capital of Mongolia?")
    draft = extractive.answer(question, passages(RECORDS, LEAVE), 0.6)
    assert draft.abstained
    assert draft.citations == ()
    assert draft.support < 0.6
    assert "the capital of Mongolia" in draft.text
    assert "d0.txt, d1.txt" in draft.text
    assert "shredded" not in draft.text


def test_who_reads_question_and_passage_together_tells_what_answers_from_what_is_like() -> None:
    reading = answerer("embedded/extractive")
    told = passages(RECORDS, "Only pharmacists may enter the pharmacy.")
    answered = drafted(reading.sentences(masked("Who may enter the pharmacy?"), told, 0.6))
    assert answered.text == "Only pharmacists may enter the pharmacy."
    assert drafted(reading.sentences(masked("Who may enter the kitchen?"), told, 0.6)).abstained


def test_it_abstains_without_passages(extractive: Answerer) -> None:
    draft = extractive.answer(masked("Who?"), (), 0.0)
    assert draft.abstained
    assert "Nothing that you may read" in draft.text


def test_a_question_about_a_person_is_answered_about_that_person(extractive: Answerer) -> None:
    question = masked("What is the role of PERSON_yafx2q4g?")
    draft = extractive.answer(question, passages(LEAVE, PERSONS), 0.6)
    assert draft.text == "PERSON_yafx2q4g is the ward manager of Ward 7."


def test_what_is_said_of_somebody_else_is_no_answer(extractive: Answerer) -> None:
    question = masked("What is the role of PERSON_aaaaaaaa?")
    assert extractive.answer(question, passages(LEAVE, PERSONS), 0.0).abstained


def test_no_sentence_is_said_twice(extractive: Answerer) -> None:
    question = masked("How many days of annual leave do staff get?")
    draft = extractive.answer(question, passages(LEAVE, "Note. " + LEAVE), 0.3)
    assert draft.text.count("27 days") == 1


def test_what_was_asked_of_one_year_is_not_told_of_another() -> None:
    paid = (
        "The bank paid a dividend of 42 cents in 2024.",
        "A dividend of 38 cents was paid in 2023.",
    )
    by = Extractive(reads=False)
    assert (
        by.answer(masked("What dividend was paid in 2024?"), passages(*paid), 0.5).text == paid[0]
    )
    asked_of_none = by.answer(masked("What dividend was paid?"), passages(*paid), 0.5)
    assert "2023" in asked_of_none.text
    assert "2024" in asked_of_none.text


def test_an_unknown_answerer_is_refused() -> None:
    with pytest.raises(ConfigError, match="embedded/other"):
        answerer("embedded/other")


pieces = st.lists(
    st.sampled_from(
        [LEAVE, PERSONS, "Dose | Note\n400 mg | Twice daily", "- one\n- two", "How? So!", "leave"]
    ),
    min_size=1,
    max_size=4,
).map("\n".join)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    texts=st.lists(pieces, max_size=3),
    question=st.sampled_from(["annual leave", "PERSON_yafx2q4g?", "the of", "", "dose 400"]),
    threshold=st.floats(0, 1),
)
def test_every_quote_stands_in_its_chunk_and_every_sentence_is_cited(
    extractive: Answerer, texts: list[str], question: str, threshold: float
) -> None:
    given_passages = passages(*texts)
    chunks = {passage.hit.chunk.id: passage.hit.chunk.text for passage in given_passages}
    draft = extractive.answer(masked(question), given_passages, threshold)
    assert 0 <= draft.support <= 1
    assert draft.abstained == (not draft.citations)
    assert len(draft.citations) <= 3
    for citation in draft.citations:
        assert citation.quote in chunks[citation.chunk]
        assert citation.score <= 1
    if not draft.abstained:
        quoted = " ".join(" ".join(citation.quote.split()) for citation in draft.citations)
        assert draft.text == quoted
        assert draft.support >= threshold


def test_the_nearest_text_scores_highest_piece_by_piece() -> None:
    texts = [masked(RECORDS), masked(LEAVE), masked("")]
    found = pairs.scores(masked("How many days of annual leave do staff get?"), texts)
    assert found.shape == (3,)
    assert found[1] > found[0] > found[2] == -1


def test_the_pair_model_takes_masked_text_only() -> None:
    with pytest.raises(NotMasked):
        pairs.scores(masked("leave"), ["raw"])  # type: ignore[list-item]
