"""The parts of an address, each read from where it starts: numbers, units, places, names."""

from __future__ import annotations

import re
from typing import NamedTuple

from rag.privacy.address import places
from rag.privacy.address.postcodes import LIKELY, MAYBE, SURE, postcode
from rag.privacy.address.tokens import (
    AFTER,
    BEFORE,
    BREAK,
    CAPITAL,
    DIGITS,
    DIRECTION,
    LOCAL,
    MIXED,
    NUMBER,
    ORDINAL,
    PUNCTUATION,
    SMALL,
    STOP,
    UNIT,
    UPPER,
    WEAK,
    Tokens,
)  # fmt: skip
from rag.privacy.lexicon import PROPER, flags_of, plain
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
_CITY_LEAD = word_set(
    "new north south east west lake port saint st san santa sao santo fort mount el la los las le great "
    "little upper lower bad gross klein nova novo villa puerto rio nueva nuevo porto vila grand"
)
_CITY_END = (
    "ville", "ton", "furt", "burgh", "bury", "town", "shire", "mouth", "borough", "stad", "berg",
    "side", "land", "port", "ford", "ham", "field", "dorf", "hausen", "burg", "heim", "chester",
    "haven", "view", "fort", "stadt", "vik", "by", "grad", "ovo", "abad", "pur", "nagar", "pura",
)  # fmt: skip
_DOUBLE = word_set(
    "reading nice bath mobile deal ware sandwich rugby wells hull battle bury ash leek diss eye "
    "street split essen bar male tours orange bend man best"
)
_SIDES = word_set(
    "links rechts mitte left right rear front izq izda dcha esq dto izquierda derecha"
)
_ROMAN = re.compile(r"[ivx]{1,5}")
_SECTOR = re.compile(r"[a-i]-\d{1,2}(?:/\d)?")
_BLOCKS = re.compile(r"\d{1,2}-chome(?:-\d{1,3}){0,2}", re.IGNORECASE)
_OFFICES = word_set("365 2010 2013 2016 2019 2021 2024")
_DIVISIONS = word_set("state county province region district city governorate oblast prefecture")
_CODE_WORDS = word_set("tk τκ cp pin pincode zip zipcode cep plz postcode postal cap pc eircode")
_VALUE = re.compile(r"(?:[^\W\d_]{1,3}-)?[^\W_]{0,4}\d[\w\-/–]{0,8}")
_FLOOR = re.compile(r"\d{1,3}/?f(?:l|/o)?", re.IGNORECASE)
_NUMBER_WORDS = word_set("no nr n nro num number numero nummer nº № # ° o")
_FLOORS = word_set(
    "floor flr fl level lvl etage stock og ug piso andar piano planta etg emelet stiege th tv mf tr trp izq izda dcha dto esq fte drt "
    "sal nadstropje kat krs esc esquerdo direito dcha izda sc apt suite"
)
_FLOOR_WORDS = word_set(
    "ground first second third fourth fifth sixth seventh eighth ninth tenth top upper lower "
    "garden basement main front rear"
)
_ALONE = word_set("penthouse basement bajo fondos erdgeschoss s/n")
_SUFFIXES = word_set("bis ter quater a b c d e f")
_AFTER_NAME = word_set(
    "rayonu ray qəs qəsəbəsi səhəri səh kəndi kənd mahallesi mahalle mah ilcesi область обл район "
    "р-н край county district gmina powiat megye kotet"
)


class Item(NamedTuple):
    """A part of an address: what it is, where it ends (a token), how sure it is (1 to 3)."""

    kind: str
    end: int
    sure: int


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
    if t.has(i, NUMBER) and _VALUE.fullmatch(word):
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
    if word == "#":
        return _value(t, i + 1)
    if (
        t.has(i, UPPER)
        and _ROMAN.fullmatch(word)
        and t.word(i + 1) == "."
        and (t.word(i + 2) in {"em", "emelet", "p", "floor"})
    ):
        value = dot(t, i + 3)
        return dot(t, value + 1) if t.has(value, NUMBER) else value
    if t.has(i, NUMBER):
        if _FLOOR.fullmatch(word):
            return i + 1
        if _SECTOR.fullmatch(word):
            return i + 1
        after = dot(t, i + 1)
        if after > i + 1 and t.word(after) in {"o", "a", "º", "ª"}:
            after += 1
        if (
            t.has(i, ORDINAL)
            or after > i + 1
            or t.has(i + 1, CAPITAL)
            or t.word(after) in {"tr", "trp", "sal", "krs"}
        ) and t.word(after) in _FLOORS:
            return _side(t, dot(t, after + 1))
        if t.has(i, ORDINAL) and len(t.word(after)) == 1 and t.has(after, CAPITAL):
            return after + 1
        return 0
    if word in _FLOOR_WORDS and t.word(i + 1) in {"floor", "flr", "flat", "level", "unit"}:
        return i + 2
    if not t.has(i, UNIT) or (word == "office" and t.word(i + 1) in _OFFICES):
        return 0
    after = i + 1
    for _ in range(4):
        if (
            t.word(after) in _NUMBER_WORDS
            or (t.word(after) in {".", ":", "-"} and after > i)
            or (word in {"h", "d"} and t.word(after) == "no")
        ):
            after += 1
        else:
            break
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
            if t.word(place) == "." and t.glued(place) and len(t.word(place - 1)) < 5:
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


def _small_to_capital(t: Tokens, i: int) -> bool:
    for place in range(i + 1, i + 4):
        if t.capital(place):
            return True
        if not t.has(place, SMALL) and t.word(place) not in {"'", "’"}:
            return False
    return False


def place(t: Tokens, i: int) -> Item | None:
    """Return the gazetteer's longest place from a token on: country, region, county or city."""
    words: list[str] = []
    ends: list[int] = []
    j = i
    while len(words) < places.LONGEST and j < len(t):
        if t.has(j, BREAK) or (t.has(j, PUNCTUATION) and t.word(j) not in {".", "&"}):
            break
        if t.word(j) == ".":
            if not (t.glued(j) and words and len(words[-1]) < 4):
                break
            ends[-1] = j + 1
        elif t.word(j) == "&":
            words.append("and")
            ends.append(j + 1)
        else:
            parts = t.word(j).split("-")
            words += parts
            ends += [j + 1] * len(parts)
        j += 1
    count, bits = places.match(words)
    if not count or (count < len(ends) and ends[count] == ends[count - 1]):
        return None
    end = ends[count - 1]
    if t.word(end - 1) == "." and not (bits & places.COUNTRY and count > 1):
        end -= 1
    if not _capital(t, i, end):
        return None
    kind = "country" if bits & places.COUNTRY else "region" if bits & places.REGION else "city"
    if kind == "country" and len("".join(words[:count])) == 2 and not t.has(i, UPPER | CAPITAL):
        return None
    return Item(kind, end, 1 if count == 1 and _ordinary(t, i) else 2)


def _capital(t: Tokens, i: int, end: int) -> bool:
    if t.has(i, STOP) and end - i < 2:
        return False
    if t.has(i, CAPITAL) or t.loose:
        return True
    # In lower case only what is no ordinary word: "london", never "reading".
    return (
        len(t.word(i)) > 3
        and not t.has(i, UNIT | LOCAL | SMALL | AFTER)
        and not flags_of(t.word(i))
    )


def _ordinary(t: Tokens, i: int) -> bool:
    flags = flags_of(t.word(i))
    if t.word(i) in _DOUBLE or t.has(i, DIRECTION | SMALL | UNIT | WEAK):
        return True
    return plain(flags) and not flags & PROPER


def local(t: Tokens, i: int) -> int:
    """Return the end of a district, village or county named by a word for it, or 0."""
    if len(t.word(i)) == 1 and t.has(i, CAPITAL) and t.surface(i).isascii():
        return 0  # "P. Miller" is nobody's village
    if not t.has(i, LOCAL) or not (t.has(i, CAPITAL) or t.word(i + 1) == "." or len(t.word(i)) > 3):
        end = name(t, i, 3)
        if end > i and t.has(end, LOCAL) and t.word(end) in _AFTER_NAME:
            return dot(t, end + 1)
        return 0
    after = dot(t, i + 1)
    if t.word(after) in _NUMBER_WORDS:
        after = dot(t, after + 1)
    if t.has(after, NUMBER) and _VALUE.fullmatch(t.word(after)):
        return after + 1
    while t.has(after, SMALL) and not t.has(after, CAPITAL) and after < i + 4:
        after += 1
    end = name(t, after, 7)
    return end if end > after else 0


def _before_country(t: Tokens, i: int, end: int) -> int:
    """Cut a run of names before a country in it: "Colehaven Canada"."""
    for j in range(i + 1, end):
        found = place(t, j)
        if found and found.kind == "country":
            return j
    return end


def _numbered_street(t: Tokens, i: int) -> int:
    """Return the end of "Street 13", "Main 5": streets that have numbers for names; or 0."""
    if not (t.has(i, AFTER | BEFORE) and t.has(i, CAPITAL)) or len(t.word(i)) < 3:
        return 0
    after = i + 1
    if t.word(after) in _NUMBER_WORDS:
        after = dot(t, after + 1)
    return after + 1 if t.has(after, NUMBER) and len(t.word(after)) < 5 else 0


def code(t: Tokens, i: int) -> int:
    """Return how sure a token is a region's code: 2 a known one, 1 letters like one, 0 none."""
    if not t.has(i, UPPER) or len(t.word(i)) > 5:
        return 0
    if places.region_code(t.surface(i)):
        return 2
    return 1 if len(t.word(i)) < 4 and not t.has(i, STOP) else 0


def _code_word(t: Tokens, i: int) -> int:
    """Return the token after a word for postcodes ("PIN:", "C.P.", "TK"), or `i`."""
    after = i
    if t.word(i) in _CODE_WORDS:
        after = i + 1
    elif t.word(i) == "c" and t.word(i + 1) == "." and t.word(i + 2) == "p":
        after = i + 3
    else:
        return i
    for _ in range(3):
        if t.word(after) in {".", ":", "-", "code", "codigo"}:
            after += 1
    return after if t.has(after, DIGITS) else i


def item(t: Tokens, i: int) -> Item | None:
    """Return the part of an address that starts at a token, or None."""
    if i >= len(t) or (t.has(i, PUNCTUATION) and t.word(i) not in {"#", "〒"}):
        return None
    first = _code_word(t, i)
    coded = t.has(i, CAPITAL) and postcode(t.text, t.starts[i])[1] >= LIKELY
    end = 0 if coded else unit(t, i)
    if end:
        return Item("unit", end, 2)
    stop, strength = postcode(t.text, t.starts[first]) if first < len(t) else (0, 0)
    if stop:
        end = first + 1
        while end < len(t) and t.starts[end] < stop:
            end += 1
        return Item("post", end, strength)
    found = place(t, i)
    if found and found.kind == "country":
        return found
    if t.has(i, UPPER) and code(t, i):
        return Item("code", i + 1, code(t, i))
    end = local(t, i) or _numbered_street(t, i)
    if end:
        return Item("local", end, 2)
    end = _before_country(t, i, name(t, i))
    if found:
        if t.word(found.end) in _DIVISIONS and t.has(found.end, CAPITAL):
            return Item("region", found.end + 1, 2)
        if end > found.end and found.kind in {"city", "region"} and found.end - i == 1:
            beyond = place(t, found.end)
            if (beyond is None or not t.capital(found.end)) and not t.has(found.end, UNIT | LOCAL):
                return Item("city", end, 1)
        if found.kind == "city" and _district(t, found.end):
            return Item("city", found.end + 1, found.sure)
        return found
    if end == i:
        return None
    if t.has(end - 1, AFTER | WEAK) and end - i > 1:
        return Item("street", end, 1)
    kind = "town" if _town(t, i, end) else "name"
    return Item(kind, end + 1 if _district(t, end) else end, 1)


def _district(t: Tokens, i: int) -> bool:
    """Whether a number names a part of the city in front: "Praha 1", "Dublin 7"."""
    return t.has(i, DIGITS) and len(t.word(i)) < 3 and t.word(i + 1) in {",", "\n", "", ".", "-"}


def _town(t: Tokens, i: int, end: int) -> bool:
    """Whether unknown names are those of a town: "Port Michael", "Deanchester"."""
    last = t.word(end - 1)
    if end - i > 3 or not t.has(i, CAPITAL):
        return False
    if end - i > 1 and t.word(i) in _CITY_LEAD:
        return True
    return len(last) > 6 and last.endswith(_CITY_END) and not flags_of(last)


__all__ = ["COMMA", "LIKELY", "MAYBE", "NEWLINE", "OTHER", "SURE", "Item", "code", "dot", "house"]
