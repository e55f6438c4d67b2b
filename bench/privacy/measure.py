"""Score findings against labels, by characters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from bench.privacy.generate import Case, Span
from bench.privacy.values import listed

Found: TypeAlias = Sequence[tuple[int, int, str]]
"""Findings of one text: start, end, entity."""
Detect: TypeAlias = Callable[[Sequence[str]], list[Found]]
"""A detector: texts in, findings of each out."""

DIRECT = frozenset(
    listed(
        """
        PERSON STREET_ADDRESS CREDIT_CARD PHONE_NUMBER EMAIL_ADDRESS IBAN_CODE US_SSN IP_ADDRESS
        DRIVER_LICENSE
        """
    )
)
"""Kinds that name somebody by themselves: the goal is stated for them."""


@dataclass
class Tally:
    """What was found of some labelled spans."""

    spans: int = 0
    whole: int = 0
    characters: int = 0
    covered: int = 0

    def add(self, length: int, covered: int) -> None:
        self.spans += 1
        self.whole += covered == length
        self.characters += length
        self.covered += covered

    @property
    def share(self) -> float:
        """The share of spans that are wholly masked."""
        return self.whole / self.spans if self.spans else 1.0

    def figures(self) -> dict[str, float]:
        return {
            "spans": self.spans,
            "fully_masked": round(self.share, 4),
            "character_recall": round(self.covered / self.characters, 4) if self.spans else 1.0,
        }


@dataclass(frozen=True)
class Miss:
    """A span that is not wholly covered, or characters masked that are not personal."""

    case: Case
    entity: str
    span: tuple[int, int]
    rest: str


@dataclass
class Score:
    """Figures of one detector over one part.

    Attributes:
        masked: Characters masked.
        right: Those of them that are personal under the profile.
        wrong: Masked characters that are not personal, by the kind they were taken for.
    """

    direct: Tally = field(default_factory=Tally)
    entities: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    locales: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    families: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    masked: int = 0
    right: int = 0
    wrong: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    misses: list[Miss] = field(default_factory=list)
    extras: list[Miss] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return self.right / self.masked if self.masked else 1.0

    def figures(self) -> dict[str, object]:
        """Return plain values for JSON."""
        groups = (
            ("entities", self.entities),
            ("locales", self.locales),
            ("families", self.families),
        )
        shares = {
            name: {key: tally.figures() for key, tally in sorted(group.items())}
            for name, group in groups
        }
        return {
            "direct": self.direct.figures(),
            "character_precision": round(self.precision, 4),
            "wrong_characters": dict(sorted(self.wrong.items())),
            **shares,
        }


def score(cases: Sequence[Case], found: Sequence[Found], kinds: Collection[str]) -> Score:
    """Compare findings with labels.

    Args:
        kinds: What the profile masks; spans of other kinds are not personal under it.
    """
    result = Score()
    for case, findings in zip(cases, found, strict=True):
        masked = _places(findings)
        wanted = [
            span
            for span in case.spans
            if span.entity in kinds and not _young(span.entity, case.text[span.start : span.end])
        ]
        personal = _places((span.start, span.end, "") for span in wanted)
        result.masked += len(masked)
        result.right += len(masked & personal)
        for span in wanted:
            _count(result, case, span, masked)
        for start, end, entity in findings:
            extra = [place for place in range(start, end) if place not in personal]
            result.wrong[entity] += len(extra)
            if extra:
                rest = "".join(case.text[place] for place in extra)
                result.extras.append(Miss(case, entity, (start, end), rest))
    return result


def _young(entity: str, value: str) -> bool:
    """Tell whether an age may stay by every profile: 45 CFR 164.514 asks from 90 on."""
    return entity == "AGE" and value.isdigit() and int(value) < 90


def _count(result: Score, case: Case, span: Span, masked: set[int]) -> None:
    missing = [place for place in range(span.start, span.end) if place not in masked]
    length = span.end - span.start
    covered = length - len(missing)
    result.entities[span.entity].add(length, covered)
    if span.entity in DIRECT:
        result.direct.add(length, covered)
        result.locales[case.locale].add(length, covered)
        result.families[case.family].add(length, covered)
    if missing:
        rest = "".join(case.text[place] for place in missing)
        result.misses.append(Miss(case, span.entity, (span.start, span.end), rest))


def _places(ranges: Iterable[tuple[int, int, str]]) -> set[int]:
    return {place for start, end, _ in ranges for place in range(start, end)}
