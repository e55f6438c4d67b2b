"""Faults on purpose: what a client sees of each, and that they are the same under a seed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from botocore.eventstream import ChecksumMismatch
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EventStreamError,
    HTTPClientError,
    ResponseStreamingError,
)
from hypothesis import given
from hypothesis import strategies as st
from urllib3.exceptions import ProtocolError

from localaws.faults import FAULTS, Injector, parse_rules
from tests.localaws.conftest import send
from tests.services.localaws import LocalAws


@pytest.fixture(autouse=True)
def counted_anew(echo: LocalAws) -> Iterator[None]:
    echo.forget_calls()
    yield
    echo.admin("faults", "DELETE")


def _invoke(server: LocalAws, model: str = "any") -> str:
    """Return ``200``, or the error's code."""
    try:
        server.client("bedrock-runtime").invoke_model(modelId=model, body=b"x")
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "200"


def _each(answer: Any) -> Iterator[bytes]:
    with closing(answer["body"]) as events:
        for event in events:
            yield event["chunk"]["bytes"]


def test_a_third_of_the_calls_is_throttled_and_the_same_ones_each_time(echo: LocalAws) -> None:
    client = echo.client("bedrock-runtime")
    seen = []
    for seed in (7, 7, 8):
        outcomes = []
        with echo.faults({"fault": "throttle", "probability": 0.3, "seed": seed}):
            for _ in range(60):
                try:
                    client.invoke_model(modelId="thirds", body=b"x")
                    outcomes.append(True)
                except client.exceptions.ThrottlingException:
                    outcomes.append(False)
        seen.append(outcomes)
    assert seen[0] == seen[1] != seen[2]
    assert 5 < seen[0].count(False) < 35
    # By model: what another test left hanging may be counted meanwhile.
    own = {one["status"]: one["count"] for one in echo.call_counts() if one["model"] == "thirds"}
    refused = sum(one.count(False) for one in seen)
    assert own == {"200": 180 - refused, "ThrottlingException": refused}


def test_a_rule_concerns_only_what_it_matches_and_ends_after_its_count(echo: LocalAws) -> None:
    rule = {"fault": "throttle", "service": "bedrock-*", "operation": "Invoke*", "count": 2}
    with echo.faults({**rule, "model": "amazon.*"}):
        assert _invoke(echo, "meta.llama") == "200"
        assert [_invoke(echo, "amazon.titan") for _ in range(3)] == [
            "ThrottlingException",
            "ThrottlingException",
            "200",
        ]
        echo.client("bedrock").list_custom_models()
        told = echo.admin("faults")["rules"][0]
        assert (told["matched"], told["applied"]) == (3, 2)


@pytest.mark.parametrize(
    ("status", "code"), [(500, "InternalServerException"), (503, "ServiceUnavailableException")]
)
def test_a_service_that_fails_answers_with_its_own_errors(
    echo: LocalAws, status: int, code: str
) -> None:
    with echo.faults({"fault": "status", "status": status}):
        for service, ask in (
            ("bedrock-runtime", lambda client: client.invoke_model(modelId="a", body=b"")),
            ("bedrock-agent", lambda client: client.list_knowledge_bases()),
        ):
            with pytest.raises(ClientError) as refused:
                ask(echo.client(service))
            told = refused.value.response
            assert told["Error"]["Code"] == code
            assert told["ResponseMetadata"]["HTTPStatusCode"] == status


def test_any_error_of_the_model_can_be_had(echo: LocalAws) -> None:
    client = echo.client("bedrock-runtime")
    with (
        echo.faults({"fault": "error", "code": "ModelTimeoutException"}),
        pytest.raises(client.exceptions.ModelTimeoutException),
    ):
        client.invoke_model(modelId="any", body=b"x")


def test_credentials_expire(echo: LocalAws) -> None:
    with echo.faults({"fault": "expired_credentials", "count": 1}):
        assert [_invoke(echo), _invoke(echo)] == ["ExpiredTokenException", "200"]


def test_a_reset_connection_gives_no_answer_and_is_counted(echo: LocalAws) -> None:
    with echo.faults({"fault": "reset"}), pytest.raises(ConnectionClosedError):
        _invoke(echo)
    assert echo.calls("InvokeModel", "reset") == 1
    assert _invoke(echo) == "200"


def test_a_stream_is_cut_after_so_many_events(echo: LocalAws) -> None:
    client = echo.client("bedrock-runtime")
    got: list[bytes] = []
    with echo.faults({"fault": "reset_mid_stream", "after": 2}):
        answer = client.invoke_model_with_response_stream(modelId="any", body=b"abcd")
        with pytest.raises(ProtocolError):
            got.extend(_each(answer))
    assert got == [b"a", b"b"]
    assert echo.calls(status="reset") == 1


def test_a_stream_breaks_with_an_error_after_so_many_events(echo: LocalAws) -> None:
    client = echo.client("bedrock-runtime")
    got: list[bytes] = []
    with echo.faults({"fault": "error_mid_stream", "after": 1, "code": "ThrottlingException"}):
        answer = client.invoke_model_with_response_stream(modelId="any", body=b"abcd")
        with pytest.raises(EventStreamError, match="throttlingException"):
            got.extend(_each(answer))
    assert got == [b"a"]


def test_a_batch_fails_in_part(echo: LocalAws) -> None:
    document = {
        "content": {
            "dataSourceType": "CUSTOM",
            "custom": {
                "customDocumentIdentifier": {"id": "one"},
                "sourceType": "IN_LINE",
                "inlineContent": {"type": "TEXT", "textContent": {"data": "a text"}},
            },
        }
    }
    client = echo.client("bedrock-agent")

    def statuses() -> list[str]:
        answer = client.ingest_knowledge_base_documents(
            knowledgeBaseId="ABCDEFGHIJ", dataSourceId="KLMNOPQRST", documents=[document] * 10
        )
        return [one["status"] for one in answer["documentDetails"]]

    seen = []
    for _ in range(2):
        with echo.faults({"fault": "partial", "share": 0.5, "seed": 3}):
            seen.append(statuses())
    assert seen[0] == seen[1]
    assert 0 < seen[0].count("FAILED") < 10
    assert statuses() == ["INDEXED"] * 10


@pytest.mark.parametrize("how", ["json", "cut"])
def test_a_malformed_answer_loses_what_it_says(echo: LocalAws, how: str) -> None:
    client = echo.client("bedrock")
    assert "nextToken" in client.list_custom_models()
    with echo.faults({"fault": "malformed", "how": how}):
        assert "nextToken" not in client.list_custom_models()  # boto3 takes it without a word


def test_a_body_that_is_cut_is_shorter_than_announced(echo: LocalAws) -> None:
    with echo.faults({"fault": "malformed", "how": "cut"}):
        answer = echo.client("bedrock-runtime").invoke_model(modelId="any", body=b"abcd")
        with pytest.raises(ResponseStreamingError):
            answer["body"].read()


def test_a_malformed_stream_fails_its_checksum(echo: LocalAws) -> None:
    client = echo.client("bedrock-runtime")
    with echo.faults({"fault": "malformed"}):
        answer = client.invoke_model_with_response_stream(modelId="any", body=b"abcd")
        with pytest.raises(ChecksumMismatch):
            next(_each(answer))


def test_a_slow_answer_runs_into_the_clients_timeout(echo: LocalAws) -> None:
    client = echo.client("bedrock-runtime", read_timeout=0.05)
    for fault in ("latency", "slow_first_byte"):
        with (
            echo.faults({"fault": fault, "ms": 300, "jitter_ms": 10}),
            pytest.raises(HTTPClientError, match="Read timeout"),
        ):
            client.invoke_model(modelId="any", body=b"x")


def test_faults_come_from_a_file_that_may_change(
    start_localaws: Callable[..., LocalAws], tmp_path: Path
) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text("seed: 1\nrules:\n  - {fault: throttle, service: bedrock}\n")
    server = start_localaws(None, "--faults", str(file))
    client = server.client("bedrock")
    with pytest.raises(client.exceptions.ThrottlingException):
        client.list_custom_models()
    file.write_text("rules: [{fault: status, status: 500, service: bedrock}]")
    with pytest.raises(client.exceptions.InternalServerException):
        client.list_custom_models()
    file.write_text("rules: [{fault: storm}]")
    with pytest.raises(client.exceptions.InternalServerException):  # the last good ones stay
        client.list_custom_models()
    assert "fault is one of throttle" in server.admin("faults")["problem"]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([{"fault": "storm"}], "Rule 1: fault is one of throttle"),
        ([{"fault": "reset"}, {"fault": "latency"}], "Rule 2: latency needs ms."),
        ([{"fault": "reset", "ms": 3}], "reset has fault, service"),
        ([{"fault": "reset", "probability": 2}], "Rule 1: probability cannot be 2."),
        ([{"fault": "reset", "count": "many"}], "Rule 1: count cannot be 'many'."),
        ([{"fault": "malformed", "how": "badly"}], "Rule 1: how cannot be 'badly'."),
        ({"rule": []}, "Faults have rules and a seed, not rule."),
        ("reset", "Faults are a list of rules."),
    ],
)
def test_a_wrong_rule_is_refused_by_its_number(echo: LocalAws, rules: Any, message: str) -> None:
    reply = send(echo, "PUT", "/_localaws/faults", json.dumps(rules).encode())
    assert reply.status == 400
    assert message in json.loads(reply.body)["message"]


def _throttled(injector: Injector, model: str = "m", tokens: int = 0, now: float = 0.0) -> bool:
    plan = injector.plan("bedrock-runtime", "Converse", model, tokens, now)
    plan.settle()
    return plan.error is not None


def test_a_rate_lets_through_its_burst_and_then_as_many_a_second() -> None:
    injector = Injector()
    injector.set_rules([{"fault": "rate", "per_second": 2, "burst": 3}])
    assert [_throttled(injector) for _ in range(5)] == [False, False, False, True, True]
    assert [_throttled(injector, now=1.0) for _ in range(3)] == [False, False, True]
    assert not _throttled(injector, now=1.5)


def test_a_token_quota_is_each_models_own_and_charges_what_was_used() -> None:
    injector = Injector()
    injector.set_rules([{"fault": "tokens", "per_minute": 600}])
    assert [_throttled(injector, "a", 400) for _ in range(3)] == [False, False, True]
    assert not _throttled(injector, "b", 400)
    assert _throttled(injector, "a", 1, now=19.0)  # 200 too many, 10 a second flow in
    assert not _throttled(injector, "a", 1, now=21.0)
    plan = injector.plan("bedrock-runtime", "Converse", "c", 10, 0.0)
    plan.tokens = 5000  # so says the answer
    plan.settle()
    assert _throttled(injector, "c")


def test_what_a_model_says_it_used_is_charged(echo: LocalAws) -> None:
    with echo.faults({"fault": "tokens", "per_minute": 150}):
        assert [_invoke(echo) for _ in range(3)] == ["200", "200", "ThrottlingException"]


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "fault": st.sampled_from(["throttle", "reset", "expired_credentials"]),
                "probability": st.floats(0, 1),
                "seed": st.integers(0, 3),
            },
            optional={"count": st.integers(0, 5), "operation": st.sampled_from(["Con*", "Inv*"])},
        ),
        max_size=4,
    )
)
def test_the_same_calls_meet_the_same_faults(rules: list[dict[str, Any]]) -> None:
    def outcomes() -> list[tuple[bool, str]]:
        injector = Injector()
        injector.set_rules(rules)
        plans = [
            injector.plan("bedrock-runtime", operation, "m", 0, 0.0)
            for operation in ("Converse", "InvokeModel") * 10
        ]
        return [(plan.reset, plan.error.code if plan.error else "") for plan in plans]

    assert outcomes() == outcomes()


def test_the_example_in_the_documentation_has_every_fault() -> None:
    import yaml

    import localaws.faults

    text = (localaws.faults.__doc__ or "").split("::\n")[1].split("\n\n``service``")[0]
    rules = parse_rules(yaml.safe_load(text))
    assert [rule.fault for rule in rules] == list(FAULTS)
