"""OpenDocument texts, read here: unstructured goes by way of pandoc and Word, which costs a
second and loses headers, footers, comments and properties.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

from rag.ingest.failures import Unparsable
from rag.ingest.parsing import Content, Job
from rag.ingest.parsing.adapt import LONGEST_HEADING, Sections
from rag.ingest.parsing.properties import field, safe_xml
from rag.ingest.parsing.tables import table
from rag.ingest.parsing.text import cut
from rag.records import Element

_FACTS = {"initial-creator": "author", "creator": "last modified by", "subject": "subject",
          "keyword": "keywords", "description": "comments", "printed-by": "printed by",
          "user-defined": ""}  # fmt: skip
_SKIPPED = {"tracked-changes", "annotation", "annotation-end", "forms", "sequence-decls",
            "table-of-content", "note-citation", "bookmark-ref"}  # fmt: skip
_REPEAT = 100


def odt(job: Job) -> Content:
    """Read an OpenDocument text."""
    with zipfile.ZipFile(io.BytesIO(job.data)) as archive:
        names = set(archive.namelist())
        if "META-INF/manifest.xml" in names:
            manifest = safe_xml(archive.read("META-INF/manifest.xml"))
            if manifest.find(".//{*}encryption-data") is not None:
                raise Unparsable("encrypted")
        content = safe_xml(archive.read("content.xml"))
        title = ""
        fields: list[Element] = []
        if "meta.xml" in names:
            title, fields = _facts(safe_xml(archive.read("meta.xml")))
        headers: list[Element] = []
        footers: list[Element] = []
        if "styles.xml" in names:
            styles = safe_xml(archive.read("styles.xml"))
            headers = [Element("header", text) for text in _margin(styles, "header")]
            footers = [Element("footer", text) for text in _margin(styles, "footer")]
    body = list(_Reader().blocks(content.find(".//{*}body/{*}text")))
    comments = [
        each
        for note in content.iter("{*}annotation")
        for each in field("comment", " ".join(" ".join(note.itertext()).split()))
    ]
    comments += [each for said in content.iter("{*}desc") for each in field("picture", said.text)]
    first = next((each for each in body if each.kind == "title"), None)
    return Content(
        fields + headers + body + footers + comments, title or (first.text if first else "")
    )


def _facts(root: Any) -> tuple[str, list[Element]]:
    title = ""
    fields: list[Element] = []
    for each in root.find("{*}meta").iterchildren("*"):
        name = _local(each)
        if name == "title":
            title = " ".join((each.text or "").split())
        elif name in _FACTS:
            label = _FACTS[name] or next(iter(each.attrib.values()), "")
            fields += field(label, each.text)
    return title, fields


def _margin(styles: Any, name: str) -> list[str]:
    texts: dict[str, None] = {}
    for tag in (name, f"{name}-left", f"{name}-first"):
        for margin in styles.iter(f"{{*}}{tag}"):
            lines = [_text(each) for each in margin.iter("{*}p", "{*}h")]
            texts[" ".join(line for line in lines if line)] = None
    return [text for text in texts if text]


class _Reader:
    """Walks the body, knowing the headings that it is under."""

    def __init__(self) -> None:
        self._sections = Sections()

    def blocks(self, parent: Any, kind: str = "text") -> Iterator[Element]:
        if parent is None:
            return
        for each in parent.iterchildren("*"):
            name = _local(each)
            if name in _SKIPPED:
                continue
            if name == "h":
                yield from self._heading(each)
            elif name == "p":
                for part in cut(_text(each)):
                    is_list = kind == "list"
                    yield Element("list" if is_list else "text", part, None, self._sections.path)
                yield from self._boxes(each)
            elif name == "table":
                found = table(_rows(each), section=self._sections.path)
                if found:
                    yield found
            else:  # lists, sections, frames: what is inside them
                yield from self.blocks(each, "list" if name in ("list", "list-item") else kind)

    def _heading(self, element: Any) -> Iterator[Element]:
        text = _text(element)
        level = next((v for k, v in element.attrib.items() if k.endswith("outline-level")), "1")
        if len(text) > LONGEST_HEADING:
            yield from (Element("text", part, None, self._sections.path) for part in cut(text))
        elif text:
            path = self._sections.enter(text, int(level) if level.isdigit() else 1)
            yield Element("title", text, None, path)

    def _boxes(self, paragraph: Any) -> Iterator[Element]:
        for box in paragraph.iter("{*}text-box"):
            yield from self.blocks(box)


def _rows(element: Any) -> Iterator[list[str]]:
    for row in element.iter("{*}table-row"):
        cells: list[str] = []
        for cell in row.iterchildren("{*}table-cell", "{*}covered-table-cell"):
            repeat = next((v for k, v in cell.attrib.items() if k.endswith("columns-repeated")), "")
            text = " ".join(filter(None, (_text(each) for each in cell.iter("{*}p", "{*}h"))))
            cells += [text] * min(int(repeat) if repeat.isdigit() else 1, _REPEAT)
        yield cells


def _text(element: Any) -> str:
    return "".join(_pieces(element)).strip()


def _pieces(element: Any) -> Iterator[str]:
    yield element.text or ""
    for child in element.iterchildren():
        name = _local(child) if isinstance(child.tag, str) else ""
        if name == "s":
            yield " "
        elif name == "tab":
            yield "\t"
        elif name == "line-break":
            yield "\n"
        elif name and name not in _SKIPPED and name != "text-box":
            yield from _pieces(child)
        yield child.tail or ""


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]
