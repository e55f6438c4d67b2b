"""Cut a masked document into passages: by section, within the embedding model's tokens.

What belongs together is found here; `rag.ingest.passages` cuts what is too long. The document's
name is in no passage: a renamed document keeps its embeddings.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from rag.config import Chunking
from rag.ingest.passages import Block, Piece, Sizes, fitting, passages, row_text
from rag.masked import EMPTY, Masked, fixed
from rag.models import Tokens
from rag.records import Chunk, MaskedDocument, MaskedElement

HEADING_SHARE = 4  # a heading takes at most a quarter of a passage
TINY_SHARE = 8  # sections of less than an eighth join their neighbours

_ABOVE = fixed(" › ")  # between a heading and what stands under it
_DIGITS = re.compile(r"\d+")


@dataclass(slots=True)
class _Section:
    """Consecutive blocks under one path of headings.

    Attributes:
        titles: Headings that begin here: those that the heading line does not show become text.
    """

    path: tuple[Masked, ...]
    blocks: list[Block] = field(default_factory=list)
    titles: list[Block] = field(default_factory=list)


def chunk(
    document: MaskedDocument, document_id: str, config: Chunking, tokens: Tokens
) -> list[Chunk]:
    """Return the document's passages in reading order; none for a document without text.

    What comes first is what is known about the document: mail headers, properties, page headers
    and footers (each once). Attachments are documents of their own.

    Args:
        document_id: Goes into every id: equal documents have different chunks.
        tokens: Counts as the embedding model does.
    """
    budget = min(config.max_tokens, tokens.max_tokens)
    sizes = Sizes(tokens)
    sections = _sections(document)
    sizes.learn(_countable(document.title, sections))
    chunks: list[Chunk] = []
    seen: Counter[str] = Counter()
    for section in _joined(sections, budget, sizes):
        parts = _parts(document.title, section.path)
        heading, shown = _heading(parts, budget // HEADING_SHARE, sizes)
        room = budget - sizes(heading)
        lost = [title for title in section.titles if title.text not in shown]
        for passage in passages([*lost, *section.blocks], room, config.overlap_tokens, sizes):
            if not sizes.count(passage.text):
                continue  # nothing that the model sees: zero-width characters, icons
            key = f"{document_id}\0{heading}\0{passage.text}"
            chunks.append(
                Chunk(
                    id=_hash(f"{key}\0{seen[key]}"),
                    document_id=document_id,
                    position=len(chunks),
                    heading=heading,
                    text=passage.text,
                    tokens=sizes.count(heading) + sizes.count(passage.text),
                    page=passage.page,
                    section=section.path,
                    html=passage.html,
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
    waiting: list[tuple[tuple[Masked, ...], int | None]] = []  # headings without text so far
    titles: list[Block] = []
    body: tuple[Masked, ...] | None = None

    def enter(path: tuple[Masked, ...]) -> list[Block]:
        nonlocal body, titles
        if body != path or titles:
            sections.append(_Section(path, titles=titles))
            body, titles = path, []
        return sections[-1].blocks

    def settle(path: tuple[Masked, ...]) -> None:
        following = [*(above[:-1] for above, _ in waiting[1:]), path]
        for (above, page), below in zip(waiting, following, strict=False):
            title = Block(above[-1], page)
            if below[: len(above)] == above:
                titles.append(title)
            else:  # a heading without anything under it is text
                enter(above[:-1]).append(title)
        waiting.clear()

    for element in document.elements:
        text = element.text.strip()
        if element.kind in ("field", "header", "footer") or not (text or element.rows):
            continue
        if element.kind == "title":
            waiting.append(((*element.section, text), element.page))
            continue
        settle(element.section)
        rows = element.rows if element.kind == "table" else ()
        enter(element.section).append(Block(text, element.page, rows))
    settle(())
    return [section for section in sections if section.blocks]


def _about(elements: Iterable[MaskedElement]) -> list[Block]:
    """Fields as lines, then page headers and footers; those that differ in digits only, once."""
    fields: list[Block] = []
    margins: dict[str, Block] = {}
    for element in elements:
        text = element.text.strip()
        if not text:
            continue
        if element.kind == "field":
            label = element.label[:1].upper() + element.label[1:]
            said = fixed("{}: {}", label, text) if label else text
            fields.append(Block(said, element.page))
        elif element.kind in ("header", "footer"):
            margins.setdefault(_DIGITS.sub("0", text), Block(text, None))
    return [*fields, *margins.values()]


def _countable(title: Masked, sections: Iterable[_Section]) -> Iterator[Masked]:
    for section in sections:
        yield _ABOVE.join(_parts(title, section.path))
        for block in section.blocks:
            yield from map(row_text, block.rows) if block.rows else (block.text,)


def _joined(sections: Sequence[_Section], budget: int, sizes: Sizes) -> Iterator[_Section]:
    """Join tiny neighbours under the same parent; their headings become lines of the text."""
    run: list[tuple[_Section, int]] = []

    def finished() -> Iterator[_Section]:
        if len(run) == 1:
            yield run[0][0]
        elif run:
            made = _Section(run[0][0].path[:-1])
            for section, _ in run:
                leaf = Block(section.path[-1], section.blocks[0].page)
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


def _parts(title: Masked, path: Sequence[Masked]) -> list[Masked]:
    """The document's title and the section's path, without a first heading that repeats it."""
    parts = [part for part in path if part.strip()]
    title = title.strip()
    if title and not (parts and parts[0].casefold() == title.casefold()):
        parts.insert(0, title)
    return parts


def _heading(parts: list[Masked], room: int, sizes: Sizes) -> tuple[Masked, set[Masked]]:
    """The heading line within `room` tokens, and the parts it shows whole.

    The innermost heading stays longest, then the document's title.
    """
    while len(parts) > 1 and sizes(_ABOVE.join(parts)) > room:
        del parts[1 if len(parts) > 2 else 0]
    heading = _ABOVE.join(parts)
    if sizes(heading) <= room:
        return heading, set(parts)
    block = Block(heading, None)
    first = next(fitting([Piece(block, 0, len(heading), 0)], room, sizes))
    cut = first[0].text
    return (cut, set()) if sizes(cut) <= room else (EMPTY, set())
