"""What kind of file it is, by its content; the extension decides among kinds of text only."""

from __future__ import annotations

import io
import re
import zipfile

from rag.ingest.failures import Unparsable

TEXT = "text/plain"
MARKDOWN = "text/markdown"
HTML = "text/html"
CSV = "text/csv"
TSV = "text/tab-separated-values"
JSON = "application/json"
JSON_LINES = "application/x-ndjson"
XML = "application/xml"
MAIL = "message/rfc822"
RTF = "application/rtf"
PDF = "application/pdf"
OUTLOOK = "application/vnd.ms-outlook"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ODT = "application/vnd.oasis.opendocument.text"
EPUB = "application/epub+zip"

_IMAGES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"II*\x00": "image/tiff",
    b"MM\x00*": "image/tiff",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"BM": "image/bmp",
}
_BY_EXTENSION = {
    "md": MARKDOWN, "markdown": MARKDOWN, "html": HTML, "htm": HTML, "xhtml": HTML, "csv": CSV,
    "tsv": TSV, "json": JSON, "ndjson": JSON_LINES, "jsonl": JSON_LINES, "xml": XML, "eml": MAIL,
}  # fmt: skip
_TAG = re.compile(r"<(!doctype html|html|head|body)[\s>]", re.IGNORECASE)
_HEADER = re.compile(r"^([A-Za-z][A-Za-z0-9-]*):[ \t]?\S", re.MULTILINE)
_MAIL_HEADERS = {"from", "to", "subject", "date", "cc", "reply-to", "sender"}
_MAIL_ROUTING = {"received", "message-id", "mime-version", "return-path", "delivered-to",
                 "content-type", "x-mailer"}  # fmt: skip


def media_type(data: bytes, name: str) -> str | None:
    """Return the media type of content that says so itself; None for text of some kind.

    Raises:
        Unparsable: It is empty, damaged, encrypted, or nothing that can be read.
    """
    if not data.strip(b"\0\t\n\r\f\v "):
        raise Unparsable("empty")
    if b"%PDF-" in data[:1024]:
        return PDF
    if data.startswith(b"PK"):
        return _zipped(data)
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _compound(data)
    if data.startswith(b"{\\rtf"):
        return RTF
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    for magic, kind in _IMAGES.items():
        # BM alone begins many a text; a bitmap's next bytes are its size.
        if data.startswith(magic) and (magic != b"BM" or b"\0" in data[6:10]):
            return kind
    return None


def text_type(text: str, name: str) -> str:
    """Return the media type of a decoded text."""
    start = text[:4096].lstrip("\ufeff \t\r\n")
    told = _BY_EXTENSION.get(name.rpartition(".")[2].lower())
    if _is_mail(start, told == MAIL):
        return MAIL
    if start.startswith("<") and told != MARKDOWN:
        if _TAG.search(start[:2048]):
            return HTML
        if start.startswith("<?xml"):
            return XML
    if told in (None, XML, HTML) and start[:1] in "{[" and _is_json(text):
        return JSON
    if told in (JSON, JSON_LINES) and start[:1] not in '{["-0123456789tfn':
        return TEXT
    if told == XML and not start.startswith("<"):
        return TEXT
    return told or TEXT


def _is_mail(start: str, told: bool) -> bool:
    head = re.split(r"\r?\n\r?\n", start, maxsplit=1)[0]
    first = _HEADER.match(head)
    if not first:
        return False
    names = {match.lower() for match in _HEADER.findall(head)}
    known = names & (_MAIL_HEADERS | _MAIL_ROUTING)
    return bool(known) if told else len(known) >= 3 and bool(names & _MAIL_ROUTING)


def _is_json(text: str) -> bool:
    import json

    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _zipped(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            declared = ""
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                declared = archive.read("mimetype").decode("ascii", "replace").strip()
            if any(entry.flag_bits & 1 for entry in archive.infolist()):
                raise Unparsable("encrypted")
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, RuntimeError, EOFError):
        raise Unparsable("corrupt") from None
    if declared in (ODT, EPUB):
        return declared
    for folder, kind in (("word/", DOCX), ("ppt/", PPTX), ("xl/", XLSX)):
        if any(name.startswith(folder) for name in names):
            return kind
    if "META-INF/container.xml" in names:
        return EPUB
    raise Unparsable("unsupported")


def _compound(data: bytes) -> str:
    import olefile  # type: ignore[import-untyped]

    try:
        with olefile.OleFileIO(io.BytesIO(data)) as streams:
            if streams.exists("EncryptedPackage"):
                raise Unparsable("encrypted")
            if streams.exists("__properties_version1.0"):
                return OUTLOOK
    except Unparsable:
        raise
    except Exception:
        raise Unparsable("corrupt") from None
    raise Unparsable("unsupported")
