"""Claims compared with the sentences of a passage, without reading them: words and facts.

Numbers with their units and bounds, dates, names and pseudonyms must be there, and stand beside the
same words; the claim must not deny what is said, nor go further than it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rag.answer.extractive import terms
from rag.answer.facts import Quantity, names, quantities
from rag.answer.orders import orders
from rag.answer.polarity import contrary, how_many, how_surely, narrowed, opposites, turned
from rag.masked import Masked
from rag.models.readable import nameless
from rag.privacy.pseudonym import MASK
from rag.sentences import split

if TYPE_CHECKING:
    from rag.retrieve.pack import Passage

Embed = Callable[[Sequence[Masked]], Any]
"""Texts to an array of shape (texts, dimensions), float32, rows L2-normalised."""

FEATURES = (
    *("bias", "cosine", "cover", "both", "whole", "added", "context", "names", "elsewhere", "unit"),
    *("bound", "contrary", "opposite", "how_many", "how_surely", "narrowed", "turned", "longer"),
    *("within", "turned_whole"),
)
WEIGHTS = (
    *(-6.37, 4.96, 3.52, 0.0, 0.0, 0.0, 0.0, -2.73, -0.47, -3.60),
    *(-1.28, -1.78, -1.87, 0.0, -0.12, -1.90, 0.0, -1.06, 0.33, -1.06),
)
"""Log-odds by feature."""
_WORD = re.compile(rf"{MASK.pattern}|\w+(?:[.,:/]\d+)*")
_NEAR = 4
"""Content words on either side of a fact that are its context."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence, or two neighbours, of a passage.

    Attributes:
        around: The same by sentence, with the one before and the one after.
    """

    text: Masked
    around: tuple[Masked, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A sentence as it is compared.

    Attributes:
        words: Content words in order.
        facts: Place in `words` of each fact.
    """

    text: str
    words: tuple[str, ...]
    terms: frozenset[str]
    quantities: tuple[Quantity, ...]
    names: frozenset[str]
    facts: tuple[tuple[str, int], ...]


def compared(
    claims: Sequence[Masked], cited: Sequence[Sequence[Passage]], embed: Embed
) -> list[list[list[tuple[Quote, tuple[float, ...]]]]]:
    """Return for each claim and passage the quotes that might support it, with `FEATURES`."""
    quotes: dict[str, list[Quote]] = {}
    for passages in cited:
        for passage in passages:
            quotes.setdefault(_key(passage), _quotes(passage))
    texts = list(dict.fromkeys([*claims, *(one.text for own in quotes.values() for one in own)]))
    if not texts:
        return [[[] for _ in passages] for passages in cited]
    vectors = dict(zip(texts, embed([nameless(text) for text in texts]), strict=True))
    return [
        [
            [
                (
                    one,
                    _features(claim, one.text, passage, float(vectors[claim] @ vectors[one.text])),
                )
                for one in quotes[_key(passage)]
            ]
            for passage in passages
        ]
        for claim, passages in zip(claims, cited, strict=True)
    ]


def firm(claim: Masked, passages: Sequence[Passage]) -> bool:
    """Whether the passages have a claim's numbers and pseudonyms."""
    stated = _read(" ".join(passage.shown for passage in passages))
    numbers = all(_stated(one, stated) for one in _read(claim).quantities)
    return numbers and pseudonyms(claim) <= pseudonyms(stated.text)


def remembering(embed: Embed) -> Embed:
    """Return an `embed` that reads each text once: sentences share their passages."""
    import numpy

    known: dict[str, Any] = {}

    def look_up(texts: Sequence[Masked]) -> Any:
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            known.update(zip(new, embed(new), strict=True))
        return numpy.stack([known[text] for text in texts])

    return look_up


def pseudonyms(text: str) -> frozenset[str]:
    """Return what stands for somebody or something hidden."""
    return frozenset(MASK.findall(text))


@lru_cache(maxsize=4096)
def _read(text: str) -> Reading:
    """Return a text as it is compared; see `Reading`."""
    found = tuple(quantities(text))
    named = names(text)
    words: list[str] = []
    places: list[tuple[str, int]] = []
    for match in _WORD.finditer(text):
        word = match[0]
        number = next((one for one in found if one.start <= match.start() < one.end), None)
        if number is not None:
            if not words or words[-1] != number.value:
                places.append((number.value, len(words)))
                words.append(number.value)
            continue
        stems = terms(word)
        if stems:
            (stem, *_) = stems
            if MASK.fullmatch(word) or word in named:
                places.append((stem, len(words)))
            words.append(stem)
    return Reading(text, tuple(words), frozenset(words), found, named, tuple(places))


def _key(passage: Passage) -> str:
    return f"{passage.hit.chunk.id} {len(passage.text)}"


def _quotes(passage: Passage) -> list[Quote]:
    """A passage's sentences and its pairs of neighbours, without those that give orders."""
    banned = orders(passage.text)

    def told(start: int, end: int) -> bool:
        return not any(start < to and since < end for since, to in banned)

    spans = split(passage.text)
    found = [(at, at + 1) for at in range(len(spans))]
    found += [(at, at + 2) for at in range(len(spans) - 1)]
    made = []
    for first, last in found:
        start, end = spans[first][0], spans[last - 1][1]
        if told(start, end):
            near = spans[max(0, first - 1) : last + 1]
            around = tuple(passage.text.cut(*span) for span in near if told(*span))
            made.append(Quote(passage.text.cut(start, end), around))
    return made


def _features(claim: Masked, unit: Masked, passage: Passage, cosine: float) -> tuple[float, ...]:
    ours, theirs, whole = _read(claim), _read(unit), _read(passage.shown)
    heading = _read(passage.hit.chunk.heading).terms
    near = theirs.terms | heading
    cover = _share(ours.terms, near)
    opposed = opposites(claim, unit)
    elsewhere, unit_wrong, bound = _numbers(ours, theirs)
    reverse = turned(ours.words, theirs.words, claim, unit)
    missing = [one for one in ours.names if not _named(one, whole)]
    return (
        1.0,
        cosine,
        cover,
        cosine * cover,
        _share(ours.terms, whole.terms | heading),
        min(4, len(ours.terms - whole.terms - heading)) / 4,
        _context(ours, theirs, cover),
        min(2, len(missing)) / 2,
        elsewhere,
        unit_wrong,
        bound,
        float(contrary(claim, unit)),
        min(2, len(opposed)) / 2,
        how_many(claim, unit),
        how_surely(claim, unit),
        narrowed(claim, unit),
        reverse,
        max(0.0, math.log((len(ours.words) + 1) / (len(theirs.words) + 1))),
        float(_within(ours.words, theirs.words)),
        float(reverse > 0 and cover == 1),
    )


def _numbers(ours: Reading, theirs: Reading) -> tuple[float, float, float]:
    """Shares of a claim's quantities: not in the sentence, in another unit, with another bound."""
    if not ours.quantities:
        return 0.0, 0.0, 0.0
    elsewhere = wrong = bound = 0.0
    for one in ours.quantities:
        same = [other for other in theirs.quantities if one.stands_in(other)]
        if same:
            bound = max(bound, min(abs(one.side - other.side) for other in same) / 2)
        elif any(one.value == other.value for other in theirs.quantities):
            wrong = 1.0
        else:
            elsewhere += 1
    return elsewhere / len(ours.quantities), wrong, bound


def _stated(one: Quantity, whole: Reading) -> bool:
    return any(one.stands_in(other) or one.value == other.value for other in whole.quantities)


def _named(name: str, whole: Reading) -> bool:
    """Whether a name is there in any form, such as ``French`` for ``France``."""
    stem = next(iter(terms(name)), name.lower())
    if stem in whole.terms or name.lower() in whole.text.lower().replace(".", ""):
        return True
    return len(stem) > 4 and any(word.startswith(stem[:4]) for word in whole.terms)


def _context(ours: Reading, theirs: Reading, cover: float) -> float:
    """The least share of a fact's neighbours that are its neighbours in the sentence, too."""
    if not ours.facts:
        return cover
    shares = []
    for fact, place in ours.facts:
        beside = _beside(ours, place) - {fact}
        there = [_beside(theirs, at) for other, at in theirs.facts if _same(fact, other)]
        if beside:
            shares.append(max((_share(beside, one) for one in there), default=0.0))
    return min(shares, default=cover)


def _same(fact: str, other: str) -> bool:
    return fact == other or f"-{fact}" in other or other.startswith(f"{fact}-")


def _within(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether all of a claim's words stand in the sentence, in their order."""
    rest = iter(theirs)
    return all(word in rest for word in ours)


def _beside(reading: Reading, place: int) -> frozenset[str]:
    return frozenset(reading.words[max(0, place - _NEAR) : place + _NEAR + 1])


def dot(weights: Sequence[float], features: Sequence[float]) -> float:
    return math.fsum(w * f for w, f in zip(weights, features, strict=True))


def _share(wanted: frozenset[str], own: frozenset[str]) -> float:
    return len(wanted & own) / len(wanted) if wanted else 0.0
