"""Many texts into few calls: each filled to its limit, a long text cut between sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.masked import Masked
from rag.privacy.pseudonym import MASK

CHARACTERS = 25_000
"""Most that one call reads: 25 text units of 1,000 characters, AWS's default quota."""

BLOCKS = 200
"""Most texts in one call, so that a response stays small."""

_ENDS = (re.compile(r"\n\s*\n"), re.compile(r"[.!?…]['\"”’)]?\s|\n"), re.compile(r"\s"))
_LEAST = 500  # a shorter beginning of a text is not worth a cut


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of one of the texts, as one content block of a call.

    Attributes:
        index: Of the text.
        start: Where it begins in the text, in characters.
        veiled: Pseudonyms and masks are not shown, for the guardrail took them for identifiers.
    """

    index: int
    start: int
    text: Masked
    veiled: bool = False

    @property
    def shown(self) -> str:
        """What the guardrail is given: as long as the text."""
        if not self.veiled:
            return self.text
        return MASK.sub(lambda mask: "-" * len(mask.group()), self.text)


def pack(texts: Sequence[Masked], limit: int = CHARACTERS) -> list[list[Part]]:
    """Return calls, each with the parts that it carries, in the texts' order.

    The parts of a text, joined, are the text. Texts without a letter or digit are left out.

    Args:
        limit: Most characters in a call.
    """
    calls: list[list[Part]] = [[]]
    room = limit
    for index, text in enumerate(texts):
        if not any(map(str.isalnum, text)):
            continue
        start = 0
        while start < len(text):
            if len(calls[-1]) >= BLOCKS or room < min(_LEAST, len(text) - start):
                calls.append([])
                room = limit
            end = cut(text, start, room)
            calls[-1].append(Part(index, start, text[start:end]))
            room -= end - start
            start = end
    return [call for call in calls if call]


def cut(text: str, start: int, most: int) -> int:
    """Return where a part that begins at `start` ends, `most` characters on at the latest.

    The last paragraph's end, sentence's end or space in its second half; never inside a pseudonym
    if that can be helped.
    """
    latest = start + max(most, 1)
    if latest >= len(text):
        return len(text)
    middle = start + (latest - start) // 2
    for ends in _ENDS:
        last = None
        for last in ends.finditer(text, middle, latest):  # noqa: B007
            pass
        if last is not None and last.end() <= latest:
            return _beside_mask(text, start, last.end())
    return _beside_mask(text, start, latest)


def _beside_mask(text: str, start: int, place: int) -> int:
    for mask in MASK.finditer(text, max(start, place - 64), place + 64):
        if start < mask.start() < place < mask.end():
            return mask.start()
    return place
