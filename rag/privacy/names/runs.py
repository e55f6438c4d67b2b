"""How far a name goes: its words, particles, initials and nicknames, and a surname put first."""

from __future__ import annotations

import re

from rag.privacy.address import places
from rag.privacy.names import cues
from rag.privacy.names.lexicon import COMMON, GIVEN, RARE, SURNAME, plain, sure
from rag.privacy.names.neighbours import in_firm
from rag.privacy.names.reading import Reading
from rag.privacy.pseudonym import PARTICLES, TITLES
from rag.privacy.words import Word

_JOIN = re.compile(r"(?:[ \t]|-|–|‐|‑|\.[ \t]?|[ \t]?\n)?")
_OPENING = frozenset({' "', " “", " „", " '", " ‘", " (", " «"})
_CLOSING = frozenset({'" ', "” ", "“ ", "' ", "’ ", ") ", "» "})
_EDGES = frozenset({"", "\n", "\t", "|", ";", ":", ">", "<", "("})
IRISH = frozenset({"Ó", "ó", "Ò", "Ní", "Uí"})


def extend(read: Reading, place: int) -> int:
    """Return the last word of the name that starts at a word."""
    last = look = place
    while look + 1 < len(read.words) and look - place < 6:
        gap = read.gap(look)
        following = read.words[look + 1]
        beyond = look + 2 if look + 2 < len(read.words) else None
        if beyond and gap in _OPENING and read.gap(look + 1) in _CLOSING:
            # Robert "Bob" Hale
            if not (read.words[beyond].capital and not plain(read.flags[beyond])):
                break
            look = last = beyond
            continue
        if not gap or not _JOIN.fullmatch(gap):
            break
        if gap[0] == "." and len(read.words[look].folded) > 2:
            break
        if beyond and gap in {" ", "-"} and _joins(read, following, beyond):
            look += 1
            continue
        if not _goes_on(read, place, look + 1, gap):
            break
        look += 1
        last = look
    return last


def _joins(read: Reading, word: Word, beyond: int) -> bool:
    """Tell whether a word is a particle, or an initial typed small, within a name."""
    if word.folded in PARTICLES or read.text[word.start : word.end] in IRISH:
        return read.words[beyond].capital or not word.capital
    return read.loose and len(word.folded) == 1 and sure(read.flags[beyond])


def _goes_on(read: Reading, first: int, place: int, gap: str) -> bool:
    """Tell whether a name goes on with a word."""
    start, following, flags = read.words[first], read.words[place], read.flags[place]
    if not following.capital:
        if gap == "-":
            return not plain(flags)
        if not read.loose or gap not in {" ", ". "} or len(following.folded) < 3:
            return False
        known = sure(read.flags[first]) and bool(read.flags[first] & GIVEN)
        return sure(flags) or (known and (not flags or bool(flags & SURNAME and not flags & RARE)))
    if "\n" in gap and not _wraps(read, first, place):
        return False
    if following.folded in cues.TITLED and following.folded in TITLES and not flags:
        return False
    if len(following.folded) == 1 and gap[0] != "." and following.upper:
        return True
    if plain(flags) and (flags & COMMON or read.words[place - 1].folded not in PARTICLES):
        return place == first + 1 and _shaked(read, first, place)
    if following.upper and not start.upper and following.folded in cues.INSTITUTIONS:
        return False
    if flags & RARE and following.upper and not start.upper:
        return False
    shouted = start.upper and len(start.folded) > 1
    listed = flags & (GIVEN | SURNAME)
    return listed > 0 or shouted or not following.upper or len(following.folded) not in {2, 3, 4}


def _shaked(read: Reading, first: int, place: int) -> bool:
    """Tell whether an ordinary word is a surname: within a sentence, behind a given name."""
    if read.flags[place] & COMMON or not sure(read.flags[first]) or not read.flags[first] & GIVEN:
        return False
    word, end = read.words[place], read.words[place].end
    if read.gap(first) != " " or not read.text[word.start + 1 : end].islower():
        return False
    after = read.words[place + 1] if place + 1 < len(read.words) else None
    return after is not None and not after.capital and read.gap(place) == " "


def _wraps(read: Reading, first: int, place: int) -> bool:
    """Tell whether a name goes over the end of a line of prose."""
    if not sure(read.flags[place]) or any(f & SURNAME for f in read.flags[first : place - 1]):
        return False
    start = read.words[first].start
    line = read.text[max(start - 3, 0) : start]
    return (
        place == first + 1
        and len(line) > 2
        and line[-1] == " "
        and line[-2].islower()
        and not read.text.startswith((":", "\t", " |"), read.words[place].end)
    )


def _in_cell(read: Reading, place: int, last: int) -> bool:
    """Tell whether words are all that stands in a line or a cell, or a relation in front."""
    if place and read.words[place - 1].folded in cues.RELATIONS and read.gap(place - 1) == " ":
        return True
    start, end = read.words[place].start, read.words[last].end
    before = read.text[max(start - 8, 0) : start].rstrip(" \"'*-•")
    after = read.text[end : end + 8].lstrip(" \"'")
    return before[-1:] in _EDGES and after[:1] in _EDGES


def inverted(read: Reading, place: int, last: int) -> int | None:
    """Return the last word of ``González, María``: a surname, a comma, a given name."""
    if last + 1 >= len(read.words) or last - place > 3 or not _may_lead(read, place, last):
        return None
    first = last + 1
    following, flags = read.words[first], read.flags[first]
    if not re.fullmatch(r",[ \t]?", read.gap(last)) or not following.capital:
        return None
    if len(following.folded) == 1:
        if not read.text.startswith(".", following.end):
            return None
        beyond = first + 1 if first + 1 < len(read.words) else None
        # "Malembe, S. Gcugcwa" are two persons.
        two = beyond and read.gap(first) == ". " and read.flags[beyond] & SURNAME
        return None if two else first
    if not flags and not read.flags[place] and last == place and _in_cell(read, place, first):
        # Kerepesi, Csenge: two words that nobody knows fill a line, and neither is a place.
        pair = (read.words[place], following)
        return first if all(map(_strange, pair)) else None
    doubtful = flags & COMMON and read.flags[place] & COMMON
    if not flags & GIVEN or (doubtful and not _in_cell(read, place, first)):
        return None
    return None if in_firm(read, place, last) else _turned(read, place, first)


def _strange(word: Word) -> bool:
    return len(word.folded) > 3 and not word.upper and not places.match([word.folded])[0]


def _may_lead(read: Reading, place: int, last: int) -> bool:
    """Tell whether words may be a surname that is put first."""
    if last > place and read.flags[place] & GIVEN:
        return False
    if not all(f & SURNAME or not f for f in read.flags[place : last + 1]):
        return False
    return bool(read.flags[place]) or _in_cell(read, place, last + 1)


def _turned(read: Reading, place: int, first: int) -> int | None:
    """Return the last of the given names after the comma; None for a list of persons."""
    last = extend(read, first)
    following = read.words[last + 1].folded if last + 1 < len(read.words) else ""
    if read.flags[place] & GIVEN and following in {"and", "und", "et", "y"}:
        return None  # "Anna, Bo and Chidi" are three
    # "Kowalski, Anna Nowak and …" is a list of persons, "Kowalski, Anna Maria" one.
    listed = read.flags[last] & SURNAME and not read.flags[last] & GIVEN
    return None if last > first and listed else last
