"""Whether a passage says what a sentence claims.

A fluent invention shares its passage's words and meaning, so these are only the beginning: numbers
with their units and bounds, dates, names and pseudonyms must be there, and stand beside the same
words; the sentence must not deny what is said, nor go further than it. ``bench/fit_grounding.py``
fitted how much each of these counts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from rag.answer.extractive import terms
from rag.answer.facts import Quantity, facts, names, quantities
from rag.answer.orders import orders
from rag.answer.polarity import contrary, how_many, how_surely, narrowed, opposites, turned
from rag.masked import EMPTY, Masked
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
class Evidence:
    """What one passage has for a claim.

    Attributes:
        support: 0 to 1; from 0.6 on it says so more likely than not.
        quote: The sentence, or two neighbours, that comes nearest; stands literally in the passage.
    """

    passage: Passage
    support: float
    quote: Masked


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


def evidence(
    claims: Sequence[Masked], cited: Sequence[Sequence[Passage]], embed: Embed
) -> list[list[Evidence]]:
    """Return for each claim what each of the passages that it cites has for it.

    Numbers and pseudonyms may come from any passage that the claim cites; one that comes from none
    leaves the claim without support. A sentence that gives orders to a model supports nothing.

    Args:
        claims: Sentences without markers.
        cited: For each, the passages it names.
        embed: Texts to vectors.
    """
    found: list[list[Evidence]] = []
    for claim, passages, rows in zip(claims, cited, compared(claims, cited, embed), strict=True):
        stated = _read(" ".join(passage.shown for passage in passages))
        firm = all(_stated(one, stated) for one in _read(claim).quantities) and pseudonyms(
            claim
        ) <= pseudonyms(stated.text)
        own = []
        for passage, units in zip(passages, rows, strict=True):
            support, quote = max(
                ((support_of(features), quote) for quote, features in units),
                key=lambda one: one[0],
                default=(0.0, EMPTY),
            )
            own.append(Evidence(passage, support if firm else 0.0, quote))
        found.append(own)
    return found


def support_of(features: Sequence[float]) -> float:
    """Return the likelihood that a sentence says what is claimed."""
    odds = math.fsum(w * f for w, f in zip(WEIGHTS, features, strict=True))
    return 1 / (1 + math.exp(-max(-40.0, min(40.0, odds))))


def compared(
    claims: Sequence[Masked], cited: Sequence[Sequence[Passage]], embed: Embed
) -> list[list[list[tuple[Masked, tuple[float, ...]]]]]:
    """Return for each claim and passage the quotes that might support it, with `FEATURES`."""
    units: dict[str, list[Masked]] = {}
    for passages in cited:
        for passage in passages:
            units.setdefault(_key(passage), _units(passage))
    texts = list(dict.fromkeys([*claims, *(text for own in units.values() for text in own)]))
    if not texts:
        return [[[] for _ in passages] for passages in cited]
    vectors = dict(zip(texts, embed([nameless(text) for text in texts]), strict=True))
    return [
        [
            [
                (unit, _features(claim, unit, passage, float(vectors[claim] @ vectors[unit])))
                for unit in units[_key(passage)]
            ]
            for passage in passages
        ]
        for claim, passages in zip(claims, cited, strict=True)
    ]


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


def _units(passage: Passage) -> list[Masked]:
    """A passage's sentences and its pairs of neighbours, without those that give orders."""
    banned = orders(passage.text)
    spans = [
        (start, end)
        for start, end in split(passage.text)
        if not any(start < to and since < end for since, to in banned)
    ]
    pairs = [
        (one[0], two[1])
        for one, two in pairwise(spans)
        if not any(one[0] < to and since < two[1] for since, to in banned)
    ]
    return [passage.text.cut(start, end) for start, end in [*spans, *pairs]]


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


def _share(wanted: frozenset[str], own: frozenset[str]) -> float:
    return len(wanted & own) / len(wanted) if wanted else 0.0


__all__ = ["FEATURES", "WEIGHTS", "Evidence", "compared", "evidence", "facts", "support_of"]
