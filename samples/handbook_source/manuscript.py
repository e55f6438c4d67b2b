"""A source file: YAML between two ``---`` lines, then a body in a small subset of Markdown.

The body is headings (``#``), paragraphs, lists (``- ``), tables (``| a | b |``) and notes
(``> ``). A text format whose body is written as it stands keeps it in `body`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, paragraph, list, table or note; texts still carry their marks."""

    kind: Literal["heading", "paragraph", "list", "table", "note"]
    text: str = ""
    level: int = 0
    items: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Manuscript:
    """A source file, read: where it goes, its declared properties, its body."""

    path: str
    meta: dict[str, Any] = field(default_factory=dict)
    body: str = ""

    @property
    def format(self) -> str:
        """What is really written, whatever the file's name says."""
        return str(self.meta.get("format", self.path.rpartition(".")[2]))

    @property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(_blocks(self.body))

    def text(self, name: str) -> str:
        return str(self.meta.get(name, ""))


def read(file: Path, path: str) -> Manuscript:
    """Read the source `file` of the document `path`."""
    head, _, body = file.read_text(encoding="utf-8").removeprefix("---\n").partition("---\n")
    return Manuscript(path=path, meta=yaml.safe_load(head) or {}, body=body.lstrip("\n"))


def _blocks(body: str) -> list[Block]:
    blocks = []
    for part in body.strip().split("\n\n"):
        lines = part.strip().splitlines()
        while lines and lines[0].startswith("#"):
            marks, _, text = lines.pop(0).partition(" ")
            blocks.append(Block("heading", text.strip(), level=len(marks)))
        if not lines:
            continue
        if lines[0].startswith("- "):
            blocks.append(Block("list", items=tuple(_items(lines))))
        elif lines[0].startswith("|"):
            blocks.append(Block("table", rows=tuple(_rows(lines))))
        elif lines[0].startswith("> "):
            text = " ".join(line.removeprefix("> ").strip() for line in lines)
            blocks.append(Block("note", text))
        else:
            blocks.append(Block("paragraph", " ".join(line.strip() for line in lines)))
    return blocks


def _items(lines: list[str]) -> list[str]:
    items: list[str] = []
    for line in lines:
        if line.startswith("- "):
            items.append(line[2:].strip())
        else:
            items[-1] += " " + line.strip()
    return items


def _rows(lines: list[str]) -> list[tuple[str, ...]]:
    rows = [tuple(cell.strip() for cell in line.strip().strip("|").split("|")) for line in lines]
    return [row for row in rows if set("".join(row)) - set("-: ")]
