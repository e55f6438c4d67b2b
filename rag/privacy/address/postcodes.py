"""Postcodes by their shape, and the ZIP rule of HIPAA's Safe Harbor."""

from __future__ import annotations

import re

SPARSE_PREFIXES = frozenset(
    [
        "036",
        "059",
        "063",
        "102",
        "203",
        "556",
        "692",
        "790",
        "821",
        "823",
        "830",
        "831",
        "878",
        "879",
        "884",
        "890",
        "893",
    ]
)
"""First three digits of ZIP codes whose areas have 20,000 people or fewer.

Source: the US Department of Health's guidance on de-identification under 45 CFR
164.514(b)(2)(i)(B), from the Bureau of the Census's ZIP code tabulation areas of 2000.
"""

SURE, LIKELY, MAYBE = 3, 2, 1
"""A shape that nothing else has, one that few have, a number of three to eight digits."""

_GAP = r"[  ]?"
_SHAPES = (
    # United Kingdom, with Gibraltar, the islands and the forces
    (
        SURE,
        rf"(?:[A-Z]{{1,2}}\d[A-Z\d]?|GIR|ASCN|STHL|TDCU|BBND|FIQQ){_GAP}\d[ABD-HJLNP-UW-Z]{{2}}",
    ),
    (SURE, rf"[ABCEGHJ-NPRSTVXY]\d[A-Z]{_GAP}-?\d[A-Z]\d"),  # Canada
    (SURE, rf"[AC-FHKNPRTV-Y]\d[\dW]{_GAP}[\dAC-FHKNPRTV-Y]{{4}}"),  # Ireland
    (SURE, rf"KY[1-3]-\d{{4}}|[A-Z]{{2}}{_GAP}(?:\d{{2}}|[A-Z]{{2}})(?= ?,? Bermuda)"),
    (LIKELY, rf"[A-Z]{{3}}{_GAP}\d{{4}}(?=,? Malta)|[A-Z]{{1,2}}-\d{{3}}{_GAP}\d{{2}}"),
    (SURE, r"[A-HJ-NP-Z]\d{4}[A-Z]{3}"),  # Argentina
    (LIKELY, rf"[1-9]\d{{3}}{_GAP}[A-Z]{{2}}(?![\w])"),  # Netherlands
    (LIKELY, r"(?:AZ|MD|BB|VG|VC|BH)\d{4,5}|AD\d{3}"),
    (LIKELY, r"[A-Z]{1,3}[- ]\d{4,6}"),  # D-10115, LV-1010, AZ 1000
    (LIKELY, r"\d{5}-\d{3,5}"),  # Brazil, United States, Iran, Saudi Arabia
    (LIKELY, r"\d{4}-\d{3}"),  # Portugal
    (LIKELY, r"〒\d{3}-?\d{4}"),
    (MAYBE, r"\d{3}-\d{4}"),  # Japan
    (LIKELY, r"\d{2}-\d{3}"),  # Poland
    (MAYBE, r"\d{3}[  ]\d{2}(?![\w\-])|\d{3}[  ]\d{3}"),  # Sweden, Czechia, Greece; India
    (MAYBE, r"\d{4,8}|\d{3}|\d{10}"),
)
_POSTCODE = re.compile(
    "|".join(rf"(?P<s{place}>(?:{shape})(?!\w))" for place, (_, shape) in enumerate(_SHAPES))
)
_AFTER = re.compile(r"[\w\-/+]| /|[.,:]\d|[%€$£°]")
_PHONE = re.compile(r" ?\(?\d{3}[ \-)]")
_ANY_CASE = re.compile(
    rf"[a-z]{{1,2}}\d[a-z\d]?{_GAP}\d[abd-hjlnp-uw-z]{{2}}(?!\w)"
    rf"|[ac-fhknprtv-y]\d[\dw]{_GAP}[\dac-fhknprtv-y]{{4}}(?!\w)"
    rf"|[abceghj-nprstvxy]\d[a-z]{_GAP}\d[a-z]\d(?!\w)"
)


def postcode(text: str, start: int) -> tuple[int, int]:
    """Return the end of the postcode that starts at an offset, and how sure its shape is.

    (0, 0) for none; a longer run of numbers (a telephone's) is none.
    """
    match = _POSTCODE.match(text, start)
    if match is None:
        lower = _ANY_CASE.match(text, start)
        return (lower.end(), LIKELY) if lower else (0, 0)
    strength = _SHAPES[int((match.lastgroup or "s0")[1:])][0]
    longer = _PHONE.match(text, match.end()) and (
        strength == MAYBE and (len(match.group()) != 5 or match.group()[0] == "0")
    )
    if longer or _AFTER.match(text, match.end()):
        if strength != MAYBE or " " not in match.group():
            return 0, 0
        end = text.index(" ", start)
        return (0, 0) if _AFTER.match(text, end) else (end, strength)
    return match.end(), strength


def generalized_zip(text: str) -> str:
    """Return the digits of a US ZIP code that may stay: the first three, "000" where few live.

    Args:
        text: A postcode as it was found. One that is no US ZIP code may show nothing, because
            the rule of 20,000 people is known for areas of the United States alone.

    Returns:
        Three digits, or an empty text.
    """
    match = re.fullmatch(r"\s*(?:[A-Za-z]{2}\s+)?(\d{3})\d{2}(?:[\s\-–]?\d{4})?\s*", text)
    if match is None:
        return ""
    return "000" if match.group(1) in SPARSE_PREFIXES else match.group(1)
