"""What texts mean to each other: cosines of the embedded model, and the words that they share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_COMMON = """
    a about after all also am an and any are as at be been before but by can could did do does for
    from get give had has have he her him his how i if in into is it its just let like may me might
    more most must my no nor not of off on or our out over own please she should so some such tell
    than that the their them then there these they this those to too under up us was we were what
    when where which while who whom why will with would you your
"""
_COMMON_WORDS = frozenset(_WORD.findall(_COMMON))


def cosines(first: Sequence[str], second: Sequence[str]) -> numpy.ndarray:
    """Return the cosine of each text with each of the other texts; shape (first, second)."""
    from localaws.models.embedding import embedded
    from rag.masked.received import received

    vectors = embedded().embed([received(text) for text in (*first, *second)])
    product: numpy.ndarray = vectors[: len(first)] @ vectors[len(first) :].T
    return product


def content_words(text: str) -> frozenset[str]:
    """Return a text's words that carry meaning, in small letters, without plural and tense."""
    found = (match.group().lower() for match in _WORD.finditer(text))
    return frozenset(_stem(word) for word in found if word not in _COMMON_WORDS and len(word) > 1)


def _stem(word: str) -> str:
    for ending in ("ing", "ies", "ed", "es", "s"):
        if len(word) > len(ending) + 3 and word.endswith(ending):
            return word[: -len(ending)]
    return word
