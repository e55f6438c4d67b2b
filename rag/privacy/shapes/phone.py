"""Phone numbers as people write them in any country, extension included.

A number is judged by how it is written (a plus, brackets, a leading zero, groups), by the label
in front, and where that leaves doubt by libphonenumber's tables of many regions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from rag.privacy.shapes.around import label_before, measured
from rag.privacy.shapes.checks import luhn
from rag.privacy.shapes.shape import Found, Shape
from rag.privacy.words import word_set

_RUN = re.compile(
    # Each gap and digit can be read one way only: linear however long the row of digits.
    r"(?<![\w@#\\])(?<!\d[.,/\-])(?<![$€£¥₹])(?:tel:)?[(\[]?\+?[(\[]?\d"
    r"(?:[ .·•\-‐‑‒–—/()\[\]]{0,4}\d){5,24}(?!\d)"
)
_EXTENSION = re.compile(
    r"[ ,;]{0,2}(?:\(?(?:x|ext(?:n|ension)?|durchwahl|dw|poste|int(?:erno)?|anexo|ramal|toestel|"
    r"wew|vnitřní|доб)\b[.:]?|x(?=\d)|#) ?[.:#\-]? ?\d{1,6}"
    r"(?!(?!x\d)\w|[.,\-]\d)",
    re.IGNORECASE,
)
_GROUP = re.compile(r"\d+")
_DATE = re.compile(
    r"(?:(?:18|19|20|21)\d\d([.\-/ ])[01]?\d\1[0-3]?\d|[0-3]?\d([.\-/ ])[0-3]?\d\2(?:18|19|20|"
    r"21)\d\d)"
    r"(?!\d)|^(?:18|19|20)\d{6}$|^(?:1\d|20)\d\d ?[\-–/] ?(?:1\d|20)?\d\d$"
)
_QUAD = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}$")
_NORTH_AMERICA = re.compile(
    r"(?:\+?1[ .\-/]{0,3})?(?:[(\[]\d{3}[)\]][ .\-/]{0,3}|\d{3}[ .\-/]{1,3})\d{3}[ .\-/]{0,2}\d{4}$"
)
_ISBN = re.compile(r"97[89](?:[ \-]?\d){10}$|\d(?:[ \-]\d{1,7}){2}[ \-][\dX]$")
_SSN = re.compile(r"\d{3}[ \-‐‑–]\d{2}[ \-‐‑–]\d{4}$")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:([ .,])\d{3})(?:\1\d{3})+$")
_SHORT = re.compile(
    r"(?<![^\W_])(?:ext(?:ension)?|durchwahl|nebenstelle|pager|bleep|tel|(?:tele)?phone|fax|call|"
    r"dial|ring|"
    r"voicemail|hotline)\b\.?(?: (?:no|number|nr|is|at|on))?\.?\s?[:#]?\s?"
    r"(\d{3,6}(?:[\-. ]\d{3,4})?)(?![\w\-]|[.,:/]\d)",
    re.IGNORECASE,
)
_BESIDE = re.compile(
    # "Shane Russell, 6306139." and "Shane Russell (74058858)": a number of no form beside a name
    r"(?<![^\W_])[^\W\d_a-zß-öø-ÿ](?:[^\W\d_A-Z]{1,20}|\.)(?: [A-Z]\.)? "
    r"[^\W\d_a-zß-öø-ÿ][^\W\d_]{1,20}"
    r"(?:, ?([2-9]\d{6,7})(?=[.;\n]|$)(?!\.\d)| \((\d{6,10})\))"
)
_STATE = re.compile(r"(?<![^\W_])[A-Z]{2},? $")
_REGIONS = sorted(
    word_set(
        """
        US GB DE FR ES IT PL NL BE AT CH SE NO DK FI PT IE GR CZ SK HU RO BG HR SI RS UA RU TR
        IL IN PK BD LK CN JP KR TW HK SG MY TH ID PH VN AU NZ ZA NG KE EG MA DZ SA AE JO BR MX
        AR CL CO PE VE EE LV LT IS LU CY MT AL MK BA AM AZ GE UZ KZ IR NP GH
        """
    )
)


def phones(text: str) -> Iterator[Found]:
    """Yield phone numbers with their extensions."""
    reach = 0
    for run in _RUN.finditer(text):
        for start, end, score in _within(text, run.start(), run.end()):
            while extension := _EXTENSION.match(text, end):
                if extension.group().lstrip()[0] == "#" and " " in extension[0]:
                    break
                end, score = extension.end(), max(score, 0.6)
            reach = end
            yield Found(start, end, "PHONE_NUMBER", score)
    for beside in _BESIDE.finditer(text):
        place = beside.lastindex or 0
        if label_before(text, beside.start(place)) != "business":
            yield Found(*beside.span(place), "PHONE_NUMBER", 0.41)
    for short in _SHORT.finditer(text):
        if short.start(1) >= reach and not measured(text, short.start(1), short.end(1)):
            yield Found(short.start(1), short.end(1), "PHONE_NUMBER", 0.6)


def _within(text: str, first: int, last: int) -> Iterator[tuple[int, int, float]]:
    """Yield the numbers of a row of digits: all of it, or parts that a space sets apart."""
    for groups in _rows(text, first, last):
        cuts = [0] + [
            i for i in range(1, len(groups)) if " " in text[groups[i - 1][1] : groups[i][0]]
        ]
        ends = [*cuts[1:], len(groups)]
        position = 0
        while position < len(cuts):
            taken = 0
            # No number has more groups than nine: a long row of them is read in few steps.
            for stop in range(min(len(ends), position + 9), position, -1):
                end = groups[ends[stop - 1] - 1][1]
                start = _opened(text, groups[cuts[position]][0], end, first)
                score = _score(text, start, end)
                if score and (
                    stop - position == len(cuts) or _apart(score, ends[stop - 1] - cuts[position])
                ):
                    yield start, end, score
                    taken = stop - position
                    break
            position += taken or 1


def _apart(score: float, groups: int) -> bool:
    """Tell whether a part of a longer row looks like a phone by itself: a list of years not."""
    return score >= 0.5 or (score >= 0.45 and groups != 2)


def _rows(text: str, first: int, last: int) -> Iterator[list[tuple[int, int]]]:
    """Yield rows of groups, parted where a slash with spaces or an area code begins anew."""
    row: list[tuple[int, int]] = []
    count = 0
    for match in _GROUP.finditer(text, first, last):
        gap = text[row[-1][1] : match.start()] if row else ""
        ended = (count >= 9 and " / " in gap) or (
            # 42290 050 123 4604 behind a state: a ZIP code and a phone
            count == 5 and gap == " " and bool(_STATE.search(text, max(first - 5, 0), first))
        )
        if ended or (count >= 4 and gap.startswith(" (")):
            yield row
            row, count = [], 0
        row.append(match.span())
        count += match.end() - match.start()
    yield row


def _closed(number: str) -> bool:
    return number.count("(") == number.count(")") and number.count("[") == number.count("]")


def _opened(text: str, start: int, end: int, first: int) -> int:
    """Return where a number begins whose first digit is here: its plus and bracket in front."""
    begin = start
    while begin > first and text[begin - 1] in "(+[":
        begin -= 1
    while begin < start and not _closed(text[begin:end]):
        begin += 1
    if begin - 4 >= first and text.startswith("tel:", begin - 4):
        begin -= 4
    return begin


def _score(text: str, start: int, end: int) -> float:
    number = text[start:end].removeprefix("tel:")
    digits = "".join(str(int(letter)) for letter in number if letter.isdecimal())
    count = len(digits)
    extended = bool(_EXTENSION.match(text, end))
    if not 6 <= count <= 17 or len(set(digits)) < 2 or _follows(text, end, extended):
        return 0.0
    if number.startswith(("+", "(+", "[+")):
        return 0.8 if 7 <= count <= 16 else 0.0
    if not extended and (_DATE.search(number) or _QUAD.match(number) or _card(digits, number)):
        return 0.0
    # A short number must stand right behind its label: "call when it rises over 180/110".
    near = count < 8 and text[max(start - 3, 0) : start] not in {"at ", "on "}
    label = label_before(text, start, 14 if near else 36)
    if label == "phone":
        return 0.7
    if label == "business" or measured(text, start, end) or _ISBN.match(number):
        return 0.0
    if _SSN.match(number):
        return 0.0
    if extended and 7 <= count <= 13:
        return 0.65
    return _bare(digits) if number.isdigit() else _grouped(number, digits)


def _follows(text: str, end: int, extended: bool) -> bool:
    """Tell whether the number goes on as something else: a word, a decimal, a version, a time."""
    following = text[end : end + 2]
    if following[:1].isalnum() and not extended:
        return True
    return len(following) == 2 and following[0] in ".,:/-" and following[1].isdigit()


def _card(digits: str, number: str) -> bool:
    bare = number.isdigit() and not number.startswith("00")
    return len(digits) >= 15 and (luhn(digits) or bare)


def _grouped(number: str, digits: str) -> float:
    count = len(digits)
    if _NORTH_AMERICA.match(number):
        return 0.6
    if number.startswith("00") and count >= 9:
        return 0.6
    if re.match(r"[(\[]\d{2}", number):
        return 0.55 if count >= 7 else 0.0
    groups = [len(group) for group in _GROUP.findall(number)]
    if _odd(number, groups):
        return 0.0
    if digits[0] == "0" and 8 <= count <= 13:
        return 0.5
    if number.startswith("1") and count == 11 and groups[0] == 1:
        return 0.5
    if _THOUSANDS.match(number) and not valid(digits):
        return 0.0
    if (
        groups in ([3, 4], [3, 2, 2])
        and "-" in number
        and digits[0] not in "01"
        and digits[-2:] != "00"
    ):
        return 0.42
    if count >= 8 and valid(digits):
        return 0.45
    even = len(groups) >= 3 and max(groups) <= 5 and min(groups) >= 2
    return 0.42 if even and 9 <= count <= 13 and "/" not in number else 0.0


def _odd(number: str, groups: list[int]) -> bool:
    """Tell whether groups are those of no phone: single digits in a row, lists, long blocks."""
    if re.match(r"[1-9]\d{0,2}\.\d+$|\d{5}-\d{4}$|(?:\d{1,6}00[ /\-]){2}", number):
        return True
    if len(groups) > 2 and set(groups) == {4}:
        return True
    return sum(group == 1 for group in groups) > 2 or len(groups) > 7


def _bare(digits: str) -> float:
    count = len(digits)
    if len(set(digits)) < 3 or digits.endswith("00000"):
        return 0.0
    if digits.startswith("00") and count >= 11:
        return 0.6
    if digits.startswith("0") and count == 12 and valid(digits):
        return 0.42
    if count == 10 and digits[0] != "1":
        return 0.45
    if count == 11:
        return 0.45
    if count == 9 and digits[0] == "0":
        return 0.42
    return 0.42 if count in {12, 13} and valid("+" + digits) else 0.0


@lru_cache(maxsize=4096)
def valid(digits: str) -> bool:
    """Tell whether libphonenumber knows such a number: in its country, or in any of many.

    Args:
        digits: A national number, or an international one with its plus.
    """
    import phonenumbers

    if digits.startswith("+"):
        try:
            return bool(phonenumbers.is_valid_number(phonenumbers.parse(digits)))
        except phonenumbers.NumberParseException:
            return False
    return any(
        pattern.fullmatch(digits.removeprefix(prefix) if prefix else digits)
        for prefix, pattern in _plans()
    )


@lru_cache(maxsize=1)
def _plans() -> list[tuple[str, re.Pattern[str]]]:
    """Return each region's national prefix and the pattern of its mobile and fixed numbers."""
    from phonenumbers import PhoneMetadata

    plans = []
    for region in _REGIONS:
        data = PhoneMetadata.metadata_for_region(region)
        if data is None or data.fixed_line is None or data.mobile is None:
            continue
        shapes = {data.fixed_line.national_number_pattern, data.mobile.national_number_pattern}
        plans.append((data.national_prefix or "", re.compile("|".join(filter(None, shapes)))))
    return plans


def recognizer() -> Shape:
    """Return the recognizer of phone numbers."""
    return Shape("Phone", ["PHONE_NUMBER"], phones, scanned=True)
