"""Where a guardrail changed a text: it answers with the whole text anew, and says no offsets."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rag.privacy.pseudonym import MASK


@dataclass(frozen=True, slots=True)
class Span:
    """A range of a text that was anonymised.

    Attributes:
        start: First character.
        end: One past the last.
        name: What stands there now in braces: an entity type, or the name of a regex.
    """

    start: int
    end: int
    name: str


def spans(text: str, output: str, found: Mapping[str, Collection[str]]) -> list[Span] | None:
    """Return what of `text` was replaced to make `output`, in order; None: that cannot be told.

    Each ``{name}`` of the output stands for one of the values found under that name, or for
    itself. All ways to read the output are followed at once, so time is linear in its length for
    any number of replacements.

    Args:
        found: The values that were anonymised, by entity type or name of regex.
    """
    if not found:
        return [] if text == output else None
    names = "|".join(re.escape(name) for name in sorted(found, key=len, reverse=True))
    pieces = re.split(rf"(\{{(?:{names})\}})", output)
    # For each piece: the places it can end at, and the place it began at then.
    ways: list[dict[int, int]] = [{0: 0}]
    for number, piece in enumerate(pieces):
        values = [piece, *sorted(found[piece[1:-1]], key=len)] if number % 2 else [piece]
        reached: dict[int, int] = {}
        for begin in ways[-1]:
            for value in values:
                if text.startswith(value, begin):
                    reached[begin + len(value)] = begin
        if not reached:
            return None
        ways.append(reached)
    if len(text) not in ways[-1]:
        return None
    changed: list[Span] = []
    end = len(text)
    for number in range(len(pieces) - 1, -1, -1):
        begin = ways[number + 1][end]
        if number % 2 and text[begin:end] != pieces[number]:
            changed.append(Span(begin, end, pieces[number][1:-1]))
        end = begin
    return changed[::-1]


def everywhere(text: str, found: Mapping[str, Collection[str]]) -> list[Span]:
    """Return where the values found stand in the text: for an answer without a new text."""
    spans: list[Span] = []
    for name, values in found.items():
        for value in filter(None, values):
            spans += (Span(*match.span(), name) for match in re.finditer(re.escape(value), text))
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept


def spared(text: str, changed: Iterable[Span]) -> list[Span]:
    """Take pseudonyms and masks out of what was anonymised: they stay as our gate left them.

    What is left of a span on either side of one counts if it has a letter or digit.
    """
    holes = [match.span() for match in MASK.finditer(text)]
    kept: list[Span] = []
    for span in changed:
        start = span.start
        touched = [hole for hole in holes if hole[0] < span.end and hole[1] > span.start]
        for first, last in [*touched, (span.end, span.end)]:
            if any(map(str.isalnum, text[start:first])):
                kept.append(Span(start, first, span.name))
            start = max(start, last)
    return kept


def replaced(text: str, changed: Sequence[Span], start: int = 0, end: int | None = None) -> str:
    """Return a range of the text with what was anonymised there replaced.

    A span that reaches over the range's edge counts for its part inside.
    """
    end = len(text) if end is None else end
    pieces: list[str] = []
    place = start
    for span in changed:
        first, last = max(span.start, start), min(span.end, end)
        if first < last and any(map(str.isalnum, text[first:last])):
            pieces += (text[place:first], f"{{{span.name}}}")
            place = last
    pieces.append(text[place:end])
    return "".join(pieces)
