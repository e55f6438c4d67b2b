"""Lines on a page become paragraphs, lists and tables in reading order."""

from __future__ import annotations

from rag.ingest.parsing.layout import Block, Line, blocks
from rag.ingest.parsing.pdf import joined
from rag.ingest.parsing.text import LONGEST, cut, plain
from rag.records import Element


def page(*lines: tuple[float, float, str]) -> list[Block]:
    """Lines of 10 points at (x, y)."""
    return blocks([Line(text, x, y, x + 5 * len(text), y + 10, 10) for x, y, text in lines])


def test_a_cell_over_several_lines_is_one_cell() -> None:
    (table,) = page(
        (50, 100, "Class"), (150, 100, "Who"), (300, 100, "Review"),
        (50, 120, "High"), (150, 120, "Cash business,"), (300, 120, "Every year"),
        (150, 132, "politically exposed,"), (300, 132, "or earlier"),
        (150, 144, "ownership"),
        (50, 170, "Low"), (150, 170, "Others"), (300, 170, "Never"),
    )  # fmt: skip
    assert table.rows == (
        ("Class", "Who", "Review"),
        ("High", "Cash business, politically exposed, ownership", "Every year or earlier"),
        ("Low", "Others", "Never"),
    )


def test_bullets_that_stand_apart_are_no_table() -> None:
    found = page((50, 100, "•"), (70, 100, "one"), (50, 120, "•"), (70, 120, "two"),
                 (50, 140, "•"), (70, 140, "three"))  # fmt: skip
    assert not any(block.rows for block in found)
    assert " ".join(block.text for block in found) == "• one • two • three"


def test_a_divided_word_is_whole_again_and_field_lines_stay_lines() -> None:
    found = page((50, 100, "The loan is amor-"), (50, 112, "tised."), (50, 124, "Born: 1980"))
    assert [block.text for block in found] == ["The loan is amortised.\nBorn: 1980"]


def test_a_paragraph_over_two_pages_is_one() -> None:
    first = [Element("text", "The doctor is told by", 1), Element("footer", "Page 1", 1)]
    second = [Element("header", "Acme", 2), Element("text", "telephone on the same day.", 2)]
    found = joined(first, second)
    assert found[0] == Element("text", "The doctor is told by telephone on the same day.", 1)
    assert [each.kind for each in found] == ["text", "footer", "header"]
    assert joined(first, [Element("text", "A new paragraph.", 2)])[-1].text == "A new paragraph."


def test_long_texts_are_cut_between_sentences_and_never_inside_a_word() -> None:
    sentence = "A sentence of some words is here. "
    parts = cut(sentence * 3000)
    assert all(part.endswith(".") and len(part) <= LONGEST for part in parts)
    assert "".join(parts).replace(" ", "") == (sentence * 3000).replace(" ", "")
    word = "x" * (3 * LONGEST)
    assert cut(f"{word} end") == [word, "end"]


def test_field_lines_of_a_text_are_not_joined() -> None:
    text = "Name: Caroline Whitfield-Nakagawa of the research office\nDate of birth: 06/21/1988"
    assert [each.text for each in plain(text)] == [text]


def test_a_signature_is_no_heading() -> None:
    found = plain("Dear Rosalind,\n\nplease open a file.\n\nBeatrice")
    assert [each.kind for each in found] == ["text", "text", "text"]
