"""Documents of every format with a text in every place that the format has for one.

A builder takes ``put``: it is called with the name of each place and returns what to hide there.
`UNREAD` are the places that are left out by decision; what stands in all others is read.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from tests.ingest.documents import packed, saved

Put = Callable[[str], str]
NEUTRAL = "The pump in the boiler room is checked by the night shift every second week."

UNREAD = {
    # No longer said by the document.
    "docx deleted", "odt deleted", "html comment", "html script", "html style", "md comment",
    "xml comment", "xml instruction",
    # Said to programs, not to people.
    "docx bookmark", "docx link", "docx custom xml", "docx variable", "docx people",
    "xlsx defined name", "xlsx link", "xlsx validation", "pptx link", "pptx custom xml",
    "html data", "html hidden input", "html link", "html aria", "html id", "html title attribute",
    "html figure alt", "md link title", "epub ncx", "pdf link", "pdf tooltip", "pdf outline",
    "odt link", "rtf annotation author", "rtf annotation", "rtf bookmark", "rtf template",
    "mail routing", "mail x-header", "mail id", "mail plain alternative", "mail boundary",
    # Where a picture was taken, and with what.
    "jpeg place", "jpeg serial", "jpeg city", "png unknown xmp",
}  # fmt: skip


def txt(put: Put) -> bytes:
    return f"{put('txt heading')}\n\n{NEUTRAL}\n\n{put('txt text')}\n".encode()


def utf16(put: Put) -> bytes:
    return f"{NEUTRAL}\n\n{put('utf-16 text')}\n".encode("utf-16")


def md(put: Put) -> bytes:
    return f"""---
author: {put("md front matter")}
---
# Night duty

{NEUTRAL} <!-- {put("md comment")} -->

## {put("md heading")}

- {put("md list")}

| Name | Note |
|---|---|
| {put("md cell")} | on duty |

![{put("md alt")}](plan.png) [plan](plan.html "{put("md link title")}")

```
{put("md code")}
```
""".encode()


def csv(put: Put) -> bytes:
    head, cell = put("csv header"), put("csv cell")
    return f'Room;Contact;"{head}"\n7;"{cell}";yes\n8;nobody;no\n'.encode()


def tsv(put: Put) -> bytes:
    return f"Room\tContact\n7\t{put('tsv cell')}\n8\tnobody\n".encode()


def json_document(put: Put) -> bytes:
    record = {
        "title": "Register",
        put("json key"): "on duty",
        "contact": put("json value"),
        "rooms": [{"number": 7, "contact": put("json record")}, {"number": 8, "contact": "-"}],
        "deep": {put("json path"): {"list": [["x", put("json deep")], ["y"]]}},
    }
    return json.dumps(record, ensure_ascii=True).encode()


def ndjson(put: Put) -> bytes:
    rows = [{"room": 7, "contact": put("ndjson value")}, {"room": 8, "contact": "-"}]
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


def xml(put: Put) -> bytes:
    return f"""<?xml version="1.0" encoding="utf-8"?>
<register><title>Register</title><!-- {escape(put("xml comment"))} -->
<?duty {escape(put("xml instruction"))}?>
<ward contact={quoteattr(put("xml attribute"))}>North</ward>
<note>{escape(put("xml text"))}</note><data><![CDATA[{put("xml cdata")}]]></data>
</register>""".encode()


def html(put: Put) -> bytes:
    return f"""<!DOCTYPE html><html><head><title>{put("html title")}</title>
<meta name="author" content={quoteattr(put("html author"))}>
<meta name="description" content={quoteattr(put("html description"))}>
<style>/* {put("html style")} */</style><script>var who = {json.dumps(put("html script"))};</script>
</head><body data-owner={quoteattr(put("html data"))}><h1>{put("html heading")}</h1>
<!-- {put("html comment")} --><p id={quoteattr(put("html id"))}>{NEUTRAL}</p>
<p title={quoteattr(put("html title attribute"))}>{put("html text")}</p>
<p style="display:none">{put("html invisible")}</p>
<img src="a.png" alt={quoteattr(put("html alt"))}>
<figure><img src="b.png" alt={quoteattr(put("html figure alt"))}></figure>
<p aria-label={quoteattr(put("html aria"))}>More of it is in the plan.</p>
<form><input type="hidden" name="who" value={quoteattr(put("html hidden input"))}></form>
<p>See the <a href={quoteattr("plan.html?by=" + put("html link"))}>plan</a> of the ward.</p>
<table><tr><th>Room</th><th>Contact</th></tr><tr><td>7</td><td>{put("html cell")}</td></tr>
</table></body></html>""".encode()


def mail(put: Put) -> bytes:
    message = EmailMessage()
    message["From"] = f"{put('mail from')} <desk@acme.example>"
    message["To"] = f"{put('mail to')} <ward@acme.example>"
    message["Cc"] = put("mail cc")
    message["Reply-To"] = put("mail reply-to")
    message["Date"] = "Mon, 03 Feb 2031 10:00:00 +0000"
    message["Subject"] = put("mail subject")
    message["X-Author"] = put("mail x-header")
    message["Message-ID"] = f"<{put('mail id').replace(' ', '.')}@acme.example>"
    message["Received"] = f"from desk by mx for {put('mail routing')}; Mon, 3 Feb 2031 10:00:00 +0"
    message.set_content(put("mail plain alternative"))
    body = f"<p>{NEUTRAL}</p><p>{put('mail body')}</p>"
    message.add_alternative(body, subtype="html")
    inner = EmailMessage()
    inner["From"] = put("mail inner from")
    inner["Subject"] = put("mail inner subject")
    inner.set_content(put("mail inner body"))
    message.add_attachment(inner)
    message.add_attachment(
        txt(lambda place: put(f"mail attachment {place}")),
        maintype="text", subtype="plain", filename=f"{put('mail attachment name')}.txt",
    )  # fmt: skip
    message.add_attachment(
        b"\x89PNG\r\n\x1a\nbroken", maintype="image", subtype="png",
        filename=f"{put('mail broken attachment name')}.png",
    )  # fmt: skip
    message.preamble = put("mail boundary")
    return bytes(message)


def _insert(data: bytes, changes: dict[str, Callable[[bytes], bytes]], **added: str) -> bytes:
    """Return a package with members changed, and others added (``a__b`` for ``a/b``)."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            new.writestr(entry.filename, changes.get(entry.filename, bytes)(content))
        for name, text in added.items():
            new.writestr(f"{name.replace('__', '/')}.xml", text)
    return made.getvalue()


_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
_C = 'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart"'
_CUSTOM = (
    '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/custom-properties" '
    'xmlns:vt="http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes">'
    '<property fmtid="{{D5CDD505-2E9C-101B-9397-08002B2CF9AE}}" pid="2" name="Reviewed by">'
    "<vt:lpwstr>{}</vt:lpwstr></property></Properties>"
)


def _properties(properties: Any, kind: str, put: Put) -> None:
    properties.author = put(f"{kind} author")
    properties.last_modified_by = put(f"{kind} last modified by")
    properties.subject = put(f"{kind} subject")
    properties.keywords = put(f"{kind} keywords")
    properties.comments = put(f"{kind} description")


def _chart(kind: str, put: Put) -> str:
    return (
        f"<c:chartSpace {_C} {_A}><c:chart><c:title><c:tx><c:rich><a:p><a:r><a:t>"
        f"{escape(put(f'{kind} chart title'))}</a:t></a:r></a:p></c:rich></c:tx></c:title>"
        f"<c:ser><c:cat><c:strRef><c:strCache><c:pt><c:v>{escape(put(f'{kind} chart label'))}"
        "</c:v></c:pt></c:strCache></c:strRef></c:cat></c:ser></c:chart></c:chartSpace>"
    )


def docx(put: Put) -> bytes:
    from docx import Document

    document = Document()
    _properties(document.core_properties, "docx", put)
    document.core_properties.title = "Ward rules"
    section = document.sections[0]
    section.different_first_page_header_footer = True
    section.header.paragraphs[0].text = put("docx header")
    section.footer.paragraphs[0].text = put("docx footer")
    section.first_page_header.paragraphs[0].text = put("docx first header")
    document.add_heading(put("docx heading"), 1)
    document.add_paragraph(NEUTRAL)
    document.add_paragraph(put("docx text"))
    invisible = document.add_paragraph().add_run(put("docx invisible"))
    invisible.font.hidden = True
    table = document.add_table(2, 2)
    for at, text in enumerate(("Room", "Contact", "7", put("docx cell"))):
        table.cell(at // 2, at % 2).text = text
    noted = document.add_paragraph("Noted text of this paragraph.")
    document.add_comment(
        noted.runs, text=put("docx comment"), author=put("docx comment author"), initials="X"
    )
    more = (
        f'<w:p><w:ins w:id="91" w:author={quoteattr(put("docx change author"))}><w:r><w:t>'
        f"{escape(put('docx inserted'))}</w:t></w:r></w:ins>"
        f'<w:del w:id="92" w:author="Editor"><w:r><w:delText>{escape(put("docx deleted"))}'
        "</w:delText></w:r></w:del><w:r><w:t> was changed here.</w:t></w:r></w:p>"
        '<w:p><w:r><w:drawing><wp:inline xmlns:wp="http://schemas.openxmlformats.org/drawingml/'
        f'2006/wordprocessingDrawing"><wp:docPr id="93" name="p" descr={quoteattr(put("docx alt"))}'
        "/></wp:inline></w:drawing></w:r></w:p>"
        f"<w:p><w:r><w:pict><w:txbxContent><w:p><w:r><w:t>{escape(put('docx text box'))}"
        "</w:t></w:r></w:p></w:txbxContent></w:pict></w:r></w:p>"
        f'<w:p><w:bookmarkStart w:id="94" w:name={quoteattr(put("docx bookmark"))}/>'
        '<w:bookmarkEnd w:id="94"/><w:r><w:instrText>HYPERLINK "mailto:'
        f'{escape(put("docx link"))}"</w:instrText></w:r></w:p><w:sdt><w:sdtContent><w:p><w:r><w:t>'
        f"{escape(put('docx control'))}</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    )
    inner = xlsx_small(lambda place: put(f"docx embedded {place}"))
    data = _insert(
        saved(document),
        {
            "word/document.xml": lambda body: body.replace(
                b"<w:sectPr", more.encode() + b"<w:sectPr"
            )
        },
        docProps__custom=_CUSTOM.format(escape(put("docx custom property"))),
        word__footnotes=f'<w:footnotes {_W}><w:footnote w:id="2"><w:p><w:r><w:t>'
        f"{escape(put('docx footnote'))}</w:t></w:r></w:p></w:footnote></w:footnotes>",
        word__charts__chart1=_chart("docx", put),
        word__diagrams__data1=f"<d {_A}><a:p><a:r><a:t>{escape(put('docx diagram'))}"
        "</a:t></a:r></a:p></d>",
        customXml__item7=f"<i>{escape(put('docx custom xml'))}</i>",
        word__variables=f"<i>{escape(put('docx variable'))}</i>",
        word__people=f"<i>{escape(put('docx people'))}</i>",
    )
    with_file = io.BytesIO(data)
    with zipfile.ZipFile(with_file, "a") as archive:
        archive.writestr("word/embeddings/Sheet7.xlsx", inner)
    return with_file.getvalue()


def pptx(put: Put) -> bytes:
    from pptx import Presentation
    from pptx.util import Inches

    deck = Presentation()
    _properties(deck.core_properties, "pptx", put)
    for place in ("pptx", "pptx hidden"):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = put(f"{place} title")
        slide.placeholders[1].text = f"{NEUTRAL}\n{put(f'{place} text')}"
        slide.notes_slide.notes_text_frame.text = put(f"{place} notes")
    slide._element.set("show", "0")
    box = slide.shapes.add_textbox(Inches(1), Inches(1), Inches(3), Inches(1))
    box.text_frame.text = put("pptx text box")
    box._element.nvSpPr.cNvPr.set("descr", put("pptx alt"))
    box.text_frame.paragraphs[0].runs[0].hyperlink.address = f"mailto:{put('pptx link')}"
    author = f'<a><cmAuthor id="4" name={quoteattr(put("pptx comment author"))}/></a>'
    return _insert(
        saved(deck),
        {},
        docProps__custom=_CUSTOM.format(escape(put("pptx custom property"))),
        ppt__commentAuthors=author,
        ppt__comments__comment1='<l><cm authorId="4"><text>'
        f"{escape(put('pptx comment'))}</text></cm></l>",
        ppt__charts__chart1=_chart("pptx", put),
        customXml__item7=f"<i>{escape(put('pptx custom xml'))}</i>",
    )


def xlsx_small(put: Put) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(("Room", "Contact"))
    book.active.append((7, put("cell")))
    return saved(book)


def xlsx(put: Put) -> bytes:
    from openpyxl import Workbook
    from openpyxl.comments import Comment
    from openpyxl.workbook.defined_name import DefinedName
    from openpyxl.worksheet.datavalidation import DataValidation

    book = Workbook()
    book.properties.creator = put("xlsx author")
    book.properties.lastModifiedBy = put("xlsx last modified by")
    book.properties.description = put("xlsx description")
    sheet = book.active
    sheet.title = put("xlsx sheet name").replace("/", " ")[:31]
    sheet.append(("Room", "Contact", "Note"))
    sheet.append((7, put("xlsx cell"), "on duty"))
    sheet.append((8, put("xlsx hidden row"), "on duty"))
    sheet.row_dimensions[3].hidden = True
    sheet["D2"] = put("xlsx hidden column")
    sheet.column_dimensions["D"].hidden = True
    sheet["A2"].comment = Comment(put("xlsx comment"), put("xlsx comment author"))
    sheet["C2"].hyperlink = f"https://plan.example/?by={put('xlsx link')}"
    sheet.oddHeader.center.text = put("xlsx header")
    sheet.evenFooter.center.text = put("xlsx even footer")
    rule = DataValidation(type="list", formula1='"yes,no"', allow_blank=True)
    rule.prompt = put("xlsx validation")[:200]
    sheet.add_data_validation(rule)
    rule.add("C4")
    for state in ("hidden", "veryHidden"):
        other = book.create_sheet(state)
        other.sheet_state = state
        other.append(("Room", "Contact"))
        other.append((9, put(f"xlsx {state} sheet")))
    book.defined_names["DUTY"] = DefinedName(
        "DUTY", attr_text=f'"{put("xlsx defined name")}"', comment="duty"
    )
    drawing = (
        f'<d {_A} xmlns:xdr="urn:x"><xdr:cNvPr id="1" name="p" descr='
        f"{quoteattr(put('xlsx alt'))}/><a:p><a:r><a:t>{escape(put('xlsx text box'))}"
        "</a:t></a:r></a:p></d>"
    )
    return _insert(
        saved(book),
        {},
        docProps__custom=_CUSTOM.format(escape(put("xlsx custom property"))),
        xl__drawings__drawing9=drawing,
        xl__charts__chart9=_chart("xlsx", put),
        xl__persons__person='<p><person id="{5}" displayName='
        f"{quoteattr(put('xlsx thread author'))}/></p>",
        xl__threadedComments__threadedComment1='<t><threadedComment personId="{5}"><text>'
        f"{escape(put('xlsx thread'))}</text></threadedComment></t>",
    )


def pdf(put: Put) -> bytes:
    from pypdf import PdfReader, PdfWriter
    from pypdf.annotations import FreeText, Text
    from pypdf.generic import NameObject, StreamObject
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(600, 800))
    canvas.setTitle("Ward book")
    for text in (NEUTRAL, put("pdf text")):
        canvas.drawString(40, canvas._pagesize[1] - (100 if text is NEUTRAL else 140), text)
    canvas.bookmarkPage("one")
    canvas.addOutlineEntry(put("pdf outline"), "one")
    canvas.linkURL(f"mailto:{put('pdf link')}", (40, 600, 100, 620))
    canvas.acroForm.textfield(
        name="duty", value=put("pdf form value"), tooltip=put("pdf tooltip"),
        x=40, y=500, width=300, height=20, maxlen=300,
    )  # fmt: skip
    canvas.save()
    writer = PdfWriter(clone_from=PdfReader(buffer))
    writer.add_metadata(
        {
            "/Author": put("pdf author"),
            "/Subject": put("pdf subject"),
            "/ReviewedBy": put("pdf custom property"),
        }
    )
    packet = StreamObject()
    packet.set_data(xmp(put("pdf xmp creator"), "").encode())
    packet[NameObject("/Type")] = NameObject("/Metadata")
    writer.root_object[NameObject("/Metadata")] = writer._add_object(packet)
    note = Text(text=put("pdf comment"), rect=(40, 400, 60, 420))
    note[NameObject("/T")] = _pdf_text(put("pdf comment author"))
    writer.add_annotation(0, note)
    writer.add_annotation(0, FreeText(text=put("pdf free text"), rect=(40, 300, 200, 330)))
    inner = txt(lambda place: put(f"pdf attachment {place}"))
    writer.add_attachment(f"{put('pdf attachment name')}.txt", inner)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _pdf_text(text: str) -> Any:
    from pypdf.generic import TextStringObject

    return TextStringObject(text)


def xmp(creator: str, elsewhere: str) -> str:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><rdf:Description>'
        f"<dc:creator><rdf:Seq><rdf:li>{escape(creator)}</rdf:li></rdf:Seq></dc:creator>"
        f"<dc:source>{escape(elsewhere)}</dc:source>"
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    )


_OASIS = {"office": "office", "text": "text", "style": "style", "meta": "meta",
          "draw": "drawing", "svg": "svg-compatible"}  # fmt: skip
_NS = " ".join(
    [
        *(f'xmlns:{a}="urn:oasis:names:tc:opendocument:xmlns:{b}:1.0"' for a, b in _OASIS.items()),
        'xmlns:dc="http://purl.org/dc/elements/1.1/"',
        'xmlns:xlink="http://www.w3.org/1999/xlink"',
    ]
)


def odt(put: Put) -> bytes:
    def said(place: str) -> str:
        return escape(put(f"odt {place}"))

    return packed(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": f"<office:document-content {_NS}><office:body><office:text>"
            "<text:tracked-changes><text:changed-region><text:deletion><text:p>"
            f"{said('deleted')}</text:p></text:deletion></text:changed-region>"
            f'</text:tracked-changes><text:h text:outline-level="1">{said("heading")}</text:h>'
            f"<text:p>{NEUTRAL}</text:p><text:p>{said('text')}<office:annotation><dc:creator>"
            f"{said('comment author')}</dc:creator><text:p>{said('comment')}</text:p>"
            f'</office:annotation></text:p><text:p><text:a xlink:href="mailto:{said("link")}">plan'
            "</text:a><draw:frame><svg:desc>"
            f"{said('alt')}</svg:desc><draw:text-box><text:p>{said('text box')}</text:p>"
            "</draw:text-box></draw:frame></text:p></office:text></office:body>"
            "</office:document-content>",
            "styles.xml": f"<office:document-styles {_NS}><office:master-styles>"
            f"<style:master-page><style:header><text:p>{said('header')}</text:p></style:header>"
            f"<style:footer><text:p>{said('footer')}</text:p></style:footer></style:master-page>"
            "</office:master-styles></office:document-styles>",
            "meta.xml": f"<office:document-meta {_NS}><office:meta><dc:title>Loans</dc:title>"
            f"<meta:initial-creator>{said('author')}</meta:initial-creator>"
            f'<meta:user-defined meta:name="Reviewed by">{said("custom property")}'
            "</meta:user-defined></office:meta></office:document-meta>",
        }
    )


def epub(put: Put) -> bytes:
    return packed(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:'
            'container"><rootfiles><rootfile full-path="book.opf"/></rootfiles></container>',
            "book.opf": '<package xmlns="http://www.idpf.org/2007/opf"><metadata '
            'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Night shift</dc:title>'
            f"<dc:creator>{escape(put('epub creator'))}</dc:creator>"
            f"<dc:contributor>{escape(put('epub contributor'))}</dc:contributor></metadata>"
            '<manifest><item id="a" href="a.xhtml"/></manifest>'
            '<spine><itemref idref="a"/></spine></package>',
            "toc.ncx": f"<ncx><text>{escape(put('epub ncx'))}</text></ncx>",
            "a.xhtml": f"<html><body><h1>{escape(put('epub heading'))}</h1><p>{NEUTRAL}</p>"
            f"<p>{escape(put('epub text'))}</p></body></html>",
        }
    )


def rtf(put: Put) -> bytes:
    def said(place: str) -> str:
        return "".join(
            letter if ord(letter) < 128 else f"\\u{ord(letter)}?" for letter in put(f"rtf {place}")
        )

    return (
        rf"{{\rtf1\ansi{{\*\template {said('template')}}}"
        rf"{{\info{{\title Shift plan}}{{\author {said('author')}}}{{\manager {said('manager')}}}"
        rf"{{\doccomm {said('description')}}}}}"
        rf"\pard {NEUTRAL}\par {{\*\bkmkstart {said('bookmark')}}}{said('text')}"
        rf"{{\*\atnauthor {said('annotation author')}}}\chatn{{\*\annotation {said('annotation')}}}"
        r"\par}"
    ).encode("ascii")


def png(put: Put) -> bytes:
    from PIL import PngImagePlugin

    facts = PngImagePlugin.PngInfo()
    facts.add_itxt("Author", put("png author"))
    facts.add_itxt("Comment", put("png comment"))
    facts.add_itxt("XML:com.adobe.xmp", xmp(put("png xmp creator"), put("png unknown xmp")))
    return _picture("PNG", pnginfo=facts)


def jpeg(put: Put) -> bytes:
    from PIL import Image

    exif = Image.Exif()
    exif[270] = put("jpeg description").encode()
    exif[315] = put("jpeg artist").encode()
    exif[40093] = put("jpeg windows author").encode("utf-16-le")
    inside = exif.get_ifd(0x8769)
    inside[37510] = b"UNICODE\0" + put("jpeg user comment").encode("utf-16")
    inside[42032] = put("jpeg camera owner").encode()
    inside[42033] = put("jpeg serial").encode()
    exif.get_ifd(0x8825)[27] = b"ASCII\0\0\0" + put("jpeg place").encode("utf-8")
    plain = _picture(
        "JPEG", exif=exif, comment=put("jpeg comment").encode(), xmp=xmp(
            put("jpeg xmp creator"), ""
        ).encode(),
    )  # fmt: skip
    records = b"".join(
        b"\x1c\x02" + struct.pack(">BH", number, len(text)) + text
        for number, place in ((80, "by-line"), (90, "city"), (120, "caption"))
        for text in [put(f"jpeg {place}").encode()]
    )
    block = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(records)) + records
    block += b"\0" * (len(records) % 2)
    segment = b"Photoshop 3.0\0" + block
    return plain[:2] + b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment + plain[2:]


def _picture(kind: str, **options: Any) -> bytes:
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (420, 60), "white")
    ImageDraw.Draw(image).text((12, 12), "Ward plan", fill="black", font=ImageFont.load_default(32))
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


BUILDERS: dict[str, Callable[[Put], bytes]] = {
    "txt": txt, "utf16.txt": utf16, "md": md, "csv": csv, "tsv": tsv, "json": json_document,
    "ndjson": ndjson, "xml": xml, "html": html, "eml": mail, "docx": docx, "pptx": pptx,
    "xlsx": xlsx, "pdf": pdf, "odt": odt, "epub": epub, "rtf": rtf, "png": png, "jpg": jpeg,
}  # fmt: skip
