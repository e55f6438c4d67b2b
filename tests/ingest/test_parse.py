"""Every format yields its text, page, section, table, headers and properties."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag.config import Limits, Parse
from rag.ingest.parse import Parser
from rag.records import Element, Failure, ParsedDocument
from tests.ingest import documents


@pytest.fixture(scope="module")
def parser() -> Iterator[Parser]:
    with Parser(Parse(limits=Limits(seconds=60))) as parser:
        yield parser


def parsed(parser: Parser, data: bytes, name: str) -> ParsedDocument:
    found = parser.submit(data, name).result()
    assert isinstance(found, ParsedDocument), found
    return found


def of(found: ParsedDocument, kind: str) -> list[Element]:
    return [each for each in found.elements if each.kind == kind]


def texts(found: ParsedDocument, kind: str = "text") -> list[str]:
    return [each.text for each in of(found, kind)]


def fields(found: ParsedDocument) -> set[tuple[str, str]]:
    return {(each.label, each.text) for each in of(found, "field")}


def test_plain_text_has_headings_paragraphs_and_lists(parser: Parser) -> None:
    found = parsed(parser, documents.TEXT.encode(), "a.txt")
    assert found.media_type == "text/plain"
    assert found.title == "Visiting Hours"
    assert texts(found, "title") == ["Visiting Hours"]
    (paragraph,) = of(found, "text")
    assert paragraph.section == ("Visiting Hours",)
    assert "at the desk before you" in paragraph.text  # the line was wrapped there
    assert texts(found, "list") == ["- bring no flowers\n- bring no pets"]


def test_word_has_sections_tables_margins_comments_and_properties(parser: Parser) -> None:
    found = parsed(parser, documents.docx(), "a.docx")
    assert found.title == "Ward rules"
    assert texts(found, "header") == ["Acme Hospital"]
    assert texts(found, "footer") == ["Confidential footer"]
    (table,) = of(found, "table")
    assert table.section == ("Rules", "Contacts")
    assert table.rows[0] == ("Name", "Phone")
    assert "Dora Dunn | 555 0101" in table.text
    assert fields(found) >= {
        ("author", "Ann Archer"),
        ("last modified by", "Bob Bowman"),
        ("keywords", "Clara Cole"),
        ("comment", "Gina Gold: Ask Frank Ford"),
    }


def test_a_slide_is_a_page_with_its_table_and_notes(parser: Parser) -> None:
    found = parsed(parser, documents.pptx(), "a.pptx")
    (table,) = of(found, "table")
    assert (table.page, table.section) == (2, ("Outlook",))
    assert table.rows == (("Year", "Growth"), ("2031", "4 %"))
    assert "Say hello to Hal about Budget." in texts(found)
    assert ("author", "Ann Archer") in fields(found)


def test_a_sheet_is_a_page_hidden_ones_too(parser: Parser) -> None:
    found = parsed(parser, documents.xlsx(), "a.xlsx")
    staff, old = of(found, "table")
    assert (staff.page, staff.section) == (1, ("Staff",))
    assert staff.rows[1] == ("Ida Irwin", "012-34-5678", "1980-02-03", "1250")
    assert (old.page, old.rows) == (2, (("Secret", "row"),))
    assert ("comment", "Kim Kent: on leave until May") in fields(found)
    assert texts(found, "header") == ["Printed for Lea Lund"]
    assert "Staff list of the ward" in texts(found)


def test_a_pdf_has_pages_headings_tables_and_margins(parser: Parser) -> None:
    found = parsed(parser, documents.pdf(), "a.pdf")
    assert found.title == "Ward book"
    assert texts(found, "title") == ["Chapter 1", "Chapter 2"]
    second = of(found, "table")[1]
    assert (second.page, second.section) == (2, ("Chapter 2",))
    assert second.rows[1] == ("Maria Keller", "2", "555 0101")
    assert texts(found, "header") == ["Acme Hospital internal"] * 2
    assert texts(found, "footer") == ["Page 1 of 2", "Page 2 of 2"]
    assert ("author", "Ann Archer") in fields(found)


def test_columns_of_a_pdf_are_read_one_after_the_other(parser: Parser) -> None:
    found = parsed(parser, documents.columns(), "a.pdf")
    text = " ".join(texts(found))
    places = [text.index(word) for word in ("left begins", "left ends", "right begins")]
    assert places == sorted(places)


def test_pictures_and_scans_are_read_by_ocr(parser: Parser) -> None:
    for data, name, kind in (
        (documents.picture(), "a.png", "image/png"),
        (documents.scan(), "a.pdf", "application/pdf"),
    ):
        found = parsed(parser, data, name)
        assert found.media_type == kind
        assert [(each.page, each.text) for each in found.elements] == [(1, "Discharge letter")]


def test_ocr_that_is_off_is_a_reason() -> None:
    with Parser(Parse(ocr=False)) as parser:
        for data in (documents.picture(), documents.scan()):
            found = parser.submit(data, "a").result()
            assert isinstance(found, Failure)
            assert found.code == "ocr_off"


def test_a_web_page_has_sections_lists_tables_and_its_author(parser: Parser) -> None:
    found = parsed(parser, documents.HTML.encode(), "a.html")
    assert found.title == "Ward page"
    (table,) = of(found, "table")
    assert table.section == ("Rules", "Meals")
    assert table.rows == (("Day", "Meal"), ("Monday", "Fish & rice"))
    assert texts(found, "list") == ["soup"]
    assert fields(found) == {("author", "Ann Archer")}


def test_markdown_has_front_matter_sections_and_tables(parser: Parser) -> None:
    found = parsed(parser, documents.MARKDOWN.encode(), "a.md")
    assert found.title == "Guide"
    (table,) = of(found, "table")
    assert (table.section, table.rows) == (("Guide", "Part"), (("Key", "Value"), ("a", "1")))
    assert fields(found) == {("author", "Ann Archer")}


def test_a_book_is_read_in_the_order_of_its_spine(parser: Parser) -> None:
    found = parsed(parser, documents.epub(), "a.epub")
    assert found.title == "Night shift"
    assert texts(found) == ["It begins here.", "It ends here."]
    assert [each.section for each in of(found, "text")] == [("First",), ("Second",)]
    assert fields(found) == {("creator", "Ann Archer")}


def test_open_document_text(parser: Parser) -> None:
    found = parsed(parser, documents.odt(), "a.odt")
    assert found.title == "Loan terms"
    assert texts(found) == ["Interest is due monthly."]
    (table,) = of(found, "table")
    assert (table.section, table.rows[1]) == (("Loans", "Rates"), ("5 years", "3 %"))
    assert texts(found, "header") == ["Acme Bank"]
    assert texts(found, "footer") == ["Internal use"]
    assert {("author", "Ann Archer"), ("comment", "Gina Gold check")} <= fields(found)


def test_rich_text(parser: Parser) -> None:
    found = parsed(parser, documents.RTF, "a.rtf")
    assert found.title == "Shift plan"
    assert texts(found) == ["Café duty of Šimon is late.", "Second line."]
    assert fields(found) == {("author", "Ann Archer")}


def test_ragged_and_legacy_csv_is_a_table(parser: Parser) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        (table,) = parsed(parser, documents.CSV.encode(encoding), "a.csv").elements
        assert table.rows == (
            ("Name", "City", ""), ("José", "Köln", ""), ("Semi;colon", "Oslo", "extra"),
        )  # fmt: skip


def test_json_records_are_a_table_and_the_rest_named_lines(parser: Parser) -> None:
    found = parsed(parser, documents.JSON.encode(), "a.json")
    assert found.title == "Register"
    assert "name: North\nbeds: 12" in texts(found)
    (table,) = of(found, "table")
    assert (table.section, table.rows[1]) == (("staff",), ("Ida Irwin", "nurse"))


def test_xml_keeps_mixed_text_whole(parser: Parser) -> None:
    found = parsed(parser, documents.XML.encode(), "a.xml")
    assert any("Mixed inline text stays whole." in text for text in texts(found))
    (table,) = of(found, "table")
    assert table.rows[1] == ("Ida", "nurse")


def test_mail_has_headers_its_rich_body_and_attachments_as_documents(parser: Parser) -> None:
    inner = documents.mail(("report.pdf", documents.pdf(1)))
    data = documents.mail(("Ann Archer.docx", documents.docx()), ("inner.eml", inner))
    found = parsed(parser, data, "a.eml")
    assert found.title == "Übergabe für Maria"
    assert ("From", "Ann Archer <ann@acme.example>") in fields(found)
    assert ("To", "Bob Bowman <bob@acme.example>, desk@acme.example") in fields(found)
    assert {"Cc", "Date", "Subject"} <= {label for label, _ in fields(found)}
    assert texts(found) == ["The rich body is here."]
    word, mail = found.attachments
    assert isinstance(word, ParsedDocument)
    assert isinstance(mail, ParsedDocument)
    assert word.name == "Ann Archer.docx"
    assert of(word, "table")
    assert [each.name for each in mail.attachments] == ["report.pdf"]


def test_attachments_deeper_than_the_limit_fail_alone() -> None:
    data = documents.mail(rich=False)
    for _ in range(3):
        data = documents.mail(("inner.eml", data), rich=False)
    with Parser(Parse(limits=Limits(depth=2))) as parser:
        found = parsed(parser, data, "a.eml")
    first = found.attachments[0]
    assert isinstance(first, ParsedDocument)
    second = first.attachments[0]
    assert isinstance(second, ParsedDocument)
    third = second.attachments[0]
    assert isinstance(third, Failure)
    assert (third.code, third.name) == ("too_deep", "inner.eml")


def test_a_failed_attachment_does_not_fail_its_mail(parser: Parser) -> None:
    found = parsed(parser, documents.mail(("broken.docx", documents.docx()[:900])), "a.eml")
    (attachment,) = found.attachments
    assert isinstance(attachment, Failure)
    assert (attachment.code, attachment.name) == ("corrupt", "broken.docx")


def test_content_decides_not_the_extension(parser: Parser) -> None:
    for data, name, kind in (
        (documents.docx(), "a.pdf", "wordprocessingml"),
        (documents.pdf(1), "a.txt", "application/pdf"),
        (documents.HTML.encode(), "a.docx", "text/html"),
        (documents.xlsx(), "a", "spreadsheetml"),
        (documents.TEXT.encode(), "a.pdf", "text/plain"),
        (documents.mail(), "a.txt", "message/rfc822"),
    ):
        assert kind in parsed(parser, data, name).media_type


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be",
                                      "utf-32", "cp1252", "latin-1"])  # fmt: skip
def test_no_letter_is_lost_in_any_encoding(parser: Parser, encoding: str) -> None:
    text = "Señor Müller owes £500 to Zoë in Århus, says the ledger of the bank."
    assert texts(parsed(parser, text.encode(encoding), "a.txt")) == [text]


def test_letters_of_other_scripts_and_broken_utf8_survive(parser: Parser) -> None:
    russian = "Пациентка Мария Келлер выписана домой в понедельник утром. " * 4
    assert texts(parsed(parser, russian.encode("cp1251"), "a.txt")) == [russian.strip()]
    mixed = "Zoë and ".encode() + "Müller".encode("cp1252") + b" met."
    assert texts(parsed(parser, mixed, "a.txt")) == ["Zoë and Müller met."]
