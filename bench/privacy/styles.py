"""What typing and scanning do to a text; each function changes a piece of it by itself."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable, Mapping

_CONFUSED = {"l": "1", "O": "0", "0": "O", "1": "l", "S": "5", "B": "8", "e": "c", "i": "í"}
_SPECIAL = str.maketrans(
    {"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ß": "ss", "æ": "ae", "Æ": "Ae"}
    | {"œ": "oe", "Œ": "Oe", "ı": "i", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ə": "e"}
    | {"Ə": "E"}
)


def plain_letters(text: str) -> str:
    """Take accents off, as people do who type names on a foreign keyboard."""
    apart = unicodedata.normalize("NFD", text.translate(_SPECIAL))
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _lower(text: str, rng: random.Random) -> str:
    return text.lower()


def _upper(text: str, rng: random.Random) -> str:
    return text.upper()


def _ascii(text: str, rng: random.Random) -> str:
    return plain_letters(text)


def _scanned(text: str, rng: random.Random) -> str:
    """Confuse one letter in 60 and break one line in 40 words, as text recognition does."""
    letters = []
    for letter in text:
        if letter in _CONFUSED and rng.random() < 1 / 20:
            letters.append(_CONFUSED[letter])
        elif letter == " " and rng.random() < 1 / 40:
            letters.append("\n")
        else:
            letters.append(letter)
    return "".join(letters)


def _wide(text: str, rng: random.Random) -> str:
    """Double some spaces, as copied forms have."""
    return "".join("  " if letter == " " and rng.random() < 1 / 10 else letter for letter in text)


STYLES: Mapping[str, Callable[[str, random.Random], str]] = {
    "lower": _lower,
    "upper": _upper,
    "ascii": _ascii,
    "scanned": _scanned,
    "wide": _wide,
}
