"""Small real documents in every format, made by the formats' own libraries."""

from __future__ import annotations

import io
import json
import zipfile
from email.message import EmailMessage

TEXT = """Visiting Hours

Visitors may come between ten and noon. Please ask Maria Keller at the desk
before you enter a ward, and wash your hands.

- bring no flowers
- bring no pets
"""


def docx(text: str = "The patient Maria Keller goes home on Monday.") -> bytes:
    from docx import Document

    document = Document()
    document.core_properties.author = "Ann Archer"
    document.core_properties.last_modified_by = "Bob Bowman"
    document.core_properties.title = "Ward rules"
    document.core_properties.keywords = "Clara Cole"
    document.sections[0].header.paragraphs[0].text = "Acme Hospital"
    document.sections[0].footer.paragraphs[0].text = "Confidential footer"
    document.add_heading("Rules", 1)
    document.add_paragraph(text)
    document.add_heading("Contacts", 2)
    document.add_paragraph("Call the desk.", style="List Bullet")
    table = document.add_table(3, 2)
    for row, cells in zip(
        table.rows, (("Name", "Phone"), ("Dora Dunn", "555 0101"), ("Eve Estes", "555 0102")),
        strict=True,
    ):  # fmt: skip
        for cell, value in zip(row.cells, cells, strict=True):
            cell.text = value
    paragraph = document.add_paragraph("Noted text.")
    document.add_comment(paragraph.runs, text="Ask Frank Ford", author="Gina Gold", initials="GG")
    return saved(document)


def pptx() -> bytes:
    from pptx import Presentation
    from pptx.util import Inches

    deck = Presentation()
    deck.core_properties.author = "Ann Archer"
    for title, body in (("Budget", "Costs fall by a tenth."), ("Outlook", "Growth is expected.")):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = body
        slide.notes_slide.notes_text_frame.text = f"Say hello to Hal about {title}."
    cells = deck.slides[1].shapes.add_table(2, 2, Inches(1), Inches(4), Inches(5), Inches(1)).table
    for at, value in enumerate(("Year", "Growth", "2031", "4 %")):
        cells.cell(at // 2, at % 2).text = value
    return saved(deck)


def xlsx() -> bytes:
    import datetime as dt

    from openpyxl import Workbook
    from openpyxl.comments import Comment

    book = Workbook()
    book.properties.creator = "Ann Archer"
    sheet = book.active
    sheet.title = "Staff"
    sheet["A1"] = "Staff list of the ward"
    for row in (
        ("Name", "SSN", "Born", "Pay"),
        ("Ida Irwin", 12345678, dt.datetime(1980, 2, 3), 1250.0),
        ("Jon Jacobs", 234567890, None, 0.5),
    ):
        sheet.append(row)
    sheet["B3"].number_format = sheet["B4"].number_format = "000-00-0000"
    sheet["A3"].comment = Comment("on leave until May", "Kim Kent")
    sheet.oddHeader.center.text = "Printed for Lea Lund"
    hidden = book.create_sheet("Old")
    hidden.sheet_state = "hidden"
    hidden.append(("Secret", "row"))
    return saved(book)


def saved(document) -> bytes:  # type: ignore[no-untyped-def]
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def pdf(pages: int = 2, password: str = "") -> bytes:
    from reportlab.lib import colors
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table

    style = getSampleStyleSheet()
    story = []
    for page in range(1, pages + 1):
        story += [
            Paragraph(f"Chapter {page}", style["Heading1"]),
            Paragraph("The ward keeps a list of its visitors, and every visitor signs it. " * 4,
                      style["BodyText"]),
            Spacer(1, 12),
            Table([["Name", "Room", "Phone"], ["Maria Keller", str(page), "555 0101"],
                   ["Nina Novak", "22", "555 0102"]],
                  style=[("GRID", (0, 0), (-1, -1), 0.5, colors.black)]),
            Spacer(1, 12),
            Paragraph("After the table the text goes on as before.", style["BodyText"]),
            PageBreak(),
        ]  # fmt: skip

    def margins(canvas, document):  # type: ignore[no-untyped-def]
        canvas.setFont("Helvetica", 8)
        canvas.drawString(60, A4[1] - 30, "Acme Hospital internal")
        canvas.drawString(60, 25, f"Page {document.page} of {pages}")

    buffer = io.BytesIO()
    SimpleDocTemplate(buffer, pagesize=A4, title="Ward book", author="Ann Archer").build(
        story, onFirstPage=margins, onLaterPages=margins
    )
    if not password:
        return buffer.getvalue()
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(PdfReader(buffer))
    writer.encrypt(password, algorithm="AES-256")
    return saved_by_write(writer)


def columns() -> bytes:
    """A page of two columns whose lines stand beside each other."""
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(600, 800))
    canvas.setFont("Helvetica", 10)
    filler = "and then the account goes on for a full line"
    for side, x in (("left", 60), ("right", 320)):
        lines = [
            f"The {side} begins here {filler[:24]}",
            *([filler] * 10),
            f"The {side} ends here.",
        ]
        for at, line in enumerate(lines):
            canvas.drawString(x, 700 - 12 * at, line)
    canvas.save()
    return buffer.getvalue()


def saved_by_write(document) -> bytes:  # type: ignore[no-untyped-def]
    buffer = io.BytesIO()
    document.write(buffer)
    return buffer.getvalue()


def picture(text: str = "Discharge letter", kind: str = "PNG") -> bytes:
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (620, 90), "white")
    ImageDraw.Draw(image).text((20, 25), text, fill="black", font=ImageFont.load_default(36))
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def scan() -> bytes:
    """A PDF that is an image."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.open(io.BytesIO(picture())).save(buffer, "PDF")
    return buffer.getvalue()


def mail(
    *attachments: tuple[str, bytes], subject: str = "Übergabe für Maria", rich: bool = True
) -> bytes:
    message = EmailMessage()
    message["From"] = "Ann Archer <ann@acme.example>"
    message["To"] = "Bob Bowman <bob@acme.example>, desk@acme.example"
    message["Cc"] = "Clara Cole <clara@acme.example>"
    message["Date"] = "Mon, 03 Feb 2031 10:00:00 +0000"
    message["Subject"] = subject
    message.set_content("The plain body is here.")
    if rich:
        message.add_alternative("<p>The <b>rich</b> body is here.</p>", subtype="html")
    for name, data in attachments:
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return bytes(message)


def packed(members: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def epub() -> bytes:
    return packed(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:'
            'container"><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
            "OEBPS/book.opf": '<package xmlns="http://www.idpf.org/2007/opf"><metadata '
            'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Night shift</dc:title>'
            "<dc:creator>Ann Archer</dc:creator></metadata><manifest>"
            '<item id="b" href="two.xhtml"/><item id="a" href="one%20a.xhtml"/></manifest>'
            '<spine><itemref idref="a"/><itemref idref="b"/></spine></package>',
            "OEBPS/two.xhtml": "<html><body><h1>Second</h1><p>It ends here.</p></body></html>",
            "OEBPS/one a.xhtml": '<?xml version="1.0" encoding="utf-8"?><html><body><h1>First</h1>'
            "<p>It begins here.</p></body></html>",
        }
    )


_NS = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" '
    'xmlns:meta="urn:oasis:names:tc:opendocument:xmlns:meta:1.0" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"'
)


def odt() -> bytes:
    return packed(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": f"<office:document-content {_NS}><office:body><office:text>"
            '<text:h text:outline-level="1">Loans</text:h>'
            "<text:p>Interest<text:s/>is <text:span>due</text:span> monthly."
            "<office:annotation><dc:creator>Gina Gold</dc:creator><text:p>check</text:p>"
            "</office:annotation></text:p>"
            '<text:h text:outline-level="2">Rates</text:h>'
            "<text:list><text:list-item><text:p>fixed</text:p></text:list-item></text:list>"
            "<table:table><table:table-row><table:table-cell><text:p>Term</text:p>"
            "</table:table-cell><table:table-cell><text:p>Rate</text:p></table:table-cell>"
            "</table:table-row><table:table-row><table:table-cell><text:p>5 years</text:p>"
            "</table:table-cell><table:table-cell><text:p>3 %</text:p></table:table-cell>"
            "</table:table-row></table:table></office:text></office:body>"
            "</office:document-content>",
            "styles.xml": f"<office:document-styles {_NS}><office:master-styles>"
            "<style:master-page><style:header><text:p>Acme Bank</text:p></style:header>"
            "<style:footer><text:p>Internal use</text:p></style:footer></style:master-page>"
            "</office:master-styles></office:document-styles>",
            "meta.xml": f"<office:document-meta {_NS}><office:meta><dc:title>Loan terms</dc:title>"
            "<meta:initial-creator>Ann Archer</meta:initial-creator></office:meta>"
            "</office:document-meta>",
        }
    )


RTF = (
    rb"{\rtf1\ansi{\info{\title Shift plan}{\author Ann Archer}}"
    rb"\pard Caf\'e9 duty of \u352?imon is {\b late}.\par Second line.\par}"
)
HTML = """<html><head><title>Ward page</title><meta name="author" content="Ann Archer"></head>
<body><h1>Rules</h1><p>Visitors may come at ten.</p><h2>Meals</h2><ul><li>soup</li></ul>
<table><tr><th>Day</th><th>Meal</th></tr><tr><td>Monday</td><td>Fish &amp; rice</td></tr></table>
</body></html>"""
MARKDOWN = "---\nauthor: Ann Archer\n---\n# Guide\n\nRead this first.\n\n## Part\n\n" + (
    "| Key | Value |\n|---|---|\n| a | 1 |\n"
)
CSV = 'Name;City\nJosé;Köln\n"Semi;colon";Oslo;extra\n'
JSON = json.dumps(
    {
        "title": "Register",
        "ward": {"name": "North", "beds": 12},
        "staff": [{"name": "Ida Irwin", "role": "nurse"}, {"name": "Jon Jacobs", "role": "cook"}],
    }
)
XML = (
    '<?xml version="1.0" encoding="utf-8"?><register><title>Register</title><ward id="7">'
    "<name>North</name></ward><staff><person><name>Ida</name><role>nurse</role></person>"
    "<person><name>Jon</name><role>cook</role></person></staff>"
    "<note>Mixed <b>inline</b> text stays whole.</note></register>"
)
