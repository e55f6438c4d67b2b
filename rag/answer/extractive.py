"""The embedded answerer: it quotes the sentences that answer, or says that none do.

It writes no word of its own into an answer, so it invents nothing; it can only pick badly.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rag.answer import Draft
from rag.records import Citation, Masked
from rag.retrieve.pack import Passage
from rag.sentences import split

Embed = Callable[[Sequence[str]], Any]
"""Texts to an array of shape (texts, dimensions), float32, rows L2-normalised."""

_WORD = re.compile(r"[A-Z][A-Z_]*_[0-9a-f]{6,32}\b|\w+")
_PSEUDONYM = re.compile(r"[A-Z][A-Z_]*_[0-9a-f]{6,32}\b")
_STOP = frozenset(
    _WORD.findall(
        """a about after all am an and any are as at be been before being between both but by can could
        did do does doing done for from get had has have having he her hers him his how i if in into is
        it its just me might more most much must my no nor not of on or other our out over own please
        same she should so some such than that the their them then there these they this those to too
        under up us very was we were what when where which who whom whose why will with would you your
        tell give show say says said many name called"""
    )
)


@dataclass(frozen=True, slots=True)
class _Candidate:
    passage: Passage
    text: str
    support: float
    order: tuple[int, int]


class Extractive:
    """Answers with one to three sentences of the passages.

    Args:
        embed: Texts to vectors.
    """

    def __init__(self, embed: Embed) -> None:
        self._embed = embed

    def answer(self, question: Masked, passages: Sequence[Passage], min_support: float) -> Draft:
        """See `rag.answer.Answerer.answer`."""
        candidates = self._rank(question, passages)
        if not candidates or candidates[0].support < min_support:
            support = candidates[0].support if candidates else 0.0
            return Draft(_abstention(question, passages), (), support, abstained=True)
        best = candidates[0]
        chosen = [best]
        chosen.sort(key=lambda candidate: candidate.order)
        citations = tuple(_citation(candidate) for candidate in chosen)
        text = Masked(" ".join(" ".join(c.text.split()) for c in chosen))
        return Draft(text, citations, best.support, abstained=False)

    def _rank(self, question: str, passages: Sequence[Passage]) -> list[_Candidate]:
        sentences = [
            (passage, passage.text[start:end], (place, start))
            for place, passage in enumerate(passages)
            for start, end in split(passage.text)
        ]
        if not sentences:
            return []
        wanted = _terms(question)
        named = set(_PSEUDONYM.findall(question))
        vectors = self._embed([question, *(text for _, text, _ in sentences)])
        cosines = vectors[1:] @ vectors[0]
        found = [_terms(text) for _, text, _ in sentences]
        weights = _weights(wanted, found)
        candidates = []
        for (passage, text, order), cosine, terms in zip(sentences, cosines, found, strict=True):
            around = f"{passage.hit.chunk.heading}\n{passage.text}"
            if not all(name in around for name in named):
                continue
            overlap = _coverage(wanted, terms | _terms(passage.hit.chunk.heading), weights)
            support = 1 / (1 + math.exp(-(6.0 * float(cosine) + 2.5 * overlap - 4.0)))
            candidates.append(_Candidate(passage, text, support, order))
        return sorted(candidates, key=lambda c: (-c.support, c.order))


def _stem(word: str) -> str:
    for ending in ("ingly", "edly", "ing", "ies", "ed", "es", "ly", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word


def _terms(text: str) -> frozenset[str]:
    """Content words, stemmed; numbers and pseudonyms as they are."""
    words = (word if _PSEUDONYM.fullmatch(word) else word.lower() for word in _WORD.findall(text))
    return frozenset(_stem(word) for word in words if word not in _STOP)


def _weights(wanted: frozenset[str], found: Sequence[frozenset[str]]) -> dict[str, float]:
    """Rarer among the sentences at hand is worth more; numbers and pseudonyms twice that."""
    counts = Counter(term for terms in found for term in terms & wanted)
    return {
        term: math.log(1 + (len(found) + 1) / (counts[term] + 0.5))
        * (2.0 if any(c.isdigit() for c in term) else 1.0)
        for term in wanted
    }


def _coverage(wanted: frozenset[str], terms: frozenset[str], weights: dict[str, float]) -> float:
    total = sum(weights.values())
    return sum(weights[term] for term in wanted & terms) / total if total else 0.0


def _citation(candidate: _Candidate) -> Citation:
    hit = candidate.passage.hit
    if candidate.text not in hit.chunk.text:
        raise AssertionError(f"the quote does not stand in chunk {hit.chunk.id}")
    return Citation(
        document=hit.document,
        document_id=hit.chunk.document_id,
        chunk=hit.chunk.id,
        quote=Masked(candidate.text),
        page=hit.chunk.page,
        section=hit.chunk.section,
        score=candidate.support,
    )


def _abstention(question: str, passages: Sequence[Passage]) -> Masked:
    names = list(dict.fromkeys(passage.hit.document for passage in passages))[:3]
    asked = " ".join(question.split())
    if not names:
        return Masked(f"Nothing that you may read was found for: {asked}")
    return Masked(
        f"No passage that you may read answers: {asked} The nearest documents are: "
        + ", ".join(names)
        + "."
    )
