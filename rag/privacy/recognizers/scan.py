"""Run recognizers of shapes over a text: linear in the text and in what is found."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from rag.records import Finding

if TYPE_CHECKING:
    from presidio_analyzer import EntityRecognizer, PatternRecognizer

Range = tuple[int, int]
_BROKEN = re.compile(r"(?<=[0-9A-Za-z])\n(?=[0-9])")
_DIGITS = re.compile(r"\d+")


class Condensed:
    """Parts of a text, put together to be searched as one.

    Prose has few digits: most of it need not be searched for account numbers.

    Args:
        pieces: Disjoint ranges in order.
    """

    def __init__(self, text: str, pieces: Iterable[Range]) -> None:
        self._pieces: list[tuple[int, int, int]] = []
        parts: list[str] = []
        length = 0
        for start, end in pieces:
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


def over_lines(text: str, recognizers: Iterable[EntityRecognizer]) -> Iterator[Finding]:
    """Yield cards and accounts that a line break parts, if their check digits are right."""
    breaks = [match.span() for match in _BROKEN.finditer(text)]
    if not breaks:
        return
    from rag.privacy.shapes.checks import luhn, mod97

    pieces = near(text, breaks, 40, 40)
    joined = Condensed(_BROKEN.sub(" ", text), pieces)
    for recognizer in recognizers:
        check = {"Card": luhn, "Iban": mod97}.get(recognizer.name)
        if check is None:
            continue
        for finding in joined.back(scan(recognizer, joined.text)):
            value = text[finding.start : finding.end]
            if "\n" in value and check("".join(filter(str.isalnum, value)).upper()):
                yield finding


def near_digits(text: str) -> Iterator[Range]:
    """Yield ranges around digits, 160 characters before and 120 after, edges at spaces."""
    return near(text, (match.span() for match in _DIGITS.finditer(text)), 160, 120)


def near(text: str, ranges: Iterable[Range], before: int, after: int) -> Iterator[Range]:
    """Yield disjoint ranges around the given ones, which are in order; edges at spaces."""
    first = last = -1
    for start, end in ranges:
        if first >= 0 and start - before <= last:
            last = max(last, end + after)
            continue
        if first >= 0:
            yield _spaced(text, first, last)
        first, last = max(start - before, 0), end + after
    if first >= 0:
        yield _spaced(text, first, last)


def _spaced(text: str, first: int, last: int) -> Range:
    # Never within a word: what stands before a shape decides whether it is one.
    limits = max(first - 200, 0), min(last + 200, len(text))
    while first > limits[0] and not text[first - 1].isspace():
        first -= 1
    while last < limits[1] and not text[last].isspace():
        last += 1
    return first, min(last, len(text))


class Match(NamedTuple):
    """A finding of a shape, and what spoke for it.

    Attributes:
        pattern: Its name.
        valid: What a checksum or another check said; None: there is none, or it cannot tell.
        context: The word near it that raised the score, or empty.
    """

    finding: Finding
    pattern: str = ""
    valid: bool | None = None
    context: str = ""


def scan(recognizer: EntityRecognizer, text: str) -> list[Finding]:
    """Run one recognizer over a text, linear in text and findings.

    Presidio's own pattern loop compares every pair of findings and explains each; here a plain
    `PatternRecognizer` gives its patterns and its checks, and the loop is ours. A named group
    ``value`` narrows the finding. A context word within 50 characters in front adds 0.35, to
    0.4 at least, as Presidio's enhancer does.
    """
    if not is_plain(recognizer):
        return [
            Finding(result.start, result.end, result.entity_type, result.score, recognizer.name)
            for result in recognizer.analyze(text, recognizer.supported_entities, None)
        ]
    return [match.finding for match in matches(recognizer, text)]


def matches(recognizer: PatternRecognizer, text: str) -> Iterator[Match]:
    """Yield what a plain pattern recognizer finds, with the reasons."""
    entity = recognizer.supported_entities[0]
    for pattern in recognizer.patterns:
        compiled = _compiled(recognizer, pattern)
        narrow = "value" in compiled.groupindex
        for match in compiled.finditer(text):
            start, end = match.span("value") if narrow else match.span()
            if start < 0 or start == end:
                continue
            piece = text[start:end]
            score, near = pattern.score, ""
            valid = recognizer.validate_result(piece)
            if valid is not None:
                score = 1.0 if valid else 0.0
            if recognizer.invalidate_result(piece):
                score = 0.0
            if 0 < score < 0.6 and recognizer.context:
                near = _near(recognizer, text, start, end)
                score = max(score + 0.35, 0.4) if near else score
            if score:
                found = Finding(start, end, entity, score, recognizer.name)
                yield Match(found, pattern.name, valid, near)


def is_plain(recognizer: EntityRecognizer) -> bool:
    """Whether a recognizer is nothing but patterns, so that its own search is not needed."""
    from presidio_analyzer import PatternRecognizer

    if not isinstance(recognizer, PatternRecognizer):
        return False
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


def _near(recognizer: PatternRecognizer, text: str, start: int, end: int) -> str:
    around = f"{text[max(start - 50, 0) : start]} {text[end : end + 15]}".casefold()
    return next((word for word in recognizer.context if word in around), "")
