"""What an address begins with: a number beside a street, a box, a number with a place."""

from __future__ import annotations

import re
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
    MIXED,
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

_NUMBER_WORDS = word_set("no nr n num numero number nummer nº № дом д b bud house")
_BETWEEN = word_set(
    "no nr n nro num numero nummer number № # ° º o haus b bud d дом буд д br bb . , :"
)
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
_BLOCKS = re.compile(r"[1-9]\d?-[1-9]\d?-[1-9]\d?")
_BEFORE_PLACES = word_set("at to from of near on into outside in by opposite behind")
_TOWNS = word_set(
    "ville village valley port ports lake lakes station park mall club junction union "
    "cross land fort beach sound parking"
)
_NO_STREETS = word_set(
    "vale villa park parque campo lago place residence port rio cite general area colonia distrito "
    "jardim vila square canale galleria condominio passage hameau morro feira favela aeroporto estacao "
    "nucleo lagoa sitio fazenda praia sector setor canada khu land conjunto residencial al pl per c "
    "so long or put po pr r m cr cl ch os pc lt lg tr tv gg rr l urb sh"
)
_FAMOUS = word_set(
    "wall downing fleet sesame main high abbey fifth madison k j bourbon the silk rail cross"
)
_STREET_LABELS = word_set(
    "street address property road residence home location addr strasse calle rue via"
)
_ROADS = word_set("ruta highway hwy route rte km autopista carretera interstate rn")
_EDGES = frozenset('"|:;()“”\t')
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
    place = start
    kind = names = lower = lowered = 0
    sure = False
    while place < min(start + 8, len(t)):
        bits = t.bits[place]
        if bits & (AFTER | WEAK) and names and (bits & CAPITAL or _lower_kind(t, place, lower)):
            kind, lowered = place + 1, lower
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
        elif bits & SMALL and not bits & CAPITAL and (place > start or t.word(place) in _ARTICLES):
            names += place == start
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
    if all(t.word(i) in _MONTHS for i in between) or (lowered and not t.has(kind - 1, AFTER)):
        sure = False
    elif not sure and not _spoils(t, end) and not t.loose:
        sure = _weak_street(t, n, start, kind, end)
    return Head(n, end, sure)


def _weak_street(t: Tokens, n: int, start: int, kind: int, end: int) -> bool:
    """Whether a number and words with a vague kind ("846 Colin Fall") are a street by themselves."""
    if t.has(end, CAPITAL) and not t.has(end, STOP) and not t.has(end, UNIT | DIRECTION):
        return False
    if all(plain(flags_of(t.word(i))) for i in range(start, kind - 1)):
        return t.word(n - 1) == "at" or (t.word(n - 1) in _BEFORE_PLACES and len(t.word(n)) > 2)
    return (
        t.word(n - 1) in _BEFORE_PLACES
        or len(t.word(n)) > 2
        or end >= len(t)
        or t.has(end, BREAK | PUNCTUATION)
    )


def _lone(t: Tokens, n: int) -> bool:
    """Whether a house number has a line of its own."""
    return (
        n == 0
        or t.has(n - 1, BREAK)
        or t.word(n - 1) in _BEFORE_PLACES | {":", ",", "na", "au", "op", "przy", "im", '"'}
        or t.has(n - 1, UNIT)
    )


def _lower_kind(t: Tokens, i: int, lower: int) -> bool:
    return t.has(i, AFTER | WEAK if t.loose else AFTER) and len(t.word(i)) > 1


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
    vague = t.word(best) in _VAGUE_BEFORE and not (
        (t.has(best, CAPITAL) and len(t.word(best)) > 2) or t.word(best + 1) == "."
    )
    return Head(best, end, not vague, wide=True)


def _short(t: Tokens, i: int) -> bool:
    return len(t.word(i)) < 5 or t.has(i, BEFORE | UNIT | LOCAL)


def _kind_shape(t: Tokens, i: int) -> bool:
    return len(t.word(i)) > 1 or t.word(i + 1) in {".", "/"}


def _before_number(t: Tokens, n: int) -> int:
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
    place = _before_number(t, n)
    if place < 0 or not t.bits[place] & (ENDING | SOFT | AFTER) or t.has(place, STOP):
        return None
    if t.has(place, ENDING | SOFT) and not t.capital(place):
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
    if end == start or t.word(start) in _MONTHS or t.surface(n).count("/") > 1:
        return None
    if t.has(start, UNIT | ORG) or (
        t.has(n - 1, BEFORE) and t.has(n - 1, CAPITAL | BEFORE) and _kind_shape(t, n - 1)
    ):
        return None
    if is_house(t, end) and len(t.word(end)) < 5:
        end = house(t, end)
    return Head(n, end, bool(_BLOCKS.fullmatch(t.surface(n))) or "chome" in t.word(n))


def words_and_number(t: Tokens, n: int) -> Head | None:
    """Capitalised words and a number without a kind; no address without more."""
    place = _before_number(t, n)
    if place < 0 or not t.has(place, CAPITAL) or t.has(place, STOP) or t.word(place) in _MONTHS:
        return None
    if t.has(place, UNIT) and not t.has(place, KIND):
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
    end = house(t, n)
    return Head(first, end, _lone_name(t, first, place, n, end), wide=True)


def _lone_name(t: Tokens, first: int, last: int, n: int, end: int) -> bool:
    """Whether names and a number ("Lieløkka 8", "Mlinarska 2b") are a street where they stand."""
    words = range(first, last + 1)
    if len(t.word(n)) > 7 or last - first > 1 or any(plain(flags_of(t.word(i))) for i in words):
        return False
    digits = t.surface(n)[0].isdigit() and len(t.word(n)) < 8
    if digits and (t.word(first - 1) in {"at", "near"} or _labelled_street(t, first)):
        return True
    if not digits:
        return False
    lettered = t.has(n, MIXED) and t.surface(n)[0].isdigit() and len(t.word(n)) < 7
    if not (lettered or t.has(last, SOFT | ENDING)):
        return False
    return t.word(first - 1) in _BEFORE_PLACES or _segment(t, first, end)


def _labelled_street(t: Tokens, i: int) -> bool:
    return t.word(i - 1) == ":" and t.word(i - 2) in _STREET_LABELS


def _segment(t: Tokens, first: int, end: int) -> bool:
    """Whether tokens fill a line, a cell or a quotation."""
    return (first == 0 or t.has(first - 1, BREAK) or t.word(first - 1) in _EDGES) and (
        end >= len(t) or t.has(end, BREAK) or t.word(end) in _EDGES
    )


def unit_first(t: Tokens, n: int) -> Head | None:
    """A house, plot or flat named by its number alone: "House No. 12, Sector 15, …"."""
    for start in range(n - 1, max(n - 5, -1), -1):
        if (
            t.has(start, UNIT | LOCAL)
            and t.has(start, CAPITAL)
            and (not t.has(start, STOP) or t.word(start - 1) == ".")
        ):
            end = unit(t, start)
            if end > n:
                return Head(start, end, False, bare=True)
    return None


def road(t: Tokens, n: int) -> Head | None:
    """A road by its number: "Ruta 5 Norte, km 890"; no address without a kilometre or a place."""
    start = n - 2 if t.word(n - 1) == "-" else n - 1
    if t.has(start, CAPITAL) and t.word(start) not in _ROADS:
        start -= 1
    if t.word(start) not in _ROADS or not t.has(start, CAPITAL):
        return None
    end = n + 1
    if t.has(end, DIRECTION) and t.has(end, CAPITAL):
        end += 1
    return Head(start, end, False)


def street_alone(t: Tokens, k: int) -> Head | None:
    """A street without a number, from its kind: "the shop on Guinevan Street"."""
    if t.has(k, BEFORE) and _kind_shape(t, k) and t.word(k) not in _NO_STREETS:
        first = dot(t, k + 1)
        while t.has(first, SMALL) and not t.has(first, CAPITAL) and first < k + 5:
            first += 1
        end = name(t, first, 6)
        if end > first:
            vague = t.word(k) in _VAGUE_BEFORE and not t.has(k, CAPITAL)
            return Head(
                k,
                end,
                not vague and (_segment(t, k, end) or (_placed(t, k) and _labelled(t, k))),
                wide=True,
            )
    if not t.has(k, CAPITAL) or not t.has(k, AFTER | WEAK | ENDING):
        return None
    first = k
    while k - first < 3 and t.capital(first - 1):
        first -= 1
    if first == k and not t.has(k, ENDING):
        return None
    end = _after_kind(t, k + 1)
    if _spoils(t, end) or t.capital(end) or t.word(first) in _FAMOUS:
        return None
    if t.has(k, ENDING) or (t.has(k, AFTER) and t.word(k) not in _VAGUE_AFTER):
        sure = _placed(t, first, end)
    else:
        named = not all(plain(flags_of(t.word(i))) for i in range(first, k))
        sure = named and _placed(t, first) and _labelled(t, first) and t.word(k) not in _TOWNS
    return Head(first, end, sure, wide=t.has(k, ENDING), cue=False)


def _placed(t: Tokens, i: int, end: int = 0) -> bool:
    """Whether "at", "on" or a label of a field leads to a token."""
    return (
        t.word(i - 1) in _BEFORE_PLACES or t.word(i - 1) == ":" or (end > 0 and _segment(t, i, end))
    )


def _labelled(t: Tokens, i: int) -> bool:
    return t.word(i - 1) in _BEFORE_PLACES or any(
        t.word(j) in _STREET_LABELS for j in range(max(i - 4, 0), i)
    )
