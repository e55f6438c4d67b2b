"""Tables: rows of cells in, readable elements out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rag.records import Element

_SPACE = re.compile(r"\s+")
Rows = tuple[tuple[str, ...], ...]


def table(
    rows: Iterable[Sequence[str]], page: int | None = None, section: tuple[str, ...] = ()
) -> Element | None:
    """Return a table element, or a text element for a single cell, or None for no text.

    Empty rows and columns go; short rows are filled up.
    """
    cleaned = [[_SPACE.sub(" ", cell).strip() for cell in row] for row in rows]
    cleaned = [row for row in cleaned if any(row)]
    if not cleaned:
        return None
    width = max(map(len, cleaned))
    for row in cleaned:
        row += [""] * (width - len(row))
    columns = [at for at in range(width) if any(row[at] for row in cleaned)]
    cells: Rows = tuple(tuple(row[at] for at in columns) for row in cleaned)
    text = rows_text(cells)
    if len(cells) == 1 and len(columns) == 1:
        return Element("text", text, page, section)
    return Element("table", text, page, section, cells)


def rows_text(rows: Rows) -> str:
    """Return a table's readable text: one row a line, cells joined by `` | ``."""
    return "\n".join(" | ".join(cell for cell in row) for row in rows)


def html_rows(html: str) -> list[list[str]]:
    """Return the cells of the first table; one over several columns is followed by empty ones."""
    from lxml import html as lxml_html

    root = lxml_html.fragment_fromstring(html, create_parent="div")
    found = root.find(".//table")
    rows: list[list[str]] = []
    for line in (found if found is not None else root).iter("tr"):
        cells: list[str] = []
        for cell in line.iterchildren("td", "th"):
            text = " ".join(part.strip() for part in cell.itertext() if part.strip())
            span = cell.get("colspan", "1")
            repeat = min(int(span), 50) if span.isdigit() else 1
            cells += [text] + [""] * (repeat - 1)
        rows.append(cells)
    return rows
