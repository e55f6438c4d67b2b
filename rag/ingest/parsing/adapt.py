"""unstructured's elements to ours: kinds, section path, page, table rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rag.ingest.parsing.tables import html_rows, table
from rag.ingest.parsing.text import cut
from rag.records import Element, ElementKind

_KINDS: dict[str, ElementKind] = {
    "Title": "title", "ListItem": "list", "Table": "table", "Header": "header",
    "Footer": "footer", "PageHeader": "header", "PageFooter": "footer", "CodeSnippet": "code",
}  # fmt: skip
SILENT = {"languages": [""]}
"""Options for every partitioner: no language detection, which nothing here uses."""


LONGEST_HEADING = 300
"""Characters. What is longer is a paragraph in a heading's clothes."""


class Sections:
    """The headings that stand over the current place."""

    def __init__(self, path: tuple[str, ...] = ()) -> None:
        self._path: list[tuple[int, str]] = [(-1, title) for title in path]

    def enter(self, title: str, depth: int) -> tuple[str, ...]:
        """Start a section (depth from 0); return the path that its heading stands under."""
        while self._path and self._path[-1][0] >= depth:
            self._path.pop()
        above = self.path
        self._path.append((depth, title))
        return above

    @property
    def path(self) -> tuple[str, ...]:
        return tuple(title for _, title in self._path)


def adapt(found: Iterable[Any], under: tuple[str, ...] = ()) -> list[Element]:
    """Return unstructured's elements as ours, in the same order."""
    sections = Sections(under)
    elements: list[Element] = []
    for each in found:
        text = (each.text or "").strip()
        page = each.metadata.page_number
        kind = _KINDS.get(each.category, "text")
        if not text:
            continue
        if kind == "title" and len(text) > LONGEST_HEADING:
            kind = "text"  # else it would be repeated with everything under it
        if kind == "title":
            path = sections.enter(text, each.metadata.category_depth or 0)
            elements.append(Element("title", text, page, path))
        elif kind == "table" and each.metadata.text_as_html:
            made = table(html_rows(each.metadata.text_as_html), page, sections.path)
            elements += [made] if made else []
        elif kind in ("header", "footer"):
            elements.append(Element(kind, text, page))
        else:
            elements += [Element(kind, part, page, sections.path) for part in cut(text)]
    return elements
