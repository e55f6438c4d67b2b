"""Whether a passage says what a sentence claims.

A fluent invention shares its passage's words and meaning. So the quote that comes nearest is looked
for by words and facts (`rag.answer.compare`), and then read together with the sentence
(`rag.models.checker`). ``bench/fit_grounding.py`` fitted how much each of these counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.answer.compare import WEIGHTS, Embed, Quote, compared, dot, firm
from rag.masked import EMPTY, Masked
from rag.models.readable import readable

if TYPE_CHECKING:
    from rag.retrieve.pack import Passage

READ = (0.47, 0.40, 0.47)
"""Log-odds once a quote was read: a constant, by `FEATURES`, by what was read."""
FAR = 8.0
"""Log-odds count up to here."""


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
class Nearest:
    """The quote of a passage that comes nearest to a claim, and the log-odds that it says so."""

    quote: Quote
    odds: float


def evidence(
    claims: Sequence[Masked],
    cited: Sequence[Sequence[Passage]],
    embed: Embed,
    *,
    reads: bool = True,
) -> list[list[Evidence]]:
    """Return for each claim what each of the passages that it cites has for it.

    Numbers and pseudonyms may come from any passage that the claim cites; one that comes from none
    leaves the claim without support. A sentence that gives orders to a model supports nothing.

    Args:
        claims: Sentences without markers.
        cited: For each, the passages it names.
        embed: Texts to vectors.
        reads: Whether a claim is read together with what comes nearest to it.
    """
    found = nearest(claims, cited, embed)
    sure = [*map(firm, claims, cited)]
    odds = [[one.odds for one in own] for own in found]
    if reads:
        kept = [at for at, one in enumerate(sure) if one]
        read = said([claims[at] for at in kept], [found[at] for at in kept])
        for at, told in zip(kept, read, strict=True):
            odds[at] = [*map(_once_read, odds[at], told)]
    return [
        [
            Evidence(passage, _likely(value) if firmly and one.quote.text else 0.0, one.quote.text)
            for passage, one, value in zip(passages, own, values, strict=True)
        ]
        for firmly, passages, own, values in zip(sure, cited, found, odds, strict=True)
    ]


def nearest(
    claims: Sequence[Masked], cited: Sequence[Sequence[Passage]], embed: Embed
) -> list[list[Nearest]]:
    """Return for each claim what comes nearest to it in each passage, without reading it."""
    nothing = Nearest(Quote(EMPTY, ()), -FAR)
    return [
        [
            max(
                (Nearest(quote, dot(WEIGHTS, features)) for quote, features in quotes),
                key=lambda one: one.odds,
                default=nothing,
            )
            for quotes in own
        ]
        for own in compared(claims, cited, embed)
    ]


def said(claims: Sequence[Masked], found: Sequence[Sequence[Nearest]]) -> list[list[float]]:
    """Read each claim together with what comes nearest: log-odds that it says so."""
    from rag.models import checker

    told = [
        readable([claim, *one.quote.around])
        for claim, own in zip(claims, found, strict=True)
        for one in own
    ]
    read = iter(checker.odds([claim for claim, *_ in told], [own for _, *own in told]))
    return [[next(read) for _ in own] for own in found]


def _once_read(odds: float, read: float) -> float:
    near, told = (max(-FAR, min(FAR, one)) for one in (odds, read))
    return dot(READ, (1.0, near, told))


def _likely(odds: float) -> float:
    return 1 / (1 + math.exp(-max(-40.0, min(40.0, odds))))
