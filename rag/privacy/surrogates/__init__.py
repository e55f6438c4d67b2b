"""Stand-ins that keep a form: a moved date, a number of the same shape, a coarser value.

A surrogate is typed and carries a keyed check: ``<PHONE_NUMBER +44 31 8802 6417 k7q2>``. Whoever
has the key recognises it, so that masking again leaves it alone, and nobody else can write one
to hide something in.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from rag.privacy.surrogates.dates import read_date, year_of
from rag.privacy.surrogates.masks import plain_masks, surrogates
from rag.privacy.words import view

if TYPE_CHECKING:
    from rag.privacy.policy import Policy

_LONGEST = 64
_SEPARATORS = frozenset("+-./()# ")
_COUNTRY = re.compile(r"\s*\(?(?:\+|00)\s?(?=[0-9])")
_YEAR = re.compile(r"[12][0-9]{3}")
_TAIL = 8  # digits at the end that are the same however a phone number is written


class Surrogates:
    """Makes and recognises surrogates with a 32-byte key (HMAC-SHA256, RFC 2104)."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"surrogate", "sha256")

    def replaced(self, policy: Policy, entity: str, text: str, person: Sequence[str]) -> str:
        """Return what stands for a finding under a policy that does not give it a pseudonym.

        Args:
            person: Whose dates these are; empty when the document names nobody.
        """
        action = policy.action(entity)
        if action == "shape":
            return self.shape(entity, text)
        if action == "shift":
            return self.shift(entity, text, person)
        if action == "generalize":
            return generalize(entity, text, policy.born_before)
        if action == "partial":
            return partial(entity, text)
        return f"<{entity}>"

    def shape(self, entity: str, text: str) -> str:
        """Return a number of the same shape: other digits and letters, the same separators.

        A phone number's country code and trunk zero stay. The digits depend on the value, not on
        how it is grouped: ``+44 20 7946 0958`` and ``020 7946 0958`` end in the same ones.
        """
        plain = view(text).text[:_LONGEST]
        signs = [sign for sign in plain if sign.isalnum()]
        phone = entity == "PHONE_NUMBER"
        kept = _kept(plain) if phone else 0
        seed = "".join(signs).casefold()
        seed = seed[-_TAIL:] if phone else seed
        for attempt in range(8):
            stream = self._stream(f"shape\0{entity}\0{attempt}\0{seed}", len(signs))
            left = len(signs)
            made: list[str] = []
            for place, sign in enumerate(plain):
                if not sign.isalnum():
                    made.append(sign if sign in _SEPARATORS else " ")
                    continue
                left -= 1  # counted from the end, where two ways to write a number agree
                made.append(sign if place < kept else _other(sign, stream[left]))
            value = " ".join("".join(made).split())
            if (
                value
                and "".join(filter(str.isalnum, value)).casefold() != "".join(signs).casefold()
            ):
                return self._signed(entity, value)
        return f"<{entity}>"

    def shift(self, entity: str, text: str, person: Sequence[str]) -> str:
        """Return a date moved by this person's number of days, 1 to 365 back or forth.

        Dates of one person keep their distances. A date without a year, or one that belongs to
        nobody, is redacted; one without a day is moved by its month.
        """
        found = read_date(view(text).text)
        if found is None or not person:
            return f"<{entity}>"
        number = int.from_bytes(self._digest("shift\0" + " ".join(person))[:8], "big") % 730
        days = number - 365 if number < 365 else number - 364
        try:
            moved = date(found.year, found.month, found.day or 15) + timedelta(days)
        except (OverflowError, ValueError):
            return f"<{entity}>"
        return self._signed(entity, moved.isoformat() if found.day else moved.isoformat()[:7])

    def genuine(self, entity: str, value: str, check: str) -> bool:
        """Whether a surrogate was made with this key."""
        return hmac.compare_digest(self._check(entity, value), check)

    def _signed(self, entity: str, value: str) -> str:
        return f"<{entity} {value} {self._check(entity, value)}>"

    def _check(self, entity: str, value: str) -> str:
        digest = self._digest(f"check\0{entity}\0{value}")
        return base64.b32encode(digest[:5]).decode().lower()[:4]

    def _stream(self, seed: str, length: int) -> bytes:
        blocks = (length + 31) // 32
        return b"".join(self._digest(f"{seed}\0{block}") for block in range(blocks))

    def _digest(self, text: str) -> bytes:
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), "sha256")


def _other(sign: str, byte: int) -> str:
    if sign.isdigit():
        return str(byte % 10)
    letter = chr(ord("a") + byte % 26)
    return letter.upper() if sign.isupper() else letter


def _kept(text: str) -> int:
    """Return how many characters at the start are a country code or a trunk zero."""
    country = _COUNTRY.match(text)
    if country is None:
        return len(text) - len(text.lstrip("( ")) + 1 if text.lstrip("( ").startswith("0") else 0
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    digits = re.match(r"[0-9]{1,3}", text[country.end() :])
    code = digits.group() if digits else ""
    while code and int(code) not in COUNTRY_CODE_TO_REGION_CODE:
        code = code[:-1]
    return country.end() + len(code)


def partial(entity: str, text: str) -> str:
    """Return the mask with a number's last four characters; two of a short one, none of others."""
    signs = [sign for sign in text if sign.isalnum() and sign.isascii()]
    if len(signs) < 8 or sum(map(str.isdigit, signs)) < 6:
        return f"<{entity}>"
    return f"<{entity} ****{''.join(signs[-4 if len(signs) >= 12 else -2 :])}>"


def generalize(entity: str, text: str, born_before: int) -> str:
    """Return the coarser value: the year, 90+, three digits of a ZIP code.

    Args:
        born_before: Who was born before this year may be 90 by now.
    """
    plain = view(text).text
    if entity == "ZIP_CODE":
        from rag.privacy.address.postcodes import generalized_zip

        digits = generalized_zip(plain)
        return f"<ZIP_CODE {digits}>" if digits else f"<{entity}>"
    if entity == "AGE":
        return "<AGE 90+>"
    year = year_of(plain)
    if year is None:
        return f"<{entity}>"
    if entity == "DATE_OF_BIRTH" and year < born_before:
        return f"<{entity} 90+>"
    return f"<{entity} {year}>"


def general_enough(entity: str, text: str) -> bool:
    """Whether a value says no more than its generalized form would: a year, an age under 90."""
    if entity == "AGE":
        from rag.privacy.shapes.ages import over_89

        return not over_89(view(text).text)
    return entity == "DATE_TIME" and _YEAR.fullmatch(view(text).text.strip()) is not None


class Masks:
    """Finds what is a mask already, in text that may try to look like one.

    Args:
        kinds: All that masks may name.
    """

    def __init__(self, kinds: Iterable[str], made: Surrogates) -> None:
        kinds = frozenset(kinds)
        self._plain = plain_masks(kinds)
        self._checked = surrogates(kinds)
        self._made = made

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return disjoint ranges in order."""
        found = [match.span() for match in self._plain.finditer(text)]
        checked = [
            match.span()
            for match in self._checked.finditer(text)
            if self._made.genuine(*match.group(1, 2, 3))
        ]
        return sorted(found + checked) if checked else found
