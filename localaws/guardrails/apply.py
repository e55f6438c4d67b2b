"""ApplyGuardrail: read texts under a guardrail's policies, and say what was found and done."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from localaws.guardrails import filters, grounding, identifiers, topics, words
from localaws.guardrails.lifecycle import NO_SUCH, guardrail
from localaws.operations import AwsError, Call, operation
from localaws.state import State

UNIT = 1_000
"""Characters of a text unit."""
MOST_UNITS = 25
"""Text units that one call may have guarded; a quota that AWS can raise."""

_USAGE = {
    "topicPolicy": "topicPolicyUnits",
    "contentPolicy": "contentPolicyUnits",
    "wordPolicy": "wordPolicyUnits",
}
_DONE = {"BLOCK": "BLOCKED", "ANONYMIZE": "ANONYMIZED", "NONE": "NONE"}


@dataclass(slots=True)
class _Reading:
    """The texts of a call on their way through the policies.

    Attributes:
        texts: What is guarded, a block each.
        outputs: The same, with what is anonymised replaced.
        assessment: What was found, by policy.
    """

    texts: list[str]
    side: str
    full: bool
    outputs: list[str]
    assessment: dict[str, Any] = field(default_factory=dict)
    blocked: bool = False
    masked: bool = False

    @property
    def joined(self) -> str:
        return "\n".join(self.texts)

    def action(self, entry: Mapping[str, Any]) -> str | None:
        """Return what a policy's entry does on this side; None: it is switched off."""
        return str(entry[f"{self.side}Action"]) if entry[f"{self.side}Enabled"] else None

    def detected(self, action: str) -> dict[str, Any]:
        self.blocked |= action == "BLOCK"
        self.masked |= action == "ANONYMIZE"
        return {"action": _DONE[action], "detected": True}


@operation("bedrock-runtime", "ApplyGuardrail")
def apply_guardrail(call: Call) -> dict[str, Any]:
    """Evaluate content blocks against a guardrail."""
    params = call.params
    return evaluate(
        call.state,
        params["guardrailIdentifier"],
        params["guardrailVersion"],
        params["source"],
        params["content"],
        full=params.get("outputScope") == "FULL",
    )


def evaluate(
    state: State,
    guardrail_id: str,
    version: str,
    source: str,
    content: Sequence[Mapping[str, Any]],
    full: bool = False,
    grounds: bool = True,
) -> dict[str, Any]:
    """Return ApplyGuardrail's response for content blocks.

    Args:
        guardrail_id: An id or an ARN.
        version: A number or ``DRAFT``.
        source: ``INPUT`` or ``OUTPUT``.
        content: Blocks ``{"text": {"text": …, "qualifiers": […]}}``. A block whose qualifiers do
            not name ``guard_content`` is evidence for contextual grounding and not guarded.
        full: Also say what was looked for and not found.
        grounds: Whether an output's grounding is judged, where the guardrail has that policy.

    Raises:
        AwsError: ValidationException: no such guardrail, too much text, no grounding source.
    """
    began = time.perf_counter()
    record = guardrail(state, guardrail_id, version)
    if record is None:
        raise AwsError("ValidationException", NO_SUCH)
    blocks = [block["text"] for block in content if "text" in block]
    guarded = [block["text"] for block in blocks if _is_guarded(block)]
    total = sum(len(block["text"]) for block in blocks)
    units = _units(sum(map(len, guarded)))
    if units > MOST_UNITS:
        raise AwsError(
            "ValidationException",
            f"Input is too long: {units} text units, and a request may have at most {MOST_UNITS}.",
        )
    reading = _Reading(guarded, source.lower(), full, list(guarded))
    _topics(record, reading)
    _content(record, reading)
    _words(record, reading)
    _sensitive(record, reading)
    grounding_units = 0
    if source == "OUTPUT" and grounds:
        grounding_units = _grounding(record, reading, blocks)
    usage = _usage(record, units, grounding_units)
    images = sum(1 for block in content if "image" in block)
    coverage: dict[str, Any] = {
        "textCharacters": {"guarded": sum(map(len, guarded)), "total": total}
    }
    if images:
        coverage["images"] = {"guarded": 0, "total": images}
    metrics = {
        "guardrailProcessingLatency": round((time.perf_counter() - began) * 1000),
        "usage": usage,
        "guardrailCoverage": coverage,
    }
    details = {
        "guardrailId": record["guardrailId"],
        "guardrailVersion": record["version"],
        "guardrailArn": record["guardrailArn"],
        "guardrailOrigin": ["REQUEST"],
        "guardrailOwnership": "SELF",
    }
    assessment = reading.assessment | {
        "invocationMetrics": metrics,
        "appliedGuardrailDetails": details,
    }
    return {
        "usage": usage,
        **_outcome(record, reading),
        "assessments": [assessment],
        "guardrailCoverage": coverage,
    }


def _outcome(record: Mapping[str, Any], reading: _Reading) -> dict[str, Any]:
    if reading.blocked:
        message = "blockedInputMessaging" if reading.side == "input" else "blockedOutputsMessaging"
        return {
            "action": "GUARDRAIL_INTERVENED",
            "actionReason": "Guardrail blocked.",
            "outputs": [{"text": record[message]}],
        }
    if reading.masked:
        return {
            "action": "GUARDRAIL_INTERVENED",
            "actionReason": "Guardrail masked.",
            "outputs": [{"text": text} for text in reading.outputs],
        }
    return {"action": "NONE", "actionReason": "No action.", "outputs": []}


def _is_guarded(block: Mapping[str, Any]) -> bool:
    qualifiers = block.get("qualifiers", ())
    return not qualifiers or "guard_content" in qualifiers


def _units(characters: int) -> int:
    return -(-characters // UNIT)


def _usage(record: Mapping[str, Any], units: int, grounding_units: int) -> dict[str, int]:
    usage = {member: units if policy in record else 0 for policy, member in _USAGE.items()}
    sensitive = record.get("sensitiveInformationPolicy", {})
    usage["sensitiveInformationPolicyUnits"] = units if sensitive.get("piiEntities") else 0
    usage["sensitiveInformationPolicyFreeUnits"] = units if sensitive.get("regexes") else 0
    usage["contextualGroundingPolicyUnits"] = grounding_units
    usage["contentPolicyImageUnits"] = 0
    return usage


def _topics(record: Mapping[str, Any], reading: _Reading) -> None:
    found = []
    for topic in record.get("topicPolicy", {}).get("topics", ()):
        action = reading.action(topic)
        if action is None:
            continue
        named = {"name": topic["name"], "type": topic.get("type", "DENY")}
        if any(topics.on_topic(text, topic) for text in reading.texts):
            found.append(named | reading.detected(action))
        elif reading.full:
            found.append(named | {"action": "NONE", "detected": False})
    if found:
        reading.assessment["topicPolicy"] = {"topics": found}


def _content(record: Mapping[str, Any], reading: _Reading) -> None:
    found = []
    for entry in record.get("contentPolicy", {}).get("filters", ()):
        strength = entry[f"{reading.side}Strength"]
        action = reading.action(entry)
        if action is None or strength == "NONE":
            continue
        level = filters.confidence(reading.joined, entry["type"])
        shown = {"type": entry["type"], "confidence": level, "filterStrength": strength}
        if filters.acts(level, strength):
            found.append(shown | reading.detected(action))
        elif reading.full:
            found.append(shown | {"action": "NONE", "detected": False})
    if found:
        reading.assessment["contentPolicy"] = {"filters": found}


def _words(record: Mapping[str, Any], reading: _Reading) -> None:
    policy = record.get("wordPolicy", {})
    own = []
    for entry in policy.get("words", ()):
        action = reading.action(entry)
        match = words.custom(reading.joined, entry) if action else ""
        if match and action:
            own.append({"match": match} | reading.detected(action))
    managed = []
    for entry in policy.get("managedWordLists", ()):
        action = reading.action(entry)
        for match in words.profane(reading.joined) if action else ():
            managed.append({"match": match, "type": entry["type"]} | reading.detected(str(action)))
    if own or managed:
        reading.assessment["wordPolicy"] = {"customWords": own, "managedWordLists": managed}


def _sensitive(record: Mapping[str, Any], reading: _Reading) -> None:
    policy = record.get("sensitiveInformationPolicy")
    if not policy:
        return
    entities: list[dict[str, Any]] = []
    regexes: list[dict[str, Any]] = []
    for place, matches in enumerate(identifiers.find(reading.texts, policy, reading.side)):
        text, at = reading.texts[place], 0
        pieces: list[str] = []
        for match in matches:
            value = text[match.start : match.end]
            done = {"match": value} | reading.detected(match.action)
            if match.regex:
                regexes.append({"name": match.name, "regex": match.regex} | done)
            else:
                entities.append({"type": match.name} | done)
            if match.action == "ANONYMIZE":
                pieces += (text[at : match.start], f"{{{match.name}}}")
                at = match.end
        reading.outputs[place] = "".join(pieces) + text[at:]
    if reading.full:
        seen = {entity["type"] for entity in entities}
        entities += [
            {"type": entry["type"], "match": "", "action": "NONE", "detected": False}
            for entry in policy.get("piiEntities", ())
            if reading.action(entry) is not None and entry["type"] not in seen
        ]
    if entities or regexes:
        reading.assessment["sensitiveInformationPolicy"] = {
            "piiEntities": entities,
            "regexes": regexes,
        }


def _grounding(
    record: Mapping[str, Any], reading: _Reading, blocks: Sequence[Mapping[str, Any]]
) -> int:
    """Judge the guarded text; return the text units of it, its source and its query."""
    wanted = [
        entry
        for entry in record.get("contextualGroundingPolicy", {}).get("filters", ())
        if entry["enabled"]
    ]
    if not wanted:
        return 0
    source, query = _qualified(blocks, "grounding_source"), _qualified(blocks, "query")
    answer = reading.joined
    for name, given, most in (
        ("grounding source", source, grounding.MOST_SOURCE),
        ("query", query, grounding.MOST_QUERY),
        ("content to guard", answer, grounding.MOST_ANSWER),
    ):
        if not given:
            raise AwsError(
                "ValidationException",
                f"The provided request does not contain the {name}. Grounding source, query and "
                "content to guard are required for Guardrails contextual grounding policy "
                "evaluation.",
            )
        if len(given) > most:
            raise AwsError(
                "ValidationException",
                f"The {name} for contextual grounding exceeds {most} characters.",
            )
    found = []
    for entry in wanted:
        if entry["type"] == "GROUNDING":
            score = grounding.grounded(answer, source)
        else:
            score = grounding.relevant(answer, query)
        shown = {"type": entry["type"], "threshold": entry["threshold"], "score": score}
        if score < entry["threshold"]:
            found.append(shown | reading.detected(entry["action"]))
        else:
            found.append(shown | {"action": "NONE", "detected": False})
    reading.assessment["contextualGroundingPolicy"] = {"filters": found}
    return _units(len(source) + len(query) + len(answer))


def _qualified(blocks: Sequence[Mapping[str, Any]], qualifier: str) -> str:
    return "\n".join(b["text"] for b in blocks if qualifier in b.get("qualifiers", ()))
