"""Passages that hold exactly what a question names: a code, a quoted phrase, a pseudonym.

Words with digits and marks are cut up in a text index, and mean nothing to an embedding model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.masked import Masked
from rag.privacy.pseudonym import MASK
from rag.retrieve.candidates import Candidate, Read
from rag.retrieve.fuse import in_order

CODE = 8.0
PHRASE = 2.0
PSEUDONYM = 1.0
"""Added to the score of a hit that holds all of a question's codes; all of its quoted phrases; all
of its pseudonyms. In standard deviations, as `rag.retrieve.fuse.by_score` has them. A pseudonym
counts less: the text leg knows it as one word, and what it stands for may be the subject of every
passage. A quoted word by itself counts nothing: quotes set apart what is meant in some other sense
more often than what is to be found."""

_CODE = re.compile(
    r"(?<![\w/.-])(?=[\w/.-]*\d)(?:[A-Za-z]+\d[\w]*|\w+(?:[-_/.]\w+)+)(?![\w/-]|\.\w)"
)
_PLAIN = re.compile(r"(?:\d+[.,/-])*\d+|\w*\d(?:st|nd|rd|th|s)|[A-Za-z]\d", re.IGNORECASE)
"""Numbers, dates, ordinals: too many passages hold them."""
_QUOTED = re.compile(r"[\"“”]([^\"“”]{3,80})[\"“”]")


def named(question: Masked) -> tuple[list[str], list[str], list[str]]:
    """Return a question's codes, its quoted phrases, and its pseudonyms, case-folded."""
    masks = [match[0] for match in MASK.finditer(question) if not match[0].startswith("<")]
    rest = MASK.sub(" ", question)
    codes = [found for found in _CODE.findall(rest) if not _PLAIN.fullmatch(found)]
    quoted = (" ".join(found.split()).strip(" .,;:!?") for found in _QUOTED.findall(rest))
    phrases = [found for found in quoted if " " in found]
    codes, phrases, masks = ([one.casefold() for one in some] for some in (codes, phrases, masks))
    return codes, phrases, masks


def preferred(question: Masked, hits: Sequence[Candidate], read: Read = list) -> list[Candidate]:
    """Return the hits in their new order, best first.

    Args:
        read: Reads them, if there is anything that they might hold.
    """
    patterns = [
        (_whole(one), added / len(some))
        for some, added in zip(named(question), (CODE, PHRASE, PSEUDONYM), strict=True)
        for one in some
    ]
    if not patterns:
        return list(hits)

    def more(hit: Candidate) -> float:
        text = " ".join(hit.chunk.embedded_text.casefold().split())
        return sum(value for pattern, value in patterns if pattern.search(text))

    return in_order(hit.scored(hit.score + more(hit)) for hit in read(hits))


def _whole(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w]){re.escape(text)}(?![\w])")
