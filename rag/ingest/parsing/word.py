"""Word documents, by unstructured; and what it leaves out: notes, comments, text boxes, changes."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from unstructured.partition.docx import partition_docx

from rag.ingest.parsing import Content, Job, package, web
from rag.ingest.parsing.adapt import SILENT, adapt
from rag.ingest.parsing.properties import field, office, safe_xml
from rag.records import Element

__all__ = ["docx"]
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
assert web  # loads the classification that partition_docx uses too


def docx(job: Job) -> Content:
    """Read a Word document."""
    title, fields = office(job.data)
    data, authors = package.accepted(job.data)
    fields += authors
    elements = adapt(partition_docx(file=io.BytesIO(data), include_page_breaks=False, **SILENT))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = set(archive.namelist())
        for part in ("word/footnotes.xml", "word/endnotes.xml"):
            if part in names:
                elements += _notes(safe_xml(archive.read(part)))
        if "word/comments.xml" in names:
            for comment in safe_xml(archive.read("word/comments.xml")).iter(f"{_W}comment"):
                said = f"{comment.get(f'{_W}author', '')}: {_text(comment)}"
                elements += field("comment", said)
        elements += _boxes(safe_xml(archive.read("word/document.xml")))
    elements += package.extras(job)
    if not title:
        first = next((each for each in elements if each.kind == "title"), None)
        title = first.text if first else ""
    return Content(fields + elements, title, package.embedded(job))


def _notes(root: Any) -> list[Element]:
    texts = (
        _text(note) for note in root.iterchildren("*") if note.get(f"{_W}type") in (None, "normal")
    )
    return [Element("text", text) for text in texts if text]


def _boxes(root: Any) -> list[Element]:
    texts: dict[str, None] = {}  # a box is there twice, for new and for old programs
    for box in root.iter(f"{_W}txbxContent"):
        texts[_text(box)] = None
    return [Element("text", text) for text in texts if text]


def _text(root: Any) -> str:
    paragraphs = (
        "".join(
            run.text or "" if run.tag == f"{_W}t" else "\t" if run.tag == f"{_W}tab" else ""
            for run in paragraph.iter(f"{_W}t", f"{_W}tab")
        )
        for paragraph in root.iter(f"{_W}p")
    )
    return "\n".join(text.strip() for text in paragraphs if text.strip())
