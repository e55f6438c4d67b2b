"""Which sentences a passage supports, and what of a chat model's reply is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer import counter
from rag.answer.chat import Claim, grounded, read, shown
from rag.answer.ground import evidence, facts
from rag.models import embedder
from rag.records import Chunk, Hit
from rag.retrieve.pack import Passage
from tests.masked import masked

MODEL = embedder("embedded/minilm")
LEAST = 0.6


def passage(number: int, text: str) -> Passage:
    chunk = Chunk(
        f"c{number}", f"d{number}", 0, masked("Handbook › Leave"), masked(text), 40, page=2
    )
    return Passage(Hit(chunk, masked(f"leave-{number}.md"), 1.0), masked(text), 40)


LEAVE = passage(
    1,
    "Employees are entitled to 25 days of paid vacation per calendar year. Requests are made in "
    "the portal at least two weeks ahead and are approved by the line manager. Unused days may be "
    "carried over until 31 March of the following year. Overtime is not paid out; it is "
    "compensated with time off. PERSON_yafx2q4g coordinates parental leave.",
)
CANTEEN = passage(2, "The canteen opens at 11:30. Guests pay 9.80 euros for lunch.")
QUESTION = masked("How many days of vacation do employees get?")


def support(claim: str, *cited: Passage) -> float:
    return max(
        one.support for one in evidence([masked(claim)], [cited or (LEAVE,)], MODEL.embed)[0]
    )


@pytest.mark.parametrize(
    "claim",
    [
        "Employees are entitled to 25 days of paid vacation per calendar year.",
        "Staff get 25 paid vacation days each year.",
        "Vacation must be requested in the portal two weeks in advance.",
        "Vacation must be requested in the portal 2 weeks in advance.",
        "The line manager approves vacation requests.",
        "Unused vacation days can be carried over until 31 March of the next year.",
        "Overtime is compensated with time off rather than paid out.",
        "PERSON_yafx2q4g coordinates parental leave.",
    ],
)
def test_what_a_passage_says_in_other_words_is_supported(claim: str) -> None:
    assert support(claim) >= LEAST


@pytest.mark.parametrize(
    "claim",
    [
        "Staff get 30 paid vacation days each year.",
        "Unused days may be carried over until 30 June of the following year.",
        "PERSON_aaaaaaaa coordinates parental leave.",
        "Overtime is paid out.",
        "Vacation must be requested in the portal three weeks in advance.",
        "Employees get free coffee and fruit.",
        "Vacation can be sold back to the company for cash.",
        "Requests must be made in writing to the CEO.",
        "Vacation is unlimited for managers.",
        "The canteen opens at 11:30.",
    ],
)
def test_what_a_passage_does_not_say_is_not_supported(claim: str) -> None:
    assert support(claim) < LEAST


def test_numbers_may_come_from_any_passage_that_is_cited() -> None:
    claim = "Employees have 25 days of paid vacation per year and pay 9.80 euros for lunch."
    assert support(claim) == 0
    assert support(claim, LEAVE, CANTEEN) > 0


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1,500 euros in 2024", {"1500", "2024"}),
        ("at 11:30, or 9.80.", {"11:30", "9.8"}),
        ("Two weeks, and 12 of twenty-five", {"2", "12"}),
        ("PERSON_yafx2q4g has 3", {"PERSON_yafx2q4g", "3"}),
        ("nothing", set()),
    ],
)
def test_facts_are_numbers_and_pseudonyms(text: str, found: set[str]) -> None:
    assert facts(text) == found


@pytest.mark.parametrize(
    ("reply", "claims"),
    [
        ("One thing [1]. Another. [2][3]", [("One thing.", (1,)), ("Another.", (2, 3))]),
        ("A list [1, 2].\n- An item [3]", [("A list.", (1, 2)), ("An item", (3,))]),
        ("Nothing cited here.", [("Nothing cited here.", ())]),
        ("Twice [1] said [1].", [("Twice said.", (1,))]),
        ("", []),
        ("[1]", []),
    ],
)
def test_markers_are_read_wherever_they_stand(
    reply: str, claims: list[tuple[str, tuple[int, ...]]]
) -> None:
    assert read(masked(reply)) == [Claim(text, cites) for text, cites in claims]


def test_a_reply_that_was_cut_loses_its_half_sentence() -> None:
    assert [claim.text for claim in read(masked("A whole one [1]. Half a se"), cut=True)] == [
        "A whole one."
    ]


def test_only_supported_sentences_with_valid_markers_are_kept() -> None:
    reply = (
        "Staff get 25 paid vacation days each year [1]. They get 40 days from the second year [1]. "
        "Vacation must be requested in the portal two weeks in advance. [1] "
        "The line manager approves vacation requests [7]. The canteen opens at 11:30."
    )
    draft = grounded(QUESTION, masked(reply), [LEAVE, CANTEEN], LEAST, MODEL.embed)
    assert draft.text == (
        "Staff get 25 paid vacation days each year [1]. "
        "Vacation must be requested in the portal two weeks in advance [2]."
    )
    assert not draft.abstained
    assert draft.support >= LEAST
    first, second = draft.citations
    assert "25 days of paid vacation" in first.quote
    assert "in the portal at least two weeks ahead" in second.quote
    assert (first.document, first.chunk, first.page) == ("leave-1.md", "c1", 2)


@pytest.mark.parametrize("reply", ["NO ANSWER", "", "It is 40 days [1].", "See [9]."])
def test_a_reply_without_support_is_an_abstention(reply: str) -> None:
    draft = grounded(QUESTION, masked(reply), [LEAVE, CANTEEN], LEAST, MODEL.embed)
    assert draft.abstained
    assert draft.citations == ()
    assert draft.text.startswith("No passage that you may read answers:")
    assert "leave-1.md" in draft.text


@given(st.text(alphabet="ab1 .[]0,23\n!", max_size=60))
def test_every_marker_of_an_answer_names_a_citation(reply: str) -> None:
    def embed(texts: object) -> object:
        import numpy

        return numpy.ones((len(list(texts)), 1), numpy.float32)  # type: ignore[call-overload]

    draft = grounded(QUESTION, masked(reply), [passage(1, "a b ab 1 2 3")], 0.0, embed)  # type: ignore[arg-type]
    for claim in read(draft.text if not draft.abstained else masked("")):
        assert claim.cites
        assert all(1 <= number <= len(draft.citations) for number in claim.cites)


@given(st.text(alphabet='<>/pasges "n1‹', max_size=40))
def test_no_passage_can_end_its_element_or_open_another(text: str) -> None:
    prompt = shown([passage(1, text), passage(2, text)])
    assert prompt.count("<passage number=") == prompt.count("</passage>") == 2


@given(st.text(max_size=300))
def test_context_of_a_chat_model_is_never_counted_below_the_embedded_models(text: str) -> None:
    own = MODEL.count([text])[0]
    assert counter("bedrock/x", MODEL)(text) >= own == counter("embedded/extractive", MODEL)(text)
