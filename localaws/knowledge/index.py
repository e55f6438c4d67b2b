"""The chunks of one knowledge base in memory: searched by meaning and by words, within a filter.

A document's chunks are replaced under one lock, so a search sees its old ones or its new ones.
Rows and documents are only appended; what is replaced is struck out and, when half is, swept.
"""

from __future__ import annotations

import math
import re
import threading
from array import array
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy

Key = tuple[str, str]
"""A document: its data source and its name there."""

_WORD = re.compile(r"\w+")
_K1, _B = 1.2, 0.75  # Okapi BM25 as Lucene has it: Robertson, Zaragoza 2009
_MASKS = 64  # filters whose answers are remembered


@dataclass(frozen=True, slots=True)
class Document:
    """One document as it stands.

    Attributes:
        name: An ``s3://`` URI, or what the client called it.
        kind: ``S3`` or ``CUSTOM``.
        status: As the service's DocumentStatus.
        version: Of the content that is indexed; empty when none is.
        sidecar: Version of the metadata that is indexed.
        attributes: By name; texts, numbers, booleans, lists of texts.
        acl: Who may and who may not read it; None when nothing was said.
        embedded: Attributes that are embedded with the text, as text.
    """

    source: str
    name: str
    kind: str
    status: str
    updated: str
    reason: str = ""
    version: str = ""
    sidecar: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    acl: tuple[tuple[str, str], ...] | None = None
    embedded: str = ""

    @property
    def key(self) -> Key:
        return self.source, self.name


@dataclass(frozen=True, slots=True)
class Chunk:
    """One passage.

    Attributes:
        text: What was embedded.
        shown: What a search gives back: the text, or the larger passage that it is of.
    """

    name: str
    text: str
    shown: str


@dataclass(frozen=True, slots=True)
class Found:
    """A chunk that a search gives back."""

    chunk: Chunk
    document: Document
    score: float


class Index:
    """See the module. Threads may share one.

    Args:
        untidy: Struck rows that are left alone.
    """

    def __init__(self, untidy: int = 1000) -> None:
        self._untidy = untidy
        self._lock = threading.RLock()
        self._documents: list[Document] = []
        self._numbers: dict[Key, int] = {}
        self._rows: dict[Key, list[int]] = {}
        self._masks: OrderedDict[str, numpy.ndarray] = OrderedDict()
        self._empty()

    def _empty(self) -> None:
        self._chunks: list[Chunk] = []
        self._vectors = numpy.zeros((0, 0), numpy.float32)
        self._of = array("i")  # row → number of its document
        self._lengths = array("i")
        self._alive = array("b")
        self._postings: dict[str, tuple[array[int], array[int]]] = {}
        self._struck = 0

    def __len__(self) -> int:
        with self._lock:
            return len(self._chunks) - self._struck

    def replace(self, document: Document, chunks: Sequence[Chunk], vectors: numpy.ndarray) -> None:
        """Let a document be these chunks; vectors are L2-normalised, shape (chunks, dimensions)."""
        with self._lock:
            self._strike(document.key)
            number = self._number(document)
            first = len(self._chunks)
            self._hold(first + len(chunks), vectors.shape[1] if len(chunks) else 0)
            for place, chunk in enumerate(chunks):
                self._vectors[first + place] = vectors[place]
                self._append(first + place, number, chunk)
            self._rows[document.key] = list(range(first, first + len(chunks)))
            self._sweep()

    def update(self, document: Document) -> None:
        """Let a document have other attributes or rights; its chunks stay."""
        with self._lock:
            rows = self._rows.get(document.key)
            if rows is None:
                return
            known = self._documents[self._numbers[document.key]]
            if (known.attributes, known.acl) == (document.attributes, document.acl):
                return
            number = self._number(document)
            for row in rows:
                self._of[row] = number
            self._sweep()

    def remove(self, key: Key) -> None:
        """Let a document be gone."""
        with self._lock:
            self._strike(key)
            self._numbers.pop(key, None)
            self._sweep()

    def search(
        self,
        vector: numpy.ndarray,
        words: str | None,
        limit: int,
        rule: str,
        allowed: Callable[[Document], bool],
    ) -> list[Found]:
        """Return the best chunks, best first.

        Args:
            vector: Of the question, L2-normalised.
            words: The question, where words count as much as meaning; None: meaning alone.
            rule: Names what `allowed` answers: the same name, the same answers.
            allowed: Whether a document may be found.
        """
        with self._lock:
            rows = self._within(rule, allowed)
            if not len(rows):
                return []
            scores = self._by_meaning(vector, rows)
            if words is not None:
                scores = (scores + self._by_words(words, rows)) / 2
            best = _largest(scores, limit)
            return [
                Found(
                    self._chunks[rows[place]],
                    self._documents[self._of[rows[place]]],
                    float(scores[place]),
                )
                for place in best
            ]

    def _within(self, rule: str, allowed: Callable[[Document], bool]) -> numpy.ndarray:
        """Rows that are alive and allowed. Only documents that came since are asked again."""
        known = self._masks.pop(rule, numpy.zeros(0, bool))
        fresh = self._documents[len(known) :]
        if fresh:
            known = numpy.concatenate(
                [known, numpy.fromiter((allowed(one) for one in fresh), bool, len(fresh))]
            )
        self._masks[rule] = known
        if len(self._masks) > _MASKS:
            self._masks.popitem(last=False)
        alive = (
            numpy.frombuffer(self._alive, numpy.int8).astype(bool) if self._chunks else known[:0]
        )
        of = numpy.array(self._of, numpy.int32)
        return numpy.flatnonzero(alive & known[of]) if len(of) else numpy.zeros(0, numpy.int64)

    def _by_meaning(self, vector: numpy.ndarray, rows: numpy.ndarray) -> numpy.ndarray:
        """As a vector store scores Euclidean distance: 1 / (1 + d²), and d² = 2 - 2 cos."""
        held = self._vectors[: len(self._chunks)]
        whole = len(rows) > len(self._chunks) // 4  # gathering rows costs more than skipping them
        cosines = (held @ vector)[rows] if whole else held[rows] @ vector
        return 1.0 / (3.0 - 2.0 * numpy.clip(cosines, -1.0, 1.0))  # type: ignore[no-any-return]

    def _by_words(self, text: str, rows: numpy.ndarray) -> numpy.ndarray:
        """BM25, as a share of the best: 0 to 1."""
        count = len(self._chunks)
        scores = numpy.zeros(count, numpy.float64)
        lengths = numpy.array(self._lengths, numpy.float64)
        usual = max(1.0, float(lengths.mean()))
        for word in set(_words(text)):
            posting = self._postings.get(word)
            if posting is None:
                continue
            where = numpy.array(posting[0], numpy.int64)
            times = numpy.array(posting[1], numpy.float64)
            rarity = math.log(1 + (count - len(where) + 0.5) / (len(where) + 0.5))
            norm = _K1 * (1 - _B + _B * lengths[where] / usual)
            scores[where] += rarity * times * (_K1 + 1) / (times + norm)
        chosen = scores[rows]
        best = chosen.max()
        return chosen / best if best > 0 else chosen  # type: ignore[no-any-return]

    def _number(self, document: Document) -> int:
        self._documents.append(document)
        self._numbers[document.key] = len(self._documents) - 1
        return len(self._documents) - 1

    def _append(self, row: int, number: int, chunk: Chunk) -> None:
        self._chunks.append(chunk)
        self._of.append(number)
        self._alive.append(1)
        counts = Counter(_words(chunk.text))
        self._lengths.append(sum(counts.values()))
        for word, times in counts.items():
            rows, counted = self._postings.setdefault(word, (array("i"), array("i")))
            rows.append(row)
            counted.append(times)

    def _hold(self, rows: int, dimensions: int) -> None:
        if dimensions and self._vectors.shape[1] != dimensions:
            self._vectors = numpy.zeros((max(rows, 64), dimensions), numpy.float32)
        if rows > len(self._vectors):
            held = numpy.zeros(
                (max(rows, 2 * len(self._vectors)), self._vectors.shape[1]), numpy.float32
            )
            held[: len(self._chunks)] = self._vectors[: len(self._chunks)]
            self._vectors = held

    def _strike(self, key: Key) -> None:
        for row in self._rows.pop(key, ()):
            self._alive[row] = 0
            self._struck += 1

    def _sweep(self) -> None:
        crowded = len(self._documents) > self._untidy + 2 * len(self._numbers)
        if self._struck < max(self._untidy, len(self._chunks) // 2) and not crowded:
            return
        kept = [
            (self._documents[self._numbers[key]], [self._chunks[row] for row in rows], rows)
            for key, rows in self._rows.items()
        ]
        vectors = self._vectors
        self._documents, self._numbers, self._rows = [], {}, {}
        self._masks.clear()
        self._empty()
        for document, chunks, rows in kept:
            self.replace(document, chunks, vectors[rows])


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _largest(scores: numpy.ndarray, limit: int) -> list[int]:
    """Places of the largest scores, largest first; of equal ones the earlier first."""
    if len(scores) > 4 * limit:
        bar = numpy.partition(scores, len(scores) - limit)[len(scores) - limit]
        places = numpy.flatnonzero(scores >= bar)
    else:
        places = numpy.arange(len(scores))
    order = numpy.argsort(-scores[places], kind="stable")
    return [int(place) for place in places[order][:limit]]
