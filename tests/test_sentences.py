from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.sentences import sentences, split
from tests.pace import linear


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Dr. PERSON_yafx2q4g paid 3.5 million. See Fig. 2 and No. 7. No. It was J. R. Smith.",
            [
                "Dr. PERSON_yafx2q4g paid 3.5 million.",
                "See Fig. 2 and No. 7.",
                "No.",
                "It was J. R. Smith.",
            ],
        ),
        ("Ask PERSON_yafx2q4g. He knows.", ["Ask PERSON_yafx2q4g.", "He knows."]),
        ("He left at 5 p.m. The end.", ["He left at 5 p.m.", "The end."]),
        ("The U.S. Government said so.", ["The U.S. Government said so."]),
        ('"Stop." Then he left.', ['"Stop."', "Then he left."]),
        ('"Really?" she asked. Yes!', ['"Really?" she asked.', "Yes!"]),
        ("Wait... what? Price: $5.00. Buy.", ["Wait... what?", "Price: $5.00.", "Buy."]),
        (
            "It was made by him (b. 1450, d. 1536) in c. 1480. Plan b. Then in r. 1500.",
            ["It was made by him (b. 1450, d. 1536) in c. 1480.", "Plan b.", "Then in r. 1500."],
        ),
        ("Am 3. Mai kam er. Gut.", ["Am 3. Mai kam er.", "Gut."]),
        ("你好。我是谁？好！", ["你好。", "我是谁？", "好！"]),
        ("¿Qué es? Es ésta. Él va.", ["¿Qué es?", "Es ésta.", "Él va."]),
        ("Heading\n\nA line.", ["Heading", "A line."]),
        ("- item one\n- item two\n1. First", ["- item one", "- item two", "1. First"]),
        ("• a\n• b • c", ["• a", "• b", "• c"]),
        (
            "Dose | Note\n400 mg | Twice. Daily. \nAfter.",
            ["Dose | Note", "400 mg | Twice. Daily.", "After."],
        ),
        ("", []),
        (" \n ", []),
    ],
)
def test_text_is_cut_where_its_sentences_end(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_a_line_wrapped_for_width_goes_on() -> None:
    text = "A line of text that is wrapped at about seventy characters\nContinues here."
    assert sentences(text) == [text]


@given(st.text(alphabet=st.sampled_from("ab AZ.?!\"'\n|•。19)-_é漢\r\t"), max_size=80))
def test_spans_are_ordered_tight_and_cover_everything_visible(text: str) -> None:
    spans = split(text)
    at = 0
    for start, end in spans:
        assert start >= at
        assert not text[at:start].strip()
        assert text[start:end] == text[start:end].strip() != ""
        at = end
    assert not text[at:].strip()


@pytest.mark.parametrize(
    "piece", [".", ". ", "\n", "a.\n", "A.", '"', " ", "x | y\n", "(.", "A. ", "•", "a\n ", ".\n"]
)
def test_repetition_does_not_make_it_slow(piece: str) -> None:
    linear(lambda length: split(piece * (length // len(piece))), 200_000)
