"""What docs/localaws.md shows can be done as it is shown."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from localaws.faults import FAULTS, parse_rules
from localaws.signature import load_credentials
from tests.localaws.conftest import send
from tests.services.localaws import ROOT, LocalAws

TEXT = (ROOT / "docs" / "localaws.md").read_text()


def _blocks(language: str) -> Iterator[str]:
    yield from re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def test_the_faults_shown_are_all_there_are() -> None:
    (shown,) = (block for block in _blocks("yaml") if "fault:" in block)
    rules = parse_rules(yaml.safe_load(shown))
    assert [rule.fault for rule in rules] == list(FAULTS)
    assert {rule.seed for rule in rules} == {7}


def test_the_credentials_shown_are_read(tmp_path: Path) -> None:
    (shown,) = _blocks("json")
    (tmp_path / "keys.json").write_text(shown)
    assert set(load_credentials(tmp_path / "keys.json")) == {"ours", "old", "role"}


def test_the_environment_shown_is_the_one_announced(localaws: LocalAws) -> None:
    shown = dict(re.findall(r"^export (\w+)=(.*)$", TEXT, re.MULTILINE))
    announced = {
        name: value.replace(localaws.url, "http://127.0.0.1:8009")
        for name, value in localaws.environment.items()
    }
    assert shown == announced


def test_what_is_asked_without_a_signature_is_answered(
    start_localaws: Callable[..., LocalAws],
) -> None:
    server = start_localaws()
    lines = re.findall(r"^curl (.*)$", TEXT, re.MULTILINE)
    assert len(lines) == 7
    for line in lines:
        words = shlex.split(line)
        method = words[words.index("-X") + 1] if "-X" in words else "GET"
        body = words[words.index("-d") + 1].encode() if "-d" in words else None
        (url,) = (word for word in words if word.startswith("http://127.0.0.1:8009"))
        reply = send(server, method, url.removeprefix("http://127.0.0.1:8009"), body)
        assert reply.status == 200, line
        json.loads(reply.body)


def test_the_replies_shown_are_given(
    start_localaws: Callable[..., LocalAws], tmp_path: Path
) -> None:
    (shown,) = (block for block in _blocks("yaml") if "reply:" in block)
    replies = tmp_path / "replies.yaml"
    replies.write_text(shown)
    server = start_localaws(None, "--generator", "scripted", "--replies", str(replies))
    answer = server.client("bedrock-runtime").converse(
        modelId="anthropic.claude-3-haiku-20240307-v1:0",
        messages=[{"role": "user", "content": [{"text": "How long does a refund take?"}]}],
    )
    assert answer["output"]["message"]["content"] == [{"text": "Refunds take ten days. [1]"}]


def test_an_operation_of_ones_own_is_served(
    start_localaws: Callable[..., LocalAws], tmp_path: Path
) -> None:
    (shown,) = _blocks("python")
    (tmp_path / "my_operations.py").write_text(shown)
    server = start_localaws(
        tmp_path / "state", LOCALAWS_MODULES="my_operations", PYTHONPATH=str(tmp_path)
    )
    client = server.client("bedrock")
    assert client.get_imported_model(modelIdentifier="mine")["modelName"] == "mine"
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_imported_model(modelIdentifier="other")


def test_every_variable_shown_is_read_by_the_code() -> None:
    code = "".join(path.read_text() for path in (ROOT / "localaws").rglob("*.py"))
    for name in set(re.findall(r"LOCALAWS_\w+", TEXT)):
        assert f'"{name}"' in code, name
