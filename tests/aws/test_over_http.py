"""Calls to models over HTTP, with a server that throttles, fails and breaks connections."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rag.aws import client, forget_clients
from rag.aws.calls import Calls, side_by_side
from rag.aws.runtime import Runtime
from rag.config import Aws
from rag.errors import ConfigError, ServiceFailed, ServiceRefused
from rag.models.bedrock import BedrockEmbedder
from tests.masked import all_masked, masked
from tests.services.localaws import LocalAws

TITAN = "amazon.titan-embed-text-v2:0"
TEXTS = all_masked(
    f"Filters of type F{number} are changed every {number} weeks." for number in range(300)
)
AWS = Aws(region="us-east-1", deadline_seconds=60)


@pytest.fixture(autouse=True)
def fresh_clients() -> Iterator[None]:
    yield
    forget_clients()


def test_throttling_faults_and_resets_change_nothing_but_the_time(aws: LocalAws) -> None:
    plain = BedrockEmbedder(TITAN, 256, AWS).embed(TEXTS)
    aws.forget_calls()
    with aws.faults(
        {"fault": "throttle", "probability": 0.3, "seed": 1},
        {"fault": "status", "status": 503, "probability": 0.01, "seed": 2},
        {"fault": "status", "status": 500, "probability": 0.01, "seed": 3},
        {"fault": "reset", "probability": 0.01, "seed": 4},
        {"fault": "malformed", "how": "cut", "probability": 0.01, "seed": 5},
        {"fault": "malformed", "how": "json", "probability": 0.01, "seed": 6},
    ):
        disturbed = BedrockEmbedder(TITAN, 256, AWS).embed(TEXTS)
    assert np.array_equal(plain, disturbed)
    assert len(TEXTS) < aws.calls("InvokeModel") <= 2 * len(TEXTS)


def test_a_rate_that_the_service_allows_is_found(aws: LocalAws) -> None:
    aws.forget_calls()
    with aws.faults({"fault": "rate", "per_second": 60, "burst": 10}):
        vectors = BedrockEmbedder(TITAN, 256, AWS).embed(TEXTS[:150])
    assert len(vectors) == 150
    assert aws.calls("InvokeModel") <= 2 * 150


def test_expired_credentials_are_read_anew(aws: LocalAws) -> None:
    with aws.faults({"fault": "expired_credentials", "count": 1}):
        assert len(BedrockEmbedder(TITAN, 256, AWS).embed(TEXTS[:1])) == 1
    with (
        aws.faults({"fault": "expired_credentials"}),
        pytest.raises(ServiceRefused, match="ExpiredToken") as raised,
    ):
        BedrockEmbedder(TITAN, 256, AWS).embed(TEXTS[:1])
    assert "renew" in raised.value.hint


def test_a_service_that_answers_too_late_is_given_up_in_time(aws: LocalAws) -> None:
    soon = Aws(region="us-east-1", deadline_seconds=0.3)
    with (
        aws.faults({"fault": "slow_first_byte", "ms": 1500}),
        pytest.raises(ServiceFailed) as raised,
    ):
        BedrockEmbedder(TITAN, 256, soon).embed(TEXTS[:1])
    assert raised.value.transient
    assert TITAN in raised.value.message


def test_an_unreachable_endpoint_says_so(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        monkeypatch.setenv(
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME", f"http://127.0.0.1:{taken.getsockname()[1]}"
        )
        soon = Aws(region="us-east-1", deadline_seconds=0.5)
        # The first call makes the client, which may take a busy machine longer than the deadline.
        client("bedrock-runtime", soon, once=True)
        with pytest.raises(ServiceFailed) as raised:
            BedrockEmbedder(TITAN, 256, soon).embed([masked("a")])
    assert "reachable" in raised.value.hint


def test_a_wrong_secret_is_refused_with_what_to_check(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    with pytest.raises(ServiceRefused) as raised:
        BedrockEmbedder(TITAN, 256, AWS).embed([masked("a")])
    assert "secret access key" in raised.value.hint


@pytest.mark.parametrize(
    ("missing", "hint"), [("AWS_DEFAULT_REGION", "aws.region"), ("AWS_ACCESS_KEY_ID", "connection")]
)
def test_who_and_where_we_are_must_be_said(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch, missing: str, hint: str
) -> None:
    monkeypatch.delenv(missing)
    monkeypatch.delenv("AWS_REGION", raising=False)
    for variable, value in (
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/nowhere"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/nowhere"),
    ):
        monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError) as raised:
        client("bedrock-runtime", Aws())
    assert hint in raised.value.hint


def test_a_model_that_does_not_exist_is_refused(aws: LocalAws) -> None:
    runtime = Runtime("bedrock-runtime", "amazon.none", AWS, Calls("Bedrock amazon.none"))
    with pytest.raises(ServiceRefused) as raised:
        runtime.invoke_model(modelId="amazon.none", body="{}")
    assert "model id" in raised.value.hint


def test_an_airflow_connection_says_who_and_where_we_are(
    localaws: LocalAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    told = {
        "conn_type": "aws",
        "login": localaws.environment["AWS_ACCESS_KEY_ID"],
        "password": localaws.environment["AWS_SECRET_ACCESS_KEY"],
        "extra": {"region_name": "us-east-1", "endpoint_url": localaws.url},
    }
    monkeypatch.setenv("AIRFLOW_CONN_OUR_AWS", json.dumps(told))
    there = BedrockEmbedder(TITAN, 256, Aws(connection="our_aws"))
    assert there.embed([masked("a")]).shape == (1, 256)
    missing = BedrockEmbedder(TITAN, 256, Aws(connection="another", region="us-east-1"))
    with pytest.raises(ConfigError, match="no Airflow connection 'another'"):
        missing.embed([masked("a")])


def test_threads_that_start_together_share_one_client(aws: LocalAws) -> None:
    found = side_by_side(lambda _: id(client("bedrock-runtime", AWS)), range(8), 8)
    assert len(set(found)) == 1
