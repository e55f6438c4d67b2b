"""The policies in docs/iam allow what the code calls on AWS, each role its part, no more."""

from __future__ import annotations

import ast
import json
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from rag.corpus import Corpus
from samples.aws import account
from tests.conftest import Project
from tests.services.knowledge import knowledge, knowledge_server
from tests.services.localaws import LocalAws
from tests.services.opensearch import OpenSearch, opensearch, opensearch_url
from tests.services.s3 import s3_endpoint

__all__ = ["knowledge", "knowledge_server", "opensearch", "opensearch_url", "s3_endpoint"]

ROOT = Path(__file__).parent.parent
POLICIES = ROOT / "docs" / "iam"
SERVICES = (
    "bedrock",
    "bedrock-runtime",
    "bedrock-agent",
    "bedrock-agent-runtime",
    "s3",
    "sagemaker-runtime",
)
OTHER_MEANINGS = {"get_session"}
"""Words of the code that only look like an operation of AWS."""
WITHOUT_RESOURCES = {"bedrock:Rerank"}
"""Actions for which IAM knows no resource: ``*`` is all that can be said."""


@dataclass(frozen=True)
class Need:
    """An operation, the action that allows it, and the roles that call it.

    Attributes:
        by: The library that calls it for us, where no line of ours names the operation.
    """

    operation: str
    action: str
    roles: tuple[str, ...]
    by: str = ""


INGEST, RETRIEVE = ("ingest",), ("retrieve",)
BOTH = INGEST + RETRIEVE

NEEDS = (
    Need("bedrock-runtime:InvokeModel", "bedrock:InvokeModel", BOTH),
    Need("bedrock-runtime:Converse", "bedrock:InvokeModel", RETRIEVE),
    Need("bedrock-runtime:ConverseStream", "bedrock:InvokeModelWithResponseStream", RETRIEVE),
    Need("bedrock-runtime:CountTokens", "bedrock:CountTokens", RETRIEVE),
    Need("bedrock-runtime:ApplyGuardrail", "bedrock:ApplyGuardrail", BOTH),
    Need("bedrock-agent-runtime:Rerank", "bedrock:Rerank", RETRIEVE),
    Need("bedrock-agent-runtime:Retrieve", "bedrock:Retrieve", RETRIEVE),
    Need("bedrock-agent:StartIngestionJob", "bedrock:StartIngestionJob", INGEST),
    Need("bedrock-agent:GetIngestionJob", "bedrock:GetIngestionJob", INGEST),
    Need("bedrock-agent:ListIngestionJobs", "bedrock:ListIngestionJobs", INGEST),
    Need("bedrock-agent:GetDataSource", "bedrock:GetDataSource", INGEST),
    Need(
        "bedrock-agent:IngestKnowledgeBaseDocuments", "bedrock:IngestKnowledgeBaseDocuments", INGEST
    ),
    Need("bedrock-agent:ListKnowledgeBaseDocuments", "bedrock:ListKnowledgeBaseDocuments", INGEST),
    Need(
        "bedrock-agent:DeleteKnowledgeBaseDocuments", "bedrock:DeleteKnowledgeBaseDocuments", INGEST
    ),
    Need("sagemaker-runtime:InvokeEndpoint", "sagemaker:InvokeEndpoint", BOTH),
    Need(
        "sagemaker-runtime:InvokeEndpointWithResponseStream",
        "sagemaker:InvokeEndpointWithResponseStream",
        RETRIEVE,
    ),
    Need("s3:GetObject", "s3:GetObject", INGEST),
    Need("s3:ListObjectsV2", "s3:ListBucket", INGEST, by="s3fs"),
    Need("s3:HeadObject", "s3:GetObject", INGEST, by="s3fs"),
    Need("s3:PutObject", "s3:PutObject", INGEST, by="s3fs"),
    Need("s3:DeleteObjects", "s3:DeleteObject", INGEST, by="s3fs"),
    # Not ours by name: an encrypted bucket's key, and OpenSearch's own paths by method.
    Need("s3:GetObject (encrypted)", "kms:Decrypt", INGEST, by="S3"),
    Need("s3:PutObject (encrypted)", "kms:GenerateDataKey", INGEST, by="S3"),
    Need("GET", "es:ESHttpGet", BOTH, by="opensearch-py"),
    Need("HEAD", "es:ESHttpHead", INGEST, by="opensearch-py"),
    Need("POST", "es:ESHttpPost", BOTH, by="opensearch-py"),
    Need("PUT", "es:ESHttpPut", INGEST, by="opensearch-py"),
    Need("DELETE", "es:ESHttpDelete", INGEST, by="opensearch-py"),
    Need("any (Serverless)", "aoss:APIAccessAll", BOTH, by="opensearch-py"),
)


@cache
def operations() -> dict[str, set[str]]:
    """Return what boto3's methods are called: name to ``service:Operation`` of all services."""
    session = botocore.session.get_session()
    found: dict[str, set[str]] = {}
    for service in SERVICES:
        for name in session.get_service_model(service).operation_names:
            found.setdefault(xform_name(name), set()).add(f"{service}:{name}")
    return found


def called() -> Iterator[tuple[str, set[str]]]:
    """Yield where the product names a boto3 method, called or handed on, and what it may mean."""
    for room in ("rag", "connectors", "dags"):
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                word = ""
                if isinstance(node, ast.Attribute):
                    word = node.attr
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    word = node.value
                if word in operations().keys() - OTHER_MEANINGS:
                    place = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
                    yield f"{place} {word}", operations()[word]


def statements(name: str) -> list[dict[str, Any]]:
    policy = json.loads((POLICIES / f"{name}.json").read_text(encoding="utf-8"))
    assert policy["Version"] == "2012-10-17"
    return list(policy["Statement"])


def actions(name: str) -> set[str]:
    return {
        action
        for statement in statements(name)
        for action in (
            [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        )
    }


def test_every_operation_that_the_code_calls_is_listed_here_with_its_action() -> None:
    known = {need.operation for need in NEEDS}
    unknown = [place for place, meant in called() if not meant & known]
    assert unknown == []


def test_every_operation_listed_is_called() -> None:
    meant = set().union(*(meanings for _, meanings in called()))
    idle = {need.operation for need in NEEDS if not need.by} - meant
    assert idle == set()


@pytest.mark.parametrize("role", ["ingest", "retrieve"])
def test_a_role_may_do_what_it_calls_and_nothing_else(role: str) -> None:
    assert actions(role) == {need.action for need in NEEDS if role in need.roles}


@pytest.mark.parametrize("path", sorted(POLICIES.glob("*.json")), ids=lambda path: path.stem)
def test_policies_name_their_actions_and_resources(path: Path) -> None:
    for statement in statements(path.stem):
        assert statement["Effect"] == "Allow"
        assert re.fullmatch(r"[A-Za-z]+", statement["Sid"])
        for action in actions(path.stem):
            assert re.fullmatch(r"[a-z0-9]+:[A-Z][A-Za-z]+", action), action
        for resource in statement.get("Resource", []):
            free = set(statement["Action"]) <= WITHOUT_RESOURCES
            assert re.fullmatch(
                r"arn:aws:[a-z0-9]+:.*[A-Z]+.*|arn:aws:bedrock:REGION::.+", resource
            ) or (free and resource == "*"), resource


def test_who_answers_reads_no_document_and_who_ingests_calls_no_chat_model() -> None:
    assert not any(action.startswith(("s3:", "kms:")) for action in actions("retrieve"))
    models = [
        resource
        for statement in statements("ingest")
        if "bedrock:InvokeModel" in statement["Action"]
        for resource in statement["Resource"]
    ]
    assert len(models) == 1
    assert "embed" in models[0]


@pytest.fixture
def corpus(
    knowledge: LocalAws, opensearch: OpenSearch, make_project: Callable[..., Project]
) -> Corpus:
    """The sample corpus, as an account has it, over two documents."""
    project = make_project()
    made = account.create()
    for name in ("visiting-hours.txt", "fire-safety.html"):
        document = ROOT / "samples" / "handbook" / "hospital" / name
        project.write(name, document.read_bytes())
    account.upload(project.source)
    sample = (ROOT / "samples" / "aws" / "handbook.yaml").read_text(encoding="utf-8")
    text = made.corpus(sample, opensearch.url).replace(
        "replicas: 0", f"replicas: 0, index: {opensearch.index}"
    )
    project.path.write_text(text, encoding="utf-8")
    return project.corpus


def recorded(server: LocalAws, log: pytest.LogCaptureFixture) -> set[str]:
    """Return what was called since the last time, as `Need` names it."""
    calls = {f"{one['service']}:{one['operation']}" for one in server.call_counts()}
    methods = {
        word
        for record in log.records
        if record.name == "opensearch"
        for word in re.findall(r"^(GET|HEAD|POST|PUT|DELETE) ", record.getMessage())
    }
    server.forget_calls()
    log.clear()
    return calls | methods


def test_what_a_corpus_really_calls_is_allowed_to_its_role(
    corpus: Corpus, knowledge: LocalAws, caplog: pytest.LogCaptureFixture
) -> None:
    import rag.targets.opensearch  # noqa: F401  # it quiets that logger

    caplog.set_level(logging.INFO, "opensearch")
    allowed = {role: {one.operation for one in NEEDS if role in one.roles} for role in BOTH}
    recorded(knowledge, caplog)

    corpus.sync()
    ingesting = recorded(knowledge, caplog)
    assert {"bedrock-runtime:ApplyGuardrail", "bedrock-agent:StartIngestionJob", "PUT"} <= ingesting
    assert ingesting - allowed["ingest"] == set()

    # Whoever answers is another process, so nothing that ingesting looked up is known to it.
    asking = Corpus(corpus.loaded)
    for target in ("opensearch", "knowledge_base"):
        asking.ask("What are the visiting hours?", principals=["group:staff"], target=target)
    answering = recorded(knowledge, caplog)
    chat, search = "bedrock-runtime:ConverseStream", "bedrock-agent-runtime:Retrieve"
    assert {chat, search, "POST"} <= answering
    assert answering - allowed["retrieve"] == set()
