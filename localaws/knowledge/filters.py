"""Retrieval filters: which documents' attributes fulfil one.

Comparisons hold between values of a kind only: a number is not a text, and a boolean is neither.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from localaws.operations import AwsError

Attributes = Mapping[str, Any]
Test = Callable[[Attributes], bool]

DEEP = 2
GROUP = 5
"""A group holds at most five conditions, and groups may be in a group but no deeper (user guide,
Query configurations)."""

_GROUPS = ("andAll", "orAll")


def rule(condition: Mapping[str, Any] | None) -> str:
    """Return a filter's name: filters that say the same have the same."""
    return json.dumps(condition, sort_keys=True)


def compiled(condition: Mapping[str, Any] | None) -> Test:
    """Return the test that a filter is.

    Raises:
        AwsError: ValidationException, for a filter that makes no sense.
    """
    if condition is None:
        return lambda attributes: True
    _check_groups(condition, 1)
    return _compiled(condition)


def operators(condition: Mapping[str, Any] | None) -> set[str]:
    """Return the operators that a filter uses."""
    if condition is None:
        return set()
    name, value = _only(condition)
    inner = (operators(one) for one in value) if name in _GROUPS else ()
    return {name}.union(*inner)


def _compiled(condition: Mapping[str, Any]) -> Test:
    name, value = _only(condition)
    if name in _GROUPS:
        tests = [_compiled(one) for one in value]
        joined = all if name == "andAll" else any
        return lambda attributes: joined(test(attributes) for test in tests)
    make = _OPERATORS.get(name)
    if make is None:
        raise _wrong(f"Unknown filter operator {name}.")
    return make(name, value["key"], value["value"])


def _check_groups(condition: Mapping[str, Any], depth: int) -> None:
    name, value = _only(condition)
    if name not in _GROUPS:
        return
    if depth > DEEP:
        raise _wrong(f"Groups of a filter can be at most {DEEP} deep.")
    if not 2 <= len(value) <= GROUP:
        raise _wrong(f"{name} must have at least 2 and at most {GROUP} conditions.")
    for one in value:
        _check_groups(one, depth + 1)


def _only(condition: Mapping[str, Any]) -> tuple[str, Any]:
    if len(condition) != 1:
        raise _wrong("A filter has exactly one operator.")
    return next(iter(condition.items()))


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "string" if isinstance(value, str) else "other"


def _same(left: Any, right: Any) -> bool:
    return _kind(left) == _kind(right) and bool(left == right)


def _equals(name: str, key: str, value: Any) -> Test:
    _need(name, key, value, "string", "number", "boolean")
    return lambda attributes: key in attributes and _same(attributes[key], value)


def _not_equals(name: str, key: str, value: Any) -> Test:
    same = _equals(name, key, value)
    return lambda attributes: not same(attributes)


def _in(name: str, key: str, value: Any) -> Test:
    if not isinstance(value, list) or not value:
        raise _wrong(f"The value of {name} for the key {key} must be a list of values.")
    for one in value:
        _need(name, key, one, "string", "number", "boolean")
    return lambda attributes: (
        key in attributes and any(_same(attributes[key], one) for one in value)
    )


def _not_in(name: str, key: str, value: Any) -> Test:
    among = _in(name, key, value)
    return lambda attributes: key in attributes and not among(attributes)


def _compares(better: Callable[[Any, Any], bool]) -> Callable[[str, str, Any], Test]:
    def make(name: str, key: str, value: Any) -> Test:
        _need(name, key, value, "number")
        return lambda attributes: (
            _kind(attributes.get(key)) == "number" and better(attributes[key], value)
        )

    return make


def _starts_with(name: str, key: str, value: Any) -> Test:
    _need(name, key, value, "string")
    return lambda attributes: (
        isinstance(attributes.get(key), str) and attributes[key].startswith(value)
    )


def _string_contains(name: str, key: str, value: Any) -> Test:
    _need(name, key, value, "string")

    def test(attributes: Attributes) -> bool:
        found = attributes.get(key)
        texts = found if isinstance(found, list) else [found]
        return any(isinstance(text, str) and value in text for text in texts)

    return test


def _list_contains(name: str, key: str, value: Any) -> Test:
    _need(name, key, value, "string")

    def test(attributes: Attributes) -> bool:
        found = attributes.get(key)
        return isinstance(found, list) and value in found

    return test


_OPERATORS: dict[str, Callable[[str, str, Any], Test]] = {
    "equals": _equals,
    "notEquals": _not_equals,
    "in": _in,
    "notIn": _not_in,
    "greaterThan": _compares(lambda left, right: bool(left > right)),
    "greaterThanOrEquals": _compares(lambda left, right: bool(left >= right)),
    "lessThan": _compares(lambda left, right: bool(left < right)),
    "lessThanOrEquals": _compares(lambda left, right: bool(left <= right)),
    "startsWith": _starts_with,
    "stringContains": _string_contains,
    "listContains": _list_contains,
}


def _need(name: str, key: str, value: Any, *kinds: str) -> None:
    if _kind(value) not in kinds:
        raise _wrong(f"The value of {name} for the key {key} must be of type {' or '.join(kinds)}.")


def _wrong(why: str) -> AwsError:
    return AwsError("ValidationException", f"The provided filter is invalid: {why}")
