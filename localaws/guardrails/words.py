"""Word lists: a guardrail's own words and phrases, and the managed list of profanity."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

PROFANITY = re.findall(
    r"\w+",
    """
    arsehole arseholes asshole assholes bastard bastards bitch bitches bollocks bullshit crap
    damn dickhead fuck fucked fucker fucking goddamn motherfucker piss pissed prick shit shitty
    wanker whore
    """,
)
"""A small managed list; AWS's own is larger and not published."""


def custom(text: str, entry: Mapping[str, Any]) -> str:
    """Return what a custom word or phrase matches in the text, or an empty string."""
    match = _whole(entry["text"]).search(text)
    return match.group() if match else ""


def profane(text: str) -> list[str]:
    """Return the profanity in a text, each word once, in order."""
    found = _whole("|".join(PROFANITY), alternatives=True).finditer(text)
    return list(dict.fromkeys(match.group() for match in found))


@lru_cache(maxsize=20_000)
def _whole(phrase: str, alternatives: bool = False) -> re.Pattern[str]:
    pattern = phrase if alternatives else r"\s+".join(map(re.escape, phrase.split()))
    return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.I)
