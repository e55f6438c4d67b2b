"""What goes over the wire, with plain boto3 and with requests made by hand."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError, EventStreamError

from tests.localaws.conftest import Reply, send, signed
from tests.services.localaws import LocalAws

Sender = Callable[..., Reply]


def _refusal(error: ClientError) -> tuple[str, int, str]:
    told = error.response
    code = told["Error"]["Code"]
    return code, told["ResponseMetadata"]["HTTPStatusCode"], told["Error"]["Message"]


def test_a_body_of_25_mb_goes_in_and_out(echo: LocalAws) -> None:
    body = bytes(range(250)) * 100_000
    answer = echo.client("bedrock-runtime").invoke_model(modelId="any", body=body)
    assert answer["body"].read() == body
    assert answer["contentType"] == "application/octet-stream"
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-amzn-bedrock-input-token-count"] == "100"
    assert answer["ResponseMetadata"]["RequestId"]


def test_a_body_over_the_models_limit_is_refused(call: Sender) -> None:
    reply = call("POST", "/model/any/invoke", bytes(25_000_001))
    assert reply.status == 400
    assert "less than or equal to 25000000" in json.loads(reply.body)["message"]


def test_a_body_over_the_servers_limit_is_refused(echo: LocalAws) -> None:
    reply = send(echo, "POST", "/model/any/invoke", bytes(64 * 1024 * 1024 + 1))
    assert reply.status == 413


def test_an_arn_travels_in_a_path(echo: LocalAws) -> None:
    arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0"
    client = echo.client("bedrock-runtime")
    echo.forget_calls()
    client.invoke_model(modelId=arn, body=b"x")
    assert [one["model"] for one in echo.call_counts()] == [arn]


def test_an_unknown_path_is_an_unknown_operation(call: Sender) -> None:
    reply = call("GET", "/no/such/thing")
    assert (reply.status, reply.headers["x-amzn-errortype"]) == (404, "UnknownOperationException")
    assert reply.headers["x-amzn-requestid"]


def test_an_operation_that_is_not_here_says_so(echo: LocalAws) -> None:
    with pytest.raises(ClientError) as refused:
        echo.client("bedrock-agent").list_flows()
    code, status, message = _refusal(refused.value)
    assert (code, status) == ("NotImplementedException", 501)
    assert "ListFlows" in message


def test_a_trailing_slash_does_not_matter(call: Sender) -> None:
    for path in ("/custom-models", "/custom-models/"):
        assert "NotImplemented" not in call("GET", path).headers.get("x-amzn-errortype", "")


INGEST = "/knowledgebases/ABCDEFGHIJ/datasources/KLMNOPQRST/documents"
DOCUMENT = {
    "content": {
        "dataSourceType": "CUSTOM",
        "custom": {
            "customDocumentIdentifier": {"id": "one"},
            "sourceType": "IN_LINE",
            "inlineContent": {"type": "TEXT", "textContent": {"data": "a text"}},
        },
    }
}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {},
            "1 validation error detected: Value at 'documents' failed to satisfy constraint: Member"
            " must not be null",
        ),
        (
            {"documents": None, "clientToken": "short"},
            "2 validation errors detected: Value 'short' at 'clientToken' failed to satisfy"
            " constraint: Member must have length greater than or equal to 33; Value at 'documents'"
            " failed to satisfy constraint: Member must not be null",
        ),
        (
            {"documents": "one"},
            "1 validation error detected: Value at 'documents' failed to satisfy constraint: Member"
            " must be of type list: STRING_VALUE can not be converted",
        ),
        (
            {"documents": []},
            "1 validation error detected: Value at 'documents' failed to satisfy constraint: Member"
            " must have length greater than or equal to 1",
        ),
        (
            {"documents": [{"content": {"dataSourceType": "DRAWER"}}]},
            "1 validation error detected: Value 'DRAWER' at"
            " 'documents.1.member.content.dataSourceType' failed to satisfy constraint: Member must"
            " satisfy enum value set: [CUSTOM, S3]",
        ),
        (
            {"documents": [{"content": {"dataSourceType": 7}}]},
            "1 validation error detected: Value at 'documents.1.member.content.dataSourceType'"
            " failed to satisfy constraint: Member must be of type string: NUMBER_VALUE can not be"
            " converted",
        ),
        (
            {"documents": [DOCUMENT, {"content": {"dataSourceType": "CUSTOM", "colour": "red"}}]},
            "Malformed input request: #/documents/2/content: extraneous key [colour] is not"
            " permitted, please reformat your input and try again.",
        ),
    ],
)
def test_what_is_wrong_with_a_request_is_said_as_aws_says_it(
    call: Sender, body: object, message: str
) -> None:
    reply = call("PUT", INGEST, json.dumps(body).encode())
    assert reply.status == 400
    assert reply.headers["x-amzn-errortype"] == "ValidationException"
    assert json.loads(reply.body) == {"message": message}


def test_a_label_a_query_value_and_a_number_are_checked(call: Sender) -> None:
    reply = call("PUT", INGEST.replace("ABCDEFGHIJ", "a-b"), b'{"documents": []}')
    assert "at 'knowledgeBaseId' failed to satisfy constraint" in json.loads(reply.body)["message"]
    reply = call("GET", "/custom-models?maxResults=0&sortBy=Size&creationTimeAfter=soon")
    message = json.loads(reply.body)["message"]
    assert message.startswith("3 validation errors detected: ")
    assert "Value '0' at 'maxResults'" in message
    assert "greater than or equal to 1" in message
    assert "'sortBy' failed to satisfy constraint: Member must satisfy enum value set" in message
    assert "at 'creationTimeAfter' failed to satisfy constraint: Member must be of type" in message


def test_a_union_has_exactly_one_member(call: Sender) -> None:
    source = {"text": "a", "bytes": "aGk="}
    content = {"document": {"name": "a", "source": source}}
    body = {"messages": [{"role": "user", "content": [content]}]}
    reply = call("POST", "/model/any/converse", json.dumps(body).encode())
    assert (
        "Value at 'messages.1.member.content.1.member.document.source' failed to satisfy"
        " constraint: Member must have exactly one of the union's members set: [text, bytes]"
    ) in json.loads(reply.body)["message"]


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b'{"documents": NaN}', b"[" * 100_000])
def test_what_is_not_json_is_refused(call: Sender, body: bytes) -> None:
    reply = call("PUT", INGEST, body)
    assert (reply.status, reply.headers["x-amzn-errortype"]) == (400, "SerializationException")


def test_half_a_surrogate_pair_is_refused(call: Sender) -> None:
    reply = call("PUT", INGEST, b'{"documents": [], "clientToken": "\\ud800"}')
    assert (reply.status, reply.headers["x-amzn-errortype"]) == (400, "ValidationException")


def test_a_services_own_error_has_its_code_and_status(echo: LocalAws) -> None:
    client = echo.client("bedrock")
    with pytest.raises(client.exceptions.ResourceNotFoundException) as refused:
        client.get_imported_model(modelIdentifier="mine")
    assert _refusal(refused.value) == (
        "ResourceNotFoundException",
        404,
        "There is no such model.",
    )


def test_a_wrong_result_does_not_leave(echo: LocalAws) -> None:
    with pytest.raises(ClientError) as refused:
        echo.client("bedrock").get_custom_model(modelIdentifier="mine")
    code, status, message = _refusal(refused.value)
    assert (code, status) == ("InternalServerException", 500)
    assert "modelStatus: must satisfy enum value set" in message
    assert "unknown member secret" in message
    assert "Splendid" not in message


def test_an_operation_that_breaks_is_an_internal_error_without_details(echo: LocalAws) -> None:
    with pytest.raises(ClientError) as refused:
        echo.client("bedrock").delete_custom_model(modelIdentifier="mine")
    code, status, message = _refusal(refused.value)
    assert (code, status) == ("InternalServerException", 500)
    assert "what a document says" not in message


def _chunks(answer: dict[str, object]) -> Iterator[bytes]:
    for event in answer["body"]:  # type: ignore[attr-defined]
        yield event["chunk"]["bytes"]


def test_events_arrive_while_others_are_still_to_be_made(echo: LocalAws) -> None:
    runtime = echo.client("bedrock-runtime")
    chunks = _chunks(runtime.invoke_model_with_response_stream(modelId="waits", body=b"abc"))
    assert next(chunks) == b"a"
    echo.client("bedrock").list_custom_models(nameContains="waits")  # lets it go on
    assert list(chunks) == [b"b", b"c"]


def test_an_error_in_a_stream_is_an_exception_event(echo: LocalAws) -> None:
    runtime = echo.client("bedrock-runtime")
    answer = runtime.invoke_model_with_response_stream(modelId="fails", body=b"a")
    with closing(answer["body"]):
        chunks = _chunks(answer)
        assert next(chunks) == b"a"
        with pytest.raises(EventStreamError, match=r"modelStreamErrorException.*It broke"):
            next(chunks)


def test_a_client_that_goes_away_stops_the_operation(echo: LocalAws) -> None:
    path, body = "/model/endless/invoke-with-response-stream", b"a"
    connection = http.client.HTTPConnection(urlsplit(echo.url).netloc, timeout=30)
    connection.request("POST", path, body, signed(echo, "POST", path, body))
    answer = connection.getresponse()
    assert b"chunk" in answer.read(300)
    answer.close()
    connection.close()
    control = echo.client("bedrock")
    for _ in range(1000):
        if control.list_custom_models(nameContains="endless")["nextToken"] == "ended":
            break
    else:
        pytest.fail("The operation still runs.")


def test_a_payload_part_is_bytes_of_any_kind(echo: LocalAws) -> None:
    body = bytes(range(256))
    answer = echo.client("sagemaker-runtime").invoke_endpoint_with_response_stream(
        EndpointName="any", Body=body
    )
    assert [event["PayloadPart"]["Bytes"] for event in answer["Body"]] == [body]


def test_a_connection_serves_many_requests(echo: LocalAws) -> None:
    connection = http.client.HTTPConnection(urlsplit(echo.url).netloc, timeout=30)
    connection.connect()
    first = connection.sock
    for body in (b"one", b"two"):
        path = "/model/any/invoke"
        connection.request("POST", path, body, signed(echo, "POST", path, body))
        assert connection.getresponse().read() == body
    assert connection.sock is first
    connection.close()


def test_a_body_in_chunks_is_read(echo: LocalAws) -> None:
    path, body = "/model/any/invoke", b"a body in three parts"
    headers = signed(echo, "POST", path, body)
    reply = send(echo, "POST", path, iter([body[:5], body[5:9], body[9:]]), headers)
    assert (reply.status, reply.body) == (200, body)


def test_who_expects_100_continue_gets_it(echo: LocalAws) -> None:
    path, body = "/model/any/invoke", b"the body"
    headers = signed(echo, "POST", path, body)
    where = urlsplit(echo.url)
    assert where.hostname is not None
    lines = [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Host: {where.netloc}", f"Content-Length: {len(body)}", "Expect: 100-continue"]
    with socket.create_connection((where.hostname, where.port or 0), timeout=30) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\n".encode() + "\r\n".join(lines).encode())
        connection.sendall(b"\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_head_has_headers_and_no_body(echo: LocalAws) -> None:
    reply = send(echo, "HEAD", "/_localaws/health")
    assert (reply.status, reply.body) == (200, b"")
    assert int(reply.headers["content-length"]) > 0
