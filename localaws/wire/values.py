"""Values between JSON as it travels and Python as boto3 has it, checked on the way."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from localaws.wire.problems import Problems, check
from localaws.wire.shapes import Member, Shape

_NUMBERS = {"integer": 2**31, "long": 2**63, "float": math.inf, "double": math.inf}
_MISSING = object()


def read(shape: Shape, value: Any, path: str, problems: Problems) -> Any:
    """Return a JSON value as boto3 would have given it; what is wrong goes to `problems`."""
    kind = shape.kind
    if kind == "structure":
        if shape.document:
            return value
        if not isinstance(value, dict):
            return _mistyped(shape, value, path, problems)
        known, named = {}, shape.named
        for name, inner in value.items():
            member = named.get(name)
            if member is not None:
                known[member.name] = inner
            elif name != "__type":
                problems.unknown(path, name)
        return read_members(shape, known, path, problems)
    if kind == "list":
        if not isinstance(value, list):
            return _mistyped(shape, value, path, problems)
        check(shape, value, path, problems)
        element = _inner(shape)
        return [
            read(element, one, f"{path}.{number}.member", problems)
            for number, one in enumerate(value, 1)
        ]
    if kind == "map":
        if not isinstance(value, dict):
            return _mistyped(shape, value, path, problems)
        return _read_map(shape, value, path, problems)
    result = _scalar(shape, value)
    if result is _MISSING:
        return _mistyped(shape, value, path, problems)
    check(shape, result, path, problems)
    return result


def read_members(
    shape: Shape, values: Mapping[str, Any], path: str, problems: Problems
) -> dict[str, Any]:
    """Return a structure's members, read; also check that none is missing.

    Args:
        values: By the members' names, as JSON has them. Null is as good as absent.
    """
    prefix = f"{path}." if path else ""
    present = {
        name: read(shape.members[name].shape, value, prefix + name, problems)
        for name, value in values.items()
        if value is not None
    }
    check_members(shape, present, path, problems)
    return present


def check_members(shape: Shape, present: Mapping[str, Any], path: str, problems: Problems) -> None:
    """Check that no required member is missing and that a union has one."""
    prefix = f"{path}." if path else ""
    for name in shape.required:
        if name not in present:
            problems.add(prefix + name, "must not be null")
    if shape.union and len(present) != 1:
        members = ", ".join(present if present else shape.members)
        problems.add(path, f"must have exactly one of the union's members set: [{members}]")


def _read_map(shape: Shape, value: dict[str, Any], path: str, problems: Problems) -> Any:
    check(shape, value, path, problems)
    element = _inner(shape)
    result = {}
    for name, inner in value.items():
        if shape.key is not None:
            check(shape.key, name, f"{path}.{name}.key", problems)
        if inner is not None:
            result[name] = read(element, inner, f"{path}.{name}.member", problems)
    return result


def _scalar(shape: Shape, value: Any) -> Any:
    """Return a JSON scalar as Python has it, or `_MISSING` if it is of another type."""
    kind = shape.kind
    if kind == "string":
        return value if isinstance(value, str) and _encodable(value) else _MISSING
    if kind == "boolean":
        return value if isinstance(value, bool) else _MISSING
    if kind in _NUMBERS:
        return _number(kind, value)
    if kind == "blob":
        return _blob(value)
    if kind == "timestamp":
        return _moment(value)
    return _MISSING


def _encodable(text: str) -> bool:
    """Tell whether a text has no half of a surrogate pair: JSON can say one, UTF-8 cannot."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _number(kind: str, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _MISSING
    if kind in ("integer", "long"):
        if isinstance(value, float):
            if not value.is_integer():
                return _MISSING
            value = int(value)
        return value if -_NUMBERS[kind] <= value < _NUMBERS[kind] else _MISSING
    return float(value)


def _blob(value: Any) -> Any:
    if not isinstance(value, str):
        return _MISSING
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return _MISSING


def _moment(value: Any) -> Any:
    """Return a moment from seconds since 1970, ISO 8601 or an HTTP date."""
    try:
        if isinstance(value, bool):
            return _MISSING
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        if not isinstance(value, str):
            return _MISSING
        if value[:1].isalpha():
            return parsedate_to_datetime(value).astimezone(UTC)
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=moment.tzinfo or UTC)
    except (ValueError, OverflowError, OSError):
        return _MISSING


_SEEN = {
    str: "STRING_VALUE",
    bool: "BOOLEAN_VALUE",
    int: "NUMBER_VALUE",
    float: "NUMBER_VALUE",
    list: "LIST_VALUE",
    dict: "STRUCTURE_VALUE",
}


def _mistyped(shape: Shape, value: Any, path: str, problems: Problems) -> None:
    seen = _SEEN.get(type(value), type(value).__name__)
    problems.add(path, f"must be of type {shape.kind}: {seen} can not be converted")


def _inner(shape: Shape) -> Shape:
    assert shape.element is not None
    return shape.element


def read_text(member: Member, text: str, path: str, problems: Problems) -> Any:
    """Return what a header, label or query value says."""
    kind = member.shape.kind
    value: Any = text
    if kind in _NUMBERS:
        try:
            value = float(text) if kind in ("float", "double") else int(text)
        except ValueError:
            value = text
    elif kind == "boolean":
        value = {"true": True, "false": False}.get(text.lower(), text)
    elif kind == "timestamp" and member.timestamp_format == "unixTimestamp":
        value = _float_or_text(text)
    return read(member.shape, value, path, problems)


def _float_or_text(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def write(
    shape: Shape, value: Any, path: str, problems: Problems, moment: str | None = None
) -> Any:
    """Return a Python value as it travels in JSON; what is wrong goes to `problems`.

    Args:
        moment: How timestamps are written, if not as seconds since 1970.
    """
    kind = shape.kind
    if kind == "structure":
        if shape.document:
            return value
        if not isinstance(value, Mapping):
            return _mistyped(shape, value, path, problems)
        return write_members(shape, value, path, problems, shape.members.values())
    if kind == "list":
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
            return _mistyped(shape, value, path, problems)
        element = _inner(shape)
        written = [
            write(element, one, f"{path}.{number}.member", problems)
            for number, one in enumerate(value, 1)
        ]
        check(shape, written, path, problems)
        return written
    if kind == "map":
        if not isinstance(value, Mapping):
            return _mistyped(shape, value, path, problems)
        check(shape, value, path, problems)
        element = _inner(shape)
        return {
            str(name): write(element, inner, f"{path}.{name}.member", problems)
            for name, inner in value.items()
        }
    return _write_scalar(shape, value, path, problems, moment)


def write_members(
    shape: Shape,
    values: Mapping[str, Any],
    path: str,
    problems: Problems,
    only: Iterable[Member],
) -> dict[str, Any]:
    """Return some members of a structure as they travel, by their names on the wire.

    None is as good as absent. All of the structure is checked for missing and unknown members.
    """
    prefix = f"{path}." if path else ""
    present = {name: value for name, value in values.items() if value is not None}
    for name in present:
        if name not in shape.members:
            problems.unknown(path, name)
    check_members(shape, present, path, problems)
    return {
        member.wire: write(
            member.shape,
            present[member.name],
            prefix + member.name,
            problems,
            member.timestamp_format,
        )
        for member in only
        if member.name in present
    }


def _write_scalar(
    shape: Shape, value: Any, path: str, problems: Problems, moment: str | None
) -> Any:
    kind = shape.kind
    if kind == "timestamp":
        if not isinstance(value, datetime) or value.tzinfo is None:
            return _mistyped(shape, value, path, problems)
        return moment_text(value, moment)
    if kind == "blob":
        if not isinstance(value, bytes | bytearray):
            return _mistyped(shape, value, path, problems)
        check(shape, value, path, problems)
        return base64.b64encode(value).decode()
    result = _scalar(shape, value)
    if result is _MISSING or (isinstance(result, float) and not math.isfinite(result)):
        return _mistyped(shape, value, path, problems)
    check(shape, result, path, problems)
    return result


def moment_text(moment: datetime, form: str | None) -> str | float:
    """Return a moment as ``iso8601``, ``rfc822`` or seconds since 1970 (milliseconds kept)."""
    if form == "iso8601":
        return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if form == "rfc822":
        return format_datetime(moment.astimezone(UTC), usegmt=True)
    seconds = round(moment.timestamp(), 3)
    return int(seconds) if seconds.is_integer() else seconds
