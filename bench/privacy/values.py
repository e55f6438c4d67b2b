"""Fill a template's slots; where the values come from is behind `Values`."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bench.privacy.styles import plain_letters

Piece = tuple[str, str]
"""A piece of text and its kind, empty where it is not personal."""


def listed(text: str, sign: str | None = None) -> tuple[str, ...]:
    """Read a list written as a text, parted by blanks or by a sign."""
    return tuple(part.strip() for part in text.split(sign) if part.strip())


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody made up. ``western``: the given name comes first in running text."""

    given: str
    middle: str
    surname: str
    western: bool = True

    @property
    def full(self) -> str:
        order = (self.given, self.surname) if self.western else (self.surname, self.given)
        return " ".join(order)


class Values(Protocol):
    """A source of synthetic values for one part of the set."""

    def locale(self, rng: random.Random) -> str:
        """Return where the text's people live."""

    def person(self, locale: str, rng: random.Random) -> Person: ...

    def address(self, locale: str, rng: random.Random) -> list[str]:
        """Return a whole address as its lines: street with unit first, or as the country does."""

    def street(self, locale: str, rng: random.Random) -> str:
        """Return street and number alone."""

    def simple(self, slot: str, locale: str, rng: random.Random) -> str:
        """Return a value for a slot of `ENTITIES`, or of what is not personal."""


ENTITIES = {
    "phone": "PHONE_NUMBER",
    "email": "EMAIL_ADDRESS",
    "card": "CREDIT_CARD",
    "iban": "IBAN_CODE",
    "ssn": "US_SSN",
    "ip": "IP_ADDRESS",
    "license": "DRIVER_LICENSE",
    "dob": "DATE_OF_BIRTH",
    "mrn": "MEDICAL_RECORD",
    "passport": "PASSPORT",
    "account": "BANK_ACCOUNT",
    "mac": "MAC_ADDRESS",
    "date": "DATE_TIME",
    "age": "AGE",
    "zip": "ZIP_CODE",
    "city": "LOCATION",
    "url": "URL",
    "device": "DEVICE_ID",
    "vehicle": "VEHICLE_ID",
    "org": "",
    "country": "",
    "nation": "",
    "job": "",
    "product": "",
    "amount": "",
    "num": "",
    "code": "",
    "time": "",
    "day": "",
    "month": "",
    "year": "",
}
"""Slots with a value of one piece, and the kind of it; no kind: never personal."""

TITLES = ("Mr", "Mrs", "Ms", "Dr", "Mr.", "Mrs.", "Ms.", "Dr.", "Miss", "Prof.", "Professor", "Sir")


class Fill:
    """One text's values: the same slot number is the same person."""

    def __init__(self, values: Values, rng: random.Random) -> None:
        self._values = values
        self._rng = rng
        self.locale = values.locale(rng)
        self._people: dict[int, Person] = {}
        self._plain = rng.random() < 0.2

    def slot(self, name: str, number: int) -> list[Piece]:
        """Return a slot's pieces.

        Raises:
            KeyError: A template asks for a slot that there is not.
        """
        if name in _PEOPLE:
            pieces = _PEOPLE[name](self._person(number), self._rng)
        elif name in _ADDRESSES:
            pieces = [(_ADDRESSES[name](self._values, self.locale, self._rng), "STREET_ADDRESS")]
        else:
            pieces = [(self._values.simple(name, self.locale, self._rng), ENTITIES[name])]
        return [(plain_letters(text), kind) for text, kind in pieces] if self._plain else pieces

    def _person(self, number: int) -> Person:
        if number not in self._people:
            # Half of the others in a text come from elsewhere.
            away = number > 1 and self._rng.random() < 0.5
            locale = self._values.locale(self._rng) if away else self.locale
            self._people[number] = self._values.person(locale, self._rng)
        return self._people[number]


def _name(person: Person, rng: random.Random) -> list[Piece]:
    """Most often the plain full name; else a middle name or initials."""
    if not person.western:
        return [(person.full, "PERSON")]
    form = rng.choices(range(6), (74, 8, 6, 6, 3, 3))[0]
    given, middle, surname = person.given, person.middle, person.surname
    forms = (
        f"{given} {surname}",
        f"{given} {middle[0]}. {surname}",
        f"{given} {middle} {surname}",
        f"{given[0]}. {surname}",
        f"{given[0]}.{middle[0]}. {surname}",
        f"{given} {middle[0]} {surname}",
    )
    return [(forms[form], "PERSON")]


def _titled(person: Person, rng: random.Random) -> list[Piece]:
    name = person.surname if rng.random() < 0.6 else person.full
    return [(f"{rng.choice(TITLES)} ", ""), (name, "PERSON")]


def _initials(person: Person, rng: random.Random) -> list[Piece]:
    given, middle, surname = person.given[0], person.middle[0], person.surname
    forms = (f"{given}. {surname}", f"{given}. {middle}. {surname}", f"{surname} {given}.")
    return [(rng.choice((*forms, f"{given}{middle} {surname}")), "PERSON")]


_PEOPLE: dict[str, Callable[[Person, random.Random], list[Piece]]] = {
    "name": _name,
    "full": lambda person, rng: [(person.full, "PERSON")],
    "given": lambda person, rng: [(person.given, "PERSON")],
    "surname": lambda person, rng: [(person.surname, "PERSON")],
    "titled": _titled,
    "comma": lambda person, rng: [(f"{person.surname}, {person.given}", "PERSON")],
    "initials": _initials,
    "uppername": lambda person, rng: [(person.full.upper(), "PERSON")],
}


_NUMBER = re.compile(r"^(?:No\. )?\d{1,5}[a-z]?,? |,? (?:N° )?\d{1,5}[a-z]?$")


def _line(values: Values, locale: str, rng: random.Random) -> str:
    if rng.random() < 0.08:
        return _numberless(values, locale, rng)
    lines = values.address(locale, rng)
    return (", " if rng.random() < 0.85 else " ").join(line.strip(" ,") for line in lines)


def _any(values: Values, locale: str, rng: random.Random) -> str:
    """A whole address on one line or several; sometimes street and city only."""
    form = rng.random()
    if form < 0.55:
        return _line(values, locale, rng)
    if form < 0.85:
        return "\n".join(values.address(locale, rng))
    return values.street(locale, rng)


def _numberless(values: Values, locale: str, rng: random.Random) -> str:
    """A street as people name it who know it, alone or with its town, when it has one number."""
    street = values.street(locale, rng)
    bare = _NUMBER.sub("", street, count=1)
    if re.search(r"\d|\b(?:No|Nr|nr)\.?$", bare) or bare == street or " " not in bare:
        return street
    town = values.simple("city", locale, rng)
    return rng.choice((bare, f"{bare}, {town}", f"{bare}, {town}"))


def _street(values: Values, locale: str, rng: random.Random) -> str:
    if rng.random() < 0.15:
        return _numberless(values, locale, rng).split(", ")[0]
    return values.street(locale, rng)


_ADDRESSES: dict[str, Callable[[Values, str, random.Random], str]] = {
    "addr": _line,
    "lines": lambda values, locale, rng: "\n".join(values.address(locale, rng)),
    "anyaddr": _any,
    "street": _street,
}
