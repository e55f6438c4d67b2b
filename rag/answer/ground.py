"""Whether a passage says what a sentence claims.

Three questions, none of which a fluent invention answers well: are the sentence's numbers and
pseudonyms in the passages that it cites; are its words; and does one of their sentences mean the
same.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from rag.answer.extractive import readable, terms
from rag.masked import EMPTY, Masked
from rag.privacy.pseudonym import MASK
from rag.sentences import split

if TYPE_CHECKING:
    from rag.answer.extractive import Embed
    from rag.retrieve.pack import Passage

WEIGHTS = (-7.0, 5.0, 6.5)
"""Log-odds: bias, cosine to the nearest sentence of the passage, share of the claim's words there.
Set by hand so that a sentence that repeats its passage has 0.99, a fair paraphrase (cosine 0.75,
four words of five) 0.88, and one on the same matter that says something else (0.5, half) 0.22."""

_NUMBER = re.compile(r"\d+(?:[.,:/\d]*\d)?")
_WORDS = dict(
    zip(
        [
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        ],
        map(str, range(2, 13)),
        strict=True,
    )
)  # "one" mostly counts nothing
_WORD = re.compile(rf"(?<![\w-])(?:{'|'.join(_WORDS)})(?![\w-])", re.IGNORECASE)
_NEGATION = re.compile(
    r"\b(?:not|no|nor|never|none|nobody|nothing|neither|without|cannot|rather than|instead of)\b"
    r"|n['’]t\b",
    re.IGNORECASE,
)
_CONTRARY = 0.4
"""Factor on the support of a claim that negates what its best sentence affirms, or the reverse."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one passage has for a claim.

    Attributes:
        support: 0 to 1.
        quote: The sentence, or two neighbours, that comes nearest; stands literally in the passage.
    """

    passage: Passage
    support: float
    quote: Masked


def evidence(
    claims: Sequence[Masked], cited: Sequence[Sequence[Passage]], embed: Embed
) -> list[list[Evidence]]:
    """Return for each claim what each of the passages that it cites has for it.

    Numbers and pseudonyms may come from any passage that the claim cites; one that comes from none
    leaves the claim without support.

    Args:
        claims: Sentences without markers.
        cited: For each, the passages it names.
        embed: Texts to vectors.
    """
    units: dict[str, list[Masked]] = {}
    for passages in cited:
        for passage in passages:
            units.setdefault(passage.hit.chunk.id, _units(passage))
    texts = list(dict.fromkeys([*claims, *(text for own in units.values() for text in own)]))
    if not texts:
        return []
    vectors = dict(zip(texts, embed([readable(text, ()) for text in texts]), strict=True))
    found = []
    for claim, passages in zip(claims, cited, strict=True):
        stated = " ".join(passage.shown for passage in passages)
        firm = facts(claim) <= facts(stated)
        own = []
        for passage in passages:
            support, quote = _best(claim, units[passage.hit.chunk.id], passage, vectors)
            own.append(Evidence(passage, support if firm else 0.0, quote))
        found.append(own)
    return found


def facts(text: str) -> frozenset[str]:
    """Return the numbers and pseudonyms of a text, which a paraphrase must not change."""
    plain = MASK.sub(" ", text)
    numbers = {_number(found) for found in _NUMBER.findall(plain)}
    words = {_WORDS[found.lower()] for found in _WORD.findall(plain)}
    return frozenset({*MASK.findall(text), *numbers, *words})


def _number(written: str) -> str:
    """A number as it is compared: 1,500 is 1500, and 9.80 is 9.8."""
    bare = re.sub(r"(?<=\d),(?=\d{3}\b)", "", written)
    return bare.rstrip("0").rstrip(".") if re.fullmatch(r"\d+\.\d+", bare) else bare


def _units(passage: Passage) -> list[Masked]:
    """A passage's sentences and its pairs of neighbours."""
    spans = split(passage.text)
    pairs = [(first[0], second[1]) for first, second in pairwise(spans)]
    return [passage.text.cut(start, end) for start, end in [*spans, *pairs]]


def _best(
    claim: Masked, units: Sequence[Masked], passage: Passage, vectors: dict[Masked, Any]
) -> tuple[float, Masked]:
    """The support that the nearest unit gives, and the unit's text."""
    wanted = terms(claim)
    heading = terms(passage.hit.chunk.heading)
    whole = terms(passage.shown)
    best, quote = 0.0, EMPTY
    for text in units:
        near = terms(text) | heading
        cover = 0.8 * _share(wanted, near) + 0.2 * _share(wanted, whole)
        cosine = float(vectors[claim] @ vectors[text])
        bias, of_cosine, of_cover = WEIGHTS
        support = 1 / (1 + math.exp(-(bias + of_cosine * cosine + of_cover * cover)))
        if _negated(claim) != _negated(text):
            support *= _CONTRARY
        if support > best or not quote:
            best, quote = support, text
    return best, quote


def _share(wanted: frozenset[str], own: frozenset[str]) -> float:
    return len(wanted & own) / len(wanted) if wanted else 0.0


def _negated(text: str) -> bool:
    return _NEGATION.search(text) is not None
