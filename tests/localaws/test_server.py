"""Starting, announcing and ending the server; the fixtures that other tests stand on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from localaws.admin import administer, is_near
from localaws.calls import Calls
from localaws.faults import Injector
from tests.services.localaws import ROOT, LocalAws


def test_boto3_finds_the_server_by_the_environment_alone(aws: LocalAws) -> None:
    aws.forget_calls()
    once = Config(retries={"total_max_attempts": 1})
    with pytest.raises(ClientError) as refused:
        boto3.client("bedrock", config=once).list_imported_models()
    assert refused.value.response["Error"]["Code"] == "NotImplementedException"
    assert aws.calls("ListImportedModels") == 1


def _sluice(
    *arguments: str, code: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    start = f"{code}\nimport sys, rag.cli\nsys.exit(rag.cli.run(sys.argv[1:]))"
    return subprocess.run(
        [sys.executable, "-c", start, "localaws", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_sluice_localaws_prints_the_environment_and_ends_well_on_ctrl_c(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "rag.cli", "localaws", "--port", "0", "--generator", "model"],
        cwd=ROOT,
        env={**os.environ, "SLUICE_HOME": str(tmp_path), "LOCALAWS_ACCESS_KEY_ID": "mine"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(10)]
    process.send_signal(signal.SIGINT)
    assert process.wait(15) == 0
    process.stdout.close()
    exported = dict(
        line.removeprefix("export ").strip().split("=", 1)
        for line in lines
        if line.startswith("export ")
    )
    assert set(exported) == {
        "AWS_ENDPOINT_URL_BEDROCK",
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        "AWS_ENDPOINT_URL_BEDROCK_AGENT",
        "AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME",
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_DEFAULT_REGION",
    }
    assert exported["AWS_ACCESS_KEY_ID"] == "mine"
    assert exported["AWS_ENDPOINT_URL_BEDROCK"].startswith("http://127.0.0.1:")
    assert any("SmolLM2" in line for line in lines)
    assert (tmp_path / "localaws" / "state.sqlite").is_file()


def test_a_server_that_cannot_start_says_what_to_do(localaws: LocalAws, tmp_path: Path) -> None:
    taken = localaws.url.rpartition(":")[2]
    broken = tmp_path / "faults.yaml"
    broken.write_text("rules: [{fault: storm}]")
    fresh = ("--state", str(tmp_path / "state"))
    for arguments, told in (
        (("--port", taken, *fresh), "--port 0 picks a free one"),
        (("--port", "0", "--state", str(localaws.state)), "use another --state"),
        (("--port", "0", *fresh, "--faults", str(broken)), "Rule 1: fault is one of"),
        (("--port", "0", *fresh, "--generator", "oracle"), "Use extractive, model, scripted"),
        (("--port", "0", *fresh, "--generator", "scripted"), "--replies"),
    ):
        done = _sluice(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert told in done.stderr


def test_a_module_of_operations_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = _sluice("--port", "0", "--state", str(tmp_path), LOCALAWS_MODULES="not_there")
    assert done.returncode == 2
    assert "not_there" in done.stderr


def test_without_the_extra_the_command_says_what_to_install(tmp_path: Path) -> None:
    done = _sluice("--json", code="import sys; sys.modules['uvicorn'] = None")
    assert done.returncode == 2
    assert "sluice[localaws]" in done.stdout + done.stderr


def test_health_tells_that_it_is_up_and_operations_what_it_can(localaws: LocalAws) -> None:
    assert localaws.admin("health") == {"status": "ok"}
    operations = localaws.admin("operations")
    assert "Converse" in operations["bedrock-runtime"]
    assert "InvokeEndpoint" in operations["sagemaker-runtime"]


def test_what_was_made_is_there_after_a_restart_and_after_a_kill(
    start_localaws: Callable[..., LocalAws], tmp_path: Path
) -> None:
    server = start_localaws(tmp_path)
    client = server.client("bedrock")
    words = {"wordsConfig": [{"text": "swordfish"}]}
    made = client.create_guardrail(
        name="kept", blockedInputMessaging="No.", blockedOutputsMessaging="No.",
        wordPolicyConfig=words,
    )  # fmt: skip
    assert server.stop() == 0
    server = start_localaws(tmp_path)
    kept = server.client("bedrock").get_guardrail(guardrailIdentifier=made["guardrailId"])
    assert kept["wordPolicy"]["words"][0]["text"] == "swordfish"
    server.client("bedrock").delete_guardrail(guardrailIdentifier=made["guardrailId"])
    server.kill()
    server = start_localaws(tmp_path)
    assert server.client("bedrock").list_guardrails()["guardrails"] == []


@pytest.mark.parametrize(
    ("client", "near"),
    [
        (("127.0.0.1", 5), True),
        (("127.8.0.1", 5), True),
        (("::1", 5), True),
        (("10.0.0.7", 5), False),
        (("localhost", 5), False),
        (None, False),
    ],
)
def test_faults_are_for_callers_on_the_same_machine(
    client: tuple[str, int] | None, near: bool
) -> None:
    injector, calls = Injector(), Calls()
    assert is_near(client) is near
    rules = b'[{"fault": "reset"}]'
    made = administer("PUT", "/_localaws/faults", rules, injector, calls, near=near)
    assert made.status == (200 if near else 403)
    assert len(injector.told()["rules"]) == near
    assert administer("GET", "/_localaws/health", b"", injector, calls, near=near).status == 200


def test_a_call_that_ends_after_all_was_forgotten_is_not_counted() -> None:
    calls = Calls()
    before = calls.era
    calls.forget()
    calls.add("runtime", "ConverseStream", "any", "disconnected", before)
    assert calls.told() == []
    calls.add("runtime", "ConverseStream", "any", "200", calls.era)
    assert [one["count"] for one in calls.told()] == [1]
