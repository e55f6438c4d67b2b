"""Names typed in small letters: maria gonzalez, my name is bob, hey tamara."""

from __future__ import annotations

import re
from typing import NamedTuple

from rag.privacy.names import cues
from rag.privacy.names.lexicon import COMMON, GIVEN, RARE, SURNAME, sure
from rag.privacy.names.neighbours import STRONG, evidence
from rag.privacy.names.reading import Reading

_LETTERS = frozenset({"mail", "email", "message", "msg", "text", "call", "note", "letter", "reply"})
_PAIR = re.compile(r"[ _.\-]")


class Span(NamedTuple):
    """Words first to last (inclusive) that are one person's name."""

    first: int
    last: int
    score: float
    titled: bool = False  # a title in front: it is no place and no firm


def span_at(read: Reading, place: int) -> Span | None:
    """Return the name in small letters that begins at a word, if one does."""
    flags = read.flags[place]
    if not flags & (GIVEN | SURNAME):
        return _after_cue(read, place)
    if read.text.startswith((".", "/", "@"), max(read.words[place].start - 1, 0)):
        return None  # of a web address
    if place + 1 < len(read.words) and not read.words[place + 1].capital:
        other = read.flags[place + 1]
        shorter = min(len(read.words[place].folded), len(read.words[place + 1].folded))
        if shorter > 2 and _pair(flags, other) and _PAIR.fullmatch(read.gap(place)):
            return Span(place, place + 1, 0.6)
    return _introduced(read, place)


def _pair(one: int, other: int) -> bool:
    """Tell whether two flags may be of a given name and a surname."""
    if not (one | other) & GIVEN or not (one | other) & SURNAME:
        return False
    if sure(one) and sure(other):
        return True
    # sarah brown: the surname may be an ordinary word, but not one that hardly anybody is called.
    return (sure(one) and bool(one & GIVEN) and bool(other & SURNAME) and not other & RARE) or (
        sure(other) and bool(other & SURNAME) and bool(one & GIVEN) and not one & RARE
    )


def alone(read: Reading, place: int) -> Span | None:
    """Judge a listed name by itself, in text that has no capitals anyway."""
    flags, length = read.flags[place], len(read.words[place].folded)
    if flags & GIVEN and length > 2:
        return Span(place, place, 0.45)
    return Span(place, place, 0.45) if evidence(read, place, place) == STRONG else None


def _introduced(read: Reading, place: int) -> Span | None:
    """A listed name after my name is, hello, dear, mr."""
    if len(read.words[place].folded) < 3 or not _cued(read, place):
        return None
    flags = read.flags[place]
    if not sure(flags) and not _named(read, place):
        return None
    last = place
    if place + 1 < len(read.words) and read.gap(place) == " ":
        other = read.flags[place + 1]
        if not read.words[place + 1].capital and (sure(other) or (not other and sure(flags))):
            last = place + 1
    return Span(place, last, 0.5)


def _after_cue(read: Reading, place: int) -> Span | None:
    """A word in no list after "my name is": it is one."""
    word = read.words[place]
    if read.flags[place] or len(word.folded) < 3:
        return None
    if not _named(read, place) and not _spoken_to(read, place):
        return None
    last = place
    if place + 1 < len(read.words) and read.gap(place) == " ":
        other = read.flags[place + 1]
        if not other or (other & (GIVEN | SURNAME) and not other & COMMON):
            last = place + 1
    return Span(place, last, 0.45)


def _named(read: Reading, place: int) -> bool:
    """Tell whether somebody is named outright just in front: my name is, mr."""
    if not place:
        return False
    before, gap = read.words[place - 1], read.gap(place - 1)
    if gap in {" ", ". "} and before.folded in cues.ADDRESSES and len(before.folded) < 5:
        return not before.capital or before.folded in {"mr", "mrs", "ms", "dr"}
    if gap not in {" ", "'s ", "’s "}:
        return False
    if before.folded == "is":
        return place > 1 and read.words[place - 2].folded == "name"
    return before.folded == "name" and "s" in gap


def _spoken_to(read: Reading, place: int) -> bool:
    """Tell whether chat speaks to or of somebody there: tell wietske, a mail from okandla."""
    if (
        not read.loose
        or not place
        or read.gap(place - 1) != " "
        or len(read.words[place].folded) < 4
    ):
        return False
    before = read.words[place - 1].folded
    earlier = read.words[place - 2].folded if place > 1 else ""
    return before in cues.TALKING or (before in {"from", "to"} and earlier in _LETTERS)


def _cued(read: Reading, place: int) -> bool:
    if not place:
        return False
    before, gap = read.words[place - 1], read.gap(place - 1)
    if gap in {" ", ", "} and before.folded in cues.GREETINGS:
        return True
    return _named(read, place) or evidence(read, place, place) == STRONG
