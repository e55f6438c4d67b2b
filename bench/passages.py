"""Generated passages for benchmarks: words as often as in English, embeddings in clusters.

Words are drawn by Zipf's law from a vocabulary of 60,000, made up but for the most frequent ones; a
passage has a subject, whose words and whose vector it prefers, so that legs agree about as often as
they do on real texts.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rag.masked.passed import passed as masked
from rag.records import Chunk, IndexedDocument
from rag.retrieve.words import COMMON

DIMENSIONS = 384
CHUNKS = 10
WORDS = 110
SUBJECTS = 2000
VOCABULARY = 60_000
GROUPS = 20
"""Documents are readable by one of them, and every third by all."""
_SYLLABLES = ("ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sa", "te", "vi", "kra")


class Maker:
    """Draws documents and questions; the same seed draws the same."""

    def __init__(self, seed: int = 7) -> None:
        self._chance = np.random.default_rng(seed)
        count = len(_SYLLABLES)
        self._words = np.array(
            [
                "".join(_SYLLABLES[number // count**place % count] for place in range(5))
                for number in np.random.default_rng(1).permutation(count**5)[:VOCABULARY]
            ]
        )
        # The most frequent ones are English: search leaves them out of questions, as it does there.
        common = sorted(COMMON["english"])
        self._words = np.concatenate([common, self._words[len(common) :]])
        ranks = np.arange(1, VOCABULARY + 1)
        self._often = np.cumsum(1 / ranks) / np.sum(1 / ranks)
        fixed = np.random.default_rng(2)
        # Variances and mean as of MiniLM's vectors of 8,000 sentences from abstracts and articles:
        # the first of 384 directions has 5 % of the variance, the first 50 have 58 %.
        spread = (np.arange(DIMENSIONS) + 8.0) ** -0.9 * np.exp(-np.arange(DIMENSIONS) / 180)
        self._spread = np.sqrt(spread / spread.sum()).astype(np.float32)
        self._mean = 0.38 * _unit(fixed.standard_normal(DIMENSIONS).astype(np.float32))
        drawn = fixed.standard_normal((SUBJECTS, DIMENSIONS)).astype(np.float32)
        self._centres = drawn * self._spread
        self._own = fixed.integers(200, VOCABULARY, (SUBJECTS, 30))

    def _text(self, subject: int, words: int, own: float) -> str:
        drawn = np.searchsorted(self._often, self._chance.random(words))
        of_it = self._chance.random(words) < own
        drawn[of_it] = self._chance.choice(self._own[subject], int(of_it.sum()))
        return " ".join(self._words[drawn])

    def _vectors(self, subject: int, count: int) -> np.ndarray:
        drawn = self._chance.standard_normal((count, DIMENSIONS), np.float32) * self._spread
        return _unit(self._mean + 0.65 * (self._centres[subject] + drawn))

    def documents(self, chunks: int) -> Iterator[IndexedDocument]:
        """Yield documents that have so many chunks together."""
        for number in range(-(-chunks // CHUNKS)):
            subject = int(self._chance.integers(SUBJECTS))
            made = min(CHUNKS, chunks - number * CHUNKS)
            title = masked(self._text(subject, 6, 0.5))
            acl = (f"group:{number % GROUPS}",) + (("group:all",) if number % 3 == 0 else ())
            yield IndexedDocument(
                id=f"{number:08x}",
                name=masked(f"folder/{number}.txt"),
                title=title,
                media_type="text/plain" if number % 4 else "application/pdf",
                digest="1",
                acl=acl,
                chunks=tuple(
                    Chunk(
                        id=f"{number:08x}-{place}",
                        document_id=f"{number:08x}",
                        position=place,
                        heading=title,
                        text=masked(self._text(subject, WORDS, 0.15)),
                        tokens=200,
                        page=place + 1,
                        section=(title,),
                    )
                    for place in range(made)
                ),
                vectors=self._vectors(subject, made),
            )

    def question(self) -> tuple[str, np.ndarray]:
        """Return the words of a question, and its embedding."""
        subject = int(self._chance.integers(SUBJECTS))
        return self._text(subject, 8, 0.5), self._vectors(subject, 1)[0]


def _unit(vectors: np.ndarray) -> np.ndarray:
    made: np.ndarray = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return made
