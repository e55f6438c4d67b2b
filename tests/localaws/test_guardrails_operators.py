"""Airflow's amazon provider works with our guardrails unchanged."""

from __future__ import annotations

import time
from typing import Any

import pytest
from airflow.exceptions import AirflowException
from airflow.providers.amazon.aws.operators.bedrock import (
    BedrockCreateGuardrailOperator,
    BedrockCreateGuardrailVersionOperator,
    BedrockDeleteGuardrailOperator,
    BedrockUpdateGuardrailOperator,
)
from botocore.exceptions import ClientError

from tests.services.localaws import LocalAws

WORDS = {"wordsConfig": [{"text": "project heron"}]}
COMMON: dict[str, Any] = {
    "guardrail_name": "operated",
    "blocked_input_messaging": "Not asked.",
    "blocked_outputs_messaging": "Not said.",
}


def run(operator: type, **arguments: Any) -> Any:
    return operator(task_id="task", aws_conn_id=None, **arguments).execute({})


def ready(aws: LocalAws, guardrail: str) -> dict[str, Any]:
    client = aws.client("bedrock")
    while True:
        shown: dict[str, Any] = client.get_guardrail(guardrailIdentifier=guardrail)
        if shown["status"] == "READY":
            return shown
        time.sleep(0.05)


def test_operators_create_version_update_and_delete(aws: LocalAws) -> None:
    create: dict[str, Any] = {
        **COMMON,
        "word_policy_config": WORDS,
        "sensitive_information_policy_config": {
            "piiEntitiesConfig": [{"type": "EMAIL", "action": "ANONYMIZE"}]
        },
        "tags": [{"key": "team", "value": "search"}],
    }
    made = run(BedrockCreateGuardrailOperator, **create)
    assert run(BedrockCreateGuardrailOperator, **create, if_exists="skip") == made
    with pytest.raises((ClientError, AirflowException), match="ConflictException"):
        run(BedrockCreateGuardrailOperator, **create, if_exists="fail")
    ready(aws, made)
    version = run(BedrockCreateGuardrailVersionOperator, guardrail_identifier=made)
    assert version == "1"
    ready(aws, made)
    changed = {"wordsConfig": [{"text": "blue crane"}]}
    run(
        BedrockUpdateGuardrailOperator,
        guardrail_identifier=made,
        **COMMON,
        word_policy_config=changed,
    )
    shown = ready(aws, made)
    assert shown["wordPolicy"]["words"][0]["text"] == "blue crane"
    assert "sensitiveInformationPolicy" not in shown
    run(BedrockDeleteGuardrailOperator, guardrail_identifier=made, guardrail_version="1")
    run(BedrockDeleteGuardrailOperator, guardrail_identifier=made)
    client = aws.client("bedrock")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_guardrail(guardrailIdentifier=made)
