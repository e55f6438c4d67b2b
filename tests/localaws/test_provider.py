"""Airflow's amazon provider and langchain-aws work on localaws as they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.localaws.knowledge_bases import MANAGED, make, s3_source
from tests.services.localaws import ROOT, LocalAws
from tests.services.s3 import KEY, SECRET, Bucket

CANTEEN = "The canteen opens at noon and serves vegetarian dishes every day."


@pytest.fixture(scope="module")
def tasks(
    knowledge: LocalAws, s3_endpoint: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What each task of `tests.localaws.provider_tasks` returned."""
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=s3_endpoint,
        region_name="us-east-1",
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
    )
    client.create_bucket(Bucket="for-airflow")
    client.put_object(Bucket="for-airflow", Key="canteen.txt", Body=CANTEEN.encode())
    home: Path = tmp_path_factory.mktemp("airflow")
    who = knowledge.environment
    connection = {
        "conn_type": "aws",
        "login": who["AWS_ACCESS_KEY_ID"],
        "password": who["AWS_SECRET_ACCESS_KEY"],
        "extra": {"region_name": "us-east-1", "endpoint_url": knowledge.url},
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.localaws.provider_tasks", "for-airflow"],
        cwd=ROOT,
        env={
            **os.environ,
            **who,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
            "AIRFLOW_CONN_AWS_LOCAL": json.dumps(connection),
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_operators_sensors_and_triggers_fill_a_knowledge_base(tasks: dict[str, Any]) -> None:
    told = tasks["knowledge"]
    assert len({told["base"], told["deferred base"]}) == 2
    assert len({told["job"], told["deferred job"]}) == 2
    assert told["found"][0]["content"]["text"] == CANTEEN
    assert "noon" in told["answer"]["output"]["text"]
    (reference,) = told["answer"]["citations"][0]["retrievedReferences"]
    assert reference["location"]["s3Location"]["uri"] == "s3://for-airflow/canteen.txt"


def test_an_airflow_connection_leads_there_too(tasks: dict[str, Any]) -> None:
    assert tasks["knowledge"]["by connection"] == "from-airflow"


def test_the_operator_for_models_reads_native_bodies(tasks: dict[str, Any]) -> None:
    assert len(tasks["models"]["vector"]["embedding"]) == 256
    assert "noon" in tasks["models"]["text"]["content"][0]["text"]


def test_operators_for_guardrails_make_and_unmake_one(tasks: dict[str, Any]) -> None:
    told = tasks["guardrails"]
    assert told["again"] == told["made"]
    assert told["version"] == "1"


@pytest.fixture
def environment(knowledge: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in knowledge.environment.items():
        monkeypatch.setenv(name, value)


def test_langchains_retriever_finds_and_filters(
    knowledge: LocalAws, s3_bucket: Bucket, environment: None
) -> None:
    from langchain_aws.retrievers import AmazonKnowledgeBasesRetriever

    s3_bucket.put("canteen.txt", CANTEEN)
    s3_bucket.put("canteen.txt.metadata.json", '{"metadataAttributes": {"floor": 2}}')
    s3_bucket.put("badge.txt", "A lost badge is reported to the front desk.")
    base = make(knowledge, s3_source(s3_bucket))
    base.sync()

    def retriever(**vector: Any) -> Any:
        return AmazonKnowledgeBasesRetriever(
            knowledge_base_id=base.id,
            region_name="us-east-1",
            retrieval_config={"vectorSearchConfiguration": vector},
        )

    (document,) = retriever(numberOfResults=1).invoke("Where do I eat?")
    assert document.page_content == CANTEEN
    assert document.metadata["source_metadata"]["floor"] == 2
    assert document.metadata["location"]["s3Location"]["uri"].endswith("/canteen.txt")
    upstairs = retriever(filter={"greaterThan": {"key": "floor", "value": 1}})
    assert [one.page_content for one in upstairs.invoke("badge")] == [CANTEEN]


def test_langchains_agentic_retrieval_answers_from_a_managed_knowledge_base(
    knowledge: LocalAws, environment: None
) -> None:
    from langchain_aws.retrievers.bedrock import agentic_retrieve

    connector = {"connectorParameters": {"type": "CUSTOM", "version": "1"}}
    base = make(
        knowledge,
        {
            "type": "MANAGED_KNOWLEDGE_BASE_CONNECTOR",
            "managedKnowledgeBaseConnectorConfiguration": connector,
        },
        MANAGED,
        None,
    )
    base.send(canteen=CANTEEN, badge="A lost badge is reported to the front desk.")
    told = agentic_retrieve(
        base.id, "When does the canteen open?", generate_response=True, region_name="us-east-1"
    )
    assert told["results"][0]["content"]["text"] == CANTEEN
    answer = told["generatedResponse"]["answer"]
    assert "noon" in answer
    (citation,) = told["generatedResponse"]["citations"]
    assert answer[citation["startIndex"] : citation["endIndex"]] in CANTEEN
    assert citation["references"] == [{"resultIndex": 0}]
