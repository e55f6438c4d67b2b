"""Say why a text is masked as it is: which recognizer, by what, how sure, and what lost.

Detection is asked again and slower, so that the quick path carries no reasons along.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.privacy.detect import Detector, Passage, Segment, blanked
from rag.privacy.names.lexicon import COMMON, GIVEN, SURNAME, flags_of
from rag.privacy.pseudonym import TITLES
from rag.privacy.recognizers.scan import Match, is_plain, matches
from rag.privacy.words import words
from rag.records import Finding

if TYPE_CHECKING:
    from presidio_analyzer import EntityRecognizer

_SPOKEN = {
    "Ner": "the model reads it so in its sentence",
    "Names": "name lists, titles and what stands beside",
    "Structure": "the label, column or header that it stands under",
    "Consistency": "found elsewhere in this text",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One finding that was thought of. It holds no text, only places in it.

    Attributes:
        start: First character, in the text as given.
        end: One past the last.
        why: Pattern, check, context word, list; for a person to read.
        outcome: ``masked``, ``joined`` (what it overlaps was masked, it included), or why it
            does not count.
    """

    start: int
    end: int
    entity: str
    score: float
    recognizer: str
    why: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Explained:
    """What is masked, and by which action.

    Attributes:
        reasons: Of this place, the one that named its kind first.
    """

    start: int
    end: int
    entity: str
    score: float
    action: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A text's findings in order, and what was thought of elsewhere and does not count."""

    findings: tuple[Explained, ...]
    dropped: tuple[Reason, ...]


def explain(detector: Detector, text: str) -> Explanation:
    """Return why a text is masked as it is."""
    passage = Passage([Segment(text)])
    found, seen = detector.candidates(passage)
    asked = _Asked(detector, passage.text, found)
    view = passage.views[0]

    def reason(one: Finding, outcome: str) -> Reason:
        start, end = view.original(one.start, one.end)
        why = asked.why(one)
        return Reason(start, end, one.entity, round(one.score, 4), one.recognizer, why, outcome)

    seen = list(dict.fromkeys(one for one in seen if one.start < one.end <= len(passage.text)))
    explained, taken = [], set()
    for final in found:
        over = [one for one in seen if one.start < final.end and final.start < one.end]
        taken.update(over)
        over.sort(key=lambda one: (one.entity != final.entity, -one.score, one.start - one.end))
        dropped = {one: detector.dropped(passage.text, one) for one in over}
        first = next((one for one in over if not dropped[one]), None)
        reasons = tuple(
            reason(one, dropped[one] or ("masked" if one is first else "joined")) for one in over
        )
        start, end = view.original(final.start, final.end)
        action = detector.policy.action(final.entity)
        score = round(final.score, 4)
        explained.append(Explained(start, end, final.entity, score, action, reasons))
    left = [
        reason(one, detector.dropped(passage.text, one) or "part of a mask")
        for one in seen
        if one not in taken and detector.policy.action(one.entity) != "keep"
    ]
    return Explanation(tuple(explained), tuple(sorted(left, key=lambda one: one.start)))


class _Asked:
    """The recognizers, asked once more for what spoke for a finding."""

    def __init__(self, detector: Detector, text: str, found: Sequence[Finding]) -> None:
        self._text = text
        self._by_name: dict[str, EntityRecognizer] = {one.name: one for one in detector.recognizers}
        self._matches: dict[Finding, Match] = {}
        # Detection looks a second time, at what is left when the first findings are taken out.
        rest = blanked(text, ((one.start, one.end) for one in found))
        for recognizer in detector.recognizers:
            if is_plain(recognizer):
                for version in (rest, text):
                    self._matches.update({one.finding: one for one in matches(recognizer, version)})

    def why(self, finding: Finding) -> str:
        match = self._matches.get(finding)
        if match is not None:
            return "; ".join(_of_match(match))
        said = self._own(finding) or _SPOKEN.get(finding.recognizer, "")
        said = said or _documented(self._by_name.get(finding.recognizer))
        if finding.entity == "PERSON":
            said = "; ".join(filter(None, (said, *_of_words(self._text, finding))))
        elif finding.recognizer == "Structure":
            line = self._text[max(finding.start - 40, 0) : finding.start].rpartition("\n")[2]
            label = line.strip(" \t:=\"'|—")
            said += f': "{label}"' if label else ""
        return said

    def _own(self, finding: Finding) -> str:
        """What the recognizer itself says, if it can."""
        tell = getattr(self._by_name.get(finding.recognizer), "why", None)
        return str(tell(self._text, finding.start, finding.end)) if callable(tell) else ""


def _of_match(match: Match) -> Iterator[str]:
    yield f'pattern "{match.pattern}"'
    if match.valid is not None:
        yield "its check digits are right" if match.valid else "its check digits are wrong"
    if match.context:
        yield f'"{match.context}" stands near'


def _of_words(text: str, finding: Finding) -> Iterator[str]:
    for word in words(text, max(finding.start - 12, 0), finding.end):
        if word.start < finding.start:
            if word.folded in TITLES and word.end >= finding.start - 2:
                yield f"{word.folded}: a title"
            continue
        flags = flags_of(word.folded)
        known = [
            name
            for flag, name in ((GIVEN, "given name"), (SURNAME, "surname"), (COMMON, "word"))
            if flags & flag
        ]
        yield f"{word.folded}: {' and '.join(known) or 'in no list'}"


def _documented(recognizer: EntityRecognizer | None) -> str:
    """The first line of what finds: a recognizer's own function, or its class."""
    if recognizer is None:
        return ""
    said = inspect.getdoc(getattr(recognizer, "_find", type(recognizer))) or ""
    return said.partition("\n")[0].rstrip(".")
