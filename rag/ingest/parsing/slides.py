"""Presentations, by unstructured: a slide is a page, its title a section."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace

from pptx import Presentation
from unstructured.partition.pptx import partition_pptx

from rag.ingest.parsing import Content, Job, package, web
from rag.ingest.parsing.adapt import SILENT, adapt
from rag.ingest.parsing.properties import office
from rag.ingest.parsing.text import clean, cut
from rag.records import Element

__all__ = ["pptx"]
assert web  # loads the classification that partition_pptx uses too


def pptx(job: Job) -> Content:
    """Read a presentation with its speaker notes; hidden slides are slides."""
    title, elements = office(job.data)
    found = partition_pptx(
        file=io.BytesIO(job.data), include_page_breaks=False, include_slide_notes=False, **SILENT
    )
    number = 0
    for number, slide in enumerate(Presentation(io.BytesIO(job.data)).slides, 1):
        shown = _slide(adapt(each for each in found if each.metadata.page_number == number))
        section = next(((each.text,) for each in shown if each.kind == "title"), ())
        elements += shown
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            notes = slide.notes_slide.notes_text_frame.text.strip()
            elements += [Element("text", part, number, section) for part in cut(clean(notes))]
    elements = _with_footers(elements, number) + package.extras(job)
    first = next((each for each in elements if each.kind == "title"), None)
    return Content(elements, title or (first.text if first else ""), package.embedded(job))


def _with_footers(elements: list[Element], slides: int) -> list[Element]:
    """What stands on most slides is their footer, whatever shape holds it."""
    times = Counter(each.text for each in elements if each.kind == "text")
    return [
        replace(each, kind="footer", section=())
        if each.kind == "text" and times[each.text] >= max(3, slides / 2)
        else each
        for each in elements
    ]


def _slide(elements: list[Element]) -> list[Element]:
    """Keep one heading a slide: further short lines that look like headings are its text."""
    head = next((each for each in elements if each.kind == "title"), None)
    if head is None:
        return elements
    return [
        head
        if each is head
        else replace(
            each,
            kind="text" if each.kind == "title" else each.kind,
            section=() if each.kind in ("header", "footer") else (head.text,),
        )
        for each in elements
    ]
