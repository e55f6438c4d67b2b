"""HTTP requests to parameters."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from localaws.operations import AwsError
from localaws.wire.problems import Problems, check
from localaws.wire.routes import Route
from localaws.wire.shapes import Member, Shape
from localaws.wire.values import check_members, read, read_text

_NOT_IN_BODY = ("uri", "querystring", "header", "headers")


def parameters(route: Route, query: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Return what the caller gave, by the members' names.

    Args:
        headers: By names in lower case.

    Raises:
        AwsError: ``ValidationException``: something is unknown, missing, mistyped or not allowed.
    """
    try:
        return _parameters(route, query, headers, body)
    except RecursionError:
        raise AwsError("ValidationException", "The request is nested too deeply.") from None


def _parameters(
    route: Route, query: str, headers: Mapping[str, str], body: bytes
) -> dict[str, Any]:
    shape = route.operation.input
    problems = Problems()
    params: dict[str, Any] = {}
    pairs = parse_qsl(query, keep_blank_values=True)
    for member in shape.members.values():
        if member.location in _NOT_IN_BODY:
            value = _outside(member, route.labels, pairs, headers, problems)
            if value is not None:
                params[member.name] = value
    for name in {name for name, _ in pairs} - _query_names(shape):
        if not name.lower().startswith("x-amz-"):
            problems.unknown("", name)
    params.update(_inside(shape, body, problems))
    check_members(shape, params, "", problems)
    if problems:
        raise AwsError("ValidationException", problems.message())
    return params


def _outside(
    member: Member,
    labels: Mapping[str, str],
    pairs: list[tuple[str, str]],
    headers: Mapping[str, str],
    problems: Problems,
) -> Any:
    """Return a member of path, query or header, or None."""
    if member.location == "uri":
        text = labels.get(member.wire)
    elif member.location == "header":
        text = headers.get(member.wire.lower())
        if text is not None and member.json_value:
            text = _decoded(text, member, problems)
    elif member.shape.kind == "list":
        values = [value for name, value in pairs if name == member.wire]
        return read(member.shape, values, member.name, problems) if values else None
    else:
        text = next((value for name, value in pairs if name == member.wire), None)
    return None if text is None else read_text(member, text, member.name, problems)


def _decoded(text: str, member: Member, problems: Problems) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        problems.add(member.name, "must be base64-encoded JSON")
        return ""


def _query_names(shape: Shape) -> set[str]:
    return {one.wire for one in shape.members.values() if one.location == "querystring"}


def _inside(shape: Shape, body: bytes, problems: Problems) -> dict[str, Any]:
    """Return the body's members."""
    if shape.payload is not None:
        member = shape.members[shape.payload]
        if member.shape.kind == "blob":
            check(member.shape, body, member.name, problems)
            return {member.name: body}
        value = _json(body)
        return (
            {} if value is None else {member.name: read(member.shape, value, member.name, problems)}
        )
    value = _json(body)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise AwsError(
            "SerializationException", "Start of structure or map found where not expected."
        )
    params = {}
    for name, inner in value.items():
        found = shape.named.get(name)
        if found is None:
            problems.unknown("", name)
        elif inner is not None:
            params[found.name] = read(found.shape, inner, found.name, problems)
    return params


def _json(body: bytes) -> Any:
    if not body.strip():
        return None
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise AwsError("SerializationException", "The request body is not valid JSON.") from None


def _no_constant(name: str) -> Any:
    raise ValueError(name)
