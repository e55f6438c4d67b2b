"""Identifiers that are only digits and letters: valid where there is a checksum."""

from __future__ import annotations

import random
import string

from bench.privacy.values import Person


def digits(rng: random.Random, pattern: str) -> str:
    """Fill ``#`` with a digit, ``%`` with one above zero, ``@`` with a capital letter."""
    letters = {"#": string.digits, "%": string.digits[1:], "@": string.ascii_uppercase}
    return "".join(rng.choice(letters.get(sign, sign)) for sign in pattern)


def grouped(number: str, rng: random.Random, signs: str = "  -") -> str:
    """Write a number bare or in groups of four."""
    sign: str = rng.choice(["", *signs])
    return sign.join(number[place : place + 4] for place in range(0, len(number), 4))


def luhn(prefix: str, length: int, rng: random.Random) -> str:
    """Return a card number with its check digit (ISO/IEC 7812-1)."""
    body = prefix + "".join(rng.choice(string.digits) for _ in range(length - len(prefix) - 1))
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (1 if place % 2 else 2)
        total += value - 9 if value > 9 else value
    return body + str(-total % 10)


def iban(pattern: str, rng: random.Random) -> str:
    """Return an IBAN of a country's pattern with its check digits (ISO 13616, mod 97)."""
    country, body = pattern[:2], digits(rng, pattern[2:])
    number = int("".join(str(int(sign, 36)) for sign in f"{body}{country}00"))
    return f"{country}{98 - number % 97:02d}{body}"


def ssn(rng: random.Random) -> str:
    """Return a social security number of an area that is in use."""
    area = rng.choice([*range(1, 666), *range(667, 900)])
    sign = rng.choice(["-", "-", "-", " ", ""])
    return f"{area:03d}{sign}{rng.randint(1, 99):02d}{sign}{rng.randint(1, 9999):04d}"


def ip(rng: random.Random) -> str:
    """Return an IPv4 address, or one time in four an IPv6 one."""
    if rng.random() < 0.75:
        return ".".join(str(rng.randint(1, 254)) for _ in range(4))
    groups = [f"{rng.randint(1, 0xFFFF):x}" for _ in range(8)]
    if rng.random() < 0.5:
        place = rng.randint(2, 4)
        return f"{':'.join(groups[:place])}::{':'.join(groups[place + 2 :])}"
    return ":".join(groups)


_MAILS = ("{g}.{s}", "{g}{s}", "{i}{s}", "{g}_{s}", "{s}.{g}", "{g}{n}", "{i}.{s}{n}", "{s}{n}")


def mailbox(person: Person, hosts: tuple[str, ...], rng: random.Random) -> str:
    """Return an address as a person of this name might have."""
    from bench.privacy.styles import plain_letters

    def folded(word: str) -> str:
        return "".join(c for c in plain_letters(word).lower() if c in string.ascii_lowercase)

    given, surname = folded(person.given) or "info", folded(person.surname) or "post"
    form = rng.choice(_MAILS)
    local = form.format(g=given, s=surname, i=given[0], n=rng.randint(1, 99))
    return f"{local}@{rng.choice(hosts)}"
