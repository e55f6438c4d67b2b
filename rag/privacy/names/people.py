"""Persons in one document: which of the model's names to believe."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.privacy.names import cues
from rag.privacy.names.lexicon import COMMON, GIVEN, ORDINARY, PROPER, RARE, SURNAME, plain, sure
from rag.privacy.names.neighbours import (
    STRONG,
    WEAK,
    acronym,
    dated,
    evidence,
    follows,
    is_body,
    of_thing,
)
from rag.privacy.names.reading import Reading, reading
from rag.privacy.names.recognizer import end_of
from rag.privacy.names.sightings import everywhere
from rag.privacy.pseudonym import PARTICLES, TITLES
from rag.privacy.words import word_set
from rag.records import Finding

if TYPE_CHECKING:
    from rag.privacy.tagging.ner import Entity

__all__ = ["believable", "everywhere"]

_SURE = 0.6  # of 1, see `rag.privacy.tagging.ner.Entity.score`
_OPENING = word_set(
    """
    the a an and but or so if as at by for from in of on to with then when where while what who why
    how is are was were has have had do does did will would can could should may might must
    this that these those my your his her our their its i we you he she it they not no yes please
    also only now here there again because before after since until though although yet still
    """
)
_LOCATING = word_set("in of near at into across throughout within")
_BREAK = re.compile(r"\n\s*\n|\||[:;]|\t|\n|\d+|[\"“”()\[\]<>/]|\s[-–—]\s| {3,}")
_BESIDE = re.compile(r"(?<![^\W\d_])[a-z]\w*,? \Z")
_FOLLOWS = re.compile(r"(?:['’]s)?,? [a-z]")
_NAMELIKE = re.compile(
    r"[^\W\d_]|[^\W\d_a-z][^\W\d_A-Z]*|[^\W\d_a-z]{5,}"
    r"|(?:[^\W\d_a-z]['’ʼ]|Ma?c|D[aei]|L[aei]|V[ao]n|Del|Fitz|Ben)[^\W\d_a-z][^\W\d_A-Z]*"
)


def believable(text: str, persons: Sequence[Entity], masked: bool) -> list[Finding]:
    """Turn the model's persons into findings, without what is no name.

    What the model is `_SURE` of stands as it is: names that no list knows are most of what it
    adds (on held-out names three in a hundred persons), less ordinary words in front. Of the rest
    titles and ordinary words at the edges are taken off; acronyms, product names written
    ``LikeThis``, and places and firms named after somebody are no persons. In a text that holds
    masks already, the model reads odd company and a listed name must confirm it, so that masking
    twice changes nothing.
    """
    if not persons:
        return []
    read = reading(text)
    found = []
    doubtful = []
    for one in persons:
        start, end = _without_ordinary(read, one)
        if one.score >= _SURE and not masked and start < end:
            found.append(Finding(start, end, "PERSON", one.score, "Ner"))
        else:
            doubtful.append((one.start, one.end))
    for first, last in doubtful:
        for start, end in _pieces(read, first, last):
            inside = _trimmed(read, read.within(start, end))
            if not inside or not _person(read, inside, masked):
                continue
            score = 0.85 if any(sure(read.flags[i]) for i in inside) else 0.6
            begin = read.words[inside[0]].start
            found.append(Finding(begin, end_of(read, inside[-1]), "PERSON", score, "Ner"))
    return found


def _without_ordinary(read: Reading, one: Entity) -> tuple[int, int]:
    """Take an ordinary first word off (Then | GONZALES); nothing is left of a word like bedrock."""
    places = read.within(one.start, one.end)
    first = read.words[places[0]].folded if places else ""
    if len(places) > 1 and (
        dated(read, places[0])
        or ((read.flags[places[0]] == COMMON or first in _OPENING) and _begins(read, places[0]))
    ):
        return read.words[places[1]].start, one.end
    if len(places) == 1 and _nobody(read, places[0]):
        return one.start, one.start
    if len(places) > 1 and is_body(read, places[0], places[-1]):
        return one.start, one.start
    if not any(read.words[place].capital for place in places):
        flags = [read.flags[place] for place in places]
        strange = not read.loose and not any(f & (GIVEN | SURNAME) for f in flags)
        if strange or all(f & (COMMON | ORDINARY) for f in flags):
            return one.start, one.start
    return one.start, one.end


def _begins(read: Reading, place: int) -> bool:
    """Tell whether a capital may be a sentence's: within one, Are and Can are names."""
    if not place or read.gap(place - 1) != " " or read.words[place].upper:
        return True
    return read.words[place - 1].capital


def _nobody(read: Reading, place: int) -> bool:
    """Tell whether a lone word is no person, however sure the model is of it."""
    flags, word = read.flags[place], read.words[place]
    if plain(flags) or word.folded == "he" or dated(read, place):
        return True
    if acronym(read, place) or (flags & PROPER and follows(read, place, _LOCATING)):
        return evidence(read, place, place) < STRONG
    return False


def _person(read: Reading, inside: range, masked: bool) -> bool:
    flags = [read.flags[place] for place in inside]
    listed = any(map(sure, flags))
    if not listed and (masked or _acronyms(read, inside)):
        return False
    if not any(_tells(read, place) for place in inside):
        return False
    if of_thing(read, inside[0], inside[-1]) and not _titled(read, inside[0]):
        return False
    if len(inside) > 1:
        return True
    if flags[0] & COMMON:
        return _ordinary_name(read, inside[0])
    return len(read.words[inside[0]].folded) > 1 and (listed or _in_sentence(read, inside[0]))


def _ordinary_name(read: Reading, place: int) -> bool:
    """Tell whether an ordinary word that the model calls a person may be one."""
    flags = read.flags[place]
    if len(read.words[place].folded) < 3 or not flags & (GIVEN | SURNAME):
        return False
    after = read.words[place + 1] if place + 1 < len(read.words) else None
    if after and read.gap(place) == " " and after.folded in cues.AFTER and flags & GIVEN:
        return True
    return evidence(read, place, place) >= (STRONG if flags & (PROPER | RARE) else WEAK)


def _titled(read: Reading, first: int) -> bool:
    return first > 0 and read.words[first - 1].folded in cues.TITLED


def _trimmed(read: Reading, inside: range) -> range:
    """Take titles, particles and ordinary words off the edges."""
    first, last = inside.start, inside.stop - 1
    while first <= last and _no_name(read, first):
        first += 1
    while last >= first and _no_name(read, last):
        # Mary Wheatstone: the last word is in a dictionary, and hers all the same.
        before = read.flags[last - 1] if last > first else 0
        if read.words[last].capital and before & GIVEN and sure(before):
            break
        last -= 1
    return range(first, last + 1)


def _pieces(read: Reading, start: int, end: int) -> list[tuple[int, int]]:
    pieces = []
    for match in _BREAK.finditer(read.text, start, end):
        if match.start() > start:
            pieces.append((start, match.start()))
        start = match.end()
    if start < end:
        pieces.append((start, end))
    whole = [part for piece in pieces for part in _listed(read, *piece)]
    return [part for piece in whole for part in _unbroken(read, *piece)]


def _unbroken(read: Reading, start: int, end: int) -> list[tuple[int, int]]:
    """Part at words that stand in no name: Annegret Schäfer | und Kollegen."""
    parts = []
    for place in read.within(start, end):
        word = read.words[place]
        joined = word.capital or word.folded in PARTICLES or read.text[word.start - 1] in "-‐‑"
        if not joined and not (read.loose and not plain(read.flags[place])):
            parts.append((start, word.start))
            start = word.end
    return [*parts, (start, end)]


def _listed(read: Reading, start: int, end: int) -> list[tuple[int, int]]:
    """Part ``Jenkins, P.O. Box`` at the comma, and leave ``González, María`` whole."""
    parts = []
    for match in re.finditer(",", read.text[start:end]):
        comma = start + match.start()
        left, right = read.within(start, comma), read.within(comma, end)
        inverted = (
            len(left) == 1
            and 1 <= len(right) <= 3
            and (read.flags[right[0]] & GIVEN or len(read.words[right[0]].folded) == 1)
        )
        if not inverted:
            parts.append((start, comma))
            start = comma + 1
    return [*parts, (start, end)]


def _no_name(read: Reading, place: int) -> bool:
    word = read.words[place]
    if word.folded in PARTICLES or (word.folded in TITLES and not read.flags[place] & GIVEN):
        return True
    if not word.capital:
        return not read.loose or plain(read.flags[place])
    return plain(read.flags[place])


def _tells(read: Reading, place: int) -> bool:
    """Whether a word speaks for a name: listed as one, or unknown; an initial does not."""
    return len(read.words[place].folded) > 1 and not plain(read.flags[place])


def _in_sentence(read: Reading, place: int) -> bool:
    """Tell whether a lower-case word stands beside it; a lone word in a cell says nothing."""
    word = read.words[place]
    around = _BESIDE.search(read.text, max(word.start - 30, 0), word.start)
    return around is not None or _FOLLOWS.match(read.text, word.end) is not None


def _acronyms(read: Reading, inside: range) -> bool:
    """Tell whether a word is written as no name is: HbA1c, OpenSearch, LDL."""
    return any(
        not _NAMELIKE.fullmatch(read.text, read.words[i].start, read.words[i].end) for i in inside
    )
