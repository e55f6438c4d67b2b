"""What the parts of an Office package (docx, pptx, xlsx) hold besides the text itself.

Read, because people search for it: descriptions of pictures, texts of charts, diagrams and text
boxes in drawings, comments with their authors, who changed the text, embedded documents. Not
read: what was deleted in tracked changes, for the document no longer says it; names of bookmarks
and cell ranges; links' addresses; custom XML, caches of pivot tables, printer settings, thumbnails.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from rag.ingest.parsing import ATTACHMENTS, Job
from rag.ingest.parsing.properties import field, safe_xml
from rag.ingest.parsing.text import clean, cut
from rag.records import Element, Failure, ParsedDocument

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_PAGES = re.compile(r"(?:word/(?:document|header\d*|footer\d*)|ppt/slides/slide\d+"
                    r"|xl/drawings/drawing\d+)\.xml")  # fmt: skip
_CHARTS = re.compile(r"(?:word|ppt|xl)/charts/chart(?:Ex)?\d+\.xml")
_DIAGRAMS = re.compile(r"(?:word|ppt|xl)/diagrams/data\d+\.xml")
_COMMENTS = re.compile(r"ppt/comments/[^/]+\.xml|xl/threadedComments/[^/]+\.xml")
_PEOPLE = re.compile(r"ppt/(?:commentAuthors|authors)\.xml|xl/persons/[^/]+\.xml")
_CHANGED = ("ins", "del", "moveFrom", "moveTo", "rPrChange", "pPrChange")
_NAMELESS = re.compile(
    r"(?:[^\W\d_]+ ?){0,3}\d*(?:\.\w{3,4})?|A (?:picture|close).{0,80}|Description automatically.*"
)
"""Descriptions that programs write: ``Picture 3``, ``image1.png``."""


def extras(job: Job) -> list[Element]:
    """Return the descriptions, charts, diagrams, drawings' texts and comments of a package."""
    elements: list[Element] = []
    with zipfile.ZipFile(io.BytesIO(job.data)) as archive:
        names = sorted(archive.namelist())
        people: dict[str, str] = {}
        for name in filter(_PEOPLE.fullmatch, names):
            people.update(_people(safe_xml(archive.read(name))))
        for name in names:
            if _PAGES.fullmatch(name):
                root = safe_xml(archive.read(name))
                elements += _descriptions(root)
                if name.startswith("xl/"):
                    elements += _lines(root, _A)
            elif _CHARTS.fullmatch(name):
                elements += _chart(safe_xml(archive.read(name)))
            elif _DIAGRAMS.fullmatch(name):
                elements += _lines(safe_xml(archive.read(name)), _A)
            elif _COMMENTS.fullmatch(name):
                elements += _comments(safe_xml(archive.read(name)), people)
    return elements


def embedded(job: Job) -> tuple[ParsedDocument | Failure, ...]:
    """Return the Office documents that lie inside a package, as attachments.

    A chart's own workbook is not one: what it shows is read with the chart.
    """
    found: list[ParsedDocument | Failure] = []
    with zipfile.ZipFile(io.BytesIO(job.data)) as archive:
        names = sorted(archive.namelist())
        behind = {
            posixpath.normpath(posixpath.join(posixpath.dirname(name), "..", target))
            for name in names
            if "/charts/_rels/" in name
            for target in _targets(safe_xml(archive.read(name)))
        }
        for name in names:
            if "/embeddings/" not in name or name in behind or len(found) == ATTACHMENTS:
                continue
            data = archive.read(name)
            if data.startswith(b"PK"):
                found.append(job.attachment(data, posixpath.basename(name)))
    return tuple(found)


def accepted(data: bytes) -> tuple[bytes, list[Element]]:
    """Return a Word document with its tracked changes accepted, and who made them.

    python-docx passes over what was inserted and what stands in a form's fields (content
    controls), so both are made plain text. A table of contents stays as it is: passed over.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        body = archive.read("word/document.xml")
        if b"<w:sdt>" not in body and not any(f"<w:{n} ".encode() in body for n in _CHANGED):
            return data, []
        root = safe_xml(body)
        authors = dict.fromkeys(
            each.get(f"{_W}author", "") for name in _CHANGED for each in root.iter(f"{_W}{name}")
        )
        for name in ("del", "moveFrom"):
            for each in list(root.iter(f"{_W}{name}")):
                _drop(each)
        for name in ("ins", "moveTo"):
            for each in list(root.iter(f"{_W}{name}")):
                _unwrap(each)
        for each in list(root.iter(f"{_W}sdt")):
            inside = each.find(f"{_W}sdtContent")
            if inside is not None and each.find(f".//{_W}docPartGallery") is None:
                each.getparent().replace(each, inside)
                _unwrap(inside)
        from lxml import etree

        changed = io.BytesIO()
        with zipfile.ZipFile(changed, "w") as made:
            for entry in archive.infolist():
                same = archive.read(entry) if entry.filename != "word/document.xml" else None
                made.writestr(entry.filename, etree.tostring(root) if same is None else same)
    return changed.getvalue(), [each for author in authors for each in field("changed by", author)]


def _drop(element: Any) -> None:
    element.getparent().remove(element)


def _unwrap(element: Any) -> None:
    parent = element.getparent()
    place = parent.index(element)
    for child in reversed(list(element)):
        parent.insert(place, child)
    parent.remove(element)


def _descriptions(root: Any) -> Iterator[Element]:
    seen: set[str] = set()
    for each in root.iter("{*}docPr", "{*}cNvPr"):
        for name in ("title", "descr"):
            text = each.get(name, "").strip()
            if text and text not in seen and not _NAMELESS.fullmatch(text):
                seen.add(text)
                yield from field("picture", text)


def _chart(root: Any) -> Iterator[Element]:
    """Yield a chart's titles and labels, each once; its numbers say little without the picture."""
    lines = ["".join(each.itertext("{*}t")) for each in root.iter(f"{_A}p")]
    lines += [
        value.text or ""
        for cache in root.iter(f"{_C}strCache", "{*}strDim")
        for value in cache.iter("{*}v", "{*}pt")
    ]
    said = "\n".join(dict.fromkeys(clean(line).strip() for line in lines if line.strip()))
    yield from (Element("text", part) for part in cut(said))


def _lines(root: Any, space: str) -> Iterator[Element]:
    lines = [clean("".join(each.itertext(f"{space}t"))).strip() for each in root.iter(f"{space}p")]
    yield from (Element("text", part) for part in cut("\n".join(filter(None, lines))))


def _people(root: Any) -> Iterator[tuple[str, str]]:
    for each in root.iterchildren("*"):
        name = each.get("name") or each.get("displayName") or ""
        yield each.get("id") or "", name


def _comments(root: Any, people: dict[str, str]) -> Iterator[Element]:
    for each in root.iter("{*}cm", "{*}threadedComment", "{*}reply"):
        author = people.get(each.get("authorId") or each.get("personId") or "", "")
        texts = each.iterchildren("{*}text", "{*}txBody")
        said = " ".join(" ".join("".join(text.itertext()).split()) for text in texts)
        if said:
            yield from field("comment", f"{author}: {said}" if author else said)


def _targets(root: Any) -> Iterator[str]:
    yield from (each.get("Target", "") for each in root.iterchildren("*"))
