"""Street addresses: a grammar over tokens, a gazetteer of places, postcodes of many countries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from presidio_analyzer import LocalRecognizer, RecognizerResult

from rag.privacy.address.grammar import find
from rag.privacy.address.postcodes import generalized_zip

if TYPE_CHECKING:
    from presidio_analyzer.nlp_engine import NlpArtifacts

__all__ = ["AddressRecognizer", "find", "generalized_zip"]

_SCORE = 0.7


class AddressRecognizer(LocalRecognizer):  # type: ignore[misc]  # Presidio has no types
    """Where somebody lives: street and number, with all that belongs to it up to the country.

    A city alone is not personal; a British postcode is (some fifteen houses).
    """

    def __init__(self) -> None:
        super().__init__(supported_entities=["STREET_ADDRESS"], name="Address")

    def load(self) -> None:
        """Nothing to load before the first text."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        return [RecognizerResult("STREET_ADDRESS", *span, _SCORE) for span in find(text)]
