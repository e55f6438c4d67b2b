"""Persons who were erased: their names are masked as names from then on, not as somebody's.

Only keyed hashes are kept of them: of the pseudonym, alone or together with a date of birth where
others of that name stay, and of the words of the name, to find it in file names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from rag.keys import Sealer
from rag.masked import Masked
from rag.masked.passed import passed
from rag.privacy.pseudonym import Pseudonyms, identity
from rag.privacy.surrogates.dates import read_date
from rag.privacy.words import view


@dataclass(frozen=True, slots=True)
class Erased:
    """Who was erased.

    Attributes:
        tags: `tag` of each.
        words: Of each, hashes (`rag.keys.Sealer.tag`) of the words of the name.
    """

    tags: frozenset[str] = frozenset()
    words: tuple[frozenset[str], ...] = ()

    def named(self, words: Collection[str]) -> frozenset[str]:
        """Return those hashes of a file name's words that together are an erased name."""
        found: set[str] = set()
        for name in self.words:
            if len(name & set(words)) >= min(2, len(name)):
                found |= name
        return frozenset(found)


def stands_for(key: bytes, entity: str, text: str) -> Masked:
    """Return the pseudonym of a name, or an address, that is known; no model is asked.

    Args:
        key: The pseudonym key.
        entity: ``PERSON``, ``EMAIL_ADDRESS``.
    """
    made = Pseudonyms(key)
    return passed(made.person(identity(text)) if entity == "PERSON" else made.value(entity, text))


def tag(sealer: Sealer, pseudonym: str, born: str = "") -> str:
    """Return the keyed hash of a pseudonym, with a `birth` hash or alone."""
    return sealer.long_tag("erased", f"{pseudonym}\0{born}")


def birth(sealer: Sealer, day: str) -> str:
    """Return the keyed hash of a date of birth, given as YYYY-MM-DD."""
    return sealer.long_tag("born", day)


def births(sealer: Sealer, texts: Iterable[str]) -> frozenset[str]:
    """Return keyed hashes of the dates of birth that texts say.

    Where day and month could be either, of both readings: who looks for one finds it.
    """
    found: set[str] = set()
    for text in texts:
        read = read_date(view(text).text)
        if read is None or not read.day:
            continue
        found.add(f"{read.year:04}-{read.month:02}-{read.day:02}")
        if read.day <= 12:
            found.add(f"{read.year:04}-{read.day:02}-{read.month:02}")
    return frozenset(birth(sealer, day) for day in found)
