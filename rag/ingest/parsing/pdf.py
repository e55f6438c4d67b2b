"""PDF: text by pdfminer, pages without text by OCR, headings by type size.

pdfminer is what unstructured's ``fast`` strategy reads with as well. Its own partitioner is not
used: importing it takes 7 to 9 seconds and 430 MB (torch-less layout models, plotting), it
knows no headings by size, and it parts tables into columns.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium
from pdfminer.high_level import extract_pages
from pdfminer.layout import LAParams, LTChar, LTContainer, LTTextLine
from pypdf import PdfReader

from rag.ingest.failures import Unparsable
from rag.ingest.parsing import ATTACHMENTS, Content, Job, module
from rag.ingest.parsing.adapt import Sections
from rag.ingest.parsing.layout import Block, Line, blocks
from rag.ingest.parsing.properties import field, xmp
from rag.ingest.parsing.tables import table
from rag.ingest.parsing.text import LONGEST, clean, cut
from rag.ingest.zygote import Needs
from rag.records import Element, Failure, ParsedDocument

DPI = 170
_MARGIN = 0.08
"""Share of the page's height where headers and footers stand."""
_LITTLE = 10
"""Letters and digits under which a page counts as having no text."""
_PAGE_NUMBER = re.compile(r"(?:page|seite|p\.)?\s*[-–]?\s*\d+\s*[-–]?(?:\s*(?:of|/|von)\s*\d+)?",
                          re.IGNORECASE)  # fmt: skip
# Paragraphs are made by `layout`: pdfminer's own grouping is quadratic in their number. Its
# default margin of two characters joins the cells of a table.
_LAYOUT = LAParams(boxes_flow=None, char_margin=1.2)
_UNMAPPED = re.compile(r"\(cid:\d+\)")
# Some PDF makers' bullets have no letter; code 127 is ReportLab's.
_UNMAPPED_BULLET = re.compile(r"^\(cid:(?:127|183|108)\)")
_BULLET = re.compile(r"(?:[•‣▪◦·●–]\s|[-*]\s|\(?\d{1,2}[.)]\s|[a-z]\)\s)")


def pdf(job: Job) -> Content:
    """Read a PDF."""
    document = _open(job.data)
    try:
        return _read(job, document)
    finally:
        document.close()


def _open(data: bytes) -> pypdfium2.PdfDocument:
    try:
        document = pypdfium2.PdfDocument(data)
        if len(document) == 0:
            raise Unparsable("corrupt")
    except pypdfium2.PdfiumError as error:
        password = getattr(error, "err_code", None) == pdfium.FPDF_ERR_PASSWORD
        raise Unparsable("encrypted" if password else "corrupt") from None
    return document


def _read(job: Job, document: pypdfium2.PdfDocument) -> Content:
    title, fields, attachments = _facts(job)
    pages = [_Page(number, *each) for number, each in enumerate(_pages(job), 1)]
    style = _Style(pages)
    sections = Sections()
    elements: list[Element] = []
    unread = 0
    for page in pages:
        if page.has_text:
            elements = joined(elements, style.elements(page, sections))
        elif _has_marks(document, page.number):
            if job.options.ocr:
                elements += _scanned(document, page.number, sections.path)
            else:
                unread += 1
    if unread and not any(each.kind not in ("header", "footer") for each in elements):
        raise Unparsable("ocr_off")
    if not title:
        title = next((each.text for each in elements if each.kind == "title"), "")
    return Content(fields + elements, title, attachments)


def _pages(job: Job) -> Iterator[tuple[float, list[Line]]]:
    """Yield each page's height and lines."""
    characters = 0
    for page in extract_pages(io.BytesIO(job.data), laparams=_LAYOUT):
        lines = [_line(each, page.height) for each in _text_lines(page)]
        lines = [line for line in lines if line.text]
        characters += sum(len(line.text) for line in lines)
        if characters > job.options.characters:
            raise Unparsable("too_much_text", limit=job.options.characters)
        yield page.height, lines


def _text_lines(container: Any) -> Iterator[Any]:
    for each in container:
        if isinstance(each, LTTextLine):
            yield each
        elif isinstance(each, LTContainer):
            yield from _text_lines(each)


def _line(line: Any, height: float) -> Line:
    characters = [
        each for each in line if isinstance(each, LTChar) and not each.get_text().isspace()
    ]
    sizes = Counter(round(each.size * 2) / 2 for each in characters)
    bold = sum("bold" in each.fontname.lower() or "black" in each.fontname.lower()
               for each in characters)  # fmt: skip
    return Line(
        clean(_UNMAPPED_BULLET.sub("•", " ".join(line.get_text().split()))),
        line.x0,
        height - line.y1,
        line.x1,
        height - line.y0,
        sizes.most_common(1)[0][0] if sizes else 0.0,
        bool(characters) and bold > len(characters) / 2,
    )


def joined(before: list[Element], after: list[Element]) -> list[Element]:
    """Return both lists as one; a paragraph that a page or column parts is whole again."""
    result = list(before)
    margins = ("header", "footer")
    for each in after:
        at = next((i for i in range(len(result), 0, -1) if result[i - 1].kind not in margins), 0)
        last = result[at - 1] if at else None
        if (
            last is not None
            and each.kind == last.kind == "text"
            and each.section == last.section
            and each.text[:1].islower()
            and last.text[-1:] not in ".!?:;"
            and len(last.text) + len(each.text) < LONGEST
        ):
            divided = last.text.endswith("-") and last.text[-2:-1].isalpha()
            text = last.text[:-1] if divided else f"{last.text} "
            result[at - 1] = replace(last, text=text + each.text)
        else:
            result.append(each)
    return result


class _Page:
    def __init__(self, number: int, height: float, lines: list[Line]) -> None:
        self.number = number
        self.height = height
        self.lines = lines
        text = "".join(line.text for line in lines)
        readable = sum(map(str.isalnum, _UNMAPPED.sub("", text)))
        self.has_text = readable >= max(_LITTLE, 3 * len(_UNMAPPED.findall(text)))

    def margin(self, line: Line) -> str:
        """Where a line stands: ``header``, ``footer`` or neither."""
        if line.bottom < _MARGIN * self.height:
            return "header"
        return "footer" if line.top > (1 - _MARGIN) * self.height else ""


class _Style:
    """What the document's body, headings, headers and footers look like."""

    def __init__(self, pages: list[_Page]) -> None:
        sizes: Counter[float] = Counter()
        bold: Counter[bool] = Counter()
        margins: Counter[str] = Counter()
        for page in pages:
            for line in page.lines:
                sizes[line.size] += len(line.text)
                bold[line.bold] += len(line.text)
                if page.margin(line):
                    margins[_pattern(line.text)] += 1
        self._body = sizes.most_common(1)[0][0] if sizes else 0.0
        self._bold_body = bold[True] > bold[False]
        larger = sorted((size for size in sizes if size >= 1.15 * self._body), reverse=True)
        self._levels = {size: level for level, size in enumerate(larger[:6])}
        self._repeated = {text for text, count in margins.items() if count > 1}

    def elements(self, page: _Page, sections: Sections) -> list[Element]:
        """Return a page's elements: headers, then its body in reading order, then footers."""
        headers: list[Element] = []
        footers: list[Element] = []
        rest: list[Line] = []
        for line in page.lines:
            place = page.margin(line)
            if not place or not self._is_margin(line):
                rest.append(line)
            elif place == "header":
                headers.append(Element("header", line.text, page.number))
            else:
                footers.append(Element("footer", line.text, page.number))
        body = [made for block in blocks(rest) for made in self._block(block, page, sections)]
        return headers + body + footers

    def _is_margin(self, line: Line) -> bool:
        return (
            _pattern(line.text) in self._repeated
            or bool(_PAGE_NUMBER.fullmatch(line.text))
            or line.size < 0.95 * self._body
        )

    def _block(self, block: Block, page: _Page, sections: Sections) -> Iterator[Element]:
        if block.rows:
            found = table(block.rows, page.number, sections.path)
            if found:
                yield found
            return
        level = self._heading(block)
        if level is not None:
            path = sections.enter(block.text, level)
            yield Element("title", block.text, page.number, path)
            return
        starts = [at for at, line in enumerate(block.lines) if _BULLET.match(line.text)]
        if starts and starts[0] == 0:
            for start, end in zip(starts, [*starts[1:], len(block.lines)], strict=True):
                item = Block(block.lines[start:end]).text
                yield Element("list", item, page.number, sections.path)
            return
        for part in cut(block.text):
            yield Element("text", part, page.number, sections.path)

    def _heading(self, block: Block) -> int | None:
        first = block.lines[0]
        if len(block.lines) > 3 or not any(map(str.isalpha, block.text)):
            return None
        if first.size in self._levels and len(block.text) < 200:
            return self._levels[first.size]
        bold = first.bold and not self._bold_body and first.size >= 0.95 * self._body
        short = len(block.text.split()) <= 12 and not block.text.endswith((".", ",", ";", ":"))
        return len(self._levels) if bold and short and len(block.lines) == 1 else None


def _pattern(text: str) -> str:
    return re.sub(r"\d+", "#", text)


def _has_marks(document: pypdfium2.PdfDocument, number: int) -> bool:
    page = document[number - 1]
    try:
        return next(iter(page.get_objects(max_depth=2)), None) is not None
    finally:
        page.close()


def _scanned(
    document: pypdfium2.PdfDocument, number: int, section: tuple[str, ...]
) -> list[Element]:
    images = module("rag.ingest.parsing.images")
    page = document[number - 1]
    try:
        longest = max(page.get_size()) or 1.0
        scale = min(DPI / 72, images.LONGEST_SIDE / longest)
        picture = page.render(scale=scale, may_draw_forms=True).to_pil()
    finally:
        page.close()
    return [replace(each, section=section) for each in images.read(picture, number)]


_UNSET = ("(anonymous)", "(unspecified)", "anonymous", "unspecified", "untitled")
_COMMENTED_PAGES = 2000
_NO_NOTES = ("/Link", "/Popup", "/Widget", "/FileAttachment")
_DULL = ("/Title", "/Producer", "/Creator", "/CreationDate", "/ModDate", "/Trapped")
_INFO = {"/Author": "author", "/Subject": "subject", "/Keywords": "keywords",
         "/Manager": "manager", "/Company": "company", "/Comments": "comments"}  # fmt: skip


def _facts(
    job: Job,
) -> tuple[str, list[Element], tuple[ParsedDocument | Failure, ...]]:
    """Return title; properties, form fields and comments; and embedded files."""
    fields: list[Element] = []
    attached: list[ParsedDocument | Failure] = []
    title = ""
    try:
        reader = PdfReader(io.BytesIO(job.data))
        if reader.is_encrypted:
            reader.decrypt("")
        for key, value in (reader.metadata or {}).items():
            known = str(value) not in _UNSET
            if key == "/Title" and known:
                title = " ".join(clean(str(value)).split())
            elif known and key not in _DULL and not key.startswith("/PTEX"):
                fields += field(_INFO.get(key, clean(key.strip("/"))), value)
        fields += [each for each in _packet(reader) if each not in fields]
        fields += _filled_in(reader)
        for name, versions in reader.attachments.items():
            for data in versions[: ATTACHMENTS - len(attached)]:
                attached.append(job.attachment(data, name))
    except (MemoryError, Needs):
        raise
    except Exception:  # noqa: S110
        pass  # the text is read by pdfminer, which may manage where pypdf does not
    return title, fields, tuple(attached)


def _packet(reader: PdfReader) -> list[Element]:
    """Return what the document's XMP says of it."""
    root: Any = reader.trailer["/Root"]
    packet = root.get("/Metadata")
    return xmp(packet.get_object().get_data()) if packet is not None else []


def _filled_in(reader: PdfReader) -> Iterator[Element]:
    """Yield what people put on the pages: form fields and comments."""
    for name, form_field in (reader.get_fields() or {}).items():
        if form_field.value not in (None, "/Off"):
            yield from field(clean(name), str(form_field.value).removeprefix("/"))
    for page in reader.pages[:_COMMENTED_PAGES]:
        for reference in page.annotations or []:
            note = reference.get_object()
            if note.get("/Subtype") not in _NO_NOTES and note.get("/Contents"):
                yield from field("comment", f"{note.get('/T', '')}: {note['/Contents']}")
