"""What a paraphrase must not change: pseudonyms, names, dates, times and quantities.

Each is read into the form in which it is compared, so that ``1,500`` is ``1500``, ``two weeks`` is
``14 days``, ``2 pm`` is ``14:00`` and ``March 31, 2024`` is ``2024-03-31``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import count

from rag.privacy.pseudonym import MASK

_LETTERS = re.compile(r"[a-z]+")
_ONES = _LETTERS.findall(
    """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
    fifteen sixteen seventeen eighteen nineteen"""
)
_TENS = _LETTERS.findall("twenty thirty forty fifty sixty seventy eighty ninety")
_VALUES = dict(zip(_ONES, count(), strict=False)) | dict(
    zip(_TENS, range(20, 100, 10), strict=True)
)
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "dozen": 12}
_ANY_WORD = "|".join([*_VALUES, *_SCALES])
_SPELLED = re.compile(
    rf"(?<![\w-])(?:a (?=hundred|thousand|million|dozen))?(?:{_ANY_WORD})"
    rf"(?:(?:[ -]|[ -]and[ -])(?:{_ANY_WORD}))*(?![\w-])",
    re.IGNORECASE,
)
_MONTHS = _LETTERS.findall(
    """january february march april may june july august september october november december"""
)
_MONTH = "|".join(name if name == "may" else f"{name[:3]}(?:{name[3:]}|t)?" for name in _MONTHS)
_YEAR = r"(?:1[5-9]|20|21)\d\d"
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?P<y>{_YEAR})-(?P<m>\d\d)-(?P<d>\d\d)\b",
        rf"\b(?P<d>\d{{1,2}})[./](?P<m>\d{{1,2}})[./](?P<y>{_YEAR})\b",
        rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<n>{_MONTH})\b\.?,?(?: (?P<y>{_YEAR})\b)?",
        rf"\b(?P<n>{_MONTH})\.? (?P<d>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)(?:,? (?P<y>{_YEAR})\b)?",
        rf"\b(?P<n>{_MONTH})\.? (?P<y>{_YEAR})\b",
    )
)
_NAMED_MONTH = re.compile(rf"(?<!\w)(?P<n>{_MONTH})\b", re.IGNORECASE)
_TIME = re.compile(
    r"\b(\d{1,2})(?:[:.](\d\d))?\s?([ap])\.?m\b\.?|\b(\d{1,2}):(\d\d)\b", re.IGNORECASE
)
_NUMBER = re.compile(
    r"(?P<sign>[€$£¥])?\s?(?<![\w.])(?P<n>\d{1,3}(?:[ '’]\d{3})+(?!\d)|\d+(?:[.,/\d]*\d)?)"
    r"(?:\s?(?P<scale>(?:thousand|million|billion|bn)\b|(?<=\d)[km]\b))?"
    r"(?P<ordinal>st|nd|rd|th)?"
)
_SIGNS = {"€": "eur", "$": "usd", "£": "gbp", "¥": "jpy"}
_LARGE = {
    "thousand": 10**3,
    "k": 10**3,
    "million": 10**6,
    "m": 10**6,
    "billion": 10**9,
    "bn": 10**9,
}
_UNITS: dict[str, tuple[str, int]] = {
    **dict.fromkeys(("%", "percent", "pct"), ("%", 1)),
    **dict.fromkeys(("second", "sec"), ("second", 1)),
    **dict.fromkeys(("minute", "min"), ("second", 60)),
    **dict.fromkeys(("hour", "hr", "h"), ("second", 3600)),
    "day": ("second", 86_400),
    "week": ("second", 604_800),
    "night": ("second", 86_400),
    "month": ("month", 1),
    "quarter": ("month", 3),
    "year": ("month", 12),
    "decade": ("month", 120),
    **dict.fromkeys(("euro", "eur"), ("eur", 1)),
    **dict.fromkeys(("dollar", "usd"), ("usd", 1)),
    **dict.fromkeys(("pound", "gbp"), ("gbp", 1)),
    **dict.fromkeys(("gram", "g"), ("g", 1)) | {"mg": ("mg", 1), "kg": ("kg", 1)},
    **dict.fromkeys(("kilometre", "kilometer", "km"), ("km", 1)),
    **dict.fromkeys(("metre", "meter"), ("m", 1)) | {"cm": ("cm", 1), "mm": ("mm", 1)},
    **dict.fromkeys(("mile",), ("mile", 1))
    | {"ml": ("ml", 1), "litre": ("l", 1), "liter": ("l", 1)},
}
_WORKING = frozenset({"working", "business", "bank"})
_UNIT = re.compile(r"%|[^\W\d_]+")
_LOW = re.compile(
    r"\b(?:at least|(?:a )?minimum(?: of)?|no (?:fewer|less|earlier) than|not less than|more than"
    r"|over|above|exceed\w*|greater than|longer than|after|from|since|beyond)\W+(?:\w+\W+){0,2}$",
    re.IGNORECASE,
)
_HIGH = re.compile(
    r"\b(?:at most|(?:a )?maximum(?: of)?|max|up to|no (?:more|later|longer) than|not more than"
    r"|within|less than|fewer than|under|below|before|until|by|limited to|not exceed\w*)\W+"
    r"(?:\w+\W+){0,2}$",
    re.IGNORECASE,
)
_OR_MORE = re.compile(r"^(?:\W+\w+){0,2}\W+or (?P<way>more|longer|above|less|fewer|below)\b", re.I)
_NAME = re.compile(r"(?<![\w’'])[A-Z][^\W_]*(?:-[A-Z][^\W_]*)*")
_OPENS = re.compile(r"(?:^|[.!?:;|\n][\"”’')\]]*\s+|^\W+)$")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as it is meant.

    Attributes:
        value: As written, without separators: ``1500``, ``14:00``, ``2024-03-31``.
        unit: What it counts, as far as known: ``second`` for all spans up to weeks; or empty.
        amount: The value in that unit.
        side: 1: at least, -1: at most, 0: neither is said.
        start, end: Where it stands.
    """

    value: str
    unit: str
    amount: str
    side: int
    start: int
    end: int

    def stands_in(self, other: Quantity) -> bool:
        """Whether `other` says as much; where one has no unit, its value is enough."""
        if self.unit and other.unit:
            return (self.unit, self.amount) == (other.unit, other.amount)
        if self.value == other.value:
            return True
        own, whole = self.value.removeprefix("month "), other.value  # a date says its parts, too
        return "-" in whole and (whole.startswith(f"{own}-") or f"-{own}" in whole)


def quantities(text: str) -> list[Quantity]:
    """Return numbers, dates and times in the order of the text."""
    plain = MASK.sub(lambda match: " " * len(match[0]), text)
    found: list[Quantity] = []
    for start, end, value in (*_dates(plain), *_times(plain)):
        if not any(start < one.end and one.start < end for one in found):
            found.append(Quantity(value, "", value, _side(plain, start, end), start, end))
    for at in found:
        plain = plain[: at.start] + " " * (at.end - at.start) + plain[at.end :]
    written = list(_written(plain))
    for start, end, *_ in written:
        plain = plain[:start] + "0" * (end - start) + plain[end:]
    for start, end, number, sign in (*written, *_spelled(plain)):
        unit, factor = (sign, 1) if sign else _unit(plain, end)
        amount = _shortest(number * factor if isinstance(number, Decimal) else number)
        side = _side(plain, start, end)
        found.append(Quantity(_shortest(number), unit, amount, side, start, end))
    return sorted(found, key=lambda one: one.start)


def facts(text: str) -> frozenset[str]:
    """Return the numbers, dates and pseudonyms of a text, as they are compared."""
    return frozenset({*MASK.findall(text), *(one.value for one in quantities(text))})


def names(text: str) -> frozenset[str]:
    """Return words that are written as names are; what opens a sentence is not told apart."""
    plain = MASK.sub(" ", text)
    found = set()
    for match in _NAME.finditer(plain):
        word = match[0]
        opens = _OPENS.search(plain[: match.start()]) is not None
        if (len(word) > 1 and word.isupper()) or (not opens and word != "I"):
            found.add(word)
    return frozenset(found)


def _dates(text: str) -> Iterator[tuple[int, int, str]]:
    for pattern in _DATES:
        for match in pattern.finditer(text):
            told = match.groupdict()
            month = _month(told["n"]) if told.get("n") else int(told["m"])
            day = f"{int(told['d']):02}" if told.get("d") else ""
            parts = (told.get("y") or "", f"{month:02}", day)
            yield *match.span(), "-".join(filter(None, parts))
    for match in _NAMED_MONTH.finditer(text):
        if match[0][0].isupper() and match[0].lower() != "may":
            yield *match.span(), f"month {_month(match['n']):02}"


def _month(name: str) -> int:
    return next(at for at, one in enumerate(_MONTHS, 1) if one.startswith(name[:3].lower()))


def _times(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _TIME.finditer(text):
        hour, minute, half, plain_hour, plain_minute = match.groups()
        if half:
            hours = int(hour) % 12 + (12 if half.lower() == "p" else 0)
            yield *match.span(), f"{hours}:{minute or '00'}"
        else:
            yield *match.span(), f"{int(plain_hour)}:{plain_minute}"


def _written(text: str) -> Iterator[tuple[int, int, Decimal | str, str]]:
    for match in _NUMBER.finditer(text):
        bare = re.sub(r"[ '’]", "", match["n"])
        bare = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", bare)
        try:
            value: Decimal | str = Decimal(bare) * _LARGE.get((match["scale"] or "").lower(), 1)
        except InvalidOperation:
            value = bare
        yield match.start("n"), match.end(), value, _SIGNS.get(match["sign"] or "", "")


def _spelled(text: str) -> Iterator[tuple[int, int, Decimal | str, str]]:
    for match in _SPELLED.finditer(text):
        said = [word for word in re.split(r"[ -]+", match[0].lower()) if word not in ("and", "a")]
        if said == ["one"]:  # mostly counts nothing
            continue
        total = part = 0
        for word in said:
            if word in ("hundred", "dozen"):
                part = (part or 1) * _SCALES[word]
            elif word in _SCALES:
                total, part = total + (part or 1) * _SCALES[word], 0
            else:
                part += _VALUES[word]
        yield *match.span(), Decimal(total + part), ""


def _unit(text: str, end: int) -> tuple[str, int]:
    """The unit among the next words, and its size in the one that it is compared in."""
    words = [match[0].lower() for match in _UNIT.finditer(text, end, min(len(text), end + 48))][:4]
    if words[:2] == ["per", "cent"]:
        return "%", 1
    for word in words:
        bare = word if word in _UNITS else word.removesuffix("s")
        if bare in _UNITS:
            if words[0] in _WORKING:
                return f"working {bare}", 1
            return _UNITS[bare]
        if word in ("and", "or", "to", "of", "in", "per", "a", "for"):
            break
    return "", 1


def _side(text: str, start: int, end: int) -> int:
    before, after = text[max(0, start - 40) : start], text[end : end + 40]
    if said := _OR_MORE.match(after):
        return 1 if said["way"].lower() in ("more", "longer", "above") else -1
    if _HIGH.search(before):
        return -1
    return 1 if _LOW.search(before) else 0


def _shortest(value: Decimal | str) -> str:
    if isinstance(value, str):
        return value
    plain = f"{value:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
