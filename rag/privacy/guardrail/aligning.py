"""Where a guardrail changed a text: it answers with the whole text anew, and says no offsets."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rag.masked import Masked
from rag.masked.passed import passed
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
    itself; where no such reading fits, for any text. Whatever the reading, what lies outside of
    the spans is what the output keeps.

    Args:
        found: The values that were anonymised, by entity type or name of regex. A service may
            list one of several.
    """
    if not found:
        return [] if text == output else None
    names = "|".join(re.escape(name) for name in sorted(found, key=len, reverse=True))
    pieces = re.split(rf"(\{{(?:{names})\}})", output)  # at odd places: names in braces
    ends = _exact(text, pieces, found) or _loose(text, pieces)
    if ends is None:
        return None
    changed: list[Span] = []
    begin = 0
    for number, end in enumerate(ends):
        if number % 2 and begin < end and text[begin:end] != pieces[number]:
            changed.append(Span(begin, end, pieces[number][1:-1]))
        begin = end
    return changed


def _exact(
    text: str, pieces: Sequence[str], found: Mapping[str, Collection[str]]
) -> list[int] | None:
    """Return where each piece ends in the text, names standing for values that were found.

    All readings are followed at once: the time is linear in the pieces, however many there are.
    """
    # For each piece: the places it can end at, and the place it began at then.
    ways: list[dict[int, int]] = [{0: 0}]
    for number, piece in enumerate(pieces):
        values = [piece, *sorted(found[piece[1:-1]], key=len)] if number % 2 else [piece]
        reached: dict[int, int] = {}
        for begin in ways[-1]:
            for value in values:
                if text.startswith(value, begin):
                    reached[begin + len(value)] = begin
        ways.append(reached)
    end = len(text)
    ends: list[int] = []
    for reached in ways[:0:-1]:
        if end not in reached:
            return None
        ends.append(end)
        end = reached[end]
    return ends[::-1]


def _loose(text: str, pieces: Sequence[str]) -> list[int] | None:
    """Return where each piece ends in the text, names standing for anything.

    As a file name is matched with ``*``: each text between names at its first place, the last one
    at the end.
    """
    ends: list[int] = []
    end = 0
    for number in range(0, len(pieces), 2):
        last = number == len(pieces) - 1
        piece = pieces[number]
        if number == 0:
            begin = 0 if text.startswith(piece) else -1
        else:
            begin = len(text) - len(piece) if last else text.find(piece, end)
            ends.append(begin)
        if begin < end or not text.startswith(piece, begin):
            return None
        end = begin + len(piece)
        ends.append(end)
    return ends if end == len(text) else None


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


def replaced(
    text: Masked, changed: Sequence[Span], start: int = 0, end: int | None = None
) -> Masked:
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
    return passed("".join(pieces))
