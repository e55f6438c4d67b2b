"""What a DAG of the amazon provider does with Bedrock, task by task; run as a program.

Arguments: a bucket's name. Prints one JSON object: what each task returned.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import time
from typing import Any

from airflow.providers.amazon.aws.hooks.bedrock import BedrockAgentHook, BedrockHook
from airflow.providers.amazon.aws.operators.bedrock import (
    BedrockCreateDataSourceOperator,
    BedrockCreateGuardrailOperator,
    BedrockCreateGuardrailVersionOperator,
    BedrockCreateKnowledgeBaseOperator,
    BedrockDeleteGuardrailOperator,
    BedrockIngestDataOperator,
    BedrockInvokeModelOperator,
    BedrockRaGOperator,
    BedrockRetrieveOperator,
    BedrockUpdateGuardrailOperator,
)
from airflow.providers.amazon.aws.sensors.bedrock import (
    BedrockIngestionJobSensor,
    BedrockKnowledgeBaseActiveSensor,
)
from airflow.sdk.exceptions import TaskDeferred

from tests.localaws.knowledge_bases import EMBEDDING, ROLE, STORAGE

MODEL = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0"
CONNECTIONS = {"aws_conn_id": None, "region_name": "us-east-1"}


def run(operator: Any) -> Any:
    """Execute a task as a worker, and what it defers to as a triggerer does."""
    try:
        return operator.execute({})
    except TaskDeferred as deferred:
        path, arguments = deferred.trigger.serialize()
        module, _, name = path.rpartition(".")
        trigger = getattr(importlib.import_module(module), name)(**arguments)
        event = asyncio.run(_first(trigger))
        return getattr(operator, deferred.method_name)({}, event.payload)


async def _first(trigger: Any) -> Any:
    async for event in trigger.run():
        return event
    raise AssertionError("a trigger ends with an event")


def knowledge(bucket: str) -> dict[str, Any]:
    """From an empty account to a cited answer."""
    told: dict[str, Any] = {}
    told["base"] = base = run(
        BedrockCreateKnowledgeBaseOperator(
            task_id="base",
            name="from-airflow",
            embedding_model_arn=EMBEDDING,
            role_arn=ROLE,
            storage_config=STORAGE,
            waiter_delay=1,
            **CONNECTIONS,
        )
    )
    told["deferred base"] = run(
        BedrockCreateKnowledgeBaseOperator(
            task_id="deferred_base",
            name="from-airflow-later",
            embedding_model_arn=EMBEDDING,
            role_arn=ROLE,
            storage_config=STORAGE,
            waiter_delay=1,
            deferrable=True,
            **CONNECTIONS,
        )
    )
    run(
        BedrockKnowledgeBaseActiveSensor(
            task_id="active", knowledge_base_id=base, poke_interval=1, **CONNECTIONS
        )
    )
    told["source"] = source = run(
        BedrockCreateDataSourceOperator(
            task_id="source",
            name="bucket",
            knowledge_base_id=base,
            bucket_name=bucket,
            **CONNECTIONS,
        )
    )
    target = {"knowledge_base_id": base, "data_source_id": source, **CONNECTIONS}
    told["job"] = job = run(
        BedrockIngestDataOperator(task_id="job", wait_for_completion=False, **target)
    )
    run(BedrockIngestionJobSensor(task_id="ended", ingestion_job_id=job, poke_interval=1, **target))
    told["deferred job"] = run(
        BedrockIngestDataOperator(task_id="later", deferrable=True, waiter_delay=1, **target)
    )
    told["found"] = run(
        BedrockRetrieveOperator(
            task_id="found",
            retrieval_query="When does the canteen open?",
            knowledge_base_id=base,
            vector_search_config={"numberOfResults": 1},
            **CONNECTIONS,
        )
    )["retrievalResults"]
    told["answer"] = run(
        BedrockRaGOperator(
            task_id="answer",
            input="When does the canteen open?",
            source_type="KNOWLEDGE_BASE",
            model_arn=MODEL,
            knowledge_base_id=base,
            vector_search_config={"numberOfResults": 2},
            **CONNECTIONS,
        )
    )
    named = BedrockAgentHook(aws_conn_id="aws_local").conn
    told["by connection"] = named.get_knowledge_base(knowledgeBaseId=base)["knowledgeBase"]["name"]
    return told


def models() -> dict[str, Any]:
    """Models by their native bodies."""
    return {
        "vector": run(
            BedrockInvokeModelOperator(
                task_id="vector",
                model_id="amazon.titan-embed-text-v2:0",
                input_data={"inputText": "A text.", "dimensions": 256},
                **CONNECTIONS,
            )
        ),
        "text": run(
            BedrockInvokeModelOperator(
                task_id="text",
                model_id="anthropic.claude-3-haiku-20240307-v1:0",
                input_data={
                    "anthropic_version": "bedrock-2023-05-31",
                    "max_tokens": 100,
                    "messages": [
                        {
                            "role": "user",
                            "content": "Context: The canteen opens at noon.\n\n"
                            "Question: When does the canteen open?",
                        }
                    ],
                },
                **CONNECTIONS,
            )
        ),
    }


def guardrails() -> dict[str, Any]:
    """A guardrail's life."""
    said = {
        "blocked_input_messaging": "Not asked.",
        "blocked_outputs_messaging": "Not said.",
        "word_policy_config": {"wordsConfig": [{"text": "secret"}]},
    }
    create = BedrockCreateGuardrailOperator(
        task_id="create", guardrail_name="by-airflow", **said, **CONNECTIONS
    )
    told: dict[str, Any] = {"made": run(create), "again": run(create)}
    target = {"guardrail_identifier": told["made"], **CONNECTIONS}
    settled(told["made"])
    told["version"] = run(BedrockCreateGuardrailVersionOperator(task_id="version", **target))
    settled(told["made"])
    run(
        BedrockUpdateGuardrailOperator(
            task_id="update", guardrail_name="by-airflow", **said, **target
        )
    )
    settled(told["made"])
    run(BedrockDeleteGuardrailOperator(task_id="delete", **target))
    return told


def settled(guardrail: str) -> None:
    """Wait until a guardrail is ready; the provider has no sensor for that."""
    bedrock = BedrockHook(**CONNECTIONS).conn
    while bedrock.get_guardrail(guardrailIdentifier=guardrail)["status"] != "READY":
        time.sleep(0.05)


if __name__ == "__main__":
    result = {"knowledge": knowledge(sys.argv[1]), "models": models(), "guardrails": guardrails()}
    sys.stdout.write(json.dumps(result, default=str) + "\n")
