"""Personal identifiers in the sources are marked; this takes the marks off and keeps the list.

A mark reads ``«person Marta Kowalczyk»``: a word for the kind, then the literal text. The list of
planted identifiers is therefore true by construction, and a name that stands somewhere without a
mark is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

ENTITIES = {
    "person": "PERSON",
    "email": "EMAIL_ADDRESS",
    "phone": "PHONE_NUMBER",
    "iban": "IBAN_CODE",
    "card": "CREDIT_CARD",
    "ssn": "US_SSN",
    "ip": "IP_ADDRESS",
    "address": "STREET_ADDRESS",
    "mrn": "MEDICAL_RECORD",
    "born": "DATE_OF_BIRTH",
}
_MARK = re.compile(r"«(" + "|".join(ENTITIES) + r") ([^«»]+)»")
_WORD = re.compile(r"[^\W\d_]{4,}")

Say = Callable[[str, str], str]
"""Takes marked text and where it goes; returns the text that is written."""


@dataclass(frozen=True, slots=True, order=True)
class Planted:
    """One identifier: its document (path within the handbook), kind, literal text and place."""

    document: str
    entity: str
    text: str
    where: str


@dataclass(slots=True)
class Register:
    """Every identifier planted so far, and what stands around them."""

    planted: set[Planted] = field(default_factory=set)
    unmarked: list[tuple[str, str]] = field(default_factory=list)

    def plant(self, document: str, marked: str, where: str) -> str:
        """Return `marked` without marks, and remember what they covered."""

        def take(mark: re.Match[str]) -> str:
            self.planted.add(Planted(document, ENTITIES[mark[1]], mark[2], where))
            return mark[2]

        text = _MARK.sub(take, marked)
        if "«" in text or "»" in text:
            raise ValueError(f"{document}: a mark is misspelt near {text[text.find('«') :][:60]!r}")
        self.unmarked.append((document, _MARK.sub(" ", marked)))
        return text

    def forgotten(self, ordinary: Iterable[str] = ()) -> list[str]:
        """Names that are marked in one place and stand without a mark in another."""
        names = {w for p in self.planted if p.entity == "PERSON" for w in _WORD.findall(p.text)}
        names -= set(ordinary)
        return sorted(
            f"{document}: {word}"
            for document, text in self.unmarked
            for word in names & set(_WORD.findall(text))
        )

    def listing(self) -> list[dict[str, str]]:
        """The list as it is written to planted.json, in a stable order."""
        return [
            {"document": p.document, "entity": p.entity, "text": p.text, "where": p.where}
            for p in sorted(self.planted)
        ]
