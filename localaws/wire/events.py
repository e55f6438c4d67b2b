"""Frames of ``application/vnd.amazon.eventstream``.

A frame is its length and its headers' length, a CRC of those, the headers, the payload, and a CRC
of all: https://smithy.io/2.0/aws/amazon-eventstream.html
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

from localaws.operations import AwsError
from localaws.wire.problems import Problems
from localaws.wire.shapes import Member, Shape
from localaws.wire.values import write, write_members

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Return one frame; headers are all texts."""
    packed = b"".join(
        struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", _STRING, len(text)) + text
        for name, value in headers.items()
        for text in (value.encode(),)
    )
    prelude = struct.pack("!II", 16 + len(packed) + len(payload), len(packed))
    prelude += struct.pack("!I", zlib.crc32(prelude))
    message = prelude + packed + payload
    return message + struct.pack("!I", zlib.crc32(message))


def event_frame(stream: Shape, event: Mapping[str, Any], problems: Problems) -> bytes:
    """Return an event as a frame.

    Args:
        event: ``{name: members}``, as boto3 gives it.
    """
    if len(event) != 1:
        problems.add(stream.name, "must have exactly one event")
        return b""
    (name, values), *_ = event.items()
    member = stream.members.get(name)
    if member is None:
        problems.unknown(stream.name, name)
        return b""
    if not isinstance(values, Mapping):
        problems.add(name, "must be of type structure")
        return b""
    headers = {":event-type": name}
    payload_member = next((one for one in member.shape.members.values() if one.event_payload), None)
    for one in member.shape.members.values():
        if one.event_header and values.get(one.name) is not None:
            headers[one.wire] = str(values[one.name])
    content_type, payload = _payload(member, payload_member, values, problems)
    headers |= {":content-type": content_type, ":message-type": "event"}
    return frame(headers, payload)


def _payload(
    member: Member, payload: Member | None, values: Mapping[str, Any], problems: Problems
) -> tuple[str, bytes]:
    inside = [one for one in member.shape.members.values() if not one.event_header]
    if payload is None:
        written = write_members(member.shape, values, member.name, problems, inside)
        return "application/json", _json(written)
    value = values.get(payload.name)
    path = f"{member.name}.{payload.name}"
    if payload.shape.kind == "blob":
        if value is not None:
            write(payload.shape, value, path, problems)
        raw = bytes(value) if isinstance(value, bytes | bytearray) else b""
        return "application/octet-stream", raw
    if payload.shape.kind == "string":
        return "text/plain", str(write(payload.shape, value, path, problems)).encode()
    return "application/json", _json(write(payload.shape, value, path, problems))


def error_frame(stream: Shape, error: AwsError) -> bytes:
    """Return an error as an exception event, or as an error if the stream has no such exception."""
    for name, member in stream.members.items():
        if member.shape.name == error.code:
            body = {"message": error.message, **error.members}
            known = {key: value for key, value in body.items() if key in member.shape.members}
            return frame(
                {
                    ":exception-type": name,
                    ":content-type": "application/json",
                    ":message-type": "exception",
                },
                _json(known),
            )
    return frame(
        {
            ":error-code": error.code,
            ":error-message": error.message,
            ":message-type": "error",
        },
        b"",
    )


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
