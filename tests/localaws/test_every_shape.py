"""Requests of every operation arrive as boto3 sent them, and every result as boto3 reads it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import botocore.session
import pytest
from botocore.awsrequest import AWSRequest, prepare_request_dict
from botocore.eventstream import EventStream, EventStreamBuffer
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localaws.operations import AwsError
from localaws.wire.events import event_frame, frame
from localaws.wire.problems import Problems
from localaws.wire.request import parameters
from localaws.wire.response import answer, error_answer
from localaws.wire.routes import routes
from localaws.wire.shapes import SERVICES, OperationModel, Shape, compiled, service_model

_session = botocore.session.get_session()
_serializer = create_serializer("rest-json", include_validation=False)
_parser = create_parser("rest-json")
OPERATIONS = {
    f"{service} {name}": operation
    for service in SERVICES
    for name, operation in service_model(service).operations.items()
    if name != "InvokeModelWithBidirectionalStream"  # its request is a stream, over HTTP/2
}
STREAMS = sorted(name for name, one in OPERATIONS.items() if one.stream is not None)
_MOMENTS = st.integers(0, 4_000_000_000).map(lambda one: datetime.fromtimestamp(one, UTC))
_DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("aé\n", max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab"), inner, max_size=2),
    max_leaves=4,
)


def values(shape: Shape, depth: int = 0, where: str | None = None) -> st.SearchStrategy[Any]:
    """Values that the model allows; deep down only what must be there."""
    if shape.kind == "structure":
        if shape.document:
            return st.dictionaries(st.text("ab"), _DOCUMENTS, max_size=2)
        return _structures(shape, depth)
    if shape.kind in ("list", "map"):
        return _collections(shape, depth)
    if shape.kind == "string":
        return _texts(shape, where)
    if shape.kind == "boolean":
        return st.booleans()
    if shape.kind == "timestamp":
        return _MOMENTS
    if shape.kind == "blob":
        least = int(shape.minimum or 0)
        return st.binary(min_size=max(least, 1), max_size=least + 8)
    least_number = int(shape.minimum if shape.minimum is not None else -5)
    most = int(shape.maximum if shape.maximum is not None else least_number + 1000)
    whole = st.integers(least_number, most)
    return whole if shape.kind in ("integer", "long") else whole.map(float)


def _structures(shape: Shape, depth: int) -> st.SearchStrategy[Any]:
    made = {
        name: st.deferred(
            lambda member=member: values(member.shape, depth + 1, member.location)  # type: ignore[misc]
        )
        for name, member in shape.members.items()
        if not member.shape.events
    }
    if shape.union:
        names = sorted(made, key=lambda name: shape.members[name].shape.kind == "structure")
        some = names if depth < 4 else names[:1]
        return st.sampled_from(some).flatmap(lambda name: st.fixed_dictionaries({name: made[name]}))
    needed = {name: made[name] for name in shape.required if name in made}
    more = {name: one for name, one in made.items() if name not in needed} if depth < 3 else {}
    return st.fixed_dictionaries(needed, optional=more)


def _collections(shape: Shape, depth: int) -> st.SearchStrategy[Any]:
    assert shape.element is not None
    least = int(shape.minimum or 0)
    most = least if depth > 3 else min(least + 2, int(shape.maximum or least + 2))
    element = values(shape.element, depth + 1)
    if shape.kind == "list":
        return st.lists(element, min_size=least, max_size=most)
    assert shape.key is not None
    return st.dictionaries(_texts(shape.key, None), element, min_size=least, max_size=most)


def _texts(shape: Shape, where: str | None) -> st.SearchStrategy[str]:
    if shape.enum:
        return st.sampled_from(shape.enum)
    least = int(shape.minimum or 0)
    plain = where in ("header", "headers")
    if where == "uri" or plain:
        least = max(least, 1)
    letters = st.sampled_from("abcXYZ019" if plain or shape.pattern else "aé/ %?&+#日😀-\n")
    texts = st.text(letters, min_size=least, max_size=min(least + 9, int(shape.maximum or 99)))
    if shape.pattern is None:
        return texts
    pattern = compiled(shape.pattern)
    matching = st.from_regex(pattern, fullmatch=True, alphabet=st.characters(max_codepoint=126))
    length = int(shape.maximum or 10**6)
    fits = matching.filter(lambda text: least <= len(text) <= length)
    return fits.filter(lambda text: "\r" not in text and "\n" not in text) if plain else fits


class _Raw:
    """A response's body, as urllib3 hands it to botocore."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        yield self._content


def _relaxed(test: Any) -> Any:
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    return settings(
        max_examples=60, deadline=None, suppress_health_check=checks, derandomize=True
    )(test)


def _model(operation: OperationModel) -> Any:
    return _session.get_service_model(operation.service).operation_model(operation.name)


@_relaxed
@given(st.data())
def test_what_boto3_sends_is_what_the_operation_gets(data: st.DataObject) -> None:
    operation = OPERATIONS[data.draw(st.sampled_from(sorted(OPERATIONS)))]
    params = data.draw(values(operation.input))
    made = _serializer.serialize_to_request(params, _model(operation))
    prepare_request_dict(made, "http://127.0.0.1:9")
    request = AWSRequest(
        made["method"], made["url"], made["headers"], made["body"], made["query_string"]
    ).prepare()
    where = urlsplit(request.url)
    found = [
        route
        for route in routes(request.method, where.path)
        if (route.operation.service, route.operation.name) == (operation.service, operation.name)
    ]
    assert len(found) == 1
    body = request.body or b""
    got = parameters(
        found[0],
        where.query,
        {name.lower(): _text(value) for name, value in request.headers.items()},
        body.encode() if isinstance(body, str) else body,
    )
    payload = operation.input.payload
    if payload and operation.input.members[payload].shape.kind == "blob":
        params.setdefault(payload, b"")
    assert got == params


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


@_relaxed
@given(st.data())
def test_what_an_operation_returns_is_what_boto3_reads(data: st.DataObject) -> None:
    operation = OPERATIONS[data.draw(st.sampled_from(sorted(set(OPERATIONS) - set(STREAMS))))]
    result = data.draw(values(operation.output))
    made = answer(operation, result)
    assert made.status == operation.status, made.body
    model = _model(operation)
    streaming = model.has_streaming_output
    response = {
        "status_code": made.status,
        "headers": made.headers,
        "body": io.BytesIO(made.body) if streaming else made.body,
        "context": {"operation_name": operation.name},
    }
    read = _parser.parse(response, model.output_shape) if model.output_shape else {}
    read.pop("ResponseMetadata", None)
    if streaming:
        payload = operation.output.payload
        assert payload is not None
        read[payload] = read[payload].read()
        result.setdefault(payload, b"")
    assert _without_none(read) == _without_none(result)


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_none(one) for name, one in value.items() if one is not None}
    return value


@_relaxed
@given(st.data())
def test_every_event_is_read_as_it_was_sent(data: st.DataObject) -> None:
    operation = OPERATIONS[data.draw(st.sampled_from(STREAMS))]
    stream = operation.stream
    assert stream is not None
    events = {
        name: member for name, member in stream.shape.members.items() if not member.shape.status
    }
    name = data.draw(st.sampled_from(sorted(events)))
    members = data.draw(values(events[name].shape))
    problems = Problems()
    sent = event_frame(stream.shape, {name: members}, problems)
    assert not problems, problems.paths
    parser = _parser._event_stream_parser
    shape = _model(operation).get_event_stream_output()
    (read,) = EventStream(_Raw(sent), shape, parser, operation.name)
    for member in events[name].shape.members.values():
        if member.event_payload:
            members.setdefault(member.name, b"")
    assert _without_none(read) == {name: _without_none(members)}


@given(
    headers=st.dictionaries(st.text("ab:-", min_size=1, max_size=9), st.text(max_size=9)),
    payload=st.binary(max_size=300),
)
def test_frames_are_read_by_botocore(headers: dict[str, str], payload: bytes) -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(frame(headers, payload) + frame({}, b"another"))
    first, second = list(buffer)
    assert (first.headers, first.payload) == (headers, payload)
    assert second.payload == b"another"


@pytest.mark.parametrize("service", SERVICES)
def test_every_error_of_a_service_is_read_with_its_code_status_and_members(service: str) -> None:
    model = service_model(service)
    parser = create_parser("rest-json")
    for name, shape in model.errors.items():
        members = {
            member: 7 if one.shape.kind == "integer" else "a:b"
            for member, one in shape.members.items()
            if member.lower() != "message"
        }
        made = error_answer(AwsError(name, "Why.", members), service)
        botos = _session.get_service_model(service)
        read = parser.parse(
            {"status_code": made.status, "headers": made.headers, "body": made.body}, None
        )
        assert read["Error"]["Code"] == name
        assert read["Error"]["Message"] == "Why."
        assert made.status == (shape.status or 400)
        assert name in {one.name for one in botos.error_shapes}
