"""Find identifiers in documents: one NER pass over all, then shapes, names and the structure."""

from __future__ import annotations

import bisect
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag.privacy import spans
from rag.privacy.policy import Policy
from rag.privacy.pseudonym import MASK
from rag.privacy.words import View, fold_phrase, view
from rag.records import Finding

if TYPE_CHECKING:
    from presidio_analyzer import EntityRecognizer, PatternRecognizer
    from spacy.language import Language


_ROUNDS = 2
_DIGITS = re.compile(r"\d+")
_TOKEN = re.compile(r"\w[\w\-./]{4,40}\w")


@dataclass(frozen=True, slots=True)
class Segment:
    """A string of a document on its way through the gate.

    Attributes:
        label: What names it: a field's label, a column's header, or empty.
        joint: What stands between it and the next segment when detection reads them together.
    """

    text: str
    label: str = ""
    joint: str = "\n\n"


class Passage:
    """Segments that belong together (a document, a question), joined as detection reads them."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self.segments = segments
        self.views: list[View] = [view(segment.text) for segment in segments]
        self.starts: list[int] = []
        pieces: list[str] = []
        place = 0
        for segment, seen in zip(segments, self.views, strict=True):
            self.starts.append(place)
            pieces += (seen.text, segment.joint)
            place += len(seen.text) + len(segment.joint)
        self.text = "".join(pieces)

    def split(self, findings: Iterable[Finding]) -> list[list[Finding]]:
        """Hand findings in the joined text to their segments, at the originals' offsets."""
        shares: list[list[Finding]] = [[] for _ in self.segments]
        for finding in findings:
            index = max(bisect.bisect_right(self.starts, finding.start) - 1, 0)
            while index < len(self.starts) and self.starts[index] < finding.end:
                seen = self.views[index]
                start = max(finding.start - self.starts[index], 0)
                end = min(finding.end - self.starts[index], len(seen.text))
                if start < end and not seen.text[start:end].isspace():
                    first, last = seen.original(start, end)
                    shares[index].append(
                        Finding(first, last, finding.entity, finding.score, finding.recognizer)
                    )
                index += 1
        return shares


class Condensed:
    """The parts of a text that have digits near, for the shapes that cannot be without.

    Prose has few digits: most of it need not be searched for account numbers.
    """

    def __init__(self, text: str) -> None:
        self._pieces: list[tuple[int, int, int]] = []
        parts: list[str] = []
        length = 0
        for start, end in _near_digits(text):
            self._pieces.append((length, start, end))
            parts += (text[start:end], "\n\n\n")
            length += end - start + 3
        self._starts = [piece[0] for piece in self._pieces]
        self.text = "".join(parts)

    def back(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Move findings in the condensed text to where they are in the whole one."""
        for finding in findings:
            place, start, end = self._pieces[bisect.bisect_right(self._starts, finding.start) - 1]
            shift = start - place
            if finding.start + shift < end:
                yield Finding(
                    finding.start + shift,
                    min(finding.end + shift, end),
                    finding.entity,
                    finding.score,
                    finding.recognizer,
                )


def _near_digits(text: str) -> Iterator[tuple[int, int]]:
    """Yield ranges around digits, 160 characters before and 120 after, edges at spaces."""
    first = last = -1
    for match in _DIGITS.finditer(text):
        start = max(match.start() - 160, 0)
        if first < 0:
            first, last = start, match.end() + 120
        elif start <= last:
            last = match.end() + 120
        else:
            yield _spaced(text, first, last)
            first, last = start, match.end() + 120
    if first >= 0:
        yield _spaced(text, first, last)


def _spaced(text: str, first: int, last: int) -> tuple[int, int]:
    # Never within a word: what stands before a shape decides whether it is one.
    limits = max(first - 200, 0), min(last + 200, len(text))
    while first > limits[0] and not text[first - 1].isspace():
        first -= 1
    while last < limits[1] and not text[last].isspace():
        last += 1
    return first, min(last, len(text))


class Detector:
    """The models and recognizers of one policy; built once in a process."""

    def __init__(self, policy: Policy) -> None:
        logging.getLogger("presidio-analyzer").disabled = True  # it may quote what it reads
        from rag.privacy import ner, recognizers
        from rag.privacy.names import NameRecognizer

        self.policy = policy
        self._nlp: Language = ner.load()
        self._registry = recognizers.registry([NameRecognizer()])
        self._recognizers: list[EntityRecognizer] = [
            recognizer
            for recognizer in self._registry.recognizers
            if any(policy.action(entity) != "keep" for entity in recognizer.supported_entities)
        ]
        self._blocking = frozenset(
            entity for entity, action in policy.actions.items() if action == "block"
        )

    def detect(self, passages: Sequence[Passage], model: bool = True) -> list[list[list[Finding]]]:
        """Return disjoint findings in order for each segment of each passage.

        Args:
            model: Also read with the language model; without it, shapes and lists only.
        """
        from rag.privacy import ner

        persons: list[list[tuple[int, int]]] = [[] for _ in passages]
        if model and self.policy.action("PERSON") != "keep":
            persons = ner.persons(self._nlp, [passage.text for passage in passages])
        return [
            passage.split(self._passage(passage, ranges))
            for passage, ranges in zip(passages, persons, strict=True)
        ]

    def _passage(self, passage: Passage, persons: list[tuple[int, int]]) -> list[Finding]:
        from rag.privacy import context, people

        text = passage.text
        holes = [match.span() for match in MASK.finditer(text)]
        # A mask's own words are no labels: <DATE_OF_BIRTH> makes no birthday of the next date.
        shapes = self._recognized(_blanked(text, holes) if holes else text)
        found = self._kept(text, [*shapes, *context.structured(passage)])
        if self.policy.action("PERSON") != "keep":
            found += self._kept(text, people.believable(text, persons, bool(holes)))
            found = self._kept(text, people.everywhere(text, found))
        found += self._kept(text, again(text, found))
        resolved = spans.resolve(spans.cut(found, holes), self._blocking)
        for _ in range(_ROUNDS):
            # Beside something found, a shape may have hidden: two numbers with a space between.
            rest = _blanked(text, [*((f.start, f.end) for f in resolved), *holes])
            more = self._kept(text, self._recognized(rest)) if resolved else []
            if not more:
                break
            resolved = spans.resolve([*resolved, *more], self._blocking)
        return resolved

    def _recognized(self, text: str) -> list[Finding]:
        from rag.privacy import recognizers

        found: list[Finding] = []
        digits = Condensed(text)
        for recognizer in self._recognizers:
            if recognizer.name in recognizers.NEED_DIGITS:
                found += digits.back(scan(recognizer, digits.text))
            else:
                found += scan(recognizer, text)
        return found

    def _kept(self, text: str, found: Iterable[Finding]) -> list[Finding]:
        return [
            finding
            for finding in found
            if finding.score >= self.policy.threshold
            and self.policy.action(finding.entity) != "keep"
            and not self._allowed(text, finding)
        ]

    def _allowed(self, text: str, finding: Finding) -> bool:
        return bool(self.policy.allow) and (
            fold_phrase(text[finding.start : finding.end]) in self.policy.allow
        )


def _blanked(text: str, ranges: Iterable[tuple[int, int]]) -> str:
    """Replace ranges by as many characters that belong to no word and are no space."""
    pieces: list[str] = []
    place = 0
    for start, end in sorted(ranges):
        if start >= place:
            pieces += (text[place:start], "\ufffc" * (end - start))
            place = end
    pieces.append(text[place:])
    return "".join(pieces)


def again(text: str, found: Iterable[Finding]) -> list[Finding]:
    """Find numbers that a label gave away once wherever else they stand in the document."""
    values: dict[str, str] = {}
    for finding in found:
        value = text[finding.start : finding.end]
        if (
            finding.entity != "PERSON"
            and _TOKEN.fullmatch(value)
            and sum(map(str.isdigit, value)) > 4
        ):
            values[value] = finding.entity
    if not values:
        return []
    return [
        Finding(match.start(), match.end(), values[match.group()], 0.7, "Consistency")
        for match in _TOKEN.finditer(text)
        if match.group() in values
    ]


def scan(recognizer: EntityRecognizer, text: str) -> list[Finding]:
    """Run one recognizer over a text, linear in text and findings.

    Presidio's own pattern loop compares every pair of findings and explains each; here a plain
    `PatternRecognizer` gives its patterns and its checks, and the loop is ours. A named group
    ``value`` narrows the finding. A context word within 50 characters in front adds 0.35, to
    0.4 at least, as Presidio's enhancer does.
    """
    from presidio_analyzer import PatternRecognizer

    if not isinstance(recognizer, PatternRecognizer) or not _plain(recognizer):
        return [
            Finding(result.start, result.end, result.entity_type, result.score, recognizer.name)
            for result in recognizer.analyze(text, recognizer.supported_entities, None)
        ]
    entity = recognizer.supported_entities[0]
    found = []
    for pattern in recognizer.patterns:
        compiled = _compiled(recognizer, pattern)
        narrow = "value" in compiled.groupindex
        for match in compiled.finditer(text):
            start, end = match.span("value") if narrow else match.span()
            if start < 0 or start == end:
                continue
            piece = text[start:end]
            score = pattern.score
            valid = recognizer.validate_result(piece)
            if valid is not None:
                score = 1.0 if valid else 0.0
            if recognizer.invalidate_result(piece):
                score = 0.0
            if 0 < score < 0.6 and recognizer.context and _near(recognizer, text, start, end):
                score = max(score + 0.35, 0.4)
            if score:
                found.append(Finding(start, end, entity, score, recognizer.name))
    return found


def _plain(recognizer: PatternRecognizer) -> bool:
    from presidio_analyzer import PatternRecognizer

    return type(recognizer).analyze is PatternRecognizer.analyze


def _compiled(recognizer: PatternRecognizer, pattern: Any) -> Any:
    if pattern.compiled_regex is None:
        try:
            pattern.compiled_regex = re.compile(
                pattern.regex, int(recognizer.global_regex_flags or 0)
            )
        except re.error:
            import regex  # type: ignore[import-untyped]

            pattern.compiled_regex = regex.compile(pattern.regex, recognizer.global_regex_flags)
    return pattern.compiled_regex


def _near(recognizer: PatternRecognizer, text: str, start: int, end: int) -> bool:
    around = f"{text[max(start - 50, 0) : start]} {text[end : end + 15]}".casefold()
    return any(word in around for word in recognizer.context)
