"""Service models, read from botocore once and kept in a form that is quick to walk."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

SERVICES = (
    "bedrock",
    "bedrock-runtime",
    "bedrock-agent",
    "bedrock-agent-runtime",
    "sagemaker-runtime",
)
"""As botocore names them; where two have the same method and path, the first one is preferred."""


@dataclass(slots=True)
class Shape:
    """One shape of a model.

    Attributes:
        kind: ``structure``, ``list``, ``map``, ``string``, ``blob``, ``timestamp``, ``integer``…
        members: Of a structure, by name.
        named: The same by their names in a JSON body.
        element: Of a list; the values of a map.
        minimum: Least length of a text, blob, list or map; least value of a number.
        events: The structure is an event stream; its members are the events.
        status: The HTTP status of an exception, or 0.
    """

    name: str
    kind: str
    members: dict[str, Member] = field(default_factory=dict)
    named: dict[str, Member] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    element: Shape | None = None
    key: Shape | None = None
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    enum: tuple[str, ...] = ()
    union: bool = False
    sensitive: bool = False
    document: bool = False
    events: bool = False
    timestamp_format: str | None = None
    status: int = 0
    payload: str | None = None

    def __repr__(self) -> str:
        return f"Shape({self.name}, {self.kind})"


@dataclass(frozen=True, slots=True)
class Member:
    """A structure's member.

    Attributes:
        wire: Its name in a body, header, query or path.
        location: ``uri``, ``querystring``, ``header``, ``headers``, ``statusCode``; None: body.
        event_header: It travels as a header of its event.
        event_payload: It is the payload of its event.
    """

    name: str
    wire: str
    shape: Shape
    location: str | None = None
    timestamp_format: str | None = None
    event_header: bool = False
    event_payload: bool = False
    json_value: bool = False


@dataclass(frozen=True, slots=True)
class OperationModel:
    """An operation: where it is, and what goes in and out."""

    service: str
    name: str
    method: str
    path: str
    status: int
    input: Shape
    output: Shape
    errors: Mapping[str, Shape]

    @property
    def stream(self) -> Member | None:
        """The result's member that is an event stream, if there is one."""
        payload = self.output.payload
        member = self.output.members[payload] if payload else None
        return member if member is not None and member.shape.events else None


@dataclass(frozen=True, slots=True)
class ServiceModel:
    """A service: what it signs as, its operations, and its exceptions by name."""

    name: str
    signing_name: str
    operations: Mapping[str, OperationModel]
    errors: Mapping[str, Shape]


@cache
def service_model(service: str) -> ServiceModel:
    """Return a service's model, by botocore's name of it."""
    from botocore.loaders import create_loader

    raw = create_loader().load_service_model(service, "service-2")
    shapes = _Shapes(raw["shapes"])
    errors = {
        name: shapes.get(name) for name, shape in raw["shapes"].items() if shape.get("exception")
    }
    operations = {
        name: _operation(service, name, operation, shapes)
        for name, operation in raw["operations"].items()
    }
    metadata = raw["metadata"]
    signing_name = metadata.get("signingName", metadata["endpointPrefix"])
    return ServiceModel(service, signing_name, operations, errors)


def _operation(service: str, name: str, raw: Mapping[str, Any], shapes: _Shapes) -> OperationModel:
    http = raw["http"]
    nothing = Shape("Nothing", "structure")
    return OperationModel(
        service=service,
        name=name,
        method=http["method"],
        path=http["requestUri"],
        status=http.get("responseCode", 200),
        input=shapes.get(raw["input"]["shape"]) if "input" in raw else nothing,
        output=shapes.get(raw["output"]["shape"]) if "output" in raw else nothing,
        errors={one["shape"]: shapes.get(one["shape"]) for one in raw.get("errors", ())},
    )


class _Shapes:
    """Makes shapes as they are asked for; a shape may hold itself."""

    def __init__(self, raw: Mapping[str, Mapping[str, Any]]) -> None:
        self._raw = raw
        self._made: dict[str, Shape] = {}

    def get(self, name: str) -> Shape:
        made = self._made.get(name)
        if made is not None:
            return made
        raw = self._raw[name]
        shape = self._made[name] = Shape(
            name=name,
            kind=raw["type"],
            required=tuple(raw.get("required", ())),
            minimum=raw.get("min"),
            maximum=raw.get("max"),
            pattern=raw.get("pattern"),
            enum=tuple(raw.get("enum", ())),
            union=raw.get("union", False),
            sensitive=raw.get("sensitive", False),
            document=raw.get("document", False),
            events=raw.get("eventstream", False),
            timestamp_format=raw.get("timestampFormat"),
            status=_status(raw),
            payload=raw.get("payload"),
        )
        for member_name, reference in raw.get("members", {}).items():
            member = self._member(member_name, reference)
            shape.members[member_name] = member
            if member.location is None:
                shape.named[member.wire] = member
        if shape.kind == "list":
            shape.element = self.get(raw["member"]["shape"])
        elif shape.kind == "map":
            shape.key = self.get(raw["key"]["shape"])
            shape.element = self.get(raw["value"]["shape"])
        return shape

    def _member(self, name: str, reference: Mapping[str, Any]) -> Member:
        shape = self.get(reference["shape"])
        return Member(
            name=name,
            wire=reference.get("locationName", name),
            shape=shape,
            location=reference.get("location"),
            timestamp_format=reference.get("timestampFormat") or shape.timestamp_format,
            event_header=reference.get("eventheader", False),
            event_payload=reference.get("eventpayload", False),
            json_value=reference.get("jsonvalue", False),
        )


_JAVA = {
    r"\p{L}": r"\w",
    r"\p{M}": "\u0300-\u036f",
    r"\p{ASCII}": r"[\x00-\x7f]",
    r"\p{Print}": r"\x20-\x7e",
    r"\P{C}": r"[^\x00-\x1f\x7f-\x9f]",
    r"\p{C}": r"\x00-\x1f\x7f-\x9f",
    r"\z": r"\Z",
    r":/d{12}:": r":\d{12}:",  # a slip in bedrock-agent's model: no ARN fits it
}
"""Java's names of character classes, where the models use them, as Python has them."""


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a shape's pattern as Python has it."""
    for theirs, ours in _JAVA.items():
        pattern = pattern.replace(theirs, ours)
    return re.compile(pattern)


def _status(raw: Mapping[str, Any]) -> int:
    if not raw.get("exception"):
        return 0
    status = raw.get("error", {}).get("httpStatusCode")
    return int(status) if status else (500 if raw.get("fault") else 400)
