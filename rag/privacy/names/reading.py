"""A text read once for all who look for persons in it: its words, and what is known of each."""

from __future__ import annotations

import bisect
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from rag.privacy.names.lexicon import flags_of, sure
from rag.privacy.words import Word, words

# What was found already (blanked by U+FFFC) may have begun with a capital.
_START = re.compile(r"(?:\A|[.!?]\s+|\n)[\s>\-*\"“'(]{0,6}([^\W\d_]|\ufffc)")


@dataclass(frozen=True)
class Reading:
    """A text's words in order and the lexicon's flags of each, one for one."""

    text: str
    words: Sequence[Word]
    flags: Sequence[int]

    def gap(self, left: int) -> str:
        """Return what stands between a word and the next."""
        return self.text[self.words[left].end : self.words[left + 1].start]

    def within(self, start: int, end: int) -> range:
        """Return the indices of the words that begin in a range of the text."""
        return range(bisect.bisect_left(self._starts, start), bisect.bisect_left(self._starts, end))

    @cached_property
    def _starts(self) -> list[int]:
        return [word.start for word in self.words]

    @cached_property
    def loose(self) -> bool:
        """Whether the text is typed without capitals, as chat is."""
        small = capital = 0
        for match in _START.finditer(self.text, 0, 4_000):
            letter = match.group(1)
            small += letter.islower()
            capital += not letter.islower()
        if small <= 3 * capital:
            return False
        return sum(word.capital for word in self.words) < 0.25 * len(self.words)


@lru_cache(maxsize=2)
def reading(text: str) -> Reading:
    """Return a text's reading; those that ask for one text one after another share it."""
    found = words(text)
    return Reading(text, found, [flags_of(word.folded) for word in found])


def stands(read: Reading, place: int) -> bool:
    """Tell whether a word is written as a name is: with a capital, or listed in loose typing."""
    word = read.words[place]
    return word.capital or (read.loose and sure(read.flags[place]) and len(word.folded) > 2)
