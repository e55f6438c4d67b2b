"""The inside of the parser process: bytes of any kind to elements.

`answer` is what `rag.ingest.parse` calls across the process border. A *reader* is a function
``(Job) -> Content`` for one family of formats; `READERS` says which. A reader's module imports
its heavy libraries at its top, so it is imported only when a document asks for it, and then
once, by the zygote.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType

from rag.ingest import zygote
from rag.ingest.failures import Unparsable
from rag.ingest.parsing import archive, sniff, text, wire
from rag.records import Element, Failure, ParsedDocument

LONGEST_TITLE = 500
"""Characters; a longer one becomes text."""
WITH_ATTACHMENTS = 4
"""A document and all that is inside it may hold this many times `Options.characters`."""
ATTACHMENTS = 200
"""Attachments read in one file; what lies beyond becomes one failure."""


@dataclass(frozen=True, slots=True)
class Options:
    """`rag.config.Parse` as far as a reader needs it."""

    ocr: bool = True
    characters: int = 4_000_000
    unpacked_bytes: int = 512 * 2**20
    depth: int = 3


@dataclass(frozen=True, slots=True)
class Job:
    """One document to read.

    Attributes:
        text: Decoded, for formats that are text; else empty.
        depth: 0 for a document of the source, 1 for its attachments, and so on.
    """

    data: bytes
    name: str
    media_type: str
    options: Options
    depth: int = 0
    text: str = field(default="", repr=False)

    def attachment(self, data: bytes, name: str) -> ParsedDocument | Failure:
        """Read a document found inside this one."""
        return parse(data, name, self.options, self.depth + 1)

    def part(self, data: bytes, name: str) -> ParsedDocument | Failure:
        """Read a part of this document that is a document by its form only: a mail's body."""
        return parse(data, name, self.options, self.depth)


@dataclass(frozen=True, slots=True)
class Content:
    """What a reader found."""

    elements: list[Element]
    title: str = ""
    attachments: tuple[ParsedDocument | Failure, ...] = ()


def _plain(job: Job) -> Content:
    elements = text.plain(job.text)
    first = elements[0] if elements else None
    return Content(elements, first.text if first and first.kind == "title" else "")


_HERE = __name__
READERS: dict[str, str] = {
    sniff.TEXT: f"{_HERE}:_plain",
    sniff.HTML: f"{_HERE}.web:html",
    sniff.MARKDOWN: f"{_HERE}.web:markdown",
    sniff.EPUB: f"{_HERE}.web:epub",
    sniff.RTF: f"{_HERE}.web:rtf",
    sniff.CSV: f"{_HERE}.data:separated",
    sniff.TSV: f"{_HERE}.data:separated",
    sniff.JSON: f"{_HERE}.data:json_document",
    sniff.JSON_LINES: f"{_HERE}.data:json_document",
    sniff.XML: f"{_HERE}.data:xml_document",
    sniff.MAIL: f"{_HERE}.mail:internet_mail",
    sniff.OUTLOOK: f"{_HERE}.outlook:outlook_mail",
    sniff.DOCX: f"{_HERE}.word:docx",
    sniff.PPTX: f"{_HERE}.slides:pptx",
    sniff.XLSX: f"{_HERE}.sheets:xlsx",
    sniff.ODT: f"{_HERE}.opendocument:odt",
    sniff.PDF: f"{_HERE}.pdf:pdf",
}
_IMAGE_READER = f"{_HERE}.images:image"
_ZIPPED = {sniff.DOCX, sniff.PPTX, sniff.XLSX, sniff.ODT, sniff.EPUB}
_BINARY = _ZIPPED | {sniff.PDF, sniff.OUTLOOK}


def answer(head: bytes, body: bytes) -> bytes:
    """Parse one document; the function that `rag.ingest.parse` runs in the killable process.

    Args:
        head: A JSON object of ``name`` and the fields of `Options`.
        body: The document.
    """
    told = json.loads(head)
    name = told.pop("name")
    return wire.pack(parse(body, name, Options(**told)))


def parse(data: bytes, name: str, options: Options, depth: int = 0) -> ParsedDocument | Failure:
    """Return the parsed document, or why it cannot be parsed. Runs inside the parser process."""
    kept = text.clean(name) if depth else ""
    binary = False
    try:
        if depth > options.depth:
            raise Unparsable("too_deep", limit=options.depth)
        job = _job(data, name, options, depth)
        binary = job.media_type in _BINARY
        content = _reader(job.media_type)(job)
        title = text.clean(content.title)
        elements = content.elements
        if len(title) > LONGEST_TITLE:
            elements = [Element("text", part) for part in text.cut(title)] + elements
            title = ""
        found = ParsedDocument(job.media_type, title, tuple(elements), content.attachments, kept)
        _check(found, options, depth)
    except Unparsable as error:
        return error.failure(kept)
    except (MemoryError, zygote.Needs):
        raise
    except Exception:  # a library's; its message may quote the document
        return Unparsable("corrupt" if binary else "parser_failed").failure(kept)
    return found


def _job(data: bytes, name: str, options: Options, depth: int) -> Job:
    kind = sniff.media_type(data, name)
    if kind in _ZIPPED:
        archive.check(data, options.unpacked_bytes)
    if kind is not None:
        return Job(data, name, kind, options, depth)
    decoded = text.decode(data)
    text.check_is_text(decoded)
    if not decoded.strip():
        raise Unparsable("empty")
    kind = sniff.text_type(decoded, name)
    markup = 1 if kind in (sniff.TEXT, sniff.MARKDOWN, sniff.CSV, sniff.TSV) else 8
    if kind != sniff.MAIL and len(decoded) > markup * options.characters:
        raise Unparsable("too_much_text", limit=options.characters)
    return Job(data, name, kind, options, depth, decoded)


def _reader(media_type: str) -> Callable[[Job], Content]:
    where = _IMAGE_READER if media_type.startswith("image/") else READERS[media_type]
    name, _, function = where.partition(":")
    found: Callable[[Job], Content] = getattr(module(name), function)
    return found


def module(name: str) -> ModuleType:
    """Import a reader's module; in a worker, by way of the zygote, which then has it for all.

    Raises:
        Needs: The worker is to be replaced by one that has the module.
    """
    if zygote.working and name not in sys.modules:
        raise zygote.Needs(name)
    return importlib.import_module(name)


def _check(found: ParsedDocument, options: Options, depth: int) -> None:
    together = _characters(found) if depth == 0 else 0
    own = sum(len(element.text) for element in found.elements)
    if own > options.characters or together > WITH_ATTACHMENTS * options.characters:
        raise Unparsable("too_much_text", limit=options.characters)
    readable = any(
        letter.isalnum()
        for element in found.elements
        if element.kind not in ("field", "header", "footer")
        for letter in element.text
    )
    if not readable and not any(isinstance(each, ParsedDocument) for each in found.attachments):
        raise Unparsable("no_text")


def _characters(found: ParsedDocument | Failure) -> int:
    if isinstance(found, Failure):
        return 0
    inside = sum(_characters(each) for each in found.attachments)
    return inside + sum(len(element.text) for element in found.elements)
