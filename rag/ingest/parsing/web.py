"""HTML and what becomes HTML: Markdown, EPUB, RTF. By unstructured."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from urllib.parse import unquote

from lxml import etree
from lxml import html as lxml_html
from unstructured.nlp.tokenize import sent_tokenize
from unstructured.partition.html import partition_html

from rag.ingest.failures import Unparsable
from rag.ingest.parsing import Content, Job
from rag.ingest.parsing.adapt import SILENT, adapt
from rag.ingest.parsing.properties import field, safe_xml
from rag.ingest.parsing.text import decode
from rag.records import Element

sent_tokenize("Loaded here. Forked workers have it.")  # its pipeline is made on first use

_META = ("author", "creator", "dc.creator", "description", "keywords", "dc.contributor",
         "last-modified-by", "copyright", "owner")  # fmt: skip
_EPUB_FIELDS = ("creator", "contributor", "publisher", "description", "subject", "rights")


def html(job: Job) -> Content:
    """Read a web page; ``meta`` facts about people become fields."""
    title, fields = _head(job.text)
    return Content(fields + _body(job.text), title)


def _head(text: str) -> tuple[str, list[Element]]:
    try:
        root = lxml_html.document_fromstring(text.encode(), parser=_parser())
    except (etree.ParserError, ValueError):
        return "", []
    fields = []
    for meta in root.iter("meta"):
        name = (meta.get("name") or meta.get("property") or "").lower()
        if name in _META:
            fields += field(name, meta.get("content"))
    return " ".join((root.findtext(".//head/title") or "").split()), fields


def _parser() -> lxml_html.HTMLParser:
    return lxml_html.HTMLParser(encoding="utf-8", no_network=True)


def _body(text: str, under: tuple[str, ...] = ()) -> list[Element]:
    # A declared encoding is not true any more of a decoded text.
    text = re.sub(r"<\?xml[^>]*\?>", "", text, count=1)
    return adapt(partition_html(text=text, **SILENT), under) if text.strip() else []


def markdown(job: Job) -> Content:
    """Read Markdown; the first top heading is the title, front matter becomes fields."""
    from markdown import markdown as to_html  # type: ignore[import-untyped]

    text, fields = _front_matter(job.text)
    page = to_html(text, extensions=["tables", "fenced_code", "sane_lists"])
    elements = _body(page)
    first = next((each for each in elements if each.kind == "title"), None)
    return Content(fields + elements, first.text if first and not first.section else "")


def _front_matter(text: str) -> tuple[str, list[Element]]:
    match = re.match(r"---\n(.*?)\n(?:---|\.\.\.)\n", text, re.DOTALL)
    if not match:
        return text, []
    fields = []
    for line in match[1].split("\n"):
        label, colon, value = line.partition(":")
        fields += field(label.strip(), value) if colon else field("", line)
    return text[match.end() :], fields


def epub(job: Job) -> Content:
    """Read a book's chapters in reading order, with its metadata."""
    with zipfile.ZipFile(io.BytesIO(job.data)) as book:
        container = safe_xml(book.read("META-INF/container.xml"))
        root_path = container.find(".//{*}rootfile").get("full-path")
        package = safe_xml(book.read(root_path))
        title = " ".join((package.findtext(".//{*}metadata/{*}title") or "").split())
        elements = []
        for name in _EPUB_FIELDS:
            for each in package.iterfind(f".//{{*}}metadata/{{*}}{name}"):
                elements += field(name, each.text)
        paths = {item.get("id"): item.get("href") for item in package.iterfind(".//{*}item")}
        names = set(book.namelist())
        found = 0
        for reference in package.iterfind(".//{*}spine/{*}itemref"):
            href = unquote((paths.get(reference.get("idref")) or "").partition("#")[0])
            path = posixpath.normpath(posixpath.join(posixpath.dirname(root_path), href))
            if path in names:
                text = decode(book.read(path))
                found += len(text)
                if found > 20 * job.options.characters:  # markup counts here
                    raise Unparsable("too_much_text", limit=job.options.characters)
                elements += _body(text)
    return Content(elements, title)


_RTF_FIELD = re.compile(
    rb"\{\\(author|operator|manager|company|subject|keywords|doccomm|title)\s+((?:[^{}\\]|\\.)*)\}"
)


def rtf(job: Job) -> Content:
    """Read rich text by pandoc, as unstructured does; its document properties become fields."""
    from unstructured.file_utils.file_conversion import convert_file_to_html_text_using_pandoc

    title = ""
    fields: list[Element] = []
    for name, value in _RTF_FIELD.findall(job.data):
        text = _rtf_text(value)
        if name == b"title":
            title = text
        else:
            fields += field(name.decode(), text)
    # pandoc 3.9 loses the letter after a code point whose stand-in follows without a space.
    spaced = re.sub(rb"(\\u-?\d+)\?", rb"\1 ?", job.data)
    page = convert_file_to_html_text_using_pandoc("rtf", file=io.BytesIO(spaced))
    return Content(fields + _body(page), title)


def _rtf_text(value: bytes) -> str:
    text = re.sub(rb"\\'([0-9a-fA-F]{2})", lambda hit: bytes([int(hit[1], 16)]), value)
    return re.sub(
        r"\\u(-?\d+) ?\??", lambda hit: chr(int(hit[1]) % 65536), text.decode("cp1252", "replace")
    ).strip()
