"""A function that finds things, as a Presidio recognizer."""

from __future__ import annotations

import re
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


_UNCLEAR = re.compile(
    # Letters that scanners read for digits, between digits: 5205-688l, 55O1, 1O l0
    r"(?<=\d)[lIOo](?=[\-/]?\d)|(?<=\d[ \-/.])[lIO](?=\d)|(?<=[a-z][\-. ])[lIO](?=\d)"
    r"|(?<=[\-/]\d)[lIO](?!\w)"
)
_DIGIT = {"l": "1", "I": "1", "O": "0", "o": "0"}


def clear(text: str) -> str:
    """Return a text of the same length with digits for the letters that scanners read for them."""
    return _UNCLEAR.sub(lambda match: _DIGIT[match.group()], text)


class Shape(LocalRecognizer):  # type: ignore[misc]  # Presidio has no types
    """A recognizer whose findings a function gives, by the text alone.

    Args:
        scanned: Also read letters between digits as the digits that a scanner took them for.
    """

    def __init__(
        self,
        name: str,
        entities: Sequence[str],
        find: Callable[[str], Iterable[Found]],
        scanned: bool = False,
    ) -> None:
        self._find = find
        self._scanned = scanned
        super().__init__(supported_entities=list(entities), name=name)

    def load(self) -> None:
        """Nothing to load."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        wanted = set(entities)
        if self._scanned:
            text = clear(text)
        return [
            RecognizerResult(found.entity, found.start, found.end, found.score)
            for found in self._find(text)
            if found.entity in wanted
        ]
