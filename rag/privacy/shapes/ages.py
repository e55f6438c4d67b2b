"""How old somebody is, and whether that is over 89."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.privacy.shapes.shape import Found, Shape

_UNITS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORDS = {ten: 10 * (i + 2) for i, ten in enumerate(_TENS)} | {
    f"{ten}{joint}{unit}": 10 * (i + 2) + j + 1
    for i, ten in enumerate(_TENS)
    for j, unit in enumerate(_UNITS)
    for joint in "- "
}
_UNIT = f"(?:{'|'.join(_UNITS)})"
_SPELT = rf"(?:(?:{'|'.join(_TENS)})(?:[\- ]{_UNIT})?|(?:a|one) hundred(?: and {_UNIT})?)"
_NUMBER = rf"(?P<value>1[0-4]\d|\d{{1,2}}|{_SPELT})"
_AGES = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # 92-year-old, 92 years old, 92 yo, 92 y/o, 92 years of age
        rf"(?<![\w.,\-/]){_NUMBER}[\s\-]{{0,2}}(?:(?:years?|yrs?\.?)[\s\-]{{1,2}}(?:old|of age|"
        rf"young)|y\.?[/.]?o\.?\b|"
        rf"yr[\s\-]?old)",
        # aged 92, age: 92, at the age of 92, Alter: 93, turned 92
        rf"(?<![^\W_])(?:aged?(?: of| is)?|alter(?: von)?|âge|edad|età|idade|wiek|leeftijd|ålder|"
        rf"alder|ikä|turn(?:s|ed|ing)|"
        rf"возраст)\s{{0,2}}[:=]?\s{{0,2}}{_NUMBER}(?![\w%]|[.,:/\-]\d)",
        # 93 Jahre alt, 93-jährige, âgé de 92 ans, de 92 años, 92 anni, 92 lat
        rf"(?<![\w.,\-/]){_NUMBER}[\s\-]{{0,2}}(?:jahre? alt|j[äa]hrig\w{{0,2}}|ans\b|años\b|"
        rf"anni\b|anos\b|lat\b|jaar\b|år\b|"
        rf"let\b|vuotta\b|лет\b|yaş\w{{0,5}})",
        # clinical shorthand: 92F, 45 M, 92/F
        r"(?<![\w.,\-/])(?P<value>1[0-4]\d|[1-9]\d)(?:/|\s)?(?-i:[MF])(?![\w.])(?!\s?[\d/])",
        # her 92nd birthday
        r"(?<![\w.,\-/])(?P<value>1[0-4]\d|\d{1,2})(?:st|nd|rd|th)\sbirthday",
        # in her nineties, a nonagenarian
        r"(?<![^\W_])(?P<value>(?:early |mid-?|late )?(?:nineties|90s)(?=[ ,.;]|$)|(?:nona|"
        r"cente)narians?|"
        r"nonagenarians?|(?:super)?centenarians?)",
    )
]
_DECADE = re.compile(
    r"(?:in|into) (?:his|her|their|the|my)(?: early| mid| late)?[ \-]*$", re.IGNORECASE
)
_FIGURE = re.compile(r"\d{1,3}")
_OLD = re.compile(r"nineties|90s|nonagenarian|centenarian|hundred", re.IGNORECASE)


def ages(text: str) -> Iterator[Found]:
    """Yield ages: the number alone, so that ``92-year-old`` stays readable."""
    for pattern in _AGES:
        for match in pattern.finditer(text):
            value = match["value"].lower()
            if value.endswith(("nineties", "90s")) and not _DECADE.search(text, 0, match.start()):
                continue
            yield Found(*match.span("value"), "AGE", 0.7)


def over_89(text: str) -> bool:
    """Tell whether an age is over 89, which HIPAA's Safe Harbor makes one class of "90 or older".

    Args:
        text: An age as it was found: ``92``, ``92-year-old``, ``ninety-two``, ``nineties``.
    """
    figure = _FIGURE.search(text)
    if figure:
        return int(figure.group()) > 89
    folded = " ".join(text.lower().split())
    spelt = max((v for word, v in _WORDS.items() if word in folded), default=0)
    return spelt > 89 or bool(_OLD.search(text))


def recognizer() -> Shape:
    """Return the recognizer of ages."""
    return Shape("Age", ["AGE"], ages)
