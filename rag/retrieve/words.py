"""Words of a text as a search weighs them: without those that every text has."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from rag.masked import SPACE, Masked
from rag.privacy.pseudonym import MASK

_PLAIN = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_WORD = re.compile(rf"{MASK.pattern}|{_PLAIN.pattern}")
_LEAST = 3
"""Characters of a word that a question is expanded by."""

_ENGLISH = """
a about above after again against all also am an and another any are as at be because been
before being below between both but by can could did do does doing done down during each either
else etc ever every few for from further give given gives had has have having he her here hers
him his how however i if in into is it its itself just may me might more most much must my
neither no nor not now of off on once one only or other others our out over own per please same
shall she should since so some such tell than that the their them then there these they this
those through thus to too under until up upon us very was we were what whatever when where
whether which while who whom whose why will with within without would yet you your
"""
COMMON: dict[str, frozenset[str]] = {"english": frozenset(_ENGLISH.split())}
"""Words that say nothing of what a question is about, by language; a question's own, too."""


def spoken(text: Masked) -> Iterator[Masked]:
    """Yield a text's words in order; a pseudonym or mask is one word."""
    for match in _WORD.finditer(text):
        yield text.cut(match.start(), match.end())


def about(question: Masked, language: str) -> Masked:
    """Return a question without the words that every question has; itself if nothing else is left.

    Full text indexes know such words of documents ("the"), but hardly those of questions ("which",
    "how"), which are rare in documents and would count much.
    """
    common = COMMON.get(language, frozenset())
    kept = [word for word in spoken(question) if word.casefold() not in common]
    return SPACE.join(kept) if kept else question


def telling(text: Masked, language: str) -> Counter[str]:
    """Count the words of a passage that may expand a question, in lower case.

    No numbers, and no pseudonyms: who is named beside an answer is seldom what was asked. Plain
    strings: of a thousand words few are taken, and cut out of the text by `taken`.
    """
    common = COMMON.get(language, frozenset())
    said = Counter(_PLAIN.findall(MASK.sub(" ", text).lower()))
    for word in [one for one in said if len(one) < _LEAST or one.isdigit() or one in common]:
        del said[word]
    return said


def taken(word: str, text: Masked) -> Masked:
    """Return a word that `telling` counted, as the text has it, in lower case."""
    own = (match.span() for match in _WORD.finditer(text) if match[0].lower() == word)
    return text.cut(*next(own, (0, 0))).lower()
