"""What can stand in an address: places, postcodes, codes, districts, and the parts by which."""

from __future__ import annotations

from typing import NamedTuple, cast

from rag.privacy.address import places
from rag.privacy.address.parts import NUMBER_WORDS, VALUE, dot, name, unit
from rag.privacy.address.postcodes import LIKELY, postcode
from rag.privacy.address.tokens import (
    AFTER,
    BEFORE,
    BREAK,
    CAPITAL,
    DIGITS,
    DIRECTION,
    LOCAL,
    NUMBER,
    PUNCTUATION,
    SMALL,
    STOP,
    UNIT,
    UPPER,
    WEAK,
    Tokens,
)
from rag.privacy.names.lexicon import PROPER, flags_of, plain
from rag.privacy.words import word_set

_CITY_LEAD = word_set(
    "new north south east west lake port saint st san santa sao santo fort mount el la los las "
    "le great little upper lower bad gross klein nova novo villa puerto rio nueva nuevo porto "
    "vila grand"
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
_DIVISIONS = word_set("state county province region district city governorate oblast prefecture")
_CODE_WORDS = word_set("tk τκ cp pin pincode zip zipcode cep plz postcode postal cap pc eircode")
_AFTER_NAME = word_set(
    "rayonu ray qəs qəsəbəsi səhəri səh kəndi kənd mahallesi mahalle mah ilcesi область обл "
    "район р-н край county district gmina powiat megye kotet"
)


class Item(NamedTuple):
    """A part of an address: what it is, where it ends (a token), how sure it is (1 to 3)."""

    kind: str
    end: int
    sure: int


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
    if t.word(after) in NUMBER_WORDS:
        after = dot(t, after + 1)
    if t.has(after, NUMBER) and VALUE.fullmatch(t.word(after)):
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
    if t.word(after) in NUMBER_WORDS:
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
    known = t.read.get(i, t)
    if known is t:
        known = t.read[i] = _read(t, i)
    return cast("Item | None", known)


def _read(t: Tokens, i: int) -> Item | None:
    if i >= len(t) or (t.has(i, PUNCTUATION) and t.word(i) not in {"#", "〒"}):
        return None
    coded = t.has(i, CAPITAL) and postcode(t.text, t.starts[i])[1] >= LIKELY
    end = 0 if coded else unit(t, i)
    if end:
        return Item("unit", end, 2)
    found = _postcode(t, _code_word(t, i)) or place(t, i)
    if found and found.kind in {"post", "country"}:
        return found
    if t.has(i, UPPER) and code(t, i):
        return Item("code", i + 1, code(t, i))
    end = local(t, i) or _numbered_street(t, i)
    if end:
        return Item("local", end, 2)
    end = _before_country(t, i, name(t, i))
    return _widened(t, i, found, end) if found else _named(t, i, end)


def _postcode(t: Tokens, i: int) -> Item | None:
    stop, strength = postcode(t.text, t.starts[i]) if i < len(t) else (0, 0)
    if not stop:
        return None
    end = i + 1
    while end < len(t) and t.starts[end] < stop:
        end += 1
    return Item("post", end, strength)


def _widened(t: Tokens, i: int, found: Item, end: int) -> Item:
    """Return a city or region with the words that go on with its name, up to `end`."""
    if t.word(found.end) in _DIVISIONS and t.has(found.end, CAPITAL):
        return Item("region", found.end + 1, 2)
    longer = end > found.end and found.end - i == 1 and not t.has(found.end, UNIT | LOCAL)
    if longer and (place(t, found.end) is None or not t.capital(found.end)):
        return Item("city", end, 1)
    if found.kind == "city" and _district(t, found.end):
        return Item("city", found.end + 1, found.sure)
    return found


def _named(t: Tokens, i: int, end: int) -> Item | None:
    """Return what a run of unlisted names can be: a street, a town, any name."""
    if end == i:
        return None
    if t.has(end - 1, AFTER | WEAK) and end - i > 1:
        return Item("street", end, 1)
    kind = "town" if _town(t, i, end) else "name"
    return Item(kind, end + 1 if _district(t, end) else end, 1)


def _district(t: Tokens, i: int) -> bool:
    """Whether a number names a part of the city in front: "Praha 1", "Dublin 7"."""
    short = t.has(i, DIGITS) and len(t.word(i)) < 3
    letter = t.has(i, CAPITAL) and len(t.word(i)) == 1  # København N
    return (short or letter) and t.word(i + 1) in {",", "\n", "", ".", "-"}


def _town(t: Tokens, i: int, end: int) -> bool:
    """Whether unknown names are those of a town: "Port Michael", "Deanchester"."""
    last = t.word(end - 1)
    if end - i > 3 or not t.has(i, CAPITAL):
        return False
    if end - i > 1 and t.word(i) in _CITY_LEAD:
        return True
    return len(last) > 6 and last.endswith(_CITY_END) and not flags_of(last)
