"""Rules as a file or a request says them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from localaws.faults.kinds import FAULTS
from localaws.faults.plan import Rule

MATCH = ("service", "operation", "model", "probability", "count", "seed")


def parse_rules(said: Any) -> list[Rule]:
    """Return the rules of a list, or of an object with ``rules`` and a ``seed`` for all.

    Raises:
        ValueError: Something is not as in the module's example; the message says which rule.
    """
    common: dict[str, Any] = {}
    if isinstance(said, Mapping):
        unknown = set(said) - {"rules", "seed"}
        if unknown:
            raise ValueError(f"Faults have rules and a seed, not {', '.join(sorted(unknown))}.")
        common = {"seed": said["seed"]} if "seed" in said else {}
        said = said.get("rules")
    if said is None:
        return []
    if isinstance(said, str) or not isinstance(said, Sequence):
        raise ValueError("Faults are a list of rules.")
    rules = []
    for number, one in enumerate(said, 1):
        rule = _rule(number, one, common)
        rule.draw.seed(f"{rule.seed}/{number}")
        rules.append(rule)
    return rules


def _rule(number: int, said: Any, common: Mapping[str, Any]) -> Rule:
    if not isinstance(said, Mapping) or said.get("fault") not in FAULTS:
        raise ValueError(f"Rule {number}: fault is one of {', '.join(FAULTS)}.")
    allowed = ("fault", *MATCH, *FAULTS[said["fault"]].settings)
    for name, value in said.items():
        if name not in allowed:
            raise ValueError(
                f"Rule {number}: {said['fault']} has {', '.join(allowed)}; not {name}."
            )
        if not _fits(name, value):
            raise ValueError(f"Rule {number}: {name} cannot be {value!r}.")
    for name in FAULTS[said["fault"]].needed:
        if name not in said:
            raise ValueError(f"Rule {number}: {said['fault']} needs {name}.")
    return Rule(**{**common, **said})


_TYPES: dict[str, Any] = {one.name: one.type for one in fields(Rule) if one.init}


def _fits(name: str, value: Any) -> bool:
    wanted = str(_TYPES[name])
    if wanted == "str":
        choices = {"how": ("json", "cut")}.get(name)
        return isinstance(value, str) and (choices is None or value in choices)
    if name == "count" and value is None:
        return True
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if "int" in wanted and not isinstance(value, int):
        return False
    most = {"probability": 1.0, "share": 1.0}.get(name, math.inf)
    least = 400 if name == "status" else (-math.inf if name == "seed" else 0)
    return least <= value <= most
