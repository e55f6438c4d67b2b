"""A Bedrock guardrail as the second net: it reads what the gate has masked, and nothing else.

It fails closed: what the guardrail could not read has not passed. What it anonymises is replaced
as it says, except for the gate's own pseudonyms; what it blocks goes nowhere.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from rag.errors import SluiceError
from rag.privacy.guardrail.aligning import Span, everywhere, replaced, spans, spared
from rag.privacy.guardrail.packing import Part, cut, pack
from rag.records import Masked

if TYPE_CHECKING:
    from rag import config

Source = Literal["INPUT", "OUTPUT"]

CODE_VERSION = 1
"""Raise when the same answers of a guardrail give another text."""

KINDS = {
    "topics": "a denied topic",
    "content": "a content filter",
    "words": "a word list",
    "identifiers": "sensitive information",
    "grounding": "it is not grounded in the passages",
    "relevance": "it does not answer the question",
    "other": "an unnamed policy",
}
"""Kinds of policies that block, and how a person is told."""

USD_A_UNIT = {
    "topicPolicyUnits": 0.15 / 1000,
    "contentPolicyUnits": 0.15 / 1000,
    "sensitiveInformationPolicyUnits": 0.10 / 1000,
    "contextualGroundingPolicyUnits": 0.10 / 1000,
}
"""List price of a text unit (aws.amazon.com/bedrock/pricing); words and regexes are free."""

MOST_SOURCE, MOST_QUERY, MOST_ANSWER = 100_000, 1_000, 5_000
"""Characters that contextual grounding takes; AWS's quotas."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guardrail made of one text.

    Attributes:
        text: With what was anonymised replaced; the text as given where nothing was, or blocked.
        spans: What was anonymised in the text given, in order; None where only the new text is
            known.
        found: How much was anonymised, by entity type or name of regex.
        blocked: How much was blocked, by kind (`KINDS`); empty: the text may pass.
    """

    text: Masked
    spans: tuple[Span, ...] | None = ()
    found: Mapping[str, int] = field(default_factory=dict)
    blocked: Mapping[str, int] = field(default_factory=dict)


class GuardrailBlocked(SluiceError):
    """The guardrail refuses a question.

    Attributes:
        kinds: Of the policies that refuse it (`KINDS`), sorted; never the text.
    """

    def __init__(self, blocked: Mapping[str, int]) -> None:
        self.kinds = tuple(sorted(blocked))
        super().__init__(
            f"The guardrail refuses this question: {reasons(blocked)}.",
            "Ask without it, or change the guardrail that privacy.guardrail names.",
        )


def reasons(blocked: Mapping[str, int]) -> str:
    """Return in words why something was blocked."""
    return ", ".join(KINDS[kind] for kind in sorted(blocked))


@dataclass(frozen=True, slots=True)
class _Said:
    """An ApplyGuardrail response, read.

    Attributes:
        outputs: The new texts; empty where nothing was changed.
        found: What was anonymised, by name.
        blocked: What was blocked, by kind.
    """

    outputs: tuple[str, ...]
    found: Mapping[str, frozenset[str]]
    blocked: Mapping[str, int]


class Guardrail:
    """One guardrail at one version, as this process calls it.

    Example::

        verdict, = guardrail(settings, aws).check([masked.text], "INPUT")
        if verdict.blocked: ...
    """

    def __init__(self, settings: config.Guardrail, aws: config.Aws) -> None:
        from rag.aws.calls import Calls

        self.settings = settings
        self._aws = aws
        self._calls = Calls(
            "the Bedrock guardrail", aws.concurrency, deadline_seconds=aws.deadline_seconds
        )

    def check(
        self,
        texts: Sequence[Masked],
        source: Source = "INPUT",
        owners: Sequence[object] | None = None,
    ) -> list[Verdict]:
        """Return the guardrail's verdict on each text, in few calls.

        Args:
            source: Whether the texts are what is asked, or what is answered.
            owners: Of each text: what goes or stays as a whole. When one of an owner's texts is
                blocked, all of them are, and the others may not have been read. By default each
                text is its own.

        Raises:
            ServiceFailed: The guardrail could not answer; no text has passed.
            ServiceRefused: It will not: it is not there, or we may not use it.
        """
        whose = list(range(len(texts))) if owners is None else list(owners)
        blocked: dict[object, Counter[str]] = {}
        said: list[list[tuple[Part, _Said, str | None]]] = [[] for _ in texts]
        todo = pack(texts)
        while todo:
            answers = self._calls.map(lambda call: self._ask(call, source), todo)
            again: list[list[Part]] = []
            for call, answer in zip(todo, answers, strict=True):
                if answer is None:
                    self._probe(call, source)
                    again += _halves(call)
                elif answer.blocked:
                    names = {whose[part.index] for part in call}
                    if len(names) == 1:
                        blocked.setdefault(names.pop(), Counter()).update(answer.blocked)
                    else:
                        again += _halves(call)
                elif answer.outputs and len(answer.outputs) != len(call) > 1:
                    again += [[part] for part in call]
                else:
                    for place, part in enumerate(call):
                        new = answer.outputs[place] if answer.outputs else None
                        said[part.index].append((part, answer, new))
            todo = [
                kept
                for call in again
                if (kept := [part for part in call if whose[part.index] not in blocked])
            ]
        return [
            Verdict(text, blocked=dict(blocked[owner]))
            if owner in blocked
            else _verdict(text, sorted(parts, key=lambda one: one[0].start))
            for text, owner, parts in zip(texts, whose, said, strict=True)
        ]

    def check_answer(self, answer: Masked, question: Masked, passages: Sequence[Masked]) -> Verdict:
        """Return the verdict on an answer, judged by the passages that it was made from.

        Raises:
            ServiceFailed, ServiceRefused: The guardrail did not answer.
        """
        evidence = "\n\n".join(passages)[:MOST_SOURCE]
        context = [
            {"text": {"text": evidence, "qualifiers": ["grounding_source"]}},
            {"text": {"text": question[:MOST_QUERY], "qualifiers": ["query"]}},
        ]
        parts = []
        start = 0
        while start < len(answer):
            end = cut(answer, start, MOST_ANSWER)
            parts.append(Part(0, start, answer[start:end]))
            start = end
        answers = self._calls.map(lambda part: self._apply([part], "OUTPUT", context), parts)
        blocked: Counter[str] = Counter()
        for one in answers:
            blocked.update(one.blocked)
        if blocked:
            return Verdict(answer, blocked=dict(blocked))
        said = [
            (part, one, one.outputs[-1] if one.outputs else None)
            for part, one in zip(parts, answers, strict=True)
        ]
        return _verdict(answer, said)

    def _probe(self, call: Sequence[Part], source: Source) -> None:
        """Ask about the shortest part alone: whether it is the guardrail that is wrong."""
        shortest = min(call, key=lambda part: len(part.text))
        self._calls(lambda: self._apply([shortest], source))

    def _ask(self, call: Sequence[Part], source: Source) -> _Said | None:
        """Apply the guardrail to a call's parts; None: it refuses them together."""
        from botocore.exceptions import ClientError

        try:
            return self._apply(call, source)
        except ClientError as error:
            if len(call) > 1 and error.response["Error"]["Code"] == "ValidationException":
                return None
            raise

    def _apply(
        self, call: Sequence[Part], source: Source, context: Sequence[dict[str, Any]] = ()
    ) -> _Said:
        from rag.aws import client
        from rag.cost import record

        guarded = ["guard_content"] if context else []
        blocks = [
            {"text": {"text": part.text, **({"qualifiers": guarded} if guarded else {})}}
            for part in call
        ]
        began = time.perf_counter()
        response = client("bedrock-runtime", self._aws).apply_guardrail(
            guardrailIdentifier=self.settings.id,
            guardrailVersion=self.settings.version,
            source=source,
            content=[*context, *blocks],
        )
        units = response.get("usage", {})
        usd = sum(price * units.get(unit, 0) for unit, price in USD_A_UNIT.items())
        name = f"guardrail/{self.settings.id.rpartition('/')[2]}"
        record(name, seconds=time.perf_counter() - began, usd=usd)
        return _read(response, whole=not context)


def _halves(call: list[Part]) -> list[list[Part]]:
    middle = len(call) // 2
    return [half for half in (call[:middle], call[middle:]) if half]


def _read(response: Mapping[str, Any], whole: bool) -> _Said:
    """Read a response; it counts only if it says that all of the text was read.

    Raises:
        ResponseParserError: It does not, or says nothing: a fault of the service.
    """
    from botocore.parsers import ResponseParserError

    characters = response.get("guardrailCoverage", {}).get("textCharacters", {})
    partial = whole and characters.get("guarded", 0) < characters.get("total", 0)
    if response.get("action") not in ("NONE", "GUARDRAIL_INTERVENED") or partial:
        raise ResponseParserError("The guardrail did not read all of the text.")
    found: dict[str, set[str]] = {}
    blocked: Counter[str] = Counter()
    for assessment in response.get("assessments", ()):
        for kind, name, entry in _entries(assessment):
            if entry.get("action") == "BLOCKED":
                blocked[kind] += 1
            elif entry.get("action") == "ANONYMIZED":
                found.setdefault(name, set()).add(entry.get("match", ""))
    outputs = tuple(one.get("text", "") for one in response.get("outputs", ()))
    if response["action"] == "GUARDRAIL_INTERVENED" and not (found or blocked):
        blocked["other"] += 1
    values = {name: frozenset(some) for name, some in found.items()}
    return _Said(outputs if found else (), values, dict(blocked))


_LISTS = (
    ("topicPolicy", "topics", "topics", "name"),
    ("contentPolicy", "filters", "content", "type"),
    ("wordPolicy", "customWords", "words", "match"),
    ("wordPolicy", "managedWordLists", "words", "type"),
    ("sensitiveInformationPolicy", "piiEntities", "identifiers", "type"),
    ("sensitiveInformationPolicy", "regexes", "identifiers", "name"),
)


def _entries(assessment: Mapping[str, Any]) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Return what was found as kind, name and entry."""
    entries = [
        (kind, str(entry.get(name, "")), entry)
        for policy, member, kind, name in _LISTS
        for entry in assessment.get(policy, {}).get(member, ())
    ]
    for entry in assessment.get("contextualGroundingPolicy", {}).get("filters", ()):
        kind = "relevance" if entry.get("type") == "RELEVANCE" else "grounding"
        entries.append((kind, "", entry))
    for finding in assessment.get("automatedReasoningPolicy", {}).get("findings", ()):
        entries.append(("other", "", finding))
    return entries


def _verdict(text: Masked, said: Sequence[tuple[Part, _Said, str | None]]) -> Verdict:
    changed: list[Span] = []
    pieces: list[str] = []
    found: Counter[str] = Counter()
    known = True
    for part, answer, output in said:
        here = (
            everywhere(part.text, answer.found)
            if output is None
            else spans(part.text, output, answer.found)
        )
        if here is None:
            # What was there before cannot be told, so the guardrail's text stands as it is.
            known = False
            pieces.append(output or "")
            found.update(name for name, values in answer.found.items() for _ in values)
            continue
        here = spared(part.text, here)
        pieces.append(replaced(part.text, here))
        found.update(span.name for span in here)
        changed += (
            Span(span.start + part.start, span.end + part.start, span.name) for span in here
        )
    if not said:
        return Verdict(text)
    return Verdict(Masked("".join(pieces)), tuple(changed) if known else None, dict(found))


def guardrail(settings: config.Guardrail, aws: config.Aws) -> Guardrail:
    """Return this process's client of a guardrail."""
    return _guardrail(settings.model_dump_json(), aws.model_dump_json(), os.getpid())


@lru_cache(maxsize=8)
def _guardrail(settings_json: str, aws_json: str, process: int) -> Guardrail:
    from rag.config import Aws
    from rag.config import Guardrail as Settings

    return Guardrail(Settings.model_validate_json(settings_json), Aws.model_validate_json(aws_json))


def fingerprint(settings: config.Guardrail | None) -> str:
    """Return what masked documents depend on: the guardrail, its version and this code.

    What a ``DRAFT`` says can change without notice: number a version to have documents read anew.
    """
    if settings is None or "documents" not in settings.on:
        return ""
    return f"{settings.id.rpartition('/')[2]} {settings.version} code-{CODE_VERSION}"
