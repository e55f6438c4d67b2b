"""Whether two sentences with much the same words say the same: negation, contraries, how many, how
surely, and who does what to whom.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files
from itertools import pairwise

_BOUNDS = re.compile(
    r"\b(?:no|not) (?:more|less|fewer|later|earlier|longer|only|least|to mention)\b(?: than)?"
    r"|\bno\. ?\d|\bwhether or not\b",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"\b(?:not|no|nor|never|none|nobody|nothing|neither|without|cannot|rather than|instead of"
    r"|fails? to|lacks?|hardly|no longer)\b|n['’]t\b",
    re.IGNORECASE,
)
CONTRARIES: dict[str, set[str]] = {}
for _line in (files("rag.answer") / "contraries.txt").read_text("utf-8").splitlines():
    if not _line.startswith("#"):
        _one, _other = _line.split()
        CONTRARIES.setdefault(_one, set()).add(_other)
        CONTRARIES.setdefault(_other, set()).add(_one)
_OPPOSING = ("un", "in", "im", "il", "ir", "dis", "non", "mis", "de")
_WORD = re.compile(r"[^\W\d_]+(?:['’]t)?")

_MANY = (
    (3, r"all|every|each|everyone|everybody|everything|any|anyone|always|both|entire"
        r"|whole|completely|unlimited|wholly|exclusively"),
    (2, r"most|mostly|usually|generally|majority|many|mainly|normally|typically|often|largely"),
    (1, r"some|several|few|sometimes|occasionally|partly|certain|a number of|half|rarely|minority"),
)  # fmt: skip
_SURE = (
    (3, r"must|shall|required|requires?|mandatory|obliged|always|have to|has to|needs? to|certainly"
        r"|definitely|guaranteed?|will|proved?n?|compulsory"),
    (2, r"should|recommended|expected|planned|plans? to|ought|likely|probably|proposed|aims? to"
        r"|intends? to|advised"),
    (1, r"may|might|could|can|possibly|perhaps|optional|optionally|believed|thought to|reportedly"
        r"|alleged(?:ly)?|claims?|claimed|suggests?|seems?|appears?|rumou?red|voluntary|allowed"
        r"|permitted|draft"),
)  # fmt: skip
_TIMES = re.compile(
    r"\b(?:each|every|all|any) (?:\w+ )?(?:year|month|week|day|hour|minute|morning|evening|night"
    r"|time|quarter)s?\b",
    re.IGNORECASE,
)
"""How often, which is not how many."""
_ONLY = re.compile(r"\b(?:only|solely|exclusively|alone|just)\b", re.IGNORECASE)
_UNLESS = re.compile(
    r"\b(?:except|unless|excluding|apart from|other than|provided|only if|save for|but not)\b",
    re.IGNORECASE,
)
_BY = re.compile(r"\b(?:by|from)\b", re.IGNORECASE)


def _levels(words: Sequence[tuple[int, str]]) -> tuple[tuple[int, re.Pattern[str]], ...]:
    return tuple((level, re.compile(rf"\b(?:{said})\b", re.IGNORECASE)) for level, said in words)


_MANY_LEVELS, _SURE_LEVELS = _levels(_MANY), _levels(_SURE)


def negated(text: str) -> bool:
    """Whether a sentence denies something; ``no more than`` denies nothing."""
    return _NEGATION.search(_BOUNDS.sub(" ", text)) is not None


def contrary(claim: str, said: str) -> bool:
    """Whether a claim denies what is said, or affirms what it denies.

    A contrary and a negation cancel out: ``not allowed`` is ``forbidden``.
    """
    return (negated(claim) != negated(said)) != bool(len(opposites(claim, said)) % 2)


def opposites(claim: str, said: str) -> set[str]:
    """Return the words of a claim of which the other sentence has the contrary only."""
    ours, theirs = _words(claim), _words(said)
    return {
        word
        for word in ours - theirs
        if any(one in theirs and one not in ours for one in _opposed(word))
    }


def how_many(claim: str, said: str) -> float:
    """Return how much further a claim goes, 0 to 1: ``all`` where only ``some`` is said."""
    claim, said = (_TIMES.sub(" ", text) for text in (claim, said))
    return _further(_level(claim, _MANY_LEVELS), _level(said, _MANY_LEVELS))


def how_surely(claim: str, said: str) -> float:
    """Return how far apart they are, 0 to 1: ``must`` where ``may`` is said, or the reverse."""
    ours, theirs = _level(claim, _SURE_LEVELS), _level(said, _SURE_LEVELS)
    if ours is None and theirs is None:
        return 0.0
    if ours is None or theirs is None:
        weak = theirs if ours is None else ours
        return 0.5 if weak in (1, 2) else 0.25
    return abs(ours - theirs) / 2


def narrowed(claim: str, said: str) -> float:
    """Return 1 where only one of both says ``only``, half where an exception is left out."""
    if (_ONLY.search(claim) is None) != (_ONLY.search(said) is None):
        return 1.0
    return 0.5 if _UNLESS.search(said) and not _UNLESS.search(claim) else 0.0


def turned(claim: Sequence[str], said: Sequence[str], claim_text: str, said_text: str) -> float:
    """Return the share of neighbours of a claim that stand the other way round, 0 to 1.

    A passive turns its sentence round, too: then nothing can be told.

    Args:
        claim, said: Content words in order, in the form in which they are compared.
    """
    if (_BY.search(claim_text) is None) != (_BY.search(said_text) is None):
        return 0.0
    places = {word: at for at, word in reversed(list(enumerate(said)))}
    shared = [places[word] for word in dict.fromkeys(claim) if word in places]
    if len(shared) < 2:
        return 0.0
    wrong = sum(one > other for one, other in pairwise(shared))
    return wrong / (len(shared) - 1)


def _words(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(text))


def _opposed(word: str) -> set[str]:
    found = set(CONTRARIES.get(word, ()))
    for stem in (word.removesuffix("s"), word.removesuffix("ed") + "e", word.removesuffix("ed")):
        for one in CONTRARIES.get(stem, ()):
            found |= {one, f"{one}s", f"{one}ed", f"{one}d"}
    found |= {prefix + word for prefix in _OPPOSING if len(word) > 3}
    found |= {word.removeprefix(prefix) for prefix in _OPPOSING if word.startswith(prefix)} - {word}
    if word.endswith(("ful", "less")):
        stem = word.removesuffix("ful").removesuffix("less")
        found |= {f"{stem}ful", f"{stem}less"} - {word}
    return {one for one in found if len(one) > 1}


def _level(text: str, levels: Sequence[tuple[int, re.Pattern[str]]]) -> int | None:
    return next((level for level, pattern in levels if pattern.search(text)), None)


def _further(ours: int | None, theirs: int | None) -> float:
    if ours is None:  # said of things in general
        return 0.5 if theirs == 1 else 0.0
    if theirs is None:
        return 0.4 if ours == 3 else 0.0
    return max(0, ours - theirs) / 2 or (0.25 if ours != theirs else 0.0)
