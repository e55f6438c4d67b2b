"""What a guardrail says: an ApplyGuardrail response, read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rag.masked import Masked, fixed
from rag.privacy.pseudonym import MASK

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


@dataclass(frozen=True, slots=True)
class Said:
    """An ApplyGuardrail response, read.

    Attributes:
        outputs: The new texts; empty where nothing was changed.
        found: What was anonymised, by name.
        blocked: What was blocked, by kind; our gate's pseudonyms and masks do not count.
        culprits: Values that were blocked, where they are told.
        ours: Nothing but those was blocked: what else there is, is not known.
    """

    outputs: tuple[str, ...]
    found: Mapping[str, frozenset[str]]
    blocked: Mapping[str, int]
    culprits: frozenset[str] = frozenset()
    ours: bool = False


def reasons(blocked: Mapping[str, int]) -> Masked:
    """Return in words why something was blocked."""
    return fixed(", ").join(fixed(KINDS[kind]) for kind in sorted(blocked))


def read(response: Mapping[str, Any], whole: bool) -> Said:
    """Read a response.

    Args:
        whole: Whether all of the text was to be guarded, so that no part may have been left out.

    Raises:
        ResponseParserError: Some was left out, or nothing is said: a fault of the service.
    """
    from botocore.parsers import ResponseParserError

    characters = response.get("guardrailCoverage", {}).get("textCharacters", {})
    partial = whole and characters.get("guarded", 0) < characters.get("total", 0)
    if response.get("action") not in ("NONE", "GUARDRAIL_INTERVENED") or partial:
        raise ResponseParserError("The guardrail did not read all of the text.")
    found: dict[str, set[str]] = {}
    blocked: Counter[str] = Counter()
    culprits: set[str] = set()
    ours = False
    for assessment in response.get("assessments", ()):
        for kind, name, entry in _entries(assessment):
            if entry.get("action") == "BLOCKED":
                if kind == "identifiers" and _masks_only(entry.get("match", "")):
                    ours = True
                    continue
                blocked[kind] += 1
                culprits.add(entry.get("match", ""))
            elif entry.get("action") == "ANONYMIZED":
                found.setdefault(name, set()).add(entry.get("match", ""))
    outputs = tuple(one.get("text", "") for one in response.get("outputs", ()))
    if response["action"] == "GUARDRAIL_INTERVENED" and not (found or blocked or ours):
        blocked["other"] += 1
    values = {name: frozenset(some) for name, some in found.items()}
    named = frozenset(filter(None, culprits))
    return Said(outputs if found else (), values, dict(blocked), named, ours and not blocked)


def _masks_only(value: str) -> bool:
    masks = MASK.findall(value)
    return bool(masks) and not any(map(str.isalnum, MASK.sub("", value)))


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
