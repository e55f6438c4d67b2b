"""What a model calls an address, believed or not, and widened to what belongs to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from rag.privacy.address.parts import is_house
from rag.privacy.address.postcodes import MAYBE, postcode
from rag.privacy.address.tail import left, tail
from rag.privacy.address.tokens import (
    AFTER,
    BEFORE,
    CAPITAL,
    ENDING,
    NUMBER,
    UNIT,
    Tokens,
    tokens,
)
from rag.privacy.names.lexicon import flags_of, plain
from rag.records import Finding

if TYPE_CHECKING:
    from rag.privacy.tagging.ner import Entity

_LEFT, _RIGHT = 120, 200
_SCORE = 0.6
_COLUMNS = re.compile(r"\t|\n\n| {3,}")
_LABEL = re.compile(r"\n[^\W\d_]{1,20}$")
_PARTING = re.compile(r"[\s,.;]*(?:to|and|or|und|et|y)[\s,.;]*")
_LEAD = re.compile(
    r"(?:(?:na|au|en|op|przy|im|in|auf|at|to|from|for|habite|vive|mora|wohnt|abita) )+"
)
_NEVER_IN = frozenset({"MAC_ADDRESS", "IP_ADDRESS", "EMAIL_ADDRESS", "IBAN_CODE", "CREDIT_CARD"})
_LIVES = re.compile(r" (?:(?:is|was|lives?|lived|resides|moved|stays|of|at|in|to|from|has) ){1,3}")
_TRIM = " \t\r\n,;:.\"'“”‘’()[]{}<>|-–—/"
Range = tuple[int, int]


def believed(text: str, ranges: Sequence[Range], found: Sequence[Range]) -> list[Range]:
    """Return which of a model's ranges are addresses, each from its first part to its last.

    One with a house number, a postcode or a street's kind is; one without is only where it touches
    an address of the grammar.

    Args:
        ranges: What the model calls an address.
        found: What the grammar found in the same text (see `rag.privacy.address.find`), in order.
    """
    kept: list[Range] = []
    for start, end in _pieces(text, ranges):
        inside = [span for span in found if start < span[1] and span[0] < end]
        if len(inside) > 1 and any(
            _PARTING.fullmatch(text, one[1], other[0]) for one, other in pairwise(inside)
        ):
            # "from A to B": two addresses, of which the model may know the outer edges better.
            kept += [
                (min(start, inside[0][0]), inside[0][1]),
                (inside[-1][0], max(end, inside[-1][1])),
            ]
            continue
        widened = _widened(text, start, end)
        if widened:
            kept.append(widened)
            continue
        for first, last in found:
            if first <= end and start <= last:
                kept.append((min(start, first), max(end, last)))
            elif 0 <= first - end < 4 and not text[end:first].strip(_TRIM):
                kept.append((start, last))
            elif 0 <= start - last < 4 and not text[last:start].strip(_TRIM):
                kept.append((first, end))
    return kept


def _pieces(text: str, ranges: Sequence[Range]) -> Iterator[Range]:
    """Yield the parts of the ranges between columns, without signs at their edges."""
    for start, end in ranges:
        place = start
        for column in _COLUMNS.finditer(text, start, end):
            yield from _nonempty(_trimmed(text, place, column.start()))
            place = column.end()
        yield from _nonempty(_trimmed(text, place, end))


def _nonempty(piece: Range) -> Iterator[Range]:
    if piece[0] < piece[1]:
        yield piece


def _trimmed(text: str, start: int, end: int) -> Range:
    while start < end and text[start] in _TRIM and text[start] != "(":
        start += 1
    while start < end and text[end - 1] in _TRIM and text[end - 1] not in ").":
        end -= 1
    if start < end and text[end - 1] == ".":
        end -= 1
    label = _LABEL.search(text, start, end)
    if label and text[end : end + 2].strip(" ")[:1] in {":", "|"}:
        end = label.start()
    lead = _LEAD.match(text, start, end)
    return (lead.end() if lead else start), end


def _widened(text: str, start: int, end: int) -> Range | None:
    shift = max(start - _LEFT, 0)
    while shift > 0 and not text[shift - 1].isspace():
        shift -= 1
    t = tokens(text[shift : end + _RIGHT])
    inside = [i for i in range(len(t)) if start - shift <= t.starts[i] < end - shift]
    if not inside or not _speaks(t, inside[0], inside[-1] + 1):
        return None
    first = left(t, inside[0], wide=True)
    last = tail(t, inside[-1] + 1).end
    return shift + t.starts[first], shift + t.ends[max(last, inside[-1] + 1) - 1]


def _speaks(t: Tokens, first: int, end: int) -> bool:
    """Whether a range has what addresses have: a house number, a postcode, a street's kind."""
    names = house = kind = False
    for i in range(first, end):
        bits = t.bits[i]
        if bits & NUMBER:
            if t.glued(i) and t.word(i - 1) in {".", ":", "@"} and t.has(i - 2, NUMBER):
                return False  # an internet address, a time
            stop, sure = postcode(t.text, t.starts[i])
            house = house or is_house(t, i) or bool(stop)
            kind = kind or sure > MAYBE
        elif bits & (AFTER | ENDING | BEFORE) and bits & CAPITAL:
            kind = True
            names = names or bits & ENDING > 0
        elif bits & CAPITAL and not bits & UNIT:
            names = True
    if names and house and not kind and not t.has(first, NUMBER) and end - first < 4:
        # "LaserJet 1020" is one as well: only a name with a small number is believed.
        small = 4 if end - first > 2 else 3
        return len(t.word(end - 1)) <= small and not plain(flags_of(t.word(first)))
    return house or kind


def apart(text: str, found: Sequence[Finding]) -> list[Finding]:
    """Take the person off an address who is said to live at it: Zsombor is at | Fő tér 7."""
    persons = {f.start: f.end for f in sorted(found, key=lambda f: f.end) if f.entity == "PERSON"}
    if not persons:
        return list(found)
    parted = []
    for finding in found:
        end = persons.get(finding.start, 0) if finding.entity == "STREET_ADDRESS" else 0
        verb = _LIVES.match(text, end, finding.end) if 0 < end < finding.end else None
        parted.append(replace(finding, start=verb.end()) if verb else finding)
    return parted


def joined(text: str, read: Iterable[Entity], found: Iterable[Finding]) -> Iterator[Finding]:
    """Yield a model's addresses that are believed, beside what the grammar found.

    Args:
        read: What the model found; its street addresses count.
        found: Findings in the same text.
    """
    ranges = [(one.start, one.end) for one in read if one.label == "STREET_ADDRESS"]
    if ranges:
        found = list(found)
        known = [(f.start, f.end) for f in found if f.entity == "STREET_ADDRESS"]
        others = [(f.start, f.end) for f in found if f.entity in _NEVER_IN]
        ranges = [one for one in ranges if not any(a < one[1] and one[0] < b for a, b in others)]
        for start, end in believed(text, ranges, sorted(known)):
            yield Finding(start, end, "STREET_ADDRESS", _SCORE, "Ner")
