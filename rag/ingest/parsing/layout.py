"""Lines on a page to paragraphs and tables in reading order, for PDF text and OCR alike.

Columns and paragraphs by recursive XY-cut (Nagy and Seth, 1984): cut a region at its widest
gutter, else at its widest horizontal gap, until no gap is wider than line spacing explains.
Tables before that: runs of rows with short, aligned cells.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from rag.ingest.parsing.text import LABEL

GAP = 0.6
"""Least gap between paragraphs, in line heights."""
GUTTER = 0.9
"""Least gap between columns, in line heights."""
_BULLET = re.compile(r"[•‣▪◦·●–*-]|\(?(?:\d{1,2}|[a-z])[.)]")
_CELL = 34
"""Characters in the middle-sized cell of a table; more is prose in columns."""
_FULL = 0.85
"""Share of the column's width that prose fills on average; table cells fill less."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, or a part of one between wide gaps. Points or pixels, y grows downwards."""

    text: str
    x0: float
    top: float
    x1: float
    bottom: float
    size: float = 0.0
    bold: bool = False

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph (`lines`) or a table (`rows`)."""

    lines: tuple[Line, ...]
    rows: tuple[tuple[str, ...], ...] = ()

    @property
    def text(self) -> str:
        """The lines joined; a word that was divided at a line's end is whole again."""
        text = self.lines[0].text
        for line in self.lines[1:]:
            if re.search(r"[^\W\d_]-$", text) and line.text[:1].islower():
                text = text[:-1] + line.text
            else:
                text += ("\n" if LABEL.match(line.text) else " ") + line.text
        return text


def blocks(lines: Sequence[Line]) -> list[Block]:
    """Return a page's paragraphs and tables in reading order."""
    lines = [line for line in lines if line.text.strip()]
    if not lines:
        return []
    height = median(line.bottom - line.top for line in lines) or 1.0
    lines = [line for row in _rows(lines, height) for line in _bulleted(row)]
    tables = _tables(lines, height)
    inside = {id(line) for table in tables for line in table.lines}
    # A table takes part in the ordering as one tall line.
    keep = [_stand_in(table) for table in tables]
    stand_ins = {id(line): table for line, table in zip(keep, tables, strict=True)}
    free = [line for line in lines if id(line) not in inside] + keep
    found: list[Block] = []
    for region in _cut(free, height, 0):
        paragraph: list[Line] = []
        for line in region:
            table = stand_ins.get(id(line))
            if table or (paragraph and _differs(paragraph[-1], line)):
                if paragraph:
                    found.append(Block(tuple(paragraph)))
                paragraph = []
            if table:
                found.append(table)
            else:
                paragraph.append(line)
        if paragraph:
            found.append(Block(tuple(paragraph)))
    return found


def _bulleted(row: list[Line]) -> list[Line]:
    """Join a bullet that stands apart with the text that it belongs to."""
    if len(row) < 2 or not _BULLET.fullmatch(row[0].text.strip()):
        return row
    text, mark = row[1], row[0]
    joined = replace(
        text,
        text=f"{mark.text} {text.text}",
        x0=mark.x0,
        top=min(mark.top, text.top),
        bottom=max(mark.bottom, text.bottom),
    )
    return [joined, *row[2:]]


def _stand_in(table: Block) -> Line:
    lines = table.lines
    return Line(
        "",
        min(line.x0 for line in lines),
        min(line.top for line in lines),
        max(line.x1 for line in lines),
        max(line.bottom for line in lines),
    )


def _differs(before: Line, line: Line) -> bool:
    """Whether a heading meets a paragraph without a gap."""
    larger = max(before.size, line.size) > 1.12 * min(before.size, line.size)
    return before.bold != line.bold or (larger and min(before.size, line.size) > 0)


def _cut(lines: list[Line], height: float, depth: int) -> list[list[Line]]:
    """Return regions in reading order, each with its lines in reading order."""
    if len(lines) < 2 or depth > 200:
        return [_sorted(lines, height)] if lines else []
    if len(lines) >= 4:
        gap, at = _widest([(line.x0, line.x1) for line in lines])
        left = [line for line in lines if line.x1 <= at]
        right = [line for line in lines if line.x1 > at]
        if gap >= GUTTER * height and len(left) >= 2 and len(right) >= 2:
            return _cut(left, height, depth + 1) + _cut(right, height, depth + 1)
    gap, at = _widest([(line.top, line.bottom) for line in lines])
    if gap < GAP * height:
        return [_sorted(lines, height)]
    above = [line for line in lines if line.bottom <= at]
    below = [line for line in lines if line.bottom > at]
    return _cut(above, height, depth + 1) + _cut(below, height, depth + 1)


def _widest(spans: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the widest gap that no span crosses, and a place in it."""
    best, place = 0.0, 0.0
    end = None
    for low, high in sorted(spans):
        if end is not None and low - end > best:
            best, place = low - end, (low + end) / 2
        end = high if end is None else max(end, high)
    return best, place


def _sorted(lines: list[Line], height: float) -> list[Line]:
    return [line for row in _rows(lines, height) for line in row]


def _rows(lines: Sequence[Line], height: float) -> list[list[Line]]:
    """Group lines that stand beside each other, from the top; each row from the left."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda each: each.middle):
        if rows and abs(line.middle - rows[-1][0].middle) < 0.45 * height:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda each: each.x0) for row in rows]


def _tables(lines: list[Line], height: float) -> list[Block]:
    """Return runs of rows that are a table."""
    found: list[Block] = []
    run: list[list[Line]] = []
    for row in [*_rows(lines, height), []]:
        many = len(row) > 1 and all(b.x0 - a.x1 > 0.4 * height for a, b in pairwise(row))
        near = not run or (bool(row) and row[0].middle - run[-1][0].middle < 4 * height)
        if (many and near) or (run and len(row) == 1 and _wraps(run, row, height)):
            run.append(row)
            continue
        if _is_table(run):
            found.append(_table(run))
        run = [row] if many else []
    return found


def _wraps(run: list[list[Line]], row: list[Line], height: float) -> bool:
    """Whether a row is a further line of cells in the row above it, other than the first cell."""
    close = row[0].middle - run[-1][0].middle < 1.5 * height
    return close and row[0].x0 > min(line.x0 for above in run for line in above) + height


def _is_table(run: list[list[Line]]) -> bool:
    cells = [line for row in run for line in row]
    if len(run) < 2 or (len(run) < 3 and len(cells) < 6):
        return False
    if median(len(cell.text) for cell in cells) > _CELL:
        return False
    columns = _columns(cells)
    if len(columns) < 2:
        return False
    fills = []
    for low, high in columns:
        column = [cell for cell in cells if low <= (cell.x0 + cell.x1) / 2 <= high]
        fills += [(cell.x1 - cell.x0) / max(1.0, high - low) for cell in column]
    prose = len(run) >= 5 and sum(fills) / len(fills) > _FULL and len(columns) < 4
    return not prose


def _columns(cells: list[Line]) -> list[tuple[float, float]]:
    """Merge the cells' horizontal spans."""
    columns: list[tuple[float, float]] = []
    for low, high in sorted((cell.x0, cell.x1) for cell in cells):
        if columns and low <= columns[-1][1]:
            columns[-1] = (columns[-1][0], max(high, columns[-1][1]))
        else:
            columns.append((low, high))
    return columns


def _table(run: list[list[Line]]) -> Block:
    cells = [line for row in run for line in row]
    columns = _columns(cells)
    height = median(cell.bottom - cell.top for cell in cells) or 1.0
    rows: list[tuple[str, ...]] = []
    for number, row in enumerate(run):
        texts = [""] * len(columns)
        for cell in row:
            at = next(i for i, (low, high) in enumerate(columns) if low <= cell.x0 <= high)
            texts[at] = f"{texts[at]} {cell.text}".strip()
        if number and not texts[0] and _wraps(run[:number], row, height):
            pairs = zip(rows.pop(), texts, strict=True)
            texts = [f"{upper} {lower}".strip() for upper, lower in pairs]
        rows.append(tuple(texts))
    return Block(tuple(cells), tuple(rows))
