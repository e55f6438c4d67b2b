"""Addresses in a text: what begins one, widened to its last part and its first."""

from __future__ import annotations

import re

from rag.privacy.address import bare, boxes, heads, places
from rag.privacy.address.heads import Head
from rag.privacy.address.items import Item, item, place
from rag.privacy.address.parts import is_house, separators
from rag.privacy.address.postcodes import LIKELY, SURE, postcode
from rag.privacy.address.tail import Tail, city_before, left, tail
from rag.privacy.address.tokens import (
    AFTER,
    BEFORE,
    BREAK,
    CAPITAL,
    DIGITS,
    ENDING,
    KIND,
    NUMBER,
    PUNCTUATION,
    SMALL,
    STOP,
    UNIT,
    UPPER,
    Tokens,
    bits_of,
    tokens,
)  # fmt: skip

_SURE_RULES = (
    boxes.box,
    heads.kind_before_name,
    heads.street_after,
    heads.kind_after_number,
    heads.kind_after_name,
    heads.preposition,
)
_WEAK_RULES = (bare.number_and_words, bare.words_and_number, bare.unit_first, bare.road)
_ANCHOR = re.compile(
    r"\d+|[A-ZÀ-Þ][^\W\d_]{2,}|\b(?:St|Rd|Dr|Ln)\b"
    r"|\b(?:rue|boulevard|avenue|chemin|place|calle|ulica|strada|rua) (?:d|l|[A-Z])"
)
_CUE = re.compile(
    r"(?:\b(?:liv(?:e|es|ed|ing)|resid\w{1,6}|address\w{0,3}|addr|adresse|anschrift|direcci[oó]n|"
    r"indirizzo|endere[cç]o|adres|domicil\w{1,4}|locat(?:ed|ion)|situated|ship(?:s|ped|ping)?|"
    r"deliver\w{0,3}|delivery|send|sent|mail(?:ed|ing)?|mov(?:e|ed|es|ing)|relocat\w{1,3}|"
    r"stay\w{0,3}|home|house|property|based|registered|wohn\w{1,4}|habit[ae]|vive|courier|"
    r"gave|tenant|grew|parked?|front|direct\w{2,5}|taxi|property|neighbou?rs|opens?|born|"
    r"pick ?up|drop(?:ped)? off|forward(?:ed)?|return(?:ed)?|found|near|visit|come|meet|over)\b"
    r"[^.!?\n]{0,40}?)(?:\bat|\bto|\bis|\bin|\bwas|:|=|-|\bfrom|\bof|\bas|\baddress)\s{0,3}$"
    r"|(?:address|addr|adresse|anschrift|residence)\b\W{0,4}$",
    re.IGNORECASE,
)
_CUE_REACH = 70
_LEFT, _RIGHT = 160, 200
_FORBIDDEN = re.compile(
    r"(?:[$€£¥%#@&+=_]|\d[.,/:\-]|\b(?:section|sections|chapter|page|pages|version|article|figure|table|step|item|line|"
    r"paragraph|clause|schedule|release|model|order|invoice|ticket|case|ref|rule|act|vol|volume|"
    r"question|lesson|psalm|flight|(?<![a-zæøå]s )gate|bus|train|usd|eur|gbp|room of)\.?\s?)$",
    re.IGNORECASE,
)


def find(text: str) -> list[tuple[int, int]]:
    """Return the ranges of the addresses in a text, in order and disjoint; linear in the text."""
    return _merged(
        [
            (start + shift, end + shift)
            for shift, last in _windows(text)
            for start, end in _in_window(text[shift:last])
        ]
    )


def _windows(text: str) -> list[tuple[int, int]]:
    """Return the ranges around numbers and kinds of streets: elsewhere is no address."""
    ranges: list[tuple[int, int]] = []
    for match in _ANCHOR.finditer(text):
        number = match.group()[0].isdigit()
        if not number and not bits_of(match.group()) & KIND:
            continue
        start = max(match.start() - (_LEFT if number else _LEFT // 2), 0)
        end = match.end() + (_RIGHT if number else _RIGHT // 2)
        if ranges and start <= ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], max(end, ranges[-1][1]))
        else:
            ranges.append((start, end))
    return [_spaced(text, start, end) for start, end in ranges]


def _spaced(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a range to the next spaces, 60 characters at most: no word is cut."""
    for _ in range(60):
        if start == 0 or text[start - 1].isspace():
            break
        start -= 1
    for _ in range(60):
        if end >= len(text) or text[end].isspace():
            break
        end += 1
    return start, min(end, len(text))


def _in_window(text: str) -> list[tuple[int, int]]:
    t = tokens(text)
    t.loose = not any(bits & CAPITAL and not bits & STOP for bits in t.bits)
    found: list[tuple[int, int]] = []
    done = 0
    for n, bits in enumerate(t.bits):
        if bits & NUMBER and n >= done:
            span = _at(t, n)
            if span is not None:
                found.append(span)
                done = span[1]
    for span in _without_number(t, found):
        found.append(span)
    return _merged([(t.starts[a], t.ends[b - 1]) for a, b in found])


def _without_number(t: Tokens, found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    taken = {i for start, end in found for i in range(start, end)}
    more: list[tuple[int, int]] = []
    done = 0
    for k, bits in enumerate(t.bits):
        if bits & KIND and k >= done and k not in taken:
            head = bare.street_alone(t, k)
            span = _accepted(t, head) if head else None
            if span:
                more.append(span)
                done = span[1]
    return more


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _at(t: Tokens, n: int) -> tuple[int, int] | None:
    """Return the tokens of the address that a number is in the beginning of."""
    best: tuple[int, int] | None = None
    if is_house(t, n) and not _forbidden(t, n):
        for rule in _SURE_RULES:
            head = rule(t, n)
            if head and not _forbidden(t, head.start):
                span = _accepted(t, head)
                if span and (best is None or span[1] - span[0] > best[1] - best[0]):
                    best = span
        if best is None:
            for rule in _WEAK_RULES:
                head = rule(t, n)
                span = _accepted(t, head) if head else None
                if span and (best is None or span[1] - span[0] > best[1] - best[0]):
                    best = span
    code = _postcode_first(t, n)
    if best is None or (code and code[0] < best[0] and code[1] >= best[0]):
        if code and best:
            return min(code[0], best[0]), max(code[1], best[1])
        return code
    return best


def _forbidden(t: Tokens, i: int) -> bool:
    start = t.starts[i]
    if t.glued(i + 1) and t.word(i + 1) in {":", "@", "=", "%"} and t.glued(i + 2):
        return True
    if t.word(i + 1) == "," and t.glued(i + 1) and t.glued(i + 2) and t.has(i + 2, DIGITS):
        return True
    return bool(_FORBIDDEN.search(t.text[max(start - 14, 0) : start]))


def _cued(t: Tokens, i: int) -> bool:
    start = t.starts[i]
    return bool(_CUE.search(t.text[max(start - _CUE_REACH, 0) : start]))


def _accepted(t: Tokens, head: Head) -> tuple[int, int] | None:
    rest = tail(t, head.end)
    first = left(t, head.start, head.wide)
    supported = rest.supports
    if head.wide and not head.sure:
        supported = bool({"post", "unit", "street"} & set(rest.kinds))
    if not head.sure and not supported:
        units = first < head.start and t.has(first, CAPITAL) and not head.wide
        if not head.cue and _placed_behind(t, head, rest):
            return first, rest.end
        if not (units or (head.cue and _cued(t, first) and not t.loose)):
            return None
    if (head.bare and (("post" in rest.kinds and len(rest.kinds) == 1) or _thing(t, head))) or (
        head.bare and not set(rest.kinds) & {"street", "city", "town", "region", "country", "local"}
    ):
        return None
    return first, rest.end


def _placed_behind(t: Tokens, head: Head, rest: Tail) -> bool:
    """Whether a street without a number has its town behind it: "Thompson Drive, Ashleyhaven"."""
    known = t.has(head.end - 1, AFTER | ENDING) or t.has(head.start, BEFORE)
    return bool(set(rest.kinds) & ({"town", "city", "region"} if known else {"town"}))


def _thing(t: Tokens, head: Head) -> bool:
    return t.word(head.start) in {"office", "room"} and not t.has(head.end, PUNCTUATION | BREAK)


def _postcode_first(t: Tokens, n: int) -> tuple[int, int] | None:
    """Read a postcode with its city, region or country, without a street beside it."""
    begin = n
    if n >= 2 and t.glued(n) and t.word(n - 1) == "-" and t.has(n - 2, UPPER | CAPITAL):
        return None
    stop, strength = postcode(t.text, t.starts[begin])
    if not stop or (t.starts[n] and t.text[t.starts[n] - 1] in ".,$€£#-/+@"):
        return None
    end = n + 1
    while end < len(t) and t.starts[end] < stop:
        end += 1
    return _with_places(t, n, end, strength)


def _with_places(t: Tokens, n: int, end: int, strength: int) -> tuple[int, int] | None:
    before = n
    region = False
    last = n - 1
    if t.word(last) == "," or (t.word(last) == "\n" and t.has(last - 1, UPPER)):
        last -= 1
    if t.has(last, UPPER) and _fits(t, last, n, strength):
        region, before = True, last
    else:
        for size in (1, 2, 3):
            part = place(t, last - size + 1) if last - size + 1 >= 0 else None
            if part and part.kind == "region" and part.end == last + 1:
                region, before = True, last - size + 1
    begin, city = city_before(t, before)
    after = tail(t, end)
    follows = _follows(t, end)
    country = "country" in after.kinds
    closed = after.end >= len(t) or t.has(after.end, BREAK | PUNCTUATION)
    gazetteer = bool(follows and follows.kind == "city" and follows.sure > 1)
    if strength == SURE:
        first = begin if city else before
    elif region and len(t.word(n)) >= 4:
        first = begin if city else before
        if not city and not country and not _cued(t, before):
            return None
    elif (
        follows
        and follows.kind in {"city", "region", "name", "town"}
        and t.has(end, CAPITAL)
        and (
            country
            or strength == LIKELY
            or _cued(t, n)
            or (gazetteer and closed and _opens(t, n) and len(t.word(n)) in {4, 5})
        )
    ):
        first, after = n, tail(t, follows.end)
        if after.end < follows.end:
            after.end = follows.end
    elif (
        city
        and after.kinds[:1] in (["country"], ["region"], ["code"])
        and country
        and len(t.word(n)) >= 3
        and not any(t.has(i, BREAK | UNIT) for i in range(begin, n))
    ):
        first = begin
    else:
        return None
    return _street_without_number(t, left(t, first, True)), max(after.end, end)


def _fits(t: Tokens, i: int, n: int, strength: int) -> bool:
    """Whether a region's code and the postcode behind it are of one country."""
    country = places.region_code(t.surface(i))
    if strength == SURE:
        return bool(country)
    digits = len(t.word(n))
    return digits == {"US": 5, "AU": 4, "CA": 0, "CH": 0}.get(country, 5) and bool(country)


def _follows(t: Tokens, end: int) -> Item | None:
    k, marks = separators(t, end)
    if marks:
        return None
    return item(t, k)


def _opens(t: Tokens, n: int) -> bool:
    return n == 0 or t.has(n - 1, BREAK) or t.word(n - 1) in {",", ";", ":", "("}


def _street_without_number(t: Tokens, start: int) -> int:
    """Take along a line in front that names a street without a number ("Strada Stancu")."""
    last = start - 1
    while last >= 0 and t.word(last) in {",", "\n"} and start - last < 3:
        last -= 1
    if last == start - 1 or last < 0:
        return start
    first = last + 1
    kind = False
    while (
        first > 0
        and last - first < 6
        and t.has(first - 1, CAPITAL | SMALL | BEFORE)
        and not t.has(first - 1, STOP)
    ):
        first -= 1
        kind = kind or t.has(first, BEFORE | ENDING | AFTER)
    if (kind and last - first > 0) or (first <= last and t.has(last, ENDING)):
        return first
    return start
