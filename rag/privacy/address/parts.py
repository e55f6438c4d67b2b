"""The parts of an address that need no list of places: numbers, units, runs of names."""

from __future__ import annotations

import re

from rag.privacy.address import places
from rag.privacy.address.tokens import (
    BREAK,
    CAPITAL,
    DIGITS,
    MIXED,
    NUMBER,
    ORDINAL,
    PUNCTUATION,
    SMALL,
    UNIT,
    UPPER,
    Tokens,
)
from rag.privacy.words import word_set

COMMA, NEWLINE, OTHER = 1, 2, 4
_MARKS = {",": COMMA, ";": COMMA, "،": COMMA, "、": COMMA, "\n": NEWLINE} | dict.fromkeys(
    "-–—/|·•", OTHER
)
_HOUSE = re.compile(
    r"(?:[^\W\d_]{1,3}-?)?\d{1,6}(?:[^\W\d_]{1,3})?(?:[\-/–](?:\d{1,5}[^\W\d_]{0,2}|[^\W\d_]{1,2})){0,3}"
)
_DATE = re.compile(
    r"\d{3}-\d{4}|\d{3}-\d{3}-?\d*|\d{1,3}-\d{3}-\d{3}-\d*|\d{2,4}-\d{2,4}-\d{2,4}-\d{2,4}|\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{1,2}[-/]\d{1,2}[-/]\d{4}"
)
_SIDES = word_set(
    "links rechts mitte left right rear front izq izda dcha esq dto izquierda derecha"
)
_ROMAN = re.compile(r"[ivx]{1,5}")
_SECTOR = re.compile(r"[a-i]-\d{1,2}(?:/\d)?")
_BLOCKS = re.compile(r"\d{1,2}-chome(?:-\d{1,3}){0,2}", re.IGNORECASE)
_OFFICES = word_set("365 2010 2013 2016 2019 2021 2024")
VALUE = re.compile(r"(?:[^\W\d_]{1,3}-)?[^\W_]{0,4}\d[\w\-/–]{0,8}")
_FLOOR = re.compile(r"\d{1,3}/?f(?:l|/o)?", re.IGNORECASE)
NUMBER_WORDS = word_set("no nr n nro num number numero nummer nº № # ° o")
_FLOORS = word_set(
    "floor flr fl level lvl etage stock og ug piso andar piano planta etg emelet stiege th tv "
    "mf tr trp izq izda dcha dto esq fte drt sal nadstropje kat krs esc esquerdo direito sc apt "
    "suite em fszt fsz ajto lph lh"
)
_FLOOR_WORDS = word_set(
    "ground first second third fourth fifth sixth seventh eighth ninth tenth top upper lower "
    "garden basement main front rear"
)
_ALONE = word_set("penthouse basement bajo fondos erdgeschoss s/n")
_SUFFIXES = word_set("bis ter quater a b c d e f")


def dot(t: Tokens, i: int) -> int:
    """Return the place after an abbreviation's dot at `i`, or `i`."""
    return i + 1 if t.word(i) == "." and t.glued(i) else i


def separators(t: Tokens, i: int) -> tuple[int, int]:
    """Return the next token after commas, dashes and at most two line breaks, and what stood."""
    marks = 0
    last = ""
    for place in range(i, min(i + 5, len(t))):
        word = t.word(place)
        mark = _MARKS.get(word, 0)
        if not mark or (word == "\n" and last == "\n"):
            return place, marks
        marks |= mark
        last = word
    return min(i + 5, len(t)), marks


def is_house(t: Tokens, i: int) -> bool:
    """Whether a token can be a house's number."""
    if not t.has(i, NUMBER):
        return False
    surface = t.surface(i)
    if _BLOCKS.fullmatch(surface):
        return True
    return bool(_HOUSE.fullmatch(surface)) and not _DATE.fullmatch(surface)


def house(t: Tokens, i: int) -> int:
    """Return the end of a house number that starts at a token: 12, 12B, 12-14, 25 A 12, 14 bis."""
    end = i + 1
    word = t.word(end)
    if word in _SUFFIXES and not t.has(end + 1, CAPITAL | SMALL | 0) and _closed(t, end + 1):
        return end + 2 if len(word) == 1 and t.has(end + 1, DIGITS) else end + 1
    if word in {"bis", "ter", "quater"}:
        return end + 1
    if word in {"-", "–", "/"} and is_house(t, end + 1) and len(t.word(end + 1)) < 5:
        return end + 2
    if t.has(end, MIXED) and t.word(end) in {"1/2", "1/4", "3/4"}:
        return end + 1
    return end


def _closed(t: Tokens, i: int) -> bool:
    return i >= len(t) or t.has(i, BREAK | PUNCTUATION | NUMBER | CAPITAL | UNIT)


def _value(t: Tokens, i: int) -> int:
    """Return the end of a unit's value ("4B", "A", "XII"), or 0."""
    word = t.word(i)
    if t.has(i, NUMBER) and VALUE.fullmatch(word):
        return house(t, i)
    if t.has(i, CAPITAL) and (len(word) == 1 or (t.has(i, UPPER) and len(word) < 4)):
        after = dot(t, i + 1)
        if after < len(t) and t.word(after) == "-" and t.has(after + 1, NUMBER):
            return after + 2
        return i + 1
    return 0


def unit(t: Tokens, i: int) -> int:
    """Return the end of a unit that starts at a token: "Apt. 4B", "#12", "3rd Floor"; or 0."""
    word = t.word(i)
    if word == "s" and t.word(i + 1) == "/" and t.word(i + 2) == "n":
        return i + 3
    if word == "st" and t.word(i + 1) == "." and t.word(i + 2) in {"th", "tv", "mf"}:
        return dot(t, i + 3)
    if word == "#":
        return _value(t, i + 1)
    if t.has(i, NUMBER):
        return _numbered_floor(t, i)
    if word in _FLOOR_WORDS and t.word(i + 1) in {"floor", "flr", "flat", "level", "unit"}:
        return i + 2
    if t.has(i, UNIT) and not (word == "office" and t.word(i + 1) in _OFFICES):
        return _named_unit(t, i)
    return _roman_floor(t, i)


def _roman_floor(t: Tokens, i: int) -> int:
    """Read "II. em. 3."."""
    if not (t.has(i, UPPER) and _ROMAN.fullmatch(t.word(i)) and t.word(i + 1) == "."):
        return 0
    if t.word(i + 2) not in {"em", "emelet", "p", "floor"}:
        return 0
    value = dot(t, i + 3)
    return dot(t, value + 1) if t.has(value, NUMBER) else value


def _numbered_floor(t: Tokens, i: int) -> int:
    """Read "8/F", "F-7/2", "3rd Floor", "2. OG links", "3º B"."""
    if _FLOOR.fullmatch(t.word(i)) or _SECTOR.fullmatch(t.word(i)):
        return i + 1
    after = dot(t, i + 1)
    dotted = after > i + 1
    if dotted and t.word(after) in {"o", "a", "º", "ª"}:
        after += 1
    counted = t.has(i, ORDINAL) or dotted or t.has(i + 1, CAPITAL)
    if t.word(after) in _FLOORS and (counted or t.word(after) in {"tr", "trp", "sal", "krs"}):
        return _side(t, dot(t, after + 1))
    if t.has(i, ORDINAL) and len(t.word(after)) == 1 and t.has(after, CAPITAL):
        return after + 1
    return 0


def _named_unit(t: Tokens, i: int) -> int:
    """Read "Apt. No. 4B", "кв. 8", "bajo izq."."""
    word = t.word(i)
    after = i + 1
    if word == "of" and not t.has(i, CAPITAL) and t.word(after) != ".":
        return 0
    for _ in range(4):
        if t.word(after) not in NUMBER_WORDS and t.word(after) not in {".", ":", "-"}:
            break
        after += 1
    end = _value(t, after)
    if end and (len(word) > 1 or t.has(after, NUMBER)):
        return end
    return _side(t, i + 1) if word in _ALONE else 0


def _side(t: Tokens, i: int) -> int:
    return dot(t, i + 1) if t.word(i) in _SIDES else i


def name(t: Tokens, i: int, most: int = 5) -> int:
    """Return the end of a run of capitalised words, with particles within; `i` for none."""
    end = place = i
    for _ in range(most):
        if t.capital(place) and not (place > i and t.has(place, UNIT) and unit(t, place)):
            place += 1
            if t.word(place) == "." and t.glued(place) and _shortened(t.word(place - 1)):
                if not t.capital(place + 1):
                    return place
                place += 1
            end = place
        elif t.has(place, SMALL) and place > i and _small_to_capital(t, place):
            place += 2 if t.word(place + 1) in {"'", "’"} else 1
        elif place > i and t.word(place) == "los" and t.word(place + 1) in {"altos", "bajos"}:
            place = end = place + 2
        else:
            break
    return end if t.word(end - 1) != "." else end - 1


def _shortened(word: str) -> bool:
    """Whether a dot behind a word may shorten it: "Blvd.", not the end of a sentence in Oslo."""
    return len(word) < 4 or (len(word) == 4 and not places.match([word])[0])


def _small_to_capital(t: Tokens, i: int) -> bool:
    for place in range(i + 1, i + 4):
        if t.capital(place):
            return True
        if not t.has(place, SMALL) and t.word(place) not in {"'", "’"}:
            return False
    return False
