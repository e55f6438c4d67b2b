"""Who may call."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given
from hypothesis import strategies as st

from localaws.operations import AwsError
from localaws.signature import Credentials, Request, load_credentials, verify
from tests.localaws.conftest import Reply, send, signed
from tests.services.localaws import LocalAws

PATH = "/custom-models"


def _code(reply: Reply) -> tuple[int, str, str]:
    message = json.loads(reply.body)["message"]
    return reply.status, reply.headers["x-amzn-errortype"], message


def test_a_request_without_a_signature_is_refused(echo: LocalAws) -> None:
    assert _code(send(echo, "GET", PATH)) == (
        403,
        "MissingAuthenticationTokenException",
        "Missing Authentication Token",
    )


def test_an_unknown_key_is_refused(echo: LocalAws) -> None:
    headers = signed(echo, "GET", PATH, key="somebody")
    assert _code(send(echo, "GET", PATH, headers=headers)) == (
        403,
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    )


def test_a_wrong_secret_is_refused(echo: LocalAws) -> None:
    headers = signed(echo, "GET", PATH, secret="a guess")
    status, code, message = _code(send(echo, "GET", PATH, headers=headers))
    assert (status, code) == (403, "InvalidSignatureException")
    assert "does not match the signature you provided" in message


def test_a_signature_for_another_service_is_refused(echo: LocalAws) -> None:
    headers = signed(echo, "GET", PATH, service="s3")
    status, code, message = _code(send(echo, "GET", PATH, headers=headers))
    assert (status, code) == (403, "InvalidSignatureException")
    assert message == "Credential should be scoped to correct service: 'bedrock'."


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/model/any/invoke", b"another body"),
        ("POST", "/model/other/invoke", b"the body"),
        ("POST", "/model/any/invoke?more=1", b"the body"),
    ],
)
def test_a_request_that_was_changed_on_its_way_is_refused(
    echo: LocalAws, method: str, path: str, body: bytes
) -> None:
    headers = signed(echo, "POST", "/model/any/invoke", b"the body")
    status, code, _ = _code(send(echo, method, path, body, headers))
    assert (status, code) == (403, "InvalidSignatureException")


def test_a_signed_header_that_was_changed_is_refused(echo: LocalAws) -> None:
    headers = signed(echo, "GET", PATH, headers={"x-amzn-note": "as signed"})
    assert send(echo, "GET", PATH, headers=headers).status == 200
    headers["x-amzn-note"] = "changed"
    assert send(echo, "GET", PATH, headers=headers).status == 403


def test_a_body_that_is_not_its_hash_is_refused(echo: LocalAws) -> None:
    path = "/model/any/invoke"
    hashed = {"x-amz-content-sha256": hashlib.sha256(b"as signed").hexdigest()}
    headers = signed(echo, "POST", path, b"as signed", headers=hashed)
    assert send(echo, "POST", path, b"as signed", headers).status == 200
    status, code, message = _code(send(echo, "POST", path, b"changed", headers))
    assert (status, code) == (403, "InvalidSignatureException")
    assert "x-amz-content-sha256" in message


def test_a_session_token_may_come_along(echo: LocalAws) -> None:
    assert send(echo, "GET", PATH, headers=signed(echo, "GET", PATH, token="any")).status == 200


def test_a_presigned_url_serves_until_it_expires(echo: LocalAws) -> None:
    def fetch(lifetime: int) -> int:
        request = AWSRequest("GET", echo.url + PATH)
        keys = BotoCredentials("localaws", "localaws-secret")
        SigV4QueryAuth(keys, "bedrock", "us-east-1", expires=lifetime).add_auth(request)
        try:
            with urllib.request.urlopen(request.url, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            return refused.code

    assert fetch(60) == 200
    assert fetch(8 * 24 * 3600) == 403


def test_what_an_authorization_header_lacks_is_said(echo: LocalAws) -> None:
    headers = signed(echo, "GET", PATH)
    given = headers["Authorization"]
    for wrong, code in (
        ("Bearer abc", "MissingAuthenticationTokenException"),
        (given.split(", Signature")[0], "IncompleteSignatureException"),
        (given.replace("/aws4_request", ""), "InvalidSignatureException"),
    ):
        headers["Authorization"] = wrong
        assert _code(send(echo, "GET", PATH, headers=headers))[:2] == (
            400 if code.startswith("Incomplete") else 403,
            code,
        )


def test_credentials_of_several_accounts_come_from_a_file(
    start_localaws: Callable[..., LocalAws], tmp_path: Path
) -> None:
    file = tmp_path / "keys.json"
    ours = {"access_key_id": "ours", "secret_access_key": "a", "account": "111111111111"}
    old = {"access_key_id": "old", "secret_access_key": "b", "expires": "2020-01-01T00:00:00Z"}
    session = {"access_key_id": "s", "secret_access_key": "c", "session_token": "the one"}
    file.write_text(json.dumps([ours, old, session]))
    server = start_localaws(None, "--credentials", str(file))

    def ask(key: str, secret: str, token: str | None = None) -> str:
        headers = signed(server, "GET", PATH, key=key, secret=secret, token=token)
        return send(server, "GET", PATH, headers=headers).headers["x-amzn-errortype"]

    here = "NotImplementedException"
    assert ask("ours", "a") == here
    assert ask("old", "b") == "ExpiredTokenException"
    assert ask("s", "c", "the one") == here
    assert ask("s", "c", "another") == ask("s", "c") == "UnrecognizedClientException"
    assert ask("localaws", "localaws-secret") == "UnrecognizedClientException"


def test_a_file_that_is_no_list_of_credentials_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    for wrong in ("{}", "[]", "[{}]", "[1]", "not JSON", '[{"access_key_id": "a", "secret": "b"}]'):
        file.write_text(wrong)
        with pytest.raises(ValueError, match="is not a list of access_key_id"):
            load_credentials(file)


KEYS = {"k": Credentials("k", "secret")}


def _request(
    method: str, path: str, pairs: Mapping[str, str], body: bytes, headers: Mapping[str, str]
) -> Request:
    query = "&".join(
        f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs.items()
    )
    url = f"http://127.0.0.1:9/{path}" + (f"?{query}" if query else "")
    request = AWSRequest(method, url, dict(headers), body)
    SigV4Auth(BotoCredentials("k", "secret"), "bedrock", "us-east-1").add_auth(request)
    sent = [(name.lower(), value) for name, value in request.headers.items()]
    return Request(method, f"/{path}", query, [("host", "127.0.0.1:9"), *sent], body)


_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    segments=st.lists(_texts.filter(bool), max_size=4),
    pairs=st.dictionaries(_texts.filter(bool), _texts, max_size=4),
    body=st.binary(max_size=50),
    header=st.text("abc XYZ0123,;:/", max_size=12),
)
def test_whatever_botocore_signs_is_accepted_and_no_other_body(
    method: str, segments: list[str], pairs: dict[str, str], body: bytes, header: str
) -> None:
    path = "/".join(quote(one, safe="") for one in segments)
    request = _request(method, path, pairs, body, {"x-note": header})
    now = datetime.now(UTC)
    assert verify(request, KEYS, ["bedrock"], now).region == "us-east-1"
    changed = Request(method, request.path, request.query, request.headers, body + b"!")
    with pytest.raises(AwsError, match="InvalidSignature"):
        verify(changed, KEYS, ["bedrock"], now)


@pytest.mark.parametrize(
    ("minutes", "message"), [(16, "Signature expired: "), (-16, "Signature not yet current: ")]
)
def test_a_request_from_another_time_is_refused(minutes: int, message: str) -> None:
    request = _request("GET", "custom-models", {}, b"", {})
    verify(request, KEYS, ["bedrock"], datetime.now(UTC) + timedelta(minutes=minutes * 14 / 16))
    with pytest.raises(AwsError) as refused:
        verify(request, KEYS, ["bedrock"], datetime.now(UTC) + timedelta(minutes=minutes))
    assert refused.value.code == "InvalidSignatureException"
    assert refused.value.message.startswith(message)
