"""Cut a masked document into passages: by section, within the embedding model's tokens.

A section's paragraphs are packed together; a section that is too long is cut into parts of about
equal length between sentences, with a few sentences repeated. A table is cut between rows, with
its header row repeated. Only what is longer than a passage by itself is cut between words, and
only what has no words between letters; never inside a pseudonym.

The document's name is in no passage: a renamed document keeps its embeddings.
"""

from __future__ import annotations

import hashlib
import html
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rag.config import Chunking
from rag.records import Chunk, Masked, MaskedDocument, MaskedElement
from rag.sentences import split

if TYPE_CHECKING:
    from rag.models import Embedder

HEADING_SHARE = 4  # a heading takes at most a quarter of a passage
TINY_SHARE = 8  # sections of less than an eighth join their neighbours
LONGEST_TOKEN = 16  # characters; more count as more tokens, whatever the model makes of them

_MASK = re.compile(r"[A-Z][A-Z_]*_[0-9a-f]{6,64}|<[A-Z][A-Z_]*>")
_SPACE = re.compile(r"\s+")
_CELL = re.compile(r" \| ")
_DIGITS = re.compile(r"\d+")

Rows = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class _Block:
    """An element's text, or a table's rows."""

    text: str
    page: int | None
    rows: Rows = ()


@dataclass(slots=True)
class _Section:
    """Consecutive blocks under one path of headings.

    Attributes:
        titles: Headings that begin here: those that the heading line does not show become text.
    """

    path: tuple[Masked, ...]
    blocks: list[_Block] = field(default_factory=list)
    titles: list[_Block] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Part of a block's text; `whole`: made of whole sentences."""

    block: _Block
    start: int
    end: int
    size: int
    whole: bool = True

    @property
    def text(self) -> str:
        return self.block.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class _Passage:
    text: str
    page: int | None
    html: str = ""


class _Sizes:
    """Tokens of texts, counted in one go where the texts are known before."""

    def __init__(self, tokens: Embedder) -> None:
        self.tokens = tokens
        self._known: dict[str, int] = {"": 0}

    def learn(self, texts: Iterable[str]) -> None:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, self.tokens.count(new), strict=True))

    def __call__(self, text: str) -> int:
        if text not in self._known:
            self.learn([text])
        return max(self._known[text], len(text) // LONGEST_TOKEN)


def chunk(
    document: MaskedDocument, document_id: str, name: Masked, config: Chunking, tokens: Embedder
) -> list[Chunk]:
    """Return the document's passages in reading order; none for a document without text.

    What comes first is what is known about the document: mail headers, properties, page headers
    and footers (each once). Attachments are documents of their own.

    Args:
        document_id: Goes into every id: equal documents have different chunks.
        name: Of the document; it is in no passage.
        tokens: Counts as the embedding model does.
    """
    budget = min(config.max_tokens, tokens.max_tokens)
    sizes = _Sizes(tokens)
    sections = _sections(document)
    sizes.learn(_countable(document.title, sections))
    chunks: list[Chunk] = []
    seen: Counter[str] = Counter()
    for section in _joined(sections, budget, sizes):
        parts = _parts(document.title, section.path)
        heading, shown = _heading(parts, budget // HEADING_SHARE, sizes)
        room = budget - sizes(heading)
        lost = [title for title in section.titles if title.text not in shown]
        for passage in _passages([*lost, *section.blocks], room, config.overlap_tokens, sizes):
            key = f"{document_id}\0{heading}\0{passage.text}"
            chunks.append(
                Chunk(
                    id=_hash(f"{key}\0{seen[key]}"),
                    document_id=document_id,
                    position=len(chunks),
                    heading=Masked(heading),
                    text=Masked(passage.text),
                    tokens=sizes(heading) + sizes(passage.text),
                    page=passage.page,
                    section=section.path,
                    html=Masked(passage.html),
                    kind="table" if passage.html else "text",
                )
            )
            seen[key] += 1
    return chunks


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _sections(document: MaskedDocument) -> list[_Section]:
    """Group the elements; the first section is what is known about the document."""
    sections = [_Section((), _about(document.elements))]
    waiting: list[tuple[tuple[Masked, ...], int | None]] = []  # headings with nothing under them yet
    titles: list[_Block] = []
    body: tuple[Masked, ...] | None = None

    def enter(path: tuple[Masked, ...]) -> list[_Block]:
        nonlocal body, titles
        if body != path or titles:
            sections.append(_Section(path, titles=titles))
            body, titles = path, []
        return sections[-1].blocks

    def settle(path: tuple[Masked, ...] | None) -> None:
        for above, page in waiting:
            title = _Block(above[-1], page)
            if path is not None and path[: len(above)] == above:
                titles.append(title)
            else:  # a heading without text is text
                enter(above[:-1]).append(title)
        waiting.clear()

    for element in document.elements:
        text = Masked(element.text.strip())
        if element.kind in ("field", "header", "footer") or not (text or element.rows):
            continue
        if element.kind == "title":
            waiting.append(((*element.section, text), element.page))
            continue
        settle(element.section)
        rows = element.rows if element.kind == "table" else ()
        enter(element.section).append(_Block(text, element.page, rows))
    settle(None)
    return [section for section in sections if section.blocks]


def _about(elements: Iterable[MaskedElement]) -> list[_Block]:
    """Fields as lines, then page headers and footers; those that differ in digits only, once."""
    fields, margins = [], {}
    for element in elements:
        text = element.text.strip()
        if not text:
            continue
        if element.kind == "field":
            label = element.label[:1].upper() + element.label[1:]
            fields.append(_Block(f"{label}: {text}" if label else text, element.page))
        elif element.kind in ("header", "footer"):
            margins.setdefault(_DIGITS.sub("0", text), _Block(text, None))
    return [*fields, *margins.values()]


def _countable(title: str, sections: Iterable[_Section]) -> Iterator[str]:
    for section in sections:
        yield " › ".join(_parts(title, section.path))
        for block in section.blocks:
            yield from map(_line, block.rows) if block.rows else (block.text,)


def _line(cells: Sequence[str]) -> str:
    return " | ".join(cells)


def _joined(sections: Sequence[_Section], budget: int, sizes: _Sizes) -> Iterator[_Section]:
    """Join tiny neighbours under the same parent; their headings become lines of the text."""
    run: list[tuple[_Section, int]] = []

    def finished() -> Iterator[_Section]:
        if len(run) == 1:
            yield run[0][0]
        elif run:
            made = _Section(run[0][0].path[:-1])
            for section, _ in run:
                leaf = _Block(section.path[-1], section.blocks[0].page)
                made.titles += [title for title in section.titles if title.text != leaf.text]
                made.blocks += [leaf, *section.blocks]
            yield made
        run.clear()

    for section in sections:
        size = sum(sizes(block.text) for block in section.blocks) if section.path else budget
        tiny = size <= budget // TINY_SHARE and not any(block.rows for block in section.blocks)
        size += sizes(section.path[-1]) if section.path else 0
        together = tiny and sum(each for _, each in run) + size <= budget // 2
        if run and not (together and run[0][0].path[:-1] == section.path[:-1]):
            yield from finished()
        if tiny:
            run.append((section, size))
        else:
            yield section
    yield from finished()


def _parts(title: str, path: Sequence[str]) -> list[str]:
    """The document's title and the section's path, without a first heading that repeats it."""
    parts = [part for part in path if part.strip()]
    title = title.strip()
    if title and not (parts and parts[0].casefold() == title.casefold()):
        parts.insert(0, title)
    return parts


def _heading(parts: list[str], room: int, sizes: _Sizes) -> tuple[str, set[str]]:
    """The heading line within `room` tokens, and the parts it shows whole.

    The innermost heading stays longest, then the document's title.
    """
    while len(parts) > 1 and sizes(" › ".join(parts)) > room:
        del parts[1 if len(parts) > 2 else 0]
    heading = " › ".join(parts)
    if sizes(heading) <= room:
        return heading, set(parts)
    block = _Block(heading, None)
    first = next(_fitting([_Piece(block, 0, len(heading), 0)], room, sizes))
    cut = first[0].text
    return (cut, set()) if sizes(cut) <= room else ("", set())


def _passages(
    blocks: Sequence[_Block], room: int, overlap: int, sizes: _Sizes
) -> Iterator[_Passage]:
    prose: list[_Block] = []
    for block in blocks:
        if block.rows:
            yield from _prose(prose, room, overlap, sizes)
            prose = []
            yield from _table(block, room, sizes)
        else:
            prose.append(block)
    yield from _prose(prose, room, overlap, sizes)


def _prose(blocks: Sequence[_Block], room: int, overlap: int, sizes: _Sizes) -> Iterator[_Passage]:
    if not blocks:
        return
    if sum(sizes(block.text) for block in blocks) <= room:
        yield _Passage("\n\n".join(block.text for block in blocks), blocks[0].page)
        return
    overlap = min(overlap, room // 2)
    pieces = [piece for block in blocks for piece in _sentences(block, room - overlap, sizes)]
    ends = _groups([piece.size for piece in pieces], room - overlap)
    start = before = 0
    for end in ends:
        group = pieces[start:end]
        carried = _carried(pieces[before:start], min(overlap, room - sum(p.size for p in group)))
        for part in _fitting([*carried, *group], room, sizes):
            yield _Passage(_text(part), part[0].block.page)
        before, start = start, end


def _sentences(block: _Block, room: int, sizes: _Sizes) -> Iterator[_Piece]:
    starts = [start for start, _ in sizes.tokens.offsets(block.text)]
    for start, end in split(block.text):
        count = bisect_left(starts, end) - bisect_left(starts, start)
        size = max(count, (end - start) // LONGEST_TOKEN)
        piece = _Piece(block, start, end, size)
        if size <= room:
            yield piece
        else:
            yield from (part[0] for part in _fitting([piece], room, sizes))


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


def _carried(before: Sequence[_Piece], room: int) -> list[_Piece]:
    """The last whole sentences that fit into `room` tokens."""
    carried: list[_Piece] = []
    for piece in reversed(before):
        room -= piece.size
        if room < 0 or not piece.whole:
            break
        carried.insert(0, piece)
    return carried


def _text(pieces: Sequence[_Piece]) -> str:
    """The pieces as they stand in the document; a blank line between blocks."""
    text = pieces[0].text
    for last, piece in zip(pieces, pieces[1:], strict=False):
        if piece.block is last.block:
            text += last.block.text[last.end : piece.end]
        else:
            text += f"\n\n{piece.text}"
    return text


def _fitting(pieces: list[_Piece], room: int, sizes: _Sizes) -> Iterator[list[_Piece]]:
    """The pieces, or halves of them until each fits into `room` or cannot be cut."""
    size = sizes(_text(pieces))
    if size <= room:
        if len(pieces) == 1:
            [one] = pieces
            pieces = [_Piece(one.block, one.start, one.end, size, one.whole)]
        yield pieces
        return
    if len(pieces) > 1:
        halves = [pieces[: len(pieces) // 2], pieces[len(pieces) // 2 :]]
    else:
        [one] = pieces
        cut = _cut(one.text)
        if cut is None:
            yield [_Piece(one.block, one.start, one.end, size, whole=False)]
            return
        end, start = one.start + cut[0], one.start + cut[1]
        halves = [
            [_Piece(one.block, one.start, end, 0, whole=False)],
            [_Piece(one.block, start, one.end, 0, whole=False)],
        ]
    for half in halves:
        yield from _fitting(half, room, sizes)


def _cut(text: str) -> tuple[int, int] | None:
    """Where the first half ends and the second starts: cells, words, letters; None: nowhere."""
    middle = len(text) // 2
    for between in (_CELL, _SPACE):
        gaps = [m for m in between.finditer(text) if 0 < m.start() and m.end() < len(text)]
        if gaps:
            return min(gaps, key=lambda gap: abs(gap.start() - middle)).span()
    for mask in _MASK.finditer(text):
        if mask.start() < middle < mask.end():
            middle = mask.start() or mask.end()
            break
    return (middle, middle) if 0 < middle < len(text) else None


def _table(block: _Block, room: int, sizes: _Sizes) -> Iterator[_Passage]:
    lines = [_line(row) for row in block.rows]
    head = sizes(lines[0])
    if sum(map(sizes, lines)) <= room or len(lines) == 1 or head > room // 2:
        first, head = 0, 0  # all in one, or a header too long to be repeated
    else:
        first = 1
    rows: list[tuple[str, Sequence[str], int]] = []
    for line, row in zip(lines[first:], block.rows[first:], strict=True):
        if sizes(line) <= room - head:
            rows.append((line, row, sizes(line)))
        else:
            whole = _Piece(_Block(line, block.page), 0, len(line), 0)
            for [part] in _fitting([whole], room - head, sizes):
                rows.append((part.text, _CELL.split(part.text), part.size))
    start = 0
    for end in _groups([size for _, _, size in rows], room - head):
        part = rows[start:end]
        text = "\n".join([*lines[:first], *(line for line, _, _ in part)])
        header = block.rows[0] if first or start == 0 and len(rows) > 1 else ()
        body = [row for _, row, _ in part][0 if first or not header else 1 :]
        yield _Passage(text, block.page, _html(header, body))
        start = end


def _html(header: Sequence[str], body: Rows) -> str:
    def row(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(each)}</{tag}>" for each in cells) + "</tr>"

    head = row(header, "th") if header else ""
    return f"<table>{head}{''.join(row(cells, 'td') for cells in body)}</table>"
