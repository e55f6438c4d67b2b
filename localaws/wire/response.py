"""Results and errors to HTTP."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from localaws.operations import AwsError
from localaws.wire.events import CONTENT_TYPE
from localaws.wire.problems import Problems
from localaws.wire.shapes import Member, OperationModel, Shape, service_model
from localaws.wire.values import check_members, write

log = logging.getLogger("localaws")

STATUS = {
    "AccessDeniedException": 403,
    "ExpiredTokenException": 403,
    "InternalFailure": 500,
    "InternalServerException": 500,
    "InvalidSignatureException": 403,
    "MissingAuthenticationTokenException": 403,
    "NotImplementedException": 501,
    "RequestEntityTooLargeException": 413,
    "SerializationException": 400,
    "ServiceUnavailableException": 503,
    "ThrottlingException": 429,
    "UnknownOperationException": 404,
    "UnrecognizedClientException": 403,
    "ValidationException": 400,
}
"""Of errors that any service may answer; a service's own model goes first."""


@dataclass(slots=True)
class Answer:
    """What is sent.

    Attributes:
        events: If not None, events follow instead of a body.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    events: Iterator[Mapping[str, Any]] | None = None
    code: str = ""


def answer(operation: OperationModel, result: Mapping[str, Any]) -> Answer:
    """Return a result as HTTP; one that the model does not allow is an error of ours, a 500."""
    problems = Problems()
    made = Answer(operation.status)
    present = {name: value for name, value in result.items() if value is not None}
    output = operation.output
    for name in present:
        if name not in output.members:
            problems.unknown("", name)
    check_members(output, present, "", problems)
    body: dict[str, Any] = {}
    for name, value in present.items():
        member = output.members.get(name)
        if member is None:
            continue
        if member.location in ("header", "statusCode"):
            _put_outside(made, member, value, problems)
        elif name == output.payload:
            _put_payload(made, member, value, problems)
        else:
            body[member.wire] = write(member.shape, value, name, problems, member.timestamp_format)
    if output.payload is None:
        made.headers["content-type"] = "application/json"
        made.body = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    made.headers.setdefault("content-type", "application/json")
    if problems:
        return wrong_result(operation, problems)
    return made


def _put_outside(made: Answer, member: Member, value: Any, problems: Problems) -> None:
    written = write(member.shape, value, member.name, problems, "rfc822")
    if member.location == "statusCode":
        made.status = int(written)
    elif member.json_value:
        made.headers[member.wire] = base64.b64encode(json.dumps(value).encode()).decode()
    else:
        text = str(written).lower() if isinstance(written, bool) else str(written)
        made.headers[member.wire.lower()] = text


def _put_payload(made: Answer, member: Member, value: Any, problems: Problems) -> None:
    if member.shape.events:
        made.headers["content-type"] = CONTENT_TYPE
        made.events = iter(value)
    elif member.shape.kind == "blob":
        write(member.shape, value, member.name, problems)
        made.body = bytes(value) if isinstance(value, bytes | bytearray) else b""
    else:
        written = write(member.shape, value, member.name, problems)
        made.body = json.dumps(written, ensure_ascii=False, separators=(",", ":")).encode()


def tokens_used(result: Mapping[str, Any], headers: Mapping[str, str], otherwise: int) -> int:
    """Return the tokens that a result or event, or its headers, say were used."""
    usage = result.get("usage")
    if isinstance(usage, Mapping) and "totalTokens" in usage:
        return int(usage["totalTokens"])
    counts = [headers.get(f"x-amzn-bedrock-{one}-token-count") for one in ("input", "output")]
    known = [int(count) for count in counts if count is not None]
    return sum(known) if known else otherwise


def wrong_result(operation: OperationModel, problems: Problems) -> Answer:
    """Return and log the error that an operation's result is not what its model says."""
    where = "; ".join(problems.paths[:10])
    log.error("%s %s made a wrong result: %s", operation.service, operation.name, where)
    return error_answer(
        AwsError(
            "InternalServerException",
            f"localaws made a result that the model of {operation.name} does not allow: {where}",
        ),
        operation.service,
    )


def error_answer(error: AwsError, service: str | None) -> Answer:
    """Return an error as HTTP."""
    shape = service_model(service).errors.get(error.code) if service else None
    status = error.status or (shape.status if shape is not None else STATUS.get(error.code, 400))
    body: dict[str, Any] = {"message": error.message}
    for name, value in error.members.items():
        body[name] = _error_member(shape, name, value)
    return Answer(
        status,
        {"content-type": "application/json", "x-amzn-errortype": error.code},
        json.dumps(body, ensure_ascii=False).encode(),
        code=error.code,
    )


def _error_member(shape: Shape | None, name: str, value: Any) -> Any:
    member = shape.members.get(name) if shape is not None else None
    return value if member is None else write(member.shape, value, name, Problems())
