"""Cities, counties and other places smaller than a state: the kind LOCATION.

Geographic subdivisions smaller than a state are identifiers under 45 CFR 164.514(b)(2)(i)(B).
States and countries stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from presidio_analyzer import LocalRecognizer, RecognizerResult

from rag.privacy.address import places
from rag.privacy.address.items import place
from rag.privacy.address.parts import name, separators
from rag.privacy.address.tokens import BREAK, CAPITAL, NUMBER, STOP, Tokens, tokens
from rag.privacy.names.lexicon import flags_of
from rag.privacy.words import word_set

if TYPE_CHECKING:
    from presidio_analyzer.nlp_engine import NlpArtifacts

_BEFORE = word_set(
    "in at from near to of around outside into toward towards via through visiting leaving for "
    "city town village municipality hometown born resident residents lives lived moved area"
)
_LABELS = word_set("city town village ort stadt ville ciudad citta cidade birthplace hometown")
_SITES = word_set("office resident area branch clinic site practice ward surgery store shop")
_LIVING = word_set(
    "lives lived living live born moved moving travelled traveled transferred relocated up resides "
    "resided comes came resident"
)
_DIVISIONS = word_set(
    "county parish borough district precinct township municipality arrondissement canton shire "
    "landkreis kreis powiat gmina comarca prefecture village town"
)
_NUMBERED = word_set("precinct district arrondissement ward borough census")
_SCORE = 0.6


class LocationRecognizer(LocalRecognizer):  # type: ignore[misc]  # Presidio has no types
    """Cities of the gazetteer, counties, districts and precincts by their words."""

    def __init__(self) -> None:
        super().__init__(supported_entities=["LOCATION"], name="Location")

    def load(self) -> None:
        """Nothing to load before the first text."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        return [RecognizerResult("LOCATION", *span, _SCORE) for span in locations(text)]


def locations(text: str) -> list[tuple[int, int]]:
    """Return the ranges of places smaller than a state, in order; linear in the text."""
    t = tokens(text)
    found: list[tuple[int, int]] = []
    i = 0
    while i < len(t):
        end = 0
        if t.has(i, CAPITAL) and not t.has(i, STOP | BREAK):
            end = _division(t, i) or _city(t, i)
        if end:
            found.append((t.starts[i], t.ends[end - 1]))
        i = max(end, i + 1)
    return found


def _division(t: Tokens, i: int) -> int:
    """Return the end of "Cook County", "County Cork", "Precinct 12", or 0."""
    word = t.word(i)
    if word in _NUMBERED and t.has(i + 1, NUMBER) and len(t.word(i + 1)) < 4:
        return i + 2
    if word in _DIVISIONS:
        start = i + 2 if t.word(i + 1) == "of" else i + 1
        end = name(t, start, 3)
        return end if end > start and word != "village" and word != "town" else 0
    last = i + 1
    while last < i + 4 and t.has(last, CAPITAL):
        if t.word(last) in _DIVISIONS:
            return last + 1
        last += 1
    return 0


def _city(t: Tokens, i: int) -> int:
    """Return the end of a city that stands where one can, or 0."""
    found = place(t, i)
    unknown = _before_state(t, i)
    if found is None or unknown > found.end:
        return unknown or _unlisted(t, i)
    words = " ".join(t.folded[i : found.end]).replace("-", " ").replace(" .", "")
    if not places.known(words) & (places.CITY | places.COUNTY):
        return 0
    alone = found.end - i == 1
    known = flags_of(t.word(i)) if alone else 0
    if not known and not (alone and len(t.word(i)) < 4):
        return found.end
    if (
        t.word(i - 1) in _BEFORE
        or _labelled(t, i, found.end)
        or (_state_behind(t, found.end) and t.word(found.end) == ",")
    ):
        return found.end
    return 0


def _labelled(t: Tokens, i: int, end: int) -> bool:
    """Whether it is said that a town stands here: City: X, the X office, X resident."""
    if t.word(i - 1) == ":" and t.word(i - 2) in _LABELS:
        return True
    return t.word(end) == "resident" or (t.word(i - 1) == "the" and t.word(end) in _SITES)


def _unlisted(t: Tokens, i: int) -> int:
    """Return the end of a name that no list has where somebody lives or was born, or 0."""
    if t.word(i - 1) not in {"in", "from", "to", "near"} or t.word(i - 2) not in _LIVING:
        return 0
    return 0 if flags_of(t.word(i)) else name(t, i, 2)


def _before_state(t: Tokens, i: int) -> int:
    """Return the end of unknown names before a state: "Harrow Bay, MA"."""
    end = name(t, i, 3)
    if end > i and t.word(end) == "," and _state_behind(t, end):
        return end
    return 0


def _state_behind(t: Tokens, end: int) -> bool:
    k, marks = separators(t, end)
    if not marks or k >= len(t):
        return False
    if places.region_code(t.surface(k)):
        return True
    following = place(t, k)
    return following is not None and following.kind in {"region", "country"}
