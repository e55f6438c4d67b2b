"""Requests of every operation arrive as boto3 sent them, and every result as boto3 reads it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import botocore.session
import pytest
from botocore.awsrequest import AWSRequest, HeadersDict, prepare_request_dict
from botocore.eventstream import EventStream, EventStreamBuffer
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from hypothesis import given
from hypothesis import strategies as st

from localaws.operations import AwsError
from localaws.wire.events import event_frame, frame
from localaws.wire.problems import Problems
from localaws.wire.request import parameters
from localaws.wire.response import answer, error_answer
from localaws.wire.routes import routes
from localaws.wire.shapes import SERVICES, OperationModel, service_model
from tests.localaws.drawn import relaxed, values

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


class _Raw:
    """A response's body, as urllib3 hands it to botocore."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        yield self._content


def _model(operation: OperationModel) -> Any:
    return _session.get_service_model(operation.service).operation_model(operation.name)


@relaxed
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


@relaxed
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
        "headers": HeadersDict(made.headers),  # as botocore has them: in any case
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


@relaxed
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
