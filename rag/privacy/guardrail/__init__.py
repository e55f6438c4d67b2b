"""A Bedrock guardrail as the second net: it reads what the gate has masked, and nothing else.

It fails closed: what the guardrail could not read has not passed. What it anonymises is replaced
as it says, except for the gate's own pseudonyms; what it blocks goes nowhere.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from rag.errors import SluiceError
from rag.masked import Masked, require
from rag.masked.passed import passed
from rag.privacy.guardrail.aligning import Span, everywhere, replaced, spans, spared
from rag.privacy.guardrail.packing import Part, cut, pack
from rag.privacy.guardrail.reading import KINDS, Said, read, reasons

if TYPE_CHECKING:
    from rag import config

Source = Literal["INPUT", "OUTPUT"]

__all__ = [
    "KINDS",
    "Guardrail",
    "GuardrailBlocked",
    "Verdict",
    "fingerprint",
    "guardrail",
    "reasons",
]

CODE_VERSION = 1
"""Raise when the same answers of a guardrail give another text."""

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
        for text in texts:
            require(text, "The guardrail")
        whose = list(range(len(texts))) if owners is None else list(owners)
        blocked: dict[object, Counter[str]] = {}
        said: list[list[tuple[Part, Said, str | None]]] = [[] for _ in texts]
        todo = pack(texts)
        while todo:
            answers = self._calls.map(lambda call: self._ask(call, source), todo)
            again: list[list[Part]] = []
            for call, answer in zip(todo, answers, strict=True):
                if answer is None:
                    self._probe(call, source)
                    again += _halves(call)
                elif answer.ours:
                    again.append([replace(part, veiled=True) for part in call])
                elif answer.blocked:
                    names = {whose[part.index] for part in call}
                    if len(names) == 1:
                        blocked.setdefault(names.pop(), Counter()).update(answer.blocked)
                    else:
                        again += _apart(call, whose, answer.culprits)
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
        for text in (answer, question, *passages):
            require(text, "The guardrail")
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
        if any(one.ours for one in answers):
            parts = [replace(part, veiled=True) for part in parts]
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

    def _ask(self, call: Sequence[Part], source: Source) -> Said | None:
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
    ) -> Said:
        from rag.aws import client
        from rag.cost import record

        guarded = ["guard_content"] if context else []
        blocks = [
            {"text": {"text": part.shown, **({"qualifiers": guarded} if guarded else {})}}
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
        return read(response, whole=not context)


def _apart(call: list[Part], whose: Sequence[object], culprits: frozenset[str]) -> list[list[Part]]:
    """Split a call that was blocked: owners that hold a culprit each alone, the rest together."""
    suspects = dict.fromkeys(
        whose[part.index] for part in call if any(value in part.text for value in culprits)
    )
    if not suspects:
        return _halves(call)
    rest = [part for part in call if whose[part.index] not in suspects]
    alone = [[part for part in call if whose[part.index] == one] for one in suspects]
    return [some for some in (*alone, rest) if some]


def _halves(call: list[Part]) -> list[list[Part]]:
    middle = len(call) // 2
    return [half for half in (call[:middle], call[middle:]) if half]


def _verdict(text: Masked, said: Sequence[tuple[Part, Said, str | None]]) -> Verdict:
    changed: list[Span] = []
    pieces: list[str] = []
    found: Counter[str] = Counter()
    known = True
    for part, answer, output in said:
        here = (
            everywhere(part.shown, answer.found)
            if output is None
            else spans(part.shown, output, answer.found)
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
    return Verdict(passed("".join(pieces)), tuple(changed) if known else None, dict(found))


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
