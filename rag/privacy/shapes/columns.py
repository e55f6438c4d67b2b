"""Plain text that is set as a table: the head of a column says what the numbers below are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.privacy.shapes.dates import is_birth_label, is_date
from rag.privacy.shapes.labels import first_label, value_fits
from rag.privacy.shapes.shape import Found, Shape

_LINE = re.compile(r"[^\n]+")
_MARKS = ("\t", "|", ";", "  ", ",")
_SPLIT = {
    "\t": re.compile(r"[^\t]+"),
    "|": re.compile(r"[^|]+"),
    ";": re.compile(r"\"[^\"]*\"|[^;]+"),
    "  ": re.compile(r"\S+(?: \S+)*"),
    ",": re.compile(r"\"[^\"]*\"|[^,]+"),
}
_RULE = re.compile(r"[\s|:+\-=─━┼]+$")
_PHONE = re.compile(
    r"(?:(?:tele|cell)?phone|tel|mobile|mob|cell|fax|contact (?:no|number)|telefon|handy|mobil|"
    r"t[ée]l[ée]phone|tel[ée]fono|m[óo]vil|telefono|cellulare|telefoon|puhelin|gsm|телефон)\b",
    re.IGNORECASE,
)
_LONGEST_ROW = 2_000  # characters; longer lines are no rows

Cells = list[tuple[int, int]]


def columns(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield each cell below a head: the head's text, and where the cell starts and ends.

    A head is a line of two cells or more without a digit, over a line of as many cells.
    """
    lines = [match.span() for match in _LINE.finditer(text)]
    place = 0
    while place + 1 < len(lines):
        heads, mark = _heads(text, *lines[place])
        rows = place + 1
        while heads and rows < len(lines) and text[lines[rows - 1][1] : lines[rows][0]] == "\n":
            if not _RULE.match(text, *lines[rows]):
                cells = _cells(text, *lines[rows], mark)
                if len(cells) != len(heads):
                    break
                for head, (start, end) in zip(heads, cells, strict=True):
                    yield head, start, end
            rows += 1
        place = max(rows - 1, place + 1) if rows > place + 1 else place + 1


def _heads(text: str, start: int, end: int) -> tuple[list[str], str]:
    """Return a head's cells and the mark between them; none for another line."""
    if end - start > 300:
        return [], ""
    line = text[start:end]
    if any(map(str.isdigit, line)):
        return [], ""
    for mark in _MARKS:
        if mark in line.strip():
            heads = [text[a:b].strip("\"' ") for a, b in _cells(text, start, end, mark)]
            short = all(len(head.split()) <= 4 for head in heads)
            return (heads, mark) if len(heads) > 1 and short else ([], "")
    return [], ""


def _cells(text: str, start: int, end: int, mark: str) -> Cells:
    if end - start > _LONGEST_ROW:
        return []
    cells = []
    for match in _SPLIT[mark].finditer(text, start, end):
        piece = match.group()
        first = match.start() + len(piece) - len(piece.lstrip(" \"'"))
        last = match.end() - (len(piece) - len(piece.rstrip(" \"'")))
        if first < last or mark in ";,":
            cells.append((first, max(first, last)))
    return cells


def numbers(text: str) -> Iterator[Found]:
    """Yield numbers and dates of birth that the head of their column gives away."""
    kinds: dict[str, str] = {}
    for head, start, end in columns(text):
        if head not in kinds:
            kinds[head] = _kind(head)
        kind = kinds[head]
        if kind and _may_be(kind, text, start, end):
            yield Found(start, end, kind, 0.7)


def _kind(head: str) -> str:
    if is_birth_label(head):
        return "DATE_OF_BIRTH"
    if _PHONE.match(head):
        return "PHONE_NUMBER"
    label = first_label(head)
    return label.entity if label else ""


def _may_be(kind: str, text: str, start: int, end: int) -> bool:
    if end - start > 40:
        return False
    if kind == "DATE_OF_BIRTH":
        return is_date(text[start:end])
    if kind == "PHONE_NUMBER":
        letters = sum(map(str.isalpha, text[start:end]))
        return sum(map(str.isdigit, text[start:end])) >= 6 and letters <= 3
    return value_fits(text, start, end, kind)


def recognizer() -> Shape:
    """Return the recognizer of numbers in columns."""
    from rag.privacy.shapes.labels import entities

    return Shape("Columns", [*entities(), "PHONE_NUMBER", "DATE_OF_BIRTH"], numbers)
