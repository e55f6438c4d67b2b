from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.config import Chunking
from rag.ingest.chunk import chunk
from rag.models import embedder
from rag.privacy.pseudonym import MASK
from rag.records import Chunk, ElementKind, MaskedDocument, MaskedElement
from tests.masked import masked

MODEL = embedder("embedded/minilm")
PERSON, IBAN, PHONE = "PERSON_yafx2q4g", "<IBAN_CODE>", "<PHONE_NUMBER ****12>"
assert all(MASK.fullmatch(mask) for mask in (PERSON, IBAN, PHONE))


def element(
    kind: ElementKind, text: str, *section: str, page: int | None = None, label: str = ""
) -> MaskedElement:
    path = tuple(map(masked, section))
    return MaskedElement(kind, masked(text), page, path, label=masked(label))


def table(rows: Sequence[Sequence[str]], *section: str, page: int | None = None) -> MaskedElement:
    cells = tuple(tuple(map(masked, row)) for row in rows)
    text = masked("\n".join(" | ".join(row) for row in rows))
    return MaskedElement("table", text, page, tuple(map(masked, section)), cells)


def cut(
    *elements: MaskedElement,
    title: str = "",
    tokens: int = 64,
    overlap: int = 0,
) -> list[Chunk]:
    document = MaskedDocument("text/plain", masked(title), elements)
    config = Chunking(max_tokens=tokens, overlap_tokens=overlap)
    return chunk(document, "id", config, MODEL)


def sentences(count: int) -> str:
    return " ".join(f"The pump in room {at} is checked every week." for at in range(count))


def test_a_section_is_a_passage_under_its_heading() -> None:
    first, second = cut(
        element("title", "Leave", page=1),
        element("text", sentences(3), "Leave", page=1),
        element("list", "- one day more after five years", "Leave", page=2),
        element("title", "Sickness", page=2),
        element("text", sentences(4), "Sickness", page=2),
        title="Handbook",
    )
    assert first.heading == "Handbook › Leave"
    assert first.text == f"{sentences(3)}\n\n- one day more after five years"
    assert (first.section, first.page, first.position) == (("Leave",), 1, 0)
    assert (second.heading, second.text, second.page) == ("Handbook › Sickness", sentences(4), 2)
    assert first.tokens == MODEL.count([first.embedded_text])[0]


def test_a_document_without_text_has_no_passages() -> None:
    assert cut() == []
    assert cut(element("text", " \n"), element("title", ""), title="Title") == []
    assert cut(element("text", "\u200b \uf0b7")) == []


def test_a_title_that_is_the_first_heading_stands_once() -> None:
    [one] = cut(
        element("title", "Handbook"), element("text", "Text.", "Handbook"), title="HANDBOOK"
    )
    assert one.embedded_text == "Handbook\nText."


def test_a_long_section_is_cut_between_sentences_into_parts_of_a_length() -> None:
    parts = cut(element("text", sentences(30)), tokens=128)
    assert " ".join(part.text for part in parts) == sentences(30)
    assert all(part.text.endswith(".") for part in parts)
    sizes = [part.tokens for part in parts]
    assert max(sizes) <= 128
    assert min(sizes) > max(sizes) / 2


def test_parts_of_a_section_overlap_by_whole_sentences() -> None:
    parts = cut(element("text", sentences(30)), tokens=128, overlap=32)
    for before, after in pairwise(parts):
        first = after.text.split(". ")[0]
        assert first in before.text
        assert MODEL.count([first])[0] <= 32
    assert cut(element("text", sentences(3)), tokens=64, overlap=32)[0].text == sentences(3)


def test_sections_do_not_overlap() -> None:
    first, second = cut(
        element("text", sentences(4), "A"), element("text", "Other. " * 8, "B"), overlap=32
    )
    assert "pump" in first.text
    assert "pump" not in second.text


def test_a_sentence_too_long_is_cut_between_words() -> None:
    text = "pump " * 300 + "end"
    parts = cut(element("text", text))
    assert " ".join(part.text for part in parts) == text
    assert max(part.tokens for part in parts) <= 64


@pytest.mark.parametrize("mask", [PERSON, IBAN, PHONE])
@pytest.mark.parametrize("between", [" ", ""])
def test_what_masking_left_is_never_cut(mask: str, between: str) -> None:
    parts = cut(element("text", between.join([mask] * 60)), tokens=32)
    assert len(parts) > 1
    assert all(MASK.sub("", part.text).strip() == "" for part in parts)
    assert sum(len(MASK.findall(part.text)) for part in parts) == 60


@pytest.mark.parametrize("run", ["漢字" * 400, "x" * 9000, "ab-" * 900, "é" * 3000])
def test_letters_without_words_are_cut_somewhere(run: str) -> None:
    parts = cut(element("text", run))
    assert "".join(part.text for part in parts) == run
    assert max(part.tokens for part in parts) <= 64
    assert max(len(part.text) for part in parts) <= 64 * 17


def test_a_table_is_cut_between_rows_with_its_header_repeated() -> None:
    rows = [("Drug", "Dose"), *((f"Drug {at}", f"{at} <mg> & more") for at in range(40))]
    parts = cut(element("text", "See:", "Doses"), table(rows, "Doses", page=3))
    [before, *tables] = parts
    assert before.kind == "text"
    assert len(tables) > 1
    assert all(part.text.startswith("Drug | Dose\nDrug ") for part in tables)
    assert all((part.kind, part.page, part.section) == ("table", 3, ("Doses",)) for part in tables)
    lines = [line for part in tables for line in part.text.splitlines()[1:]]
    assert lines == [" | ".join(row) for row in rows[1:]]
    header = "<table><tr><th>Drug</th><th>Dose</th></tr>"
    assert tables[0].html.startswith(f"{header}<tr><td>Drug 0</td><td>0 &lt;mg&gt; &amp; more</td>")
    assert all(part.html.startswith(header) for part in tables)
    assert [part.html.count("<tr>") for part in tables] == [
        len(part.text.splitlines()) for part in tables
    ]


def test_a_row_too_long_is_cut_between_cells() -> None:
    cells = [f"value {at}" for at in range(60)]
    parts = cut(table([cells]))
    assert [cell for part in parts for cell in part.text.split(" | ")] == cells
    assert "".join(part.html.count("<td>") * "." for part in parts) == "." * 60
    wide = cut(table([cells, cells]), tokens=32)
    assert max(part.tokens for part in wide) <= 32


def test_page_headers_and_footers_are_kept_once() -> None:
    pages = [
        each
        for page in range(1, 5)
        for each in (
            element("header", "Acme Hospital", page=page),
            element("text", sentences(2), "Rules", page=page),
            element("footer", f"Page {page} of 4", page=page),
        )
    ]
    about, *body = cut(*pages, tokens=256)
    assert about.text == "Acme Hospital\n\nPage 1 of 4"
    assert [part.text.count("pump") for part in body] == [8]


def test_what_is_known_about_a_document_comes_first() -> None:
    about, body = cut(
        element("text", "Dear all, the canteen opens early."),
        element("field", f"{PERSON}", label="From"),
        element("field", "Canteen", label="subject"),
        title="Canteen",
    )
    assert about.text == f"From: {PERSON}\n\nSubject: Canteen"
    assert about.heading == body.heading == "Canteen"


def test_tiny_sections_join_their_neighbours_and_keep_their_headings() -> None:
    [joined, long, alone] = cut(
        element("title", "Ward 1", "Hours"),
        element("text", "10 to 12.", "Hours", "Ward 1"),
        element("title", "Ward 2", "Hours"),
        element("text", "14 to 16.", "Hours", "Ward 2"),
        element("title", "Ward 3", "Hours"),
        element("text", sentences(5), "Hours", "Ward 3"),
        element("title", "Elsewhere"),
        element("text", "Closed.", "Elsewhere"),
        tokens=128,
    )
    assert joined.heading == "Hours"
    assert joined.text.split("\n\n") == ["Ward 1", "10 to 12.", "Ward 2", "14 to 16."]
    assert (long.heading, alone.heading) == ("Hours › Ward 3", "Elsewhere")


def test_a_heading_without_text_is_text() -> None:
    [one] = cut(element("title", "Only this"))
    assert (one.heading, one.text) == ("", "Only this")
    parts = cut(element("title", "A"), element("title", "B", "A"), element("title", "C", "A"))
    assert " ".join(part.embedded_text for part in parts).split() == ["A", "B", "C"]


def test_a_heading_takes_at_most_a_quarter_and_loses_no_word() -> None:
    long = "Regulations for the use of pumps in all wards and outpatient rooms of the whole group"
    parts = cut(element("title", long), element("text", sentences(2), long), title="Handbook")
    assert all(MODEL.count([part.heading])[0] <= 16 for part in parts)
    assert parts[0].text.startswith(long)


def test_ids_stay_when_something_is_put_in_front() -> None:
    body = [element("text", sentences(4), "A"), element("text", "Equal. " * 9, "B")]
    before = cut(
        *body, element("text", "Equal. " * 9, "B", "C"), element("text", "Equal. " * 9, "B")
    )
    after = cut(element("text", "New. " * 20), *body)
    assert len({part.id for part in before}) == len(before)
    assert {part.id for part in before[:2]} <= {part.id for part in after}


def test_ids_differ_by_document() -> None:
    document = MaskedDocument("text/plain", masked(""), (element("text", "Equal."),))
    [one], [other] = (chunk(document, name, Chunking(), MODEL) for name in ("1", "2"))
    assert one.id != other.id
    assert one.embedded_text == other.embedded_text


WORDS = st.sampled_from(
    ["pump", "Überstunden", "3.5", "e.g.", "end.", "Why?", "漢字。", "x" * 120, "a-b/c", PERSON,
     IBAN, PHONE, "\n", "•", "|", "[SEP]", "e\u0301", "🙂", "\u200b", "अच्छा।"]
)  # fmt: skip
TEXTS = st.lists(WORDS, min_size=1, max_size=60).map(" ".join)
HEADINGS = st.lists(st.sampled_from(["Leave", "Pay day", "Ward 7B " * 9, PERSON]), max_size=3)


@st.composite
def elements(draw: st.DrawFn) -> MaskedElement:
    kind = draw(st.sampled_from(["title", "text", "text", "list", "code", "table", "field"]))
    section = tuple(map(masked, draw(HEADINGS)))
    if kind == "table":
        cell = st.lists(WORDS, max_size=4).map(" ".join)
        width = draw(st.integers(1, 6))
        row = st.lists(cell, min_size=width, max_size=width)
        return table(draw(st.lists(row, min_size=1, max_size=12)), *section)
    return element(kind, draw(TEXTS), *section, label="from" if kind == "field" else "")


def bare(text: str) -> str:
    return re.sub(r"[\s|\u200b]+", "", text)


@settings(max_examples=120, deadline=None)
@given(st.lists(elements(), max_size=8), st.sampled_from([32, 64, 256]), st.sampled_from([0, 16]))
def test_every_passage_fits_and_nothing_is_lost(
    found: list[MaskedElement], tokens: int, overlap: int
) -> None:
    parts = cut(*found, title="Pay", tokens=tokens, overlap=overlap)
    assert [part.position for part in parts] == list(range(len(parts)))
    assert len({part.id for part in parts}) == len(parts)
    assert parts == cut(*found, title="Pay", tokens=tokens, overlap=overlap)
    counted = MODEL.count([part.embedded_text for part in parts])
    for part, size in zip(parts, counted, strict=True):
        assert part.tokens == size <= tokens
        assert part.text == part.text.strip() or part.kind == "table"
    said = bare("".join(each.text for each in found))
    everything = bare(" ".join(part.embedded_text for part in parts))
    for mask in MASK.findall(said):
        assert mask in everything
    words = [bare(word) for each in found for word in each.text.split()]
    texts = [bare(part.embedded_text) for part in parts]
    for word in filter(None, words):
        assert any(word in text for text in texts) or word in everything


@settings(max_examples=120, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=6), st.sampled_from([32, 64]))
def test_text_comes_out_whole_and_in_order(texts: list[str], tokens: int) -> None:
    parts = cut(*(element("text", text) for text in texts), tokens=tokens)
    assert bare("".join(part.text for part in parts)) == bare("".join(texts))
