"""How a cluster knows us, over HTTP before a real one."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from localaws.operations import AwsError
from localaws.signature import Credentials, verify
from localaws.signature import Request as Signed
from rag import config
from rag.errors import TargetFailed
from rag.targets.opensearch import OpenSearchIndex
from tests.services.forwarding import Answer, Forward, Request, before
from tests.services.opensearch import OpenSearch
from tests.targets.documents import DIMENSIONS, make
from tests.targets.opensearch_index import corpus, everything, target

KEY, SECRET = "domain", "domain-secret"


def signed_for_es(request: Request) -> bool:
    parts = urlsplit(request.path)
    headers = list(request.headers.items())
    signed = Signed(request.method, parts.path, parts.query, headers, request.body)
    try:
        verify(signed, {KEY: Credentials(KEY, SECRET)}, ["es"], datetime.now(UTC))
    except AwsError:
        return False
    return True


def basic(request: Request) -> bool:
    wanted = base64.b64encode(b"sluice:pass word:\xc3\xa4").decode()
    return request.headers.get("authorization") == f"Basic {wanted}"


@contextmanager
def guarded(server: OpenSearch, lets_in: Callable[[Request], bool]) -> Iterator[OpenSearch]:
    def deal(request: Request, forward: Forward) -> Answer:
        return forward(request) if lets_in(request) else Answer(403, b"{}")

    with before(server.url, deal) as url:
        yield OpenSearch(url, server.index)


def works(server: OpenSearch, auth: dict[str, Any], aws: config.Aws | None = None) -> None:
    settings = target(server, auth=config.Auth(**auth))
    index = OpenSearchIndex(settings, corpus(aws=aws or config.Aws()), DIMENSIONS)
    index.apply([make("ä b/c", "one word"), make("b", "two")], [])
    index.apply([make("ä b/c", "new", version="2")], ["b"])
    index.set_acl({"ä b/c": ("group:staff", "user:x")})
    assert list(everything(index).values()) == ["new"]
    assert index.inventory()["ä b/c"].acl == ("group:staff", "user:x")
    index.compact()


def test_a_domain_is_reached_with_a_signature_by_the_default_chain(
    opensearch: OpenSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with guarded(opensearch, signed_for_es) as server:
        works(server, {"kind": "sigv4"})


def test_a_domain_is_reached_with_the_credentials_of_an_airflow_connection(
    opensearch: OpenSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.setenv(
        "AIRFLOW_CONN_SEARCH_DOMAIN", f"aws://{KEY}:{SECRET}@/?region_name=eu-central-1"
    )
    with guarded(opensearch, signed_for_es) as server:
        works(server, {"kind": "sigv4"}, config.Aws(connection="search_domain"))


def test_a_cluster_is_reached_with_user_and_password(
    opensearch: OpenSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEARCH_PASSWORD", "pass word:ä")
    password = config.Secret(env="SEARCH_PASSWORD")
    auth = {"kind": "basic", "user": "sluice", "password": password}
    with guarded(opensearch, basic) as server:
        works(server, auth)
        monkeypatch.setenv("SEARCH_PASSWORD", "another")
        with pytest.raises(TargetFailed, match=r"does not let us in \(HTTP 403\)") as caught:
            works(server, auth)
    assert "another" not in str(caught.value)


def test_what_is_sent_is_not_logged(
    opensearch: OpenSearch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    index = OpenSearchIndex(target(opensearch), corpus(), DIMENSIONS)
    index.apply([make("a", "zyxwvut")], [])
    assert list(everything(index).values()) == ["zyxwvut"]
    assert "zyxwvut" not in caplog.text
