"""What an address begins with: a number beside a street, a box, a number with a place."""

from __future__ import annotations

from typing import NamedTuple

from rag.privacy.address.items import dot, house, is_house, name, separators, unit
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
)  # fmt: skip
from rag.privacy.lexicon import flags_of, plain
from rag.privacy.words import word_set

_BETWEEN = word_set("no nr n nro num numero nummer number № # ° º o haus d дом буд д br bb . , :")
_NUMBERED = word_set(
    "highway hwy route rte road rd fm freeway interstate autopista ruta carretera street"
)
_VAGUE_BEFORE = word_set(
    "via place route rte square passage al str area put tv pr r m c cr cl ch os pl po pc lt ap or "
    "estacao villa urb sector lg sh per long so rr gg tr parque colonia conjunto setor residence "
    "residencial campo lago rio loc frazione localita general cite distrito mtaa thon"
)
_VAGUE_AFTER = word_set(
    "drive court place way circle square close ring row loop st para sor put pass cl cr cd sk dr ct "
    "pl sq ter lu pali path tee koz nong veg tie kade trail plaza bazaar parade"
)
_BARE = word_set(
    "broadway strand kurfurstendamm ku'damm esplanade embarcadero bowery highway piccadilly"
)
_LEADS = (
    ("am",), ("an", "der"), ("an", "den"), ("auf", "dem"), ("auf", "der"), ("auf", "den"),
    ("im",), ("in", "der"), ("in", "den"), ("unter", "den"), ("zum",), ("zur",), ("vor", "dem"),
    ("hinter", "der"), ("bei", "der"), ("beim",),
)  # fmt: skip
_MONTHS = word_set(
    "march may april june july august january february september october november december mai juni "
    "juli januar februar oktober dezember montag dienstag mittwoch donnerstag freitag samstag"
)
_ARTICLES = word_set("the")


class Head(NamedTuple):
    """Tokens that begin an address, and whether they are one by themselves."""

    start: int
    end: int
    sure: bool
    wide: bool = False


def street_after(t: Tokens, n: int) -> Head | None:
    """A number, words, a street's kind: "12B North Main Street", "1 The Close"."""
    start = house(t, n)
    if t.word(start) == ",":
        start += 1
    start = unit(t, start) or start
    place = start
    kind = names = lower = 0
    sure = False
    while place < min(start + 8, len(t)):
        bits = t.bits[place]
        if bits & (AFTER | WEAK) and names and (bits & CAPITAL or _lower_kind(t, place, lower)):
            kind = place + 1
            sure = bool(bits & AFTER)
        elif place == start and bits & AFTER and not bits & CAPITAL:
            break
        if t.word(place) == ".":
            if not t.glued(place) or len(t.word(place - 1)) > 5:
                break
        elif (
            (bits & CAPITAL and not bits & STOP | (bits & SMALL))
            or bits & ORDINAL
            or (bits & DIGITS and place == start)
        ):
            names += 1
        elif bits & SMALL and not bits & CAPITAL:
            names += t.word(place) in _ARTICLES
        elif bits & (STOP | NUMBER | PUNCTUATION | BREAK) or lower > 2:
            break
        else:
            lower += 1
            names += 1
        place += 1
    if not kind:
        if t.word(start) in _BARE and t.has(start, CAPITAL):
            return Head(n, start + 1, True)
        return None
    end = _after_kind(t, kind)
    between = range(start, kind - 1)
    if _spoils(t, end):
        sure = False
    if all(t.word(i) in _MONTHS for i in between) or (lower and not t.has(kind - 1, AFTER)):
        sure = False
    return Head(n, end, sure)


def _lower_kind(t: Tokens, i: int, lower: int) -> bool:
    return bool(t.has(i, AFTER)) and len(t.word(i)) > 1


def _after_kind(t: Tokens, end: int) -> int:
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


def _spoils(t: Tokens, i: int) -> bool:
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
        t.word(start) in _VAGUE_BEFORE and (not t.has(start, CAPITAL) or len(t.word(start)) < 3)
    )
    return Head(n, end, sure and not _spoils(t, end))


def kind_before_name(t: Tokens, n: int) -> Head | None:
    """A street's kind, a name, a number: "Calle de Alcalá, 45", "Jl. Thamrin No. 1"."""
    place = _before_number(t, n)
    best = -1
    names = 0
    for i in range(place, max(place - 9, -1), -1):
        bits = t.bits[i]
        if bits & BEFORE and names and not bits & STOP and _kind_shape(t, i):
            best = i
        if t.word(i) in {".", "/"} and (t.glued(i) or t.glued(i + 1)):
            continue
        if (bits & CAPITAL and not bits & STOP) or bits & (ORDINAL | NUMBER):
            names += 1
        elif t.word(i) == "," and i == place:
            continue
        elif not bits & (SMALL | BEFORE):
            break
    if best < 0:
        return None
    vague = t.word(best) in _VAGUE_BEFORE and not (
        (t.has(best, CAPITAL) and len(t.word(best)) > 2) or t.word(best + 1) == "."
    )
    return Head(best, house(t, n), not vague, wide=True)


def _kind_shape(t: Tokens, i: int) -> bool:
    return len(t.word(i)) > 1 or t.word(i + 1) in {".", "/"}


def _before_number(t: Tokens, n: int) -> int:
    """Return the last token before a number and the words "No.", "#" that lead to it."""
    place = n - 1
    while (
        place >= 0
        and n - place < 6
        and t.word(place) in _BETWEEN
        and not (t.word(place) in {".", "d", "o", "n"} and not _abbreviates(t, place))
    ):
        place -= 1
    return place


def _abbreviates(t: Tokens, i: int) -> bool:
    if t.word(i) == ".":
        return (t.glued(i) and t.has(i - 1, KIND | UNIT | ENDING | LOCAL)) or (
            t.word(i - 1) in _BETWEEN
        )
    return t.word(i + 1) in {".", "°", "º", "o", ":"}


def kind_after_name(t: Tokens, n: int) -> Head | None:
    """A name with a street's kind, a number: "Lindenstraße 12a", "Atatürk Cad. No: 5"."""
    place = _before_number(t, n)
    if place < 0 or not t.bits[place] & (ENDING | SOFT | AFTER) or t.has(place, STOP):
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
    bits = t.bits[place]
    sure = bool(bits & ENDING) and not plain(flags_of(t.word(place)))
    if bits & AFTER and not bits & (ENDING | SOFT):
        if first == place and "-" not in t.word(place):
            return None
        sure = t.word(place) not in _VAGUE_AFTER
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
                and not any(t.word(i) in _MONTHS for i in range(n - names, n))
            ):
                lone = len(t.word(n)) > 3 or t.word(n + 1) == "." or plain(flags_of(t.word(n - 1)))
                return Head(start, house(t, n), not lone, wide=True)
    return None


_BOXES = (
    ("p", ".", "o", ".", "box"), ("p", ".", "o", "box"), ("po", "box"), ("p", "o", "box"),
    ("p", ".", "o", ".", "b"), ("post", "office", "box"), ("pobox",), ("gpo", "box"),
    ("g", ".", "p", ".", "o", ".", "box"), ("postfach",), ("boite", "postale"), ("bp",),
    ("b", ".", "p", "."), ("apartado",), ("apartado", "de", "correos"), ("apdo",), ("apdo", "."),
    ("casella", "postale"), ("c", ".", "p", "."), ("postbus",), ("caixa", "postal"), ("postboks",),
    ("pb",), ("boks",), ("locked", "bag"), ("private", "bag"), ("psc",), ("cmr",), ("rural", "route"),
    ("rr",), ("r", ".", "r", "."), ("hc",), ("highway", "contract"), ("star", "route"), ("box",),
    ("postilokero",), ("pl",), ("a", "/", "ya"), ("а", "/", "я"), ("skrytka", "pocztowa"),
    ("casilla",), ("casilla", "de", "correo"), ("usns",), ("poste", "restante"), ("kotak", "pos"),
    ("p", ".", "o", ".", "boxes"), ("po", "b"), ("postbox",), ("post", "box"), ("postal", "box"),
    ("bag",), ("site",), ("comp",),
)  # fmt: skip
_BOX_STARTS = {box[-1]: [b for b in _BOXES if b[-1] == box[-1]] for box in _BOXES}
_VAGUE_BOXES = {
    ("box",),
    ("pb",),
    ("pl",),
    ("boks",),
    ("hc",),
    ("bp",),
    ("bag",),
    ("site",),
    ("comp",),
    ("casilla",),
    ("star", "route"),
    ("rr",),
}


def box(t: Tokens, n: int) -> Head | None:
    """A post box, a rural route, a military box: "P.O. Box 4471", "PSC 1234, Box 5678"."""
    last = n - 1
    while (
        last >= 0
        and n - last < 4
        and t.word(last) in {"#", "no", "n", "°", ":", ".", "number", "nr"}
    ):
        last -= 1
    for end in (last, last + 1):
        for shape in _BOX_STARTS.get(t.word(end), ()):
            start = end - len(shape) + 1
            if start >= 0 and tuple(t.folded[start : end + 1]) == shape:
                if shape in _VAGUE_BOXES and not t.has(start, CAPITAL):
                    continue
                if t.has(n, NUMBER):
                    stop = n + 1
                    while (
                        t.has(stop, DIGITS)
                        and len(t.word(stop)) < 4
                        and len(t.word(n)) < 4
                        and not t.has(stop - 1, BREAK)
                    ):
                        stop += 1
                    more, _ = separators(t, stop)
                    if t.word(more) == "box" and t.has(more + 1, NUMBER):
                        stop = more + 2
                    return Head(start, stop, shape not in _VAGUE_BOXES or stop > n + 1)
    return None


def number_and_words(t: Tokens, n: int) -> Head | None:
    """A number and capitalised words without a kind; no address without more."""
    start = house(t, n)
    if t.word(start) == ",":
        start += 1
    elif t.word(start) == "\n":
        return None
    start = unit(t, start) or start
    end = name(t, start, 5)
    if end == start:
        return None
    if is_house(t, end) and len(t.word(end)) < 5:
        end = house(t, end)
    return Head(n, end, False)


def words_and_number(t: Tokens, n: int) -> Head | None:
    """Capitalised words and a number without a kind; no address without more."""
    place = _before_number(t, n)
    if place < 0 or not t.has(place, CAPITAL) or t.has(place, STOP):
        return None
    first = place
    while (
        first > 0
        and place - first < 3
        and t.has(first - 1, CAPITAL | SMALL)
        and not t.has(first - 1, STOP)
    ):
        first -= 1
    while first < place and not t.has(first, CAPITAL):
        first += 1
    return Head(first, house(t, n), False, wide=True)


def unit_first(t: Tokens, n: int) -> Head | None:
    """A house, plot or flat named by its number alone: "House No. 12, Sector 15, …"."""
    for start in range(n - 1, max(n - 5, -1), -1):
        if t.has(start, UNIT | LOCAL) and t.has(start, CAPITAL):
            end = unit(t, start)
            if end > n:
                return Head(start, end, False)
    return None
