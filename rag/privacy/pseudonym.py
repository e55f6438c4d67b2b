"""Keyed stand-ins: the same identifier is the same word everywhere, and tells nothing."""

from __future__ import annotations

import base64
import hmac
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from itertools import combinations

from rag.privacy.names.spelling import spelled
from rag.privacy.surrogates.masks import MASK as MASK
from rag.privacy.surrogates.masks import PERSON as PERSON
from rag.privacy.surrogates.masks import SHORT
from rag.privacy.words import view, word_set, words

TITLES = word_set(
    """
    mr mrs ms miss mx dr prof professor doctor sir madam dame lord lady rev reverend fr father
    sister brother nurse judge justice captain capt col colonel gen general lt sgt sergeant major
    officer hon herr herrn frau fraulein hr dipl ing med phd md mme mlle madame monsieur
    mademoiselle m maitre me docteur sr sra srta senor senora senorita don dona doctora dott
    dottore dottssa dottoressa sig signor signora signorina avv pan pani mgr inz lek hab dhr mevr
    mevrouw meneer fru froken herra rouva bay bayan hoca jr ii iii esq obe mbe frcs mrcp rn
    """
)
"""Words around a name that are not of it, folded."""

_HUMP = re.compile(r"(?<=[^\W\d_A-Z]{2})(?<!\bMac)(?<!\bVan)(?<!\bVon)(?<!\bDel)(?=[A-Z])")
_JOINED = re.compile(r"\b([OÓ]|Mc|MC|Mac|MAC)[ \-](?=[^\W\d_]{3})")
"""The first half of O Brien, Mc Donald, which is one word elsewhere."""

PARTICLES = word_set(
    """
    de la las los del della dello degli di da das do dos du des d van von vom zu zum zur der den
    ter ten te op bin ibn binti bint al el ul ur y e i le af av a mac mc ni nic ui abu ould ap
    """
)
"""Small words within names, folded; small letters in most languages, capitals in some."""

_MOST_WORDS = 4
"""Words of a name that is asked for by any of them together; of a longer one by each alone."""


@lru_cache(maxsize=65_536)
def person_words(name: str) -> tuple[str, ...]:
    """Return a name's own words, folded, in order: no titles, no possessive.

    Initials and particles (de la, van der) are dropped when two other words stand beside them.
    """
    return _own(_HUMP.sub(" ", view(name).text))


def _own(name: str) -> tuple[str, ...]:
    found = [word.folded for word in words(name)]
    own = [word for word in found if word not in TITLES] or found
    long = [word for word in own if len(word) > 1 and word not in PARTICLES]
    return tuple(long if len(long) >= 2 else own)


def person_key(name: str) -> tuple[str, ...]:
    """Return a name's words, sorted, each once."""
    return tuple(sorted(set(person_words(name))))


@lru_cache(maxsize=65_536)
def identity(name: str) -> tuple[str, ...]:
    """Return what all spellings of one person's name share, for a pseudonym.

    Titles, case, accents, order, initials, particles, hyphens and apostrophes make no difference,
    nor how a name is written in Latin letters (see `rag.privacy.names.spelling`). So ``Dr. María
    González``, ``GONZÁLEZ, Maria L.`` and ``gonzalez_maria`` are one. The price: ``James Thomas``
    and ``Thomas James`` are one, too, and so are two persons of one name, whatever their dates of
    birth. A middle name written out makes another person; as an initial it does not.
    """
    joined = _JOINED.sub(r"\1", _HUMP.sub(" ", view(name).text))
    return tuple(sorted({spelled(word) for word in _own(joined)}))


def shorter(key: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the keys of a name's shorter forms: of some of its words, without initials."""
    words = [word for word in key if len(word) > 1]
    counts = range(1, len(words) + (len(words) < len(key)))
    for count in counts if len(words) <= _MOST_WORDS else (1,):
        yield from combinations(words, count)


class People:
    """The persons of one document, so that a lone surname finds its full name.

    Args:
        births: Keyed hashes of the dates of birth in it.
    """

    def __init__(self, names: Iterable[str], births: frozenset[str] = frozenset()) -> None:
        self._names = list(names)
        self.births = births
        self._by_word: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        for name in self._names:
            key = identity(name)
            if len(key) >= 2 and min(map(len, key)) > 1:
                for word in key:
                    self._by_word[word].add(key)

    def key(self, name: str) -> tuple[str, ...]:
        """Return the key of the full name that a lone one stands for, else its own."""
        own = identity(name)
        long = [word for word in own if len(word) > 1]
        if len(long) != 1:
            return own
        full = {
            key
            for key in self._by_word.get(long[0], ())
            if all(any(part.startswith(word) for part in key) for word in own)
        }
        return full.pop() if len(full) == 1 else own

    @cached_property
    def main(self) -> tuple[str, ...]:
        """The key of the person named most often, of several the first; empty for nobody.

        Whose the dates of a document are, when they are shifted.
        """
        counts = Counter(map(self.key, self._names))
        return max(counts, key=lambda key: counts[key], default=())


class Pseudonyms:
    """Makes pseudonyms with a 32-byte key: HMAC-SHA256 (RFC 2104) in base32, 40 bits."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"pseudonym", "sha256")

    def person(self, key: tuple[str, ...]) -> str:
        return self._make("PERSON", " ".join(key))

    def value(self, entity: str, text: str) -> str:
        """Return the pseudonym of anything that is not a person's name."""
        folded = unicodedata.normalize("NFKC", view(text).text).casefold()
        if entity != "EMAIL_ADDRESS":
            folded = "".join(letter for letter in folded if letter.isalnum())
        return self._make(entity, folded)

    def _make(self, entity: str, value: str) -> str:
        code, attempt = "", 0
        while code.isalpha() or not code:  # see `rag.privacy.surrogates.masks`: a code has a digit
            salted = f"{entity}\0{value}" + "\0" * attempt
            digest = hmac.digest(self._key, salted.encode(), "sha256")
            code = base64.b32encode(digest[:5]).decode().lower()
            attempt += 1
        return f"{SHORT.get(entity, entity)}_{code}"
