"""Read the dates that people write, as far as moving or coarsening them needs it."""

from __future__ import annotations

import re
from typing import NamedTuple

from rag.privacy.words import fold


class Read(NamedTuple):
    """A date; `day` is 0 when only month and year are said."""

    year: int
    month: int
    day: int


_MONTHS = (
    "january januar janvier enero gennaio janeiro styczen stycznia januari leden ocak",
    "february februar fevrier febrero febbraio fevereiro luty lutego februari unor subat",
    "march marz maerz mars marzo marco marzec marca maart brezen mart",
    "april avril abril aprile kwiecien kwietnia duben nisan",
    "may mai mayo maggio maio maj maja mei kveten mayis",
    "june juni juin junio giugno junho czerwiec czerwca cerven haziran",
    "july juli juillet julio luglio julho lipiec lipca cervenec temmuz",
    "august aout agosto sierpien sierpnia augustus srpen agustos",
    "september septembre septiembre settembre setembro wrzesien wrzesnia zari eylul",
    "october oktober octobre octubre ottobre outubro pazdziernik pazdziernika rijen ekim",
    "november novembre noviembre novembro listopad listopada kasim",
    "december dezember decembre diciembre dicembre dezembro grudzien grudnia prosinec aralik",
)
_NAMED = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}
_SHORT = {name[:3]: number for name, number in reversed(_NAMED.items())} | {
    "sept": 9, "okt": 10, "dez": 12, "dic": 12, "mrz": 3, "mai": 5, "may": 5, "aug": 8,
    "jun": 6, "jul": 7, "mar": 3, "apr": 4, "jan": 1, "feb": 2, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
_YEAR = re.compile(r"(?<!\d)(1[5-9]\d\d|2[01]\d\d)(?!\d)")
_ISO = re.compile(r"(?<!\d)(\d{4})[-./ ](\d{1,2})(?:[-./ ](\d{1,2}))?(?!\d)")
_EAST = re.compile(r"(\d{4})年(\d{1,2})月(?:(\d{1,2})日)?")
_SOLID = re.compile(r"(?<!\d)(1[5-9]\d\d|2[01]\d\d)(\d\d)(\d\d)(?!\d)")
_NUMBERS = re.compile(r"(?<!\d)(\d{1,2})\s?([-./ ])\s?(\d{1,2})\s?[-./ ]\s?(\d{4}|\d\d)(?!\d)")
_WORD = re.compile(r"[^\W\d_]{3,12}")
_DAY = re.compile(r"(?<!\d)(\d{1,2})(?:st|nd|rd|th)?(?![\d:])")


def read_date(text: str) -> Read | None:
    """Return the date that a text says; None where it has no year or is none.

    ``04/03/2020`` is read month first, ``04.03.2020`` and ``04-03-2020`` day first, unless the
    numbers leave only the other reading. Two digits of a year are of 1931 to 2030.
    """
    for shape in (_ISO, _EAST, _SOLID):
        match = shape.search(text)
        if match:
            year, month, day = match.groups()
            return _valid(int(year), int(month), int(day or 0))
    match = _NUMBERS.search(text)
    if match:
        one, other, year = int(match[1]), int(match[3]), _full(match[4])
        month_first = (match[2] == "/" and one <= 12) or other > 12
        return _valid(year, *((one, other) if month_first else (other, one)))
    return _worded(text)


def _worded(text: str) -> Read | None:
    month = next((number for word in _WORD.findall(text) if (number := _month(fold(word)))), 0)
    year = _YEAR.search(text)
    rest = text[: year.start()] + " " + text[year.end() :] if year else text
    numbers = [int(found[1]) for found in _DAY.finditer(rest)]
    if not month:
        return None
    if year:
        return _valid(int(year[1]), month, numbers[0] if numbers else 0)
    return _valid(_full(str(numbers[1]).zfill(2)), month, numbers[0]) if len(numbers) > 1 else None


def _month(word: str) -> int:
    return _NAMED.get(word) or (_SHORT.get(word, 0) if len(word) <= 4 else 0)


def _full(year: str) -> int:
    if len(year) == 4:
        return int(year)
    return int(year) + (1900 if int(year) > 30 else 2000)


def _valid(year: int, month: int, day: int) -> Read | None:
    possible = 1 <= year <= 9998 and 1 <= month <= 12 and 0 <= day <= 31
    return Read(year, month, day) if possible else None


def year_of(text: str) -> int | None:
    """Return the year that a date says; None where it says none, or several."""
    found = {int(year) for year in _YEAR.findall(text)}
    if len(found) == 1:
        return found.pop()
    read = read_date(text) if not found else None
    return read.year if read else None
