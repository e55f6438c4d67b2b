"""A function that finds things, as a Presidio recognizer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from presidio_analyzer import LocalRecognizer, RecognizerResult

if TYPE_CHECKING:
    from presidio_analyzer.nlp_engine import NlpArtifacts


class Found(NamedTuple):
    """A range of a text, the kind of identifier there, and how sure that is (0 to 1)."""

    start: int
    end: int
    entity: str
    score: float


class Shape(LocalRecognizer):  # type: ignore[misc]  # Presidio has no types
    """A recognizer whose findings a function gives, by the text alone."""

    def __init__(
        self, name: str, entities: Sequence[str], find: Callable[[str], Iterable[Found]]
    ) -> None:
        self._find = find
        super().__init__(supported_entities=list(entities), name=name)

    def load(self) -> None:
        """Nothing to load."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        wanted = set(entities)
        return [
            RecognizerResult(found.entity, found.start, found.end, found.score)
            for found in self._find(text)
            if found.entity in wanted
        ]
