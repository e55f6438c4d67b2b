"""What an address begins with: a number beside a street, by the order of the two."""

from __future__ import annotations

from typing import NamedTuple

from rag.privacy.address.parts import dot, house, is_house, name, unit
from rag.privacy.address.tokens import (
    AFTER,
    BEFORE,
    BREAK,
    CAPITAL,
    DIGITS,
    DIRECTION,
    ENDING,
    KIND,
    LOCAL,
    NUMBER,
    ORDINAL,
    ORG,
    PUNCTUATION,
    SMALL,
    SOFT,
    STOP,
    UNIT,
    WEAK,
    Tokens,
)
from rag.privacy.names.lexicon import flags_of, plain
from rag.privacy.words import word_set

_NUMBER_WORDS = word_set("no nr n num numero number nummer nº № дом д b bud house")
_BETWEEN = word_set(
    "no nr n nro num numero nummer number № # ° º o haus b bud d дом буд д br bb . , :"
)
_NUMBERED = word_set(
    "highway hwy route rte road rd fm freeway interstate autopista ruta carretera street"
)
VAGUE_BEFORE = word_set(
    "via place route rte square passage al str area put tv pr r m c cr cl ch os pl po pc lt ap "
    "or estacao villa urb sector lg sh per long so rr gg tr parque colonia conjunto setor "
    "residence residencial campo lago rio loc frazione localita general cite distrito mtaa thon"
)
VAGUE_AFTER = word_set(
    "drive court place way circle square close ring row loop st para sor put pass cl cr cd sk "
    "dr ct pl sq ter lu pali path tee koz nong veg tie kade trail plaza bazaar parade"
)
_BARE = word_set(
    "broadway strand kurfurstendamm ku'damm esplanade embarcadero bowery highway piccadilly"
)
_LEADS = (
    ("am",), ("an", "der"), ("an", "den"), ("auf", "dem"), ("auf", "der"), ("auf", "den"),
    ("im",), ("in", "der"), ("in", "den"), ("unter", "den"), ("zum",), ("zur",), ("vor", "dem"),
    ("hinter", "der"), ("bei", "der"), ("beim",),
)  # fmt: skip
DAYS = word_set(
    "march may april june july august january february september october november december mai "
    "juni juli januar februar oktober dezember montag dienstag mittwoch donnerstag freitag "
    "samstag"
)
BEFORE_PLACES = word_set("at to from of near on into outside in by opposite behind")
_ARTICLES = word_set("the la le el les los las de del die der das")


class Head(NamedTuple):
    """Tokens that begin an address, and whether they are one by themselves.

    Attributes:
        wide: A city and a postcode may stand in front.
        bare: Another unit behind it makes it no address ("Room 5, Building 2").
        cue: "lives at" in front makes it one.
    """

    start: int
    end: int
    sure: bool
    wide: bool = False
    bare: bool = False
    cue: bool = True


def street_after(t: Tokens, n: int) -> Head | None:
    """A number, words, a street's kind: "12B North Main Street", "1 The Close"."""
    start = house(t, n)
    comma = t.word(start) == ","
    if comma or (t.word(start) == "\n" and _lone(t, n)):
        start += 1
    start = unit(t, start) or start
    if comma and not t.has(start, CAPITAL | NUMBER) and not t.loose:
        return None
    kind, lowered = _last_kind(t, start)
    if not kind:
        bare = t.word(start) in _BARE and t.has(start, CAPITAL)
        return Head(n, start + 1, True) if bare else None
    end = after_kind(t, kind)
    if (
        spoils(t, end)
        or all(t.word(i) in DAYS or t.word(i) == "way" for i in range(start, kind - 1))
        or (lowered and not t.has(kind - 1, AFTER))
    ):
        return Head(n, end, False)
    sure = t.has(kind - 1, AFTER) or (not t.loose and _weak_street(t, n, start, kind, end))
    return Head(n, end, sure)


def _last_kind(t: Tokens, start: int) -> tuple[int, int]:
    """Return the end of the last street's kind in a run of names, and how many are lower case."""
    kind = names = lower = lowered = 0
    for place in range(start, min(start + 8, len(t))):
        bits = t.bits[place]
        if bits & (AFTER | WEAK) and names and (bits & CAPITAL or _lower_kind(t, place)):
            kind, lowered = place + 1, lower
        elif place == start and bits & AFTER and not bits & CAPITAL:
            break
        step = _step(t, place, start)
        if step < 0 or lower > 2:
            break
        names += step > 0
        lower += step > 1
    return kind, lowered


def _step(t: Tokens, place: int, start: int) -> int:
    """Return what a token is to a street's name: -1 its end, 0 nothing, 1 a part, 2 lower case."""
    bits = t.bits[place]
    if t.word(place) == ".":
        return 0 if t.glued(place) and len(t.word(place - 1)) < 6 else -1
    if t.capital(place) or bits & ORDINAL or (bits & DIGITS and place == start):
        return 1
    if bits & SMALL and not bits & CAPITAL and (place > start or t.word(place) in _ARTICLES):
        return int(place == start)
    if bits & CAPITAL and bits & SMALL:
        return 1
    return -1 if bits & (STOP | NUMBER | PUNCTUATION | BREAK) else 2


def _weak_street(t: Tokens, n: int, start: int, kind: int, end: int) -> bool:
    """Whether a number and words with a vague kind ("846 Colin Fall") are a street alone."""
    if t.has(end, CAPITAL) and not t.has(end, STOP) and not t.has(end, UNIT | DIRECTION):
        return False
    if all(plain(flags_of(t.word(i))) for i in range(start, kind - 1)):
        return t.word(n - 1) == "at" or (t.word(n - 1) in BEFORE_PLACES and len(t.word(n)) > 2)
    return (
        t.word(n - 1) in BEFORE_PLACES
        or len(t.word(n)) > 2
        or end >= len(t)
        or t.has(end, BREAK | PUNCTUATION)
    )


def _lone(t: Tokens, n: int) -> bool:
    """Whether a house number has a line of its own."""
    return (
        n == 0
        or t.has(n - 1, BREAK)
        or t.word(n - 1) in BEFORE_PLACES | {":", ",", "na", "au", "op", "przy", "im", '"'}
        or t.has(n - 1, UNIT)
    )


def _lower_kind(t: Tokens, i: int) -> bool:
    return t.has(i, AFTER | WEAK if t.loose else AFTER) and len(t.word(i)) > 1


def after_kind(t: Tokens, end: int) -> int:
    """Take along a dot, a direction, an extension, a highway's number."""
    number = t.word(end - 1) in _NUMBERED
    if t.word(end) == "." and t.glued(end) and len(t.word(end - 1)) < 5:
        if t.has(end + 1, DIRECTION | UNIT | DIGITS | PUNCTUATION):
            end += 1
        elif end + 1 < len(t) and not t.has(end + 1, BREAK):
            end += 0
    while t.has(end, DIRECTION) and (t.has(end, CAPITAL)) and not t.has(end, STOP):
        if len(t.word(end)) < 3 or _closes(t, end + 1):
            end += 1
            if t.word(end) == "." and t.glued(end) and t.has(end + 1, CAPITAL | UNIT | PUNCTUATION):
                end += 1
        else:
            break
    if t.word(end) in {"extension", "ext", "extn"} and t.has(end, CAPITAL):
        end += 1
    if number and t.has(end, DIGITS) and len(t.word(end)) < 5:
        end += 1
    return end


def _closes(t: Tokens, i: int) -> bool:
    return i >= len(t) or t.has(i, BREAK | PUNCTUATION | UNIT | DIGITS)


def spoils(t: Tokens, i: int) -> bool:
    """Whether what follows makes a company or an event of a street ("Times Square Capital")."""
    return t.has(i, ORG) and not t.has(i, STOP)


def kind_after_number(t: Tokens, n: int) -> Head | None:
    """A number, a street's kind, a name: "14 bis, rue de la République", "12 Via Roma"."""
    start = house(t, n)
    if t.word(start) == ",":
        start += 1
    start = unit(t, start) or start
    if not t.has(start, BEFORE) or t.has(start, STOP) or t.glued(start):
        return None
    first = dot(t, start + 1)
    while t.has(first, SMALL) and not t.has(first, CAPITAL) and first < start + 5:
        first += 1
    end = name(t, first, 7)
    if end == first:
        return None
    if t.has(end, DIGITS) and len(t.word(end)) < 5 and name(t, end + 1, 1) > end + 1:
        end = name(t, end + 1, 2)  # rue du 8 Mai 1945
    if t.has(end, DIGITS) and t.word(end).startswith(("18", "19")) and len(t.word(end)) == 4:
        end += 1
    sure = not (
        t.word(start) in VAGUE_BEFORE and (not t.has(start, CAPITAL) or len(t.word(start)) < 3)
    )
    sure = sure and t.word(start) != "park"
    return Head(n, end, sure and not spoils(t, end))


def kind_before_name(t: Tokens, n: int) -> Head | None:
    """A street's kind, a name, a number: "Calle de Alcalá, 45", "Jl. Thamrin No. 1"."""
    place = before_number(t, n)
    best = -1
    names = 0
    for i in range(place, max(place - 9, -1), -1):
        bits = t.bits[i]
        if bits & BEFORE and names and not bits & STOP and kind_shape(t, i):
            best = i
        if t.word(i) == "/" or (t.word(i) == "." and t.glued(i) and _short(t, i - 1)):
            continue
        if (bits & CAPITAL and not bits & STOP) or bits & (ORDINAL | NUMBER):
            names += 1
        elif i == place and not bits & (STOP | SMALL | BREAK | PUNCTUATION | KIND):
            names += 1  # náměstí svobody 5, ul. pałacowa 9
        elif t.word(i) == "," and i == place:
            continue
        elif not bits & (SMALL | BEFORE):
            break
    if best < 0:
        return None
    end = house(t, n)
    if t.has(n, DIGITS) and 3 < len(t.word(n)) < 6 and t.capital(n + 1) and not t.has(n + 1, UNIT):
        end = place + 1  # rue de Tinguely, 5886 Crevoisier
    elif t.has(n, DIGITS) and len(t.word(n)) > 5:
        return None
    elif (t.has(end, DIGITS) and len(t.word(end)) < 4 and _closes(t, end + 1)) or (
        t.has(end, DIRECTION) and t.has(end, CAPITAL)
    ):
        end += 1
    vague = t.word(best) in VAGUE_BEFORE and not (
        (t.has(best, CAPITAL) and len(t.word(best)) > 2) or t.word(best + 1) == "."
    )
    return Head(best, end, not vague, wide=True)


def _short(t: Tokens, i: int) -> bool:
    return len(t.word(i)) < 5 or t.has(i, BEFORE | UNIT | LOCAL)


def kind_shape(t: Tokens, i: int) -> bool:
    return len(t.word(i)) > 1 or t.word(i + 1) in {".", "/"}


def before_number(t: Tokens, n: int) -> int:
    """Return the last token before a number and the words "No.", "#" that lead to it."""
    place = n - 1
    while (
        place >= 0
        and n - place < 6
        and t.word(place) in _BETWEEN
        and not (t.word(place) in {".", "d", "o", "n", "b", ":"} and not _abbreviates(t, place))
    ):
        place -= 1
    if t.word(place) == "\n" and n - place > 1 and t.has(place - 1, CAPITAL | DIGITS):
        place -= 1
    return place


def _abbreviates(t: Tokens, i: int) -> bool:
    if t.word(i) == ".":
        return (t.glued(i) and t.has(i - 1, KIND | UNIT | ENDING | LOCAL)) or (
            t.word(i - 1) in _BETWEEN
        )
    if t.word(i) == ":":
        return t.word(i - 1) in _NUMBER_WORDS
    if t.word(i) == "o" and t.word(i - 1) in {".", "n"}:
        return True
    return t.word(i + 1) in {".", "°", "º", "o", ":"}


def kind_after_name(t: Tokens, n: int) -> Head | None:
    """A name with a street's kind, a number: "Lindenstraße 12a", "Atatürk Cad. No: 5"."""
    place = before_number(t, n)
    if place < 0 or not t.bits[place] & (ENDING | SOFT | AFTER) or t.has(place, STOP):
        return None
    if t.has(place, ENDING | SOFT) and not t.capital(place):
        return None
    if len(t.word(place)) == 1 and t.word(place + 1) != ".":
        return None
    first = place
    while (
        first > 0
        and place - first < 4
        and (
            t.has(first - 1, CAPITAL | SMALL | ORDINAL)
            or (t.word(first - 1) == "." and t.glued(first - 1) and len(t.word(first - 2)) < 4)
        )
        and not t.has(first - 1, STOP)
    ):
        first -= 1
    while first < place and not t.has(first, CAPITAL | ORDINAL):
        first += 1
    if t.word(first - 1) == "." and t.glued(first - 1) and t.has(first - 2, DIGITS):
        first -= 2  # 1. Sokak No: 8
    bits = t.bits[place]
    sure = bool(bits & ENDING) and not plain(flags_of(t.word(place)))
    if bits & AFTER and not bits & (ENDING | SOFT):
        if first == place and "-" not in t.word(place):
            return None
        sure = t.word(place) not in VAGUE_AFTER
    if first > 0 and is_house(t, first - 1) and not t.has(first - 1, ORDINAL):
        first -= 1
    return Head(first, house(t, n), sure, wide=True)


def preposition(t: Tokens, n: int) -> Head | None:
    """German streets named by where they lie: "Am Alten Markt 3", "Unter den Linden 77"."""
    for lead in _LEADS:
        for names in (1, 2):
            start = n - names - len(lead)
            if (
                start >= 0
                and tuple(t.folded[start : start + len(lead)]) == lead
                and t.has(start, CAPITAL)
                and all(
                    t.has(i, CAPITAL) and not t.has(i, STOP | BREAK) for i in range(n - names, n)
                )
                and not any(t.word(i) in DAYS for i in range(n - names, n))
            ):
                lone = len(t.word(n)) > 3 or t.word(n + 1) == "." or plain(flags_of(t.word(n - 1)))
                return Head(start, house(t, n), not lone, wide=True)
    return None
