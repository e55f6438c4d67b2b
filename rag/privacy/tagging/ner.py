"""Persons and street addresses as the model reads them, over many texts at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import NamedTuple

from rag.privacy.tagging import tagger
from rag.privacy.tagging.tagger import LABELS, Array, Tagger, Token

KINDS = ("PERSON", "STREET_ADDRESS")
_FIRST = [label.startswith("B-") for label in LABELS]
_KIND = [label[2:] for label in LABELS]
_BRIDGE = 2  # tokens between two parts of an address that belong to it


class Entity(NamedTuple):
    """A range of a text and its kind, one of `KINDS`.

    Attributes:
        score: What the model gives its tokens for this kind, 0 to 1, on average.
    """

    start: int
    end: int
    label: str
    score: float


def load() -> Tagger:
    """Load the model: a file of arrays, some 50 ms."""
    with _without_command_line():
        import spacy  # noqa: F401  # the lists of words and Presidio stand on it
    return tagger.load()


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


def entities(model: Tagger, texts: Sequence[str]) -> list[list[Entity]]:
    """Return the persons and street addresses that the model finds in each text, in order."""
    read = [tagger.tokens(text) for text in texts]
    return [
        _joined(text, _runs(found, chances))
        for text, found, chances in zip(texts, read, model.probabilities(read), strict=True)
    ]


def persons(found: Sequence[Entity]) -> list[Entity]:
    """Return the persons; `rag.privacy.names.people` says which of them to believe."""
    return [one for one in found if one.label == "PERSON"]


def _runs(found: Sequence[Token], chances: Array) -> Iterator[Entity]:
    """Yield runs of tokens that the model calls one kind, of any kind."""
    labels = chances.argmax(1)
    kind = ""
    first = last = -1

    def run() -> Entity:
        of_kind = [number for number, own in enumerate(_KIND) if own == kind]
        score = round(float(chances[first : last + 1, of_kind].sum(1).mean()), 3)
        return Entity(found[first].start, found[last].end, kind, score)

    for place in labels.nonzero()[0].tolist():
        own = _KIND[labels[place]]
        begins = _FIRST[labels[place]] and own == "PERSON"
        if kind and (own != kind or place != last + 1 or begins):
            yield run()
            kind = ""
        if not kind:
            first, kind = place, own
        last = place
    if kind:
        yield run()


def _joined(text: str, runs: Iterator[Entity]) -> list[Entity]:
    """Keep persons and addresses; parts of an address with a word or a sign between are one."""
    found: list[Entity] = []
    for entity in runs:
        last = found[-1] if found else None
        if entity.label not in KINDS:
            continue
        if (
            last
            and entity.label == last.label == "STREET_ADDRESS"
            and entity.start - last.end < 16
            and len(tagger.tokens(text[last.end : entity.start])) <= _BRIDGE
        ):
            found[-1] = last._replace(end=entity.end, score=min(last.score, entity.score))
        else:
            found.append(entity)
    return found
