"""Reading what a chat model writes: its sentences, while they come, and the passages they name."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.masked import EMPTY, SPACE, Masked
from rag.sentences import split

if TYPE_CHECKING:
    from rag.answer import Mask

_MARKERS = r"\[\d{1,3}(?:\s*[,;]\s*\d{1,3})*\]"
_AFTER_STOP = re.compile(rf"([.!?…]+[\"”’»)]*)((?:\s*{_MARKERS})+)")
_MARKER = re.compile(rf"\s*{_MARKERS}")
_LIST_MARK = re.compile(r"^(?:[-–—*+•▪◦‣●■]|\(?\d{1,3}[.)])\s+")
_ENDED = re.compile(r"[.!?…][\"”’»)]*$")
_SETTLED = re.compile(r"(?!\[\d)[\s\"'“‘«(\[¿¡*_#–-]*\w+\W")
"""How a next sentence begins, once what stands there can no longer belong to the one before."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of a reply, without markers, and the numbers that it cites."""

    text: Masked
    cites: tuple[int, ...]


def claims(pieces: Generator[str, None, bool], mask: Mask) -> Generator[Claim, None, None]:
    """Yield the sentences of a reply, each as soon as it is whole, masked.

    A name may be known by what came before it, so each sentence is masked together with those.

    Args:
        pieces: As the model writes them; returns whether it was stopped at its limit, when the last
            sentence may be half. Closed when the iterator is.
        mask: The gate.
    """
    text = ""
    raw: list[str] = []
    ended = cut = False
    with closing(pieces):
        while not ended:
            try:
                text += next(pieces)
            except StopIteration as end:
                ended, cut = True, bool(end.value)
            for sentence in _whole(text, ended=ended, cut=cut)[len(raw) :]:
                raw.append(" ".join(sentence.split()))
                if claim := _claim(_last(raw, mask)):
                    yield claim


def _whole(text: str, *, ended: bool, cut: bool) -> list[str]:
    """The sentences of a text that more text will not change."""
    moved = _AFTER_STOP.sub(lambda match: f" {match[2].strip()}{match[1]}", text)
    spans = split(moved)
    found = [moved[start:end] for start, end in spans]
    if ended:
        if cut and found and not _ENDED.search(found[-1]):
            found.pop()
        return found
    settled = not spans or _SETTLED.match(moved, spans[-1][0])
    return found[: -1 if settled else -2]


def _last(raw: list[str], mask: Mask) -> Masked:
    lines = mask("\n".join(raw)).split("\n")
    return lines[-1] if len(lines) == len(raw) else mask(raw[-1])


def _claim(sentence: Masked) -> Claim | None:
    numbers = [
        int(number) for marker in _MARKER.findall(sentence) for number in re.findall(r"\d+", marker)
    ]
    bare = SPACE.join(sentence.sub(_MARKER, EMPTY).split()).sub(_LIST_MARK, EMPTY)
    return Claim(bare, tuple(dict.fromkeys(numbers))) if bare else None
