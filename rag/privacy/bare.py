"""Whether a question is too bare for the gate to judge.

The gate knows a surname or a date of birth by what stands beside it. Of "Gresham" or "02/14/1979"
alone nobody can tell what they are, so such a question is answered, and not written down.
"""

from __future__ import annotations

import re

from rag.privacy.names.lexicon import flags_of, plain
from rag.privacy.pseudonym import MASK
from rag.privacy.words import fold

LEAST = 3
"""Ordinary words that a question needs."""

_WORD = re.compile(r"[^\W\d_]+")


def bare(question: str) -> bool:
    """Return whether a question has fewer than three ordinary words in small letters.

    Args:
        question: Masked; its first word may have a capital.
    """
    said = _WORD.findall(MASK.sub(" ", question))
    ordinary = (
        place
        for place, word in enumerate(said)
        if (not place or word.islower()) and plain(flags_of(fold(word)))
    )
    return sum(1 for _ in ordinary) < LEAST
