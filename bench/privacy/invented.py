"""Names that stand in no list: put together from syllables in the manner of a language.

Without them ``dev`` would only show whether lists hold what they were filled from.
"""

from __future__ import annotations

import random
import tomllib
from functools import cache
from pathlib import Path

from bench.privacy.values import listed


def manners() -> tuple[str, ...]:
    """Return the languages whose manner there is."""
    return tuple(_syllables())


def given(rng: random.Random, manner: str) -> str:
    """Return a given name."""
    return _joined("given", manner, rng)


def surname(rng: random.Random, manner: str) -> str:
    """Return a surname."""
    return _joined("surname", manner, rng)


def _joined(kind: str, manner: str, rng: random.Random) -> str:
    return "".join(rng.choice(listed(part)) for part in _syllables()[manner][kind])


@cache
def _syllables() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads((Path(__file__).parent / "texts" / "invented.toml").read_text("utf-8"))
