"""Workbooks: every sheet, hidden ones too, as tables; cell comments, headers and footers."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterator
from typing import Any

import openpyxl

from rag.ingest.failures import Unparsable
from rag.ingest.parsing import Content, Job, package
from rag.ingest.parsing.properties import field, office
from rag.ingest.parsing.tables import table
from rag.ingest.parsing.text import clean
from rag.records import Element, ElementKind

_DIGITS = re.compile(r"[0 ().\-/]*0[0 ().\-/]*")
_FIELD_CODES = re.compile(r"&(?:\"[^\"]*\"|K[0-9A-F]{6}|[A-Z]|\d+|&)")


def xlsx(job: Job) -> Content:
    """Read a workbook; a sheet is a page and a section."""
    title, elements = office(job.data)
    book = openpyxl.load_workbook(io.BytesIO(job.data), data_only=True, rich_text=False)
    characters = 0
    for number, sheet in enumerate(book.worksheets, 1):
        section = (sheet.title,)
        elements.append(Element("title", sheet.title, number))
        elements += _margins(sheet, number)
        rows: list[list[str]] = []
        comments: list[Element] = []
        for line in sheet.iter_rows():
            cells = [_shown(cell) for cell in line]
            characters += sum(map(len, cells))
            if characters > job.options.characters:
                raise Unparsable("too_much_text", limit=job.options.characters)
            rows.append(cells)
            for cell in line:
                if cell.comment:
                    comments += field("comment", f"{cell.comment.author}: {cell.comment.text}")
        for block in _blocks(rows):
            elements += _block(block, number, section)
        elements += comments
    return Content(elements + package.extras(job), title, package.embedded(job))


def _shown(cell: Any) -> str:
    """A cell as the sheet shows it, where that matters for reading and for finding identifiers."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        whole = value.time() == dt.time()
        return (value.date() if whole else value).isoformat(*(() if whole else (" ",)))
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    pattern = cell.number_format or ""
    if isinstance(value, int) and not isinstance(value, bool) and _DIGITS.fullmatch(pattern):
        return _filled(pattern, value)
    return clean(str(value)).strip()


def _filled(pattern: str, value: int) -> str:
    """Put a number's digits into a pattern such as ``000-00-0000``."""
    digits = list(str(abs(value)).zfill(pattern.count("0")))
    extra = len(digits) - pattern.count("0")
    filled = "".join(digits[:extra])
    rest = iter(digits[extra:])
    return filled + "".join(next(rest) if mark == "0" else mark for mark in pattern)


def _blocks(rows: list[list[str]]) -> Iterator[list[list[str]]]:
    """Yield what empty rows part."""
    block: list[list[str]] = []
    for row in rows:
        if any(row):
            block.append(row)
        elif block:
            yield block
            block = []
    if block:
        yield block


def _block(rows: list[list[str]], page: int, section: tuple[str, ...]) -> Iterator[Element]:
    """Yield the lines of one cell that stand over a table, then the table."""
    at = 0
    while (
        at < len(rows)
        and sum(map(bool, rows[at])) == 1
        and any(sum(map(bool, row)) > 1 for row in rows[at:])
    ):
        yield Element("text", " ".join(filter(None, rows[at])), page, section)
        at += 1
    found = table(rows[at:], page, section)
    if found:
        yield found


def _margins(sheet: Any, page: int) -> Iterator[Element]:
    margins: list[tuple[ElementKind, Any]] = []
    for pages in ("odd", "even", "first"):
        margins += [("header", getattr(sheet, f"{pages}Header"))]
        margins += [("footer", getattr(sheet, f"{pages}Footer"))]
    for kind, margin in margins:
        for part in (margin.left, margin.center, margin.right):
            text = _FIELD_CODES.sub("", part.text or "").strip()
            if text:
                yield Element(kind, clean(text), page)
