"""Blocks of text into passages that fit the embedding model.

Paragraphs that do not fit together are cut into parts of about equal length between sentences,
with a few sentences repeated. A table is cut between rows, with its header row repeated. Only
what is longer than a passage by itself is cut between words, and only what has no words between
letters; never inside what masking left.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.masked import EMPTY, Masked, fixed
from rag.models import Tokens
from rag.privacy.pseudonym import MASK
from rag.sentences import split

LONGEST_TOKEN = 16
"""Characters; more count as more tokens, whatever the model makes of them."""

_BLANK, _LINE, _BAR = fixed("\n\n"), fixed("\n"), fixed(" | ")
_SPACE = re.compile(r"\s+")
_CELL = re.compile(r" \| ")

Rows = Sequence[Sequence[Masked]]


@dataclass(frozen=True, slots=True)
class Block:
    """An element's text, or a table's rows."""

    text: Masked
    page: int | None
    rows: Rows = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a block's text; `whole`: made of whole sentences."""

    block: Block
    start: int
    end: int
    size: int
    whole: bool = True

    @property
    def text(self) -> Masked:
        return self.block.text.cut(self.start, self.end)


@dataclass(frozen=True, slots=True)
class Passage:
    """What becomes a chunk's text, the page where it starts, and a table's structure."""

    text: Masked
    page: int | None
    html: Masked = EMPTY


class Sizes:
    """Tokens of texts, counted in one go where the texts are known before."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self._known: dict[str, int] = {"": 0}

    def learn(self, texts: Iterable[str]) -> None:
        """Count texts that will be asked for."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, self.tokens.count(new), strict=True))

    def count(self, text: str) -> int:
        """Return the model's tokens."""
        if text not in self._known:
            self.learn([text])
        return self._known[text]

    def __call__(self, text: str) -> int:
        """Return the tokens to reckon with."""
        return max(self.count(text), len(text) // LONGEST_TOKEN)


def row_text(cells: Sequence[Masked]) -> Masked:
    """Return a table's row as people read it."""
    return _BAR.join(cells)


def passages(blocks: Sequence[Block], room: int, overlap: int, sizes: Sizes) -> Iterator[Passage]:
    """Yield the blocks as passages of at most `room` tokens, in order.

    Args:
        overlap: Tokens that are repeated, at most, where paragraphs are cut.
    """
    prose: list[Block] = []
    for block in blocks:
        if block.rows:
            yield from _prose(prose, room, overlap, sizes)
            prose = []
            yield from _table(block, room, sizes)
        else:
            prose.append(block)
    yield from _prose(prose, room, overlap, sizes)


def _prose(blocks: Sequence[Block], room: int, overlap: int, sizes: Sizes) -> Iterator[Passage]:
    if not blocks:
        return
    if sum(sizes(block.text) for block in blocks) <= room:
        yield Passage(_BLANK.join(block.text for block in blocks), blocks[0].page)
        return
    overlap = min(overlap, room // 2)
    pieces = [piece for block in blocks for piece in _sentences(block, room - overlap, sizes)]
    ends = _groups([piece.size for piece in pieces], room - overlap)
    start = before = 0
    for end in ends:
        group = pieces[start:end]
        carried = _carried(
            pieces[before + 1 : start], min(overlap, room - sum(p.size for p in group))
        )
        for part in fitting([*carried, *group], room, sizes):
            yield Passage(_text(part), part[0].block.page)
        before, start = start, end


def _sentences(block: Block, room: int, sizes: Sizes) -> Iterator[Piece]:
    starts = [start for start, _ in sizes.tokens.offsets(block.text)]
    for start, end in split(block.text):
        count = bisect_left(starts, end) - bisect_left(starts, start)
        size = max(count, (end - start) // LONGEST_TOKEN)
        piece = Piece(block, start, end, size)
        if size <= room:
            yield piece
        else:
            yield from (part[0] for part in fitting([piece], room, sizes))


def _groups(sizes: Sequence[int], room: int) -> list[int]:
    """Where to end each of the fewest groups of about equal size that fit into `room`."""
    total = sum(sizes)
    enough = total / max(1, -(-total // room))
    ends: list[int] = []
    held = 0
    for at, size in enumerate(sizes):
        if held and (held + size > room or held >= enough):
            ends.append(at)
            held = 0
        held += size
    return [*ends, len(sizes)]


def _carried(before: Sequence[Piece], room: int) -> list[Piece]:
    """The last whole sentences that fit into `room` tokens."""
    carried: list[Piece] = []
    for piece in reversed(before):
        room -= max(1, piece.size)
        if room < 0 or not piece.whole:
            break
        carried.insert(0, piece)
    return carried


def _text(pieces: Sequence[Piece]) -> Masked:
    """The pieces as they stand in the document; a blank line between blocks."""
    text = pieces[0].text
    for last, piece in pairwise(pieces):
        if piece.block is last.block:
            text += last.block.text.cut(last.end, piece.end)
        else:
            text += _BLANK + piece.text
    return text


def fitting(pieces: list[Piece], room: int, sizes: Sizes) -> Iterator[list[Piece]]:
    """Yield the pieces, or halves of them until each fits into `room` or cannot be cut."""
    size = sizes(_text(pieces))
    if size <= room:
        if len(pieces) == 1:
            [one] = pieces
            pieces = [Piece(one.block, one.start, one.end, size, one.whole)]
        yield pieces
        return
    if len(pieces) > 1:
        halves = [pieces[: len(pieces) // 2], pieces[len(pieces) // 2 :]]
    else:
        [one] = pieces
        cut = _cut(one.text)
        if cut is None:
            yield [Piece(one.block, one.start, one.end, size, whole=False)]
            return
        end, start = one.start + cut[0], one.start + cut[1]
        halves = [
            [Piece(one.block, one.start, end, 0, whole=False)],
            [Piece(one.block, start, one.end, 0, whole=False)],
        ]
    for half in halves:
        yield from fitting(half, room, sizes)


def _cut(text: str) -> tuple[int, int] | None:
    """Where the first half ends and the second starts: cells, words, letters; None: nowhere."""
    masks = [mask.span() for mask in MASK.finditer(text)]
    middle = len(text) // 2
    for between in (_CELL, _SPACE):
        gaps = [
            (start, end)
            for start, end in (gap.span() for gap in between.finditer(text))
            if start > 0 and end < len(text) and _around(start, masks) is None
        ]
        if gaps:
            return min(gaps, key=lambda gap: abs(gap[0] - middle))
    mask = _around(middle, masks)
    if mask is not None:
        middle = mask[0] or mask[1]
    return (middle, middle) if 0 < middle < len(text) else None


def _around(place: int, spans: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    """The span that has `place` inside, if there is one."""
    at = bisect_left(spans, (place, 0)) - 1
    return spans[at] if at >= 0 and spans[at][0] < place < spans[at][1] else None


def _table(block: Block, room: int, sizes: Sizes) -> Iterator[Passage]:
    lines = [row_text(row) for row in block.rows]
    head = sizes(lines[0])
    if sum(map(sizes, lines)) <= room or len(lines) == 1 or head > room // 2:
        first, head = 0, 0  # all in one, or a header too long to be repeated
    else:
        first = 1
    rows: list[tuple[Masked, Sequence[Masked], int]] = []
    for line, row in zip(lines[first:], block.rows[first:], strict=True):
        if sizes(line) <= room - head:
            rows.append((line, row, sizes(line)))
        else:
            whole = Piece(Block(line, block.page), 0, len(line), 0)
            for [piece] in fitting([whole], room - head, sizes):
                rows.append((piece.text, piece.text.split(_BAR), piece.size))
    start = 0
    for end in _groups([size for _, _, size in rows], room - head):
        part = rows[start:end]
        text = _LINE.join([*lines[:first], *(line for line, _, _ in part)])
        cells = [*block.rows[:first], *(row for _, row, _ in part)]
        headed = len(block.rows) > 1 and cells[0] is block.rows[0]
        yield Passage(text, block.page, _html(cells[:headed], cells[headed:]))
        start = end


def _html(header: Rows, body: Rows) -> Masked:
    def row(cells: Sequence[Masked], cell: Masked) -> Masked:
        return fixed("<tr>{}</tr>", EMPTY.join(cell.filled(each.escaped()) for each in cells))

    head, data = fixed("<th>{}</th>"), fixed("<td>{}</td>")
    lines = [*(row(cells, head) for cells in header), *(row(cells, data) for cells in body)]
    return fixed("<table>{}</table>", EMPTY.join(lines))
