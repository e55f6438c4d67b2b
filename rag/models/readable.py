"""Masked text as a language model understands it, which knows names but no pseudonyms."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from rag.masked import SPACE, Masked, fixed
from rag.privacy.pseudonym import MASK

NAMES = tuple(
    map(
        fixed,
        (
            *("Robin", "Alex", "Kim", "Morgan", "Casey", "Jordan", "Taylor", "Lee", "Jamie", "Sam"),
            *("Drew", "Quinn", "Avery", "Reese", "Blake", "Rowan", "Sage", "Parker", "Riley"),
        ),
    )
)
"""Names that tell neither gender nor much else."""


def readable(texts: Sequence[Masked]) -> list[Masked]:
    """Give each person a name, in order of appearance and the same one in all `texts`.

    Of what else is masked its kind is told, in small letters.
    """
    names: dict[str, Masked] = {}
    return [
        _told(text, lambda mask: names.setdefault(mask, NAMES[len(names) % len(NAMES)]))
        for text in texts
    ]


def nameless(text: Masked) -> Masked:
    """Call every person somebody; of what else is masked its kind is told."""
    return _told(text, lambda _: fixed("somebody"))


def _told(text: Masked, person: Callable[[str], Masked]) -> Masked:
    def word(match: re.Match[str]) -> Masked:
        mask = text.cut(*match.span())
        kind = mask.strip("<>*").split(" ")[0]
        if not mask.startswith("<"):
            kind = kind.rpartition("_")[0]
        return person(mask) if kind == "PERSON" else kind.replace("_", SPACE).lower()

    return text.sub(MASK, word)
