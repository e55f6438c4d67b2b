"""Find identifiers in documents: one NER pass over all, then shapes, names and the structure."""

from __future__ import annotations

import bisect
import logging
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from rag.privacy import spans
from rag.privacy.policy import Policy
from rag.privacy.recognizers.scan import Condensed, Range, near, near_digits, over_lines, scan
from rag.privacy.surrogates import general_enough
from rag.privacy.words import View, fold_phrase, view
from rag.records import Finding

if TYPE_CHECKING:
    from presidio_analyzer import EntityRecognizer

    from rag.privacy.tagging.ner import Entity
    from rag.privacy.tagging.tagger import Tagger


_ROUNDS = 2
_REST = re.compile(r"[a-z2-7][0-9A-Za-z]{0,40}")
_AROUND = 240  # characters on either side in which something found may have hidden another
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


class Detector:
    """The models and recognizers of one policy; built once in a process.

    Args:
        masks: Says what in a text is a mask already (see `rag.privacy.surrogates.Masks`).
    """

    def __init__(self, policy: Policy, masks: Callable[[str], list[Range]]) -> None:
        logging.getLogger("presidio-analyzer").disabled = True  # it may quote what it reads
        from rag.privacy.names.recognizer import NameRecognizer
        from rag.privacy.recognizers import filled
        from rag.privacy.recognizers.custom import load_recognizers

        self.policy = policy
        self._masks = masks
        self._persons = policy.action("PERSON") != "keep"
        asked = self._persons or policy.action("STREET_ADDRESS") != "keep"
        self._model: Tagger | None = language() if asked else None
        own = load_recognizers(policy.recognizers) if policy.recognizers else []
        self._registry = filled.registry([NameRecognizer(), *own])
        self.recognizers: list[EntityRecognizer] = [
            recognizer
            for recognizer in self._registry.recognizers
            if any(policy.action(entity) != "keep" for entity in recognizer.supported_entities)
        ]

    def detect(self, passages: Sequence[Passage], model: bool = True) -> list[list[list[Finding]]]:
        """Return disjoint findings in order for each segment of each passage.

        Args:
            model: Also read with the language model; without it, shapes and lists only.
        """
        return [
            passage.split(self._passage(passage, ranges))
            for passage, ranges in zip(passages, self._read(passages, model), strict=True)
        ]

    def candidates(self, passage: Passage) -> tuple[list[Finding], list[Finding]]:
        """Return the findings in a passage's joined text, and all that was thought of for them.

        The second holds what fell below its threshold, what is allowed, and what lost against
        something that it overlaps.
        """
        (ranges,) = self._read([passage], True)
        seen: list[Finding] = []
        return self._passage(passage, ranges, seen), seen

    def _read(self, passages: Sequence[Passage], model: bool) -> list[list[Entity]]:
        from rag.privacy.tagging import ner

        if not model or self._model is None:
            return [[] for _ in passages]
        return ner.entities(self._model, [passage.text for passage in passages])

    def _passage(
        self, passage: Passage, read: list[Entity], seen: list[Finding] | None = None
    ) -> list[Finding]:
        from rag.privacy import context
        from rag.privacy.address import joining
        from rag.privacy.names import people
        from rag.privacy.tagging import ner

        text = passage.text
        holes = self._masks(text)

        def kept(found: Iterable[Finding]) -> list[Finding]:
            found = list(found)
            if seen is not None:
                seen.extend(found)
            return self._kept(text, found)

        # A mask's own words are no labels: <DATE_OF_BIRTH> makes no birthday of the next date.
        shapes = self._recognized(blanked(text, holes) if holes else text)
        # Where masks are, the model is not asked for more, so that masking twice changes nothing.
        addresses = () if holes else joining.joined(text, read, shapes)
        found = kept([*shapes, *context.structured(passage), *addresses])
        if self._persons:
            found += kept(people.believable(text, ner.persons(read), bool(holes)))
            found += kept(people.everywhere(text, found)[len(found) :])
        found += kept(again(text, found))
        found = joining.apart(text, found)
        safety = self.policy.safety
        resolved = spans.resolve(spans.cut(found, holes), safety)
        fresh = resolved
        for _ in range(_ROUNDS):
            if not fresh:
                break
            # Beside something found, a shape may have hidden: two numbers with a space between.
            rest = blanked(text, [*((f.start, f.end) for f in resolved), *holes])
            fresh = kept(self._beside(rest, fresh))
            resolved = spans.resolve([*resolved, *fresh], safety) if fresh else resolved
        whole = [self._whole(text, finding) for finding in resolved]
        return resolved if whole == resolved else spans.resolve(spans.cut(whole, holes), safety)

    def _whole(self, text: str, finding: Finding) -> Finding:
        """Leave a name's titles out, and take in the rest of a word.

        Behind a pseudonym's code that rest would pass for a part of it.
        """
        from rag.privacy.names.sightings import untitled

        if finding.entity == "PERSON":
            finding = replace(finding, start=untitled(text, finding.start, finding.end))
        rest = _REST.match(text, finding.end)
        if rest is None or self.policy.action(finding.entity) != "pseudonym":
            return finding
        return replace(finding, end=rest.end())

    def _beside(self, rest: str, found: Sequence[Finding]) -> Iterable[Finding]:
        """Search once more around what was found, now that it is taken out of the text."""
        ranges = sorted((finding.start, finding.end) for finding in found)
        around = Condensed(rest, near(rest, ranges, _AROUND, _AROUND))
        if len(around.text) > 0.8 * len(rest):
            return self._recognized(rest)
        return around.back(self._recognized(around.text))

    def _recognized(self, text: str) -> list[Finding]:
        from rag.privacy.recognizers import filled

        found: list[Finding] = []
        digits = Condensed(text, near_digits(text))
        for recognizer in self.recognizers:
            if recognizer.name in filled.NEED_DIGITS:
                found += digits.back(scan(recognizer, digits.text))
            else:
                found += scan(recognizer, text)
        found += over_lines(text, self.recognizers)
        return found

    def _kept(self, text: str, found: Iterable[Finding]) -> list[Finding]:
        return [finding for finding in found if not self.dropped(text, finding)]

    def dropped(self, text: str, finding: Finding) -> str:
        """Say why a finding in this text does not count; empty when it does."""
        action = self.policy.action(finding.entity)
        if action == "keep":
            return "this kind is kept"
        if finding.score < self.policy.least(finding.entity):
            return f"below the threshold {self.policy.least(finding.entity):g}"
        value = text[finding.start : finding.end]
        if action == "generalize" and general_enough(finding.entity, value):
            return "general enough as it is"
        if self.policy.allow and fold_phrase(value) in self.policy.allow:
            return "in the list of what is allowed"
        return ""


@cache
def language() -> Tagger:
    """Return the model of names and addresses, one for all policies of the process."""
    from rag.privacy.tagging import ner

    return ner.load()


def blanked(text: str, ranges: Iterable[tuple[int, int]]) -> str:
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
