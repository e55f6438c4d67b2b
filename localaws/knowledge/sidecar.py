"""Attributes and rights of a document: from its metadata file, or sent with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_BYTES = 10 * 1024
"""Of a metadata file."""

_KEY, _TEXT, _LIST, _ATTRIBUTES = 200, 2048, 10, 50
RESERVED = "x-amz-bedrock-kb-"

TOO_LARGE = "as their metadata files exceeded the maximum size of 10 KB."
NOT_JSON = "as their metadata files were not valid JSON."
INVALID = (
    "due to invalid metadata attributes. Check that the attribute keys and values don't exceed "
    "the character quota, and that the attribute values are acceptable data types (strings, "
    "numbers, or Booleans). Then retry your request"
)
NO_RIGHTS = "as their access control lists were invalid."


class Unusable(Exception):
    """A document cannot be ingested; says why, as the end of "Ignored 1 files …"."""


@dataclass(frozen=True, slots=True)
class Described:
    """What is said about a document.

    Attributes:
        acl: ``(user, ALLOW or DENY)`` each; None when nothing is said.
        embedded: Attributes to embed with each passage, as text.
    """

    attributes: dict[str, Any] = field(default_factory=dict)
    acl: tuple[tuple[str, str], ...] | None = None
    embedded: str = ""


def from_file(data: bytes) -> Described:
    """Read a ``.metadata.json``.

    Raises:
        Unusable: It is too large, not JSON, or holds what an attribute cannot be.
    """
    if len(data) > MAX_BYTES:
        raise Unusable(TOO_LARGE)
    try:
        content = json.loads(data)
    except ValueError as error:
        raise Unusable(NOT_JSON) from error
    if not isinstance(content, dict) or not isinstance(content.get("metadataAttributes", {}), dict):
        raise Unusable(NOT_JSON)
    given = content.get("metadataAttributes", {})
    values: dict[str, Any] = {}
    embedded = []
    for key, value in given.items():
        if isinstance(value, dict):
            values[key] = typed(value.get("value"))
            if value.get("includeForEmbedding") is True:
                embedded.append(f"{key}: {_worded(values[key])}")
        else:
            values[key] = value
    rights = content.get("accessControlList")
    acl = None if rights is None else entries(rights, "Name", "Type", "Access")
    return Described(checked(values), acl, "\n".join(embedded))


def sent(metadata: Mapping[str, Any]) -> Described:
    """Read attributes that came with a request.

    Raises:
        Unusable: They hold what an attribute cannot be.
    """
    values = {one["key"]: typed(one["value"]) for one in metadata.get("inlineAttributes", ())}
    rights = metadata.get("accessControlList")
    acl = None if rights is None else entries(rights, "name", "type", "access")
    return Described(checked(values), acl)


def typed(value: Any) -> Any:
    """Return the plain value of ``{"type": "STRING", "stringValue": …}``."""
    member = {
        "STRING": "stringValue",
        "NUMBER": "numberValue",
        "BOOLEAN": "booleanValue",
        "STRING_LIST": "stringListValue",
    }
    if not isinstance(value, Mapping):
        raise Unusable(INVALID)
    kind = member.get(str(value.get("type")))
    if kind is None or kind not in value:
        raise Unusable(INVALID)
    return value[kind]


def checked(values: dict[str, Any]) -> dict[str, Any]:
    """Return attributes that are within what the service takes.

    Raises:
        Unusable: They are not.
    """
    if len(values) > _ATTRIBUTES:
        raise Unusable(INVALID)
    for key, value in values.items():
        named = 0 < len(key) <= _KEY and not key.startswith(RESERVED)
        if not named or not _fits(value):
            raise Unusable(INVALID)
    return values


def entries(rights: Any, name: str, kind: str, access: str) -> tuple[tuple[str, str], ...]:
    """Return a list of users and what each may.

    Raises:
        Unusable: An entry is not one of a user with ALLOW or DENY.
    """
    found = []
    given: list[Any] = rights if isinstance(rights, list) else [None]
    for one in given:
        good = (
            isinstance(one, Mapping)
            and isinstance(one.get(name), str)
            and one.get(kind) == "USER"
            and one.get(access) in ("ALLOW", "DENY")
        )
        if not good:
            raise Unusable(NO_RIGHTS)
        found.append((one[name], one[access]))
    return tuple(found)


def _fits(value: Any) -> bool:
    if isinstance(value, bool | int | float):
        return True
    if isinstance(value, str):
        return 0 < len(value) <= _TEXT
    return (
        isinstance(value, list)
        and 0 < len(value) <= _LIST
        and all(isinstance(one, str) and 0 < len(one) <= _TEXT for one in value)
    )


def _worded(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
