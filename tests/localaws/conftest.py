"""A server with the operations of `tests.localaws.echo`, and requests signed by hand."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.localaws.knowledge_bases import knowledge
from tests.services.localaws import LocalAws, start
from tests.services.s3 import s3_bucket, s3_endpoint

__all__ = ["knowledge", "s3_bucket", "s3_endpoint"]


@pytest.fixture(scope="session")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    server = start(
        tmp_path_factory.mktemp("echo"), environment={"LOCALAWS_MODULES": "tests.localaws.echo"}
    )
    yield server
    server.stop()


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def signed(
    server: LocalAws,
    method: str,
    path: str,
    body: bytes = b"",
    *,
    headers: Mapping[str, str] | None = None,
    key: str = "localaws",
    secret: str = "localaws-secret",
    token: str | None = None,
    service: str = "bedrock",
) -> dict[str, str]:
    """Return the headers of a request, signed."""
    request = AWSRequest(method, server.url + path, dict(headers or {}), body)
    SigV4Auth(Credentials(key, secret, token), service, "us-east-1").add_auth(request)
    return dict(request.headers.items())


def send(
    server: LocalAws, method: str, path: str, body: Any = None, headers: Mapping[str, str] = {}
) -> Reply:
    """Send a request as it is."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    try:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, named, answer.read())
    finally:
        connection.close()


@pytest.fixture
def call(echo: LocalAws) -> Callable[..., Reply]:
    """A function that signs a request with ``echo`` and sends it."""

    def now(method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
        return send(echo, method, path, body, signed(echo, method, path, body, headers=headers))

    return now
