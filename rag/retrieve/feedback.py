"""What the first passages found say more of what is asked: pseudo-relevance feedback.

For the text leg words are added, as a relevance model weighs them (RM3: Abdul-Jaleel et al.,
TREC 2004); for the vector leg the question moves towards the passages (Rocchio, 1971).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.masked import Masked
from rag.retrieve.candidates import Candidate
from rag.retrieve.words import spoken, taken, telling

if TYPE_CHECKING:
    import numpy

    from rag.retrieve.spread import Spread

PASSAGES = 10
"""The first hits, which are believed."""
_WORDS = 10
"""As in RM3; each one costs a search some tenths of a millisecond, and 30 find no more."""
_LEVELS = (1.0, 0.6, 0.35, 0.2)
"""Shares of the largest weight that words get: words of one weight are one clause of a search."""


def words(
    question: Masked, hits: Sequence[Candidate], share: float, language: str
) -> tuple[tuple[Masked, float], ...]:
    """Return words to add to a question with their weights, where each of its own has 1.

    Args:
        question: As the text leg was asked.
        hits: Best first, with fused scores; the first `PASSAGES` count.
        share: Of all weight that the added words have, above 0 and below 1.
    """
    said = sum(1 for _ in spoken(question))
    seen: dict[str, float] = {}
    texts: dict[str, Masked] = {}
    for hit, weight in zip(hits, weights(hits), strict=False):
        text = hit.chunk.embedded_text
        counted = telling(text, language)
        all_of_them = counted.total()
        for word, times in counted.items():
            texts.setdefault(word, text)
            seen[word] = seen.get(word, 0.0) + weight * times / all_of_them
    best = sorted(seen.items(), key=lambda one: (-one[1], one[0]))[:_WORDS]
    total = math.fsum(weight for _, weight in best)
    if not total or not said:
        return ()
    scale = share / (1 - share) * said / total
    return _levelled([(taken(word, texts[word]), scale * weight) for word, weight in best])


def moved(
    question: numpy.ndarray, hits: Sequence[Candidate], share: float, spread: Spread | None
) -> numpy.ndarray:
    """Return the question's vector moved towards the first hits; itself where none has a vector.

    Args:
        question: As the vector leg was asked, L2-normalised, (dimensions,).
        hits: Best first, with fused scores; the first `PASSAGES` count.
        share: Of the hits in the result, 0 to 1.
    """
    import numpy

    known = [
        (hit.vector, weight)
        for hit, weight in zip(hits, weights(hits), strict=False)
        if hit.vector is not None
    ]
    if not known:
        return question
    vectors = numpy.asarray([vector for vector, _ in known], numpy.float32)
    if spread:
        vectors = spread.centred(vectors)
    middle = numpy.asarray([weight for _, weight in known], numpy.float32) @ vectors
    middle /= max(float(numpy.linalg.norm(middle)), 1e-9)
    made = (1 - share) * question + share * middle
    return made / max(float(numpy.linalg.norm(made)), 1e-9)  # type: ignore[no-any-return]


def weights(hits: Sequence[Candidate]) -> list[float]:
    """Return how far each of the first hits is believed, together 1: softmax of their scores."""
    first = hits[:PASSAGES]
    if not first:
        return []
    best = max(hit.score for hit in first)
    raised = [math.exp(hit.score - best) for hit in first]
    return [one / math.fsum(raised) for one in raised]


def _levelled(words: Sequence[tuple[Masked, float]]) -> tuple[tuple[Masked, float], ...]:
    most = max(weight for _, weight in words)

    def level(weight: float) -> float:
        return most * min(_LEVELS, key=lambda one: abs(math.log(one * most / weight)))

    return tuple((word, level(weight)) for word, weight in words)
