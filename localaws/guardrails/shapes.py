"""Identifiers that a regular expression finds, for the entity types of a guardrail.

A named group ``value`` narrows what is found to what is personal about it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_IS = r"\W{0,3}(?:is|was|of|no|nr|number|num|code|id)?\W{0,4}(?:is\W{1,2})?"


@dataclass(frozen=True, slots=True)
class Shape:
    """One way in which an entity type is written; `check` says whether a match is one."""

    entity: str
    pattern: re.Pattern[str]
    check: Callable[[str], bool] = lambda value: True


def found(text: str, shapes: Sequence[Shape] | None = None) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and entity type of what has one of the shapes."""
    for shape in SHAPES if shapes is None else shapes:
        group = "value" if "value" in shape.pattern.groupindex else 0
        for match in shape.pattern.finditer(text):
            if shape.check(match.group(group)):
                yield *match.span(group), shape.entity


def luhn(value: str) -> bool:
    """Whether the digits have a right check digit (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed([int(c) for c in value if c.isdigit()])):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def routing(value: str) -> bool:
    """Whether nine digits are an ABA routing number: 3-7-1 weights, modulus 10."""
    digits = [int(letter) for letter in value if letter.isdigit()]
    weighted = sum(weight * digit for weight, digit in zip((3, 7, 1) * 3, digits, strict=True))
    return weighted % 10 == 0 and any(digits)


def vin(value: str) -> bool:
    """Whether 17 characters are a VIN: the check digit of 49 CFR 565.15."""
    known = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", map(int, "12345678123457923456789"), strict=True))
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    rest = sum(w * known.get(c, int(c) if c.isdigit() else 0) for w, c in zip(weights, value)) % 11  # noqa: B905
    return value[8] == ("X" if rest == 10 else str(rest))


def _mixed(value: str) -> bool:
    return bool(
        re.search(r"[a-z]", value) and re.search(r"[A-Z]", value) and re.search(r"\d", value)
    )


def _digit(value: str) -> bool:
    return any(letter.isdigit() for letter in value)


def _shape(
    entity: str, pattern: str, check: Callable[[str], bool] = lambda value: True, flags: int = re.I
) -> Shape:
    return Shape(entity, re.compile(pattern, flags), check)


SHAPES: tuple[Shape, ...] = (
    _shape("AGE", r"\b\d{1,3}[ -](?:years?|yrs?|months?|weeks?)[ -]old\b|\b\d{1,3} ?y/?o\b"),
    _shape("AGE", r"\b(?:aged?|age[:=])\s{0,2}(?P<value>\d{1,3})\b(?! ?%)"),
    _shape("AWS_ACCESS_KEY", r"\b(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA)[A-Z0-9]{16}\b", flags=0),
    _shape("AWS_SECRET_KEY", r"(?<![\w/+=])[A-Za-z0-9/+]{40}(?![\w/+=])", _mixed, 0),
    _shape(
        "CA_HEALTH_NUMBER",
        rf"\b(?:health card|health (?:insurance )?number|OHIP|PHN|HCN)\b{_IS}"
        r"(?P<value>\d{4}[ -]?\d{3}[ -]?\d{3}(?:[ -]?[A-Z]{2}\b)?)(?!\d)",
    ),
    _shape(
        "CA_SOCIAL_INSURANCE_NUMBER",
        rf"\b(?:SIN|social insurance)\b{_IS}(?P<value>\d{{3}}[ -]?\d{{3}}[ -]?\d{{3}})(?!\d)",
    ),
    _shape("CA_SOCIAL_INSURANCE_NUMBER", r"(?<![\w-])[1-79]\d{2}([ -])\d{3}\1\d{3}(?![\w-])", luhn),
    _shape(
        "CREDIT_DEBIT_CARD_CVV",
        rf"\b(?:cvv2?|cvc2?|csc|card (?:security|verification)(?: code| value)?|security code)\b"
        rf"{_IS}(?P<value>\d{{3,4}})(?!\d)",
    ),
    _shape(
        "CREDIT_DEBIT_CARD_EXPIRY",
        r"\b(?:exp(?:iry|ires?|iration)?(?: date)?|valid (?:thru|through|until|to))\b\W{0,4}"
        r"(?:is |on )?(?P<value>(?:0?[1-9]|1[0-2]) ?[/-] ?(?:20)?\d{2})(?!\d|[/-])",
    ),
    _shape(
        "DRIVER_ID",
        rf"\bdriv(?:er|ing)(?:'?s)? (?:licen[cs]e|id)\b{_IS}(?P<value>[A-Z0-9][A-Z0-9-]{{4,18}})\b",
        _digit,
    ),
    _shape("EMAIL", r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}\b"),
    _shape(
        "LICENSE_PLATE",
        r"\b(?:(?:licen[cs]e|number|registration|vehicle|car) plate|plate|registration)\b"
        rf"{_IS}(?P<value>[A-Z0-9]{{1,4}}[ -]?[A-Z0-9]{{2,4}}(?:[ -][A-Z0-9]{{1,3}})?)\b",
        lambda value: _digit(value) and value.upper() == value and not value.isdigit(),
    ),
    _shape("LICENSE_PLATE", r"(?<![\w-])[A-Z]{2}\d{2} [A-Z]{3}(?![\w-])", flags=0),
    _shape("MAC_ADDRESS", r"(?<![\w:-])(?:[0-9A-F]{2}[:-]){5}[0-9A-F]{2}(?![\w:-])"),
    _shape(
        "PASSWORD",
        r"\b(?:password|passwd|pwd|passphrase)\b\s{0,2}(?:is|was|to|[:=])\s{0,2}"
        r"[\"']?(?P<value>[^\s\"',;]{4,64}[^\s\"',;.])",
    ),
    _shape("PIN", r"\b(?-i:PIN)\b(?: (?:code|number))?\W{0,3}(?:is\W)?(?P<value>\d{4,6})(?!\d)"),
    _shape(
        "SWIFT_CODE",
        rf"\b(?:swift|bic)\b(?:/bic)?{_IS}(?P<value>[A-Z]{{6}}[A-Z0-9]{{2}}(?:[A-Z0-9]{{3}})?)\b",
    ),
    _shape("SWIFT_CODE", r"\b[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?\b", _digit, 0),
    _shape(
        "UK_NATIONAL_HEALTH_SERVICE_NUMBER",
        rf"\bNHS\b{_IS}(?P<value>\d{{3}}[ -]?\d{{3}}[ -]?\d{{4}})(?!\d)",
    ),
    _shape(
        "UK_NATIONAL_INSURANCE_NUMBER",
        r"\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b",
    ),
    _shape(
        "UK_UNIQUE_TAXPAYER_REFERENCE_NUMBER",
        rf"\b(?:UTR|unique taxpayer reference)\b{_IS}(?P<value>\d{{5}} ?\d{{5}})(?!\d)",
    ),
    _shape("URL", r"\b(?:https?|ftp)://[^\s<>\"')]+[^\s<>\"').,;:]|\bwww\.[^\s<>\"')]+[\w/]"),
    _shape(
        "USERNAME",
        r"\b(?:user ?name|user ?id|login(?: name)?)\b\s{0,2}(?:is|was|[:=])\s{0,2}"
        r"[\"']?(?P<value>[\w@-][\w.@-]{1,62}[\w@-])",
    ),
    _shape("USERNAME", r"(?<![\w.@])@[A-Za-z]\w{2,30}\b"),
    _shape(
        "US_BANK_ROUTING_NUMBER",
        rf"\b(?:routing|aba|rtn|transit)\b{_IS}(?P<value>\d{{9}})(?!\d)",
        routing,
    ),
    _shape(
        "US_BANK_ACCOUNT_NUMBER",
        rf"\b(?:(?:bank|checking|savings) )?(?:account|acct)\b{_IS}(?P<value>\d{{6,17}})(?!\d)",
    ),
    _shape(
        "US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER",
        r"(?<![\w-])9\d{2}([ -])(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])\1\d{4}(?![\w-])",
    ),
    _shape("US_PASSPORT_NUMBER", rf"\bpassport\b{_IS}(?P<value>[A-Z]\d{{8}}|\d{{9}})(?!\w)"),
    _shape(
        "US_SOCIAL_SECURITY_NUMBER",
        r"(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])",
    ),
    _shape("VEHICLE_IDENTIFICATION_NUMBER", r"(?<!\w)[A-HJ-NPR-Z0-9]{17}(?!\w)", vin, 0),
    _shape(
        "VEHICLE_IDENTIFICATION_NUMBER",
        rf"\b(?:VIN|vehicle identification)\b{_IS}(?P<value>[A-HJ-NPR-Z0-9]{{17}})(?!\w)",
    ),
)
