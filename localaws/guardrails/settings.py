"""A guardrail's policies, from the shape that requests have to the one that answers have.

What botocore's model cannot say is checked here: names that come twice, patterns that do not
compile, thresholds, tiers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from localaws.operations import AwsError

POLICIES = {
    "topicPolicyConfig": ("topicPolicy", {"topicsConfig": "topics"}),
    "contentPolicyConfig": ("contentPolicy", {"filtersConfig": "filters"}),
    "wordPolicyConfig": (
        "wordPolicy",
        {"wordsConfig": "words", "managedWordListsConfig": "managedWordLists"},
    ),
    "sensitiveInformationPolicyConfig": (
        "sensitiveInformationPolicy",
        {"piiEntitiesConfig": "piiEntities", "regexesConfig": "regexes"},
    ),
    "contextualGroundingPolicyConfig": ("contextualGroundingPolicy", {"filtersConfig": "filters"}),
    "automatedReasoningPolicyConfig": ("automatedReasoningPolicy", {}),
}
"""By request member: the answer's member, and its lists by request name."""

_LOOK_AROUND = re.compile(r"\(\?(?:=|!|<=|<!)")
MOST_THRESHOLD = 0.99


def policies(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the policies of a create or update request as GetGuardrail shows them.

    Raises:
        AwsError: ValidationException, as AWS phrases it.
    """
    found: dict[str, Any] = {}
    for member, (shown, lists) in POLICIES.items():
        if params.get(member) is None:
            continue
        config = dict(params[member])
        policy: dict[str, Any] = {}
        for name, value in config.items():
            if name == "tierConfig":
                policy["tier"] = dict(value)
            elif name in lists:
                policy[lists[name]] = [_defaults(member, name, dict(entry)) for entry in value]
            else:
                policy[name] = value
        found[shown] = policy
    if not found:
        raise _invalid("At least one policy must be configured for the guardrail.")
    _check(found, params.get("crossRegionConfig"))
    return found


def _defaults(member: str, name: str, entry: dict[str, Any]) -> dict[str, Any]:
    if member == "contextualGroundingPolicyConfig":
        return {"action": "BLOCK", "enabled": True} | entry
    action = entry.get("action", "BLOCK")
    filled = {
        "inputAction": action,
        "outputAction": action,
        "inputEnabled": True,
        "outputEnabled": True,
    }
    return filled | entry


def _check(found: Mapping[str, Any], cross_region: Any) -> None:
    checks: tuple[tuple[str, str, str, Callable[[Mapping[str, Any]], None] | None], ...] = (
        ("topicPolicy", "topics", "name", None),
        ("contentPolicy", "filters", "type", _content_filter),
        ("wordPolicy", "words", "text", None),
        ("wordPolicy", "managedWordLists", "type", None),
        ("sensitiveInformationPolicy", "piiEntities", "type", None),
        ("sensitiveInformationPolicy", "regexes", "name", _regex),
        ("contextualGroundingPolicy", "filters", "type", _grounding_filter),
    )
    for policy, entries, key, check in checks:
        listed = found.get(policy, {}).get(entries, ())
        _each_once(listed, key, f"{policy}.{entries}")
        for entry in listed if check else ():
            assert check is not None
            check(entry)
    tiers = {policy.get("tier", {}).get("tierName") for policy in found.values()}
    if "STANDARD" in tiers and not cross_region:
        raise _invalid(
            "Cross-region inference must be enabled for the guardrail to use the STANDARD tier. "
            "Provide crossRegionConfig."
        )


def _each_once(entries: Sequence[Mapping[str, Any]], key: str, place: str) -> None:
    seen: set[str] = set()
    for entry in entries:
        if entry[key].casefold() in seen:
            raise _invalid(f"Duplicate {key} in {place}: {entry[key]}")
        seen.add(entry[key].casefold())


def _content_filter(entry: Mapping[str, Any]) -> None:
    if entry["type"] == "PROMPT_ATTACK" and entry["outputStrength"] != "NONE":
        raise _invalid("Output strength for PROMPT_ATTACK content filter must be NONE.")


def _regex(entry: Mapping[str, Any]) -> None:
    if _LOOK_AROUND.search(entry["pattern"]):
        raise _invalid(f"Regex pattern of {entry['name']} must not contain lookaround assertions.")
    try:
        re.compile(entry["pattern"])
    except re.error:
        raise _invalid(f"Regex pattern of {entry['name']} is not valid.") from None


def _grounding_filter(entry: Mapping[str, Any]) -> None:
    if entry["threshold"] > MOST_THRESHOLD:
        raise _invalid(
            f"Threshold of {entry['type']} must be less than or equal to {MOST_THRESHOLD}."
        )


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
