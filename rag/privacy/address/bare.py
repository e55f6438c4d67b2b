"""Beginnings of addresses that lack a street's kind or a number."""

from __future__ import annotations

import re

from rag.privacy.address.heads import (
    BEFORE_PLACES,
    DAYS,
    VAGUE_AFTER,
    VAGUE_BEFORE,
    Head,
    after_kind,
    before_number,
    kind_shape,
    spoils,
)
from rag.privacy.address.parts import dot, house, is_house, name, unit
from rag.privacy.address.tokens import (
    AFTER,
    BEFORE,
    BREAK,
    CAPITAL,
    DIRECTION,
    ENDING,
    KIND,
    LOCAL,
    MIXED,
    ORG,
    SMALL,
    SOFT,
    STOP,
    UNIT,
    WEAK,
    Tokens,
)
from rag.privacy.names.lexicon import flags_of, plain
from rag.privacy.words import word_set

_NO_STREETS = word_set(
    "vale villa park parque campo lago place residence port rio cite general area colonia "
    "distrito jardim vila square canale galleria condominio passage hameau morro feira favela "
    "aeroporto estacao nucleo lagoa sitio fazenda praia sector setor canada khu land conjunto "
    "residencial al pl per c so long or put po pr r m cr cl ch os pc lt lg tr tv gg rr l urb sh"
)
_TOWNS = word_set(
    "ville village valley port ports lake lakes station park mall club junction union cross "
    "land fort beach sound parking"
)
_FAMOUS = word_set(
    "wall downing fleet sesame main high abbey fifth madison k j bourbon the silk rail cross"
)
_STREET_LABELS = word_set(
    "street address property road residence home location addr strasse calle rue via"
)
_ROADS = word_set("ruta highway hwy route rte km autopista carretera interstate rn")
_EDGES = frozenset('"|:;()“”\t')
_BLOCKS = re.compile(r"[1-9]\d?-[1-9]\d?-[1-9]\d?")


def number_and_words(t: Tokens, n: int) -> Head | None:
    """A number and capitalised words without a kind; no address without more."""
    start = house(t, n)
    if t.word(start) == ",":
        start += 1
    elif t.word(start) == "\n":
        return None
    start = unit(t, start) or start
    end = name(t, start, 5)
    if end == start or t.word(start) in DAYS or t.surface(n).count("/") > 1:
        return None
    if t.has(start, UNIT | ORG) or (
        t.has(n - 1, BEFORE) and t.has(n - 1, CAPITAL | BEFORE) and kind_shape(t, n - 1)
    ):
        return None
    if is_house(t, end) and len(t.word(end)) < 5:
        end = house(t, end)
    return Head(n, end, bool(_BLOCKS.fullmatch(t.surface(n))) or "chome" in t.word(n))


def words_and_number(t: Tokens, n: int) -> Head | None:
    """Capitalised words and a number without a kind; no address without more."""
    place = before_number(t, n)
    if place < 0 or not t.has(place, CAPITAL) or t.has(place, STOP) or t.word(place) in DAYS:
        return None
    if t.has(place, UNIT) and not t.has(place, KIND):
        return None
    first = t.run_before(place, 3)
    while first < place and not t.has(first, CAPITAL):
        first += 1
    if "of" in t.folded[first:place]:
        first = place - t.folded[first:place][::-1].index("of")  # Haugland of Nedre Vågsvegen 9
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
    return t.word(first - 1) in BEFORE_PLACES or _segment(t, first, end)


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
    if t.has(k, BEFORE) and kind_shape(t, k) and t.word(k) not in _NO_STREETS:
        first = dot(t, k + 1)
        while t.has(first, SMALL) and not t.has(first, CAPITAL) and first < k + 5:
            first += 1
        end = name(t, first, 6)
        if end > first:
            vague = t.word(k) in VAGUE_BEFORE and not t.has(k, CAPITAL)
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
    end = after_kind(t, k + 1)
    if spoils(t, end) or t.capital(end) or t.word(first) in _FAMOUS:
        return None
    if t.has(k, ENDING) or (t.has(k, AFTER) and t.word(k) not in VAGUE_AFTER):
        sure = _placed(t, first, end)
    else:
        named = not all(plain(flags_of(t.word(i))) for i in range(first, k))
        sure = named and _placed(t, first) and _labelled(t, first) and t.word(k) not in _TOWNS
    return Head(first, end, sure, wide=t.has(k, ENDING), cue=False)


def _placed(t: Tokens, i: int, end: int = 0) -> bool:
    """Whether "at", "on" or a label of a field leads to a token."""
    return (
        t.word(i - 1) in BEFORE_PLACES or t.word(i - 1) == ":" or (end > 0 and _segment(t, i, end))
    )


def _labelled(t: Tokens, i: int) -> bool:
    return t.word(i - 1) in BEFORE_PLACES or any(
        t.word(j) in _STREET_LABELS for j in range(max(i - 4, 0), i)
    )
