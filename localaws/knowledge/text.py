"""The text of a file, by its format."""

from __future__ import annotations

import csv
import html
import io
import re
import zipfile
from collections.abc import Callable
from html.parser import HTMLParser
from xml.etree import ElementTree

from localaws.knowledge.sidecar import Unusable

UNSUPPORTED = "as their file format was not supported."
EMPTY = "as they had no text content."
BROKEN = "as they could not be read. Check that the files are not corrupt or password protected."

_MIME = {
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/html": ".html",
    "text/csv": ".csv",
    "application/pdf": ".pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
}
_BLOCKS = re.compile(
    "address|article|blockquote|br|d[dlt]|div|footer|h[1-6r]|header|li|main|ol|p|pre|section"
    "|table|t[dhr]|ul"
)
_HIDDEN = frozenset({"script", "style", "template", "noscript", "head"})
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def suffix(name: str) -> str:
    """Return a name's ending, for example ``.txt``; empty when there is none."""
    last = name.rpartition("/")[2]
    return f".{last.rpartition('.')[2].lower()}" if "." in last else ""


def ending(mime: str) -> str:
    """Return the ending of files of a media type; empty for one that is not read."""
    return _MIME.get(mime.partition(";")[0].strip().lower(), "")


def text_of(data: bytes, ending: str) -> str:
    """Return a file's text.

    Raises:
        Unusable: The format is not read here, the file is broken, or there is no text.
    """
    read = _READERS.get(ending)
    if read is None:
        raise Unusable(UNSUPPORTED)
    try:
        text = read(data)
    except Exception as error:  # readers of foreign formats raise anything
        raise Unusable(BROKEN) from error
    if not text.strip():
        raise Unusable(EMPTY)
    return text


def _plain(data: bytes) -> str:
    for encoding in ("utf-8-sig", "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("cp1252", errors="replace")


def _csv(data: bytes) -> str:
    rows = csv.reader(io.StringIO(_plain(data)))
    return "\n".join(", ".join(cell.strip() for cell in row) for row in rows if any(row))


class _Visible(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in _HIDDEN:
            self._hidden += 1
        elif _BLOCKS.fullmatch(tag):
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif _BLOCKS.fullmatch(tag):
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def _html(data: bytes) -> str:
    reader = _Visible()
    reader.feed(_plain(data))
    reader.close()
    lines = [" ".join(line.split()) for line in "".join(reader.parts).splitlines()]
    return re.sub(r"\n{3,}", "\n\n", html.unescape("\n".join(lines))).strip()


def _docx(data: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        root = ElementTree.fromstring(archive.read("word/document.xml"))  # noqa: S314  # own files
    paragraphs = (
        "".join(run.text or "" for run in paragraph.iter(f"{_WORD}t"))
        for paragraph in root.iter(f"{_WORD}p")
    )
    return "\n".join(paragraphs)


def _pdf(data: bytes) -> str:
    from pdfminer.high_level import extract_text

    return str(extract_text(io.BytesIO(data)))


_READERS: dict[str, Callable[[bytes], str]] = {
    ".txt": _plain,
    ".md": _plain,
    ".html": _html,
    ".htm": _html,
    ".csv": _csv,
    ".docx": _docx,
    ".pdf": _pdf,
}
