"""Native bodies of InvokeModel: JSON in, checked against the model's schema as AWS words it.

AWS checks with everit's JSON schema; its sentences are the ones that callers see in the wild:
``Malformed input request: #: required key [texts] not found, please reformat your input and try
again.``
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from localaws.operations import AwsError

GUARDRAIL = "amazon-bedrock-guardrailConfig"

_NAMES = {
    "string": "String",
    "integer": "Integer",
    "number": "Number",
    "boolean": "Boolean",
    "array": "JSONArray",
    "object": "JSONObject",
}


def malformed(why: str) -> AwsError:
    """Return the exception for a body that a model does not take."""
    return AwsError(
        "ValidationException",
        f"Malformed input request: {why}, please reformat your input and try again.",
    )


def parse(body: bytes | None, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request's body as the model reads it.

    Args:
        schema: JSON schema of an object; keys that it does not name are refused.

    Raises:
        AwsError: It is no JSON object, or not as the schema says.
    """
    if not body:
        raise AwsError("ValidationException", "The body of the request is empty.")
    try:
        value = json.loads(body)
    except ValueError:
        raise malformed("the body is no JSON") from None
    found = check(value, {"additionalProperties": False, "type": "object", **schema})
    if found:
        raise malformed("".join(found))
    assert isinstance(value, dict)
    return value


def check(value: Any, schema: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with `value`, worded as AWS does; empty where nothing is."""
    from jsonschema import Draft7Validator

    errors = sorted(
        Draft7Validator(schema).iter_errors(value), key=lambda e: list(map(str, e.path))
    )
    return [f"{_at(error.absolute_path)}: {words}" for error in errors for words in _worded(error)]


def _at(path: Any) -> str:
    return "/".join(["#", *map(str, path)])


def _worded(error: Any) -> Iterator[str]:
    value, rule, limit = error.instance, error.validator, error.validator_value
    if rule == "required":
        yield f"required key [{_missing(error)}] not found"
    elif rule == "additionalProperties":
        known = error.schema.get("properties", {})
        yield from (f"extraneous key [{key}] is not permitted" for key in value if key not in known)
    elif rule == "type":
        wanted = [limit] if isinstance(limit, str) else limit
        names = ", ".join(_NAMES.get(name, name) for name in wanted)
        yield f"expected type: {names}, found: {_kind(value)}"
    elif rule == "enum":
        yield f"{value} is not a valid enum value"
    else:
        yield _bound(rule, value, limit)


def _bound(rule: str, value: Any, limit: Any) -> str:
    if rule in ("minLength", "maxLength"):
        return f"expected {rule}: {limit}, actual: {len(value)}"
    if rule in ("minItems", "maxItems"):
        return f"expected {rule[:3]}imum item count: {limit}, found: {len(value)}"
    if rule == "minimum":
        return f"{value} is not greater or equal to {limit}"
    if rule == "maximum":
        return f"{value} is not less or equal to {limit}"
    if rule in ("anyOf", "oneOf"):
        return "no subschema matched out of the total " + f"{len(limit)} subschemas"
    return "is not valid"


def _missing(error: Any) -> str:
    return str(error.message).split("'")[1]


def _kind(value: Any) -> str:
    if value is None:
        return "Null"
    if isinstance(value, bool):
        return "Boolean"
    for kind, name in (
        (str, "String"),
        (int, "Integer"),
        (float, "BigDecimal"),
        (list, "JSONArray"),
    ):
        if isinstance(value, kind):
            return name
    return "JSONObject"
