"""Knowledge bases for tests, on localaws: over a bucket, or for documents handed over by API."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rag.aws import forget_clients
from rag.config import CorpusConfig, KnowledgeBaseTarget
from tests.services.localaws import LocalAws, start
from tests.services.s3 import KEY, SECRET, Bucket

ROLE = "arn:aws:iam::123456789012:role/knowledge-base"
TITAN = "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-embed-text-v2:0"
NONE = {"chunkingConfiguration": {"chunkingStrategy": "NONE"}}
PREFIX = "corpus"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Base:
    """A knowledge base with one data source.

    Attributes:
        bucket: None for one that documents are handed to.
    """

    agent: Any = field(repr=False)
    id: str
    data_source: str
    bucket: Bucket | None = None

    def settings(self, **more: Any) -> dict[str, Any]:
        """Return what a corpus file says of it as a target."""
        way = (
            {"ingest": "direct"} if self.bucket is None else {"url": f"{self.bucket.url}/{PREFIX}"}
        )
        return {
            "kind": "knowledge_base",
            "id": self.id,
            "data_source": self.data_source,
            **way,
            **more,
        }

    def target(self, **more: Any) -> KnowledgeBaseTarget:
        return KnowledgeBaseTarget.model_validate(self.settings(**more))

    def statuses(self) -> dict[str, str]:
        """What the service says of each document, by its address."""
        pages = self.agent.get_paginator("list_knowledge_base_documents").paginate(
            knowledgeBaseId=self.id, dataSourceId=self.data_source
        )
        return {
            (one["identifier"].get("s3") or {}).get("uri")
            or one["identifier"]["custom"]["id"]: one["status"]
            for page in pages
            for one in page["documentDetails"]
        }

    def stop(self, job: str) -> None:
        """Stop an ingestion job, and wait until it has."""
        named = {
            "knowledgeBaseId": self.id,
            "dataSourceId": self.data_source,
            "ingestionJobId": job,
        }
        self.agent.stop_ingestion_job(**named)
        _await(lambda: self.agent.get_ingestion_job(**named)["ingestionJob"]["status"] == "STOPPED")

    def jobs(self) -> list[dict[str, Any]]:
        """All ingestion jobs, the latest first."""
        found: list[dict[str, Any]] = self.agent.list_ingestion_jobs(
            knowledgeBaseId=self.id,
            dataSourceId=self.data_source,
            sortBy={"attribute": "STARTED_AT", "order": "DESCENDING"},
        )["ingestionJobSummaries"]
        return found


def corpus(**settings: Any) -> CorpusConfig:
    """The configuration of a corpus named ``notes`` that nobody syncs."""
    return CorpusConfig.model_validate(
        {"corpus": "notes", "source": {"url": "."}, "aws": {"region": "us-east-1"}, **settings}
    )


def make_base(
    agent: Any, bucket: Bucket | None, source: dict[str, Any] | None = None, **configuration: Any
) -> Base:
    """Make a knowledge base whose data source reads the bucket, or takes documents by API.

    Args:
        source: Configuration of the data source, where it is another one.
        configuration: Of the knowledge base, likewise.
    """
    name = f"base-{next(_numbers)}-{time.time_ns()}"
    kind = {
        "type": "VECTOR",
        "vectorKnowledgeBaseConfiguration": {"embeddingModelArn": TITAN},
    }
    stored = {
        "type": "OPENSEARCH_SERVERLESS",
        "opensearchServerlessConfiguration": {
            "collectionArn": "arn:aws:aoss:us-east-1:123456789012:collection/abcdefghij0123456789",
            "vectorIndexName": "vectors",
            "fieldMapping": {"vectorField": "v", "textField": "t", "metadataField": "m"},
        },
    }
    storage = {} if "knowledgeBaseConfiguration" in configuration else {
        "storageConfiguration": stored
    }  # fmt: skip
    base = agent.create_knowledge_base(
        name=name,
        roleArn=ROLE,
        **{"knowledgeBaseConfiguration": kind, **storage, **configuration},
    )["knowledgeBase"]["knowledgeBaseId"]
    _await(
        lambda: (
            agent.get_knowledge_base(knowledgeBaseId=base)["knowledgeBase"]["status"] == "ACTIVE"
        )
    )
    where: dict[str, Any] = {"type": "CUSTOM"}
    if bucket is not None:
        where = {
            "type": "S3",
            "s3Configuration": {
                "bucketArn": f"arn:aws:s3:::{bucket.name}",
                "inclusionPrefixes": [f"{PREFIX}/"],
            },
        }
    made = agent.create_data_source(
        knowledgeBaseId=base,
        name=name,
        dataSourceConfiguration=source or where,
        # What has a managed embedding model cuts as it likes.
        **({} if source else {"vectorIngestionConfiguration": NONE}),
    )["dataSource"]["dataSourceId"]
    _await(
        lambda: (
            agent.get_data_source(knowledgeBaseId=base, dataSourceId=made)["dataSource"]["status"]
            == "AVAILABLE"
        )
    )
    return Base(agent, base, made, bucket)


def _await(there: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not there():
        assert time.monotonic() < until
        time.sleep(0.05)


def beside(s3_endpoint: str, state: Path, seconds: float) -> LocalAws:
    """Start a localaws that reads the S3 server; an ingestion takes so long at least."""
    return start(
        state,
        environment={
            "AWS_ENDPOINT_URL_S3": s3_endpoint,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "LOCALAWS_INGESTION_SECONDS": str(seconds),
            "LOCALAWS_SETTLE_SECONDS": "0",
        },
    )


@pytest.fixture(scope="session")
def knowledge_server(
    s3_endpoint: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalAws]:
    """localaws beside the tests' S3 server, where ingestion takes no longer than it must."""
    server = beside(s3_endpoint, tmp_path_factory.mktemp("knowledge"), 0.05)
    yield server
    server.stop()


@pytest.fixture
def knowledge(
    knowledge_server: LocalAws, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> LocalAws:
    """That server, with the environment in which the product finds it and the S3 server."""
    use(knowledge_server, s3_endpoint, monkeypatch)
    return knowledge_server


def use(server: LocalAws, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every client of the product that is made from now on talk to these two."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_endpoint)
    forget_clients()


@pytest.fixture(params=["s3", "direct"])
def base(request: pytest.FixtureRequest, knowledge: LocalAws, s3_bucket: Bucket) -> Base:
    """A knowledge base of the test's own, in each way that documents can get into it."""
    bucket = s3_bucket if request.param == "s3" else None
    return make_base(knowledge.client("bedrock-agent"), bucket)


@pytest.fixture(params=["s3", "direct", "ministack"])
def any_base(request: pytest.FixtureRequest) -> Base:
    """The same, and one over a bucket of a server that we did not write."""
    if request.param != "ministack":
        bucket = request.getfixturevalue("s3_bucket") if request.param == "s3" else None
        return make_base(request.getfixturevalue("knowledge").client("bedrock-agent"), bucket)
    server = request.getfixturevalue("ministack")
    server.use(request.getfixturevalue("monkeypatch"))
    s3, name = server.client("s3"), f"knowledge-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    return make_base(server.client("bedrock-agent"), Bucket(name, server.endpoint, s3))


@pytest.fixture
def slow_base(
    s3_bucket: Bucket, s3_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Base]:
    """One over a bucket, whose jobs take long enough to be stopped."""
    server = beside(s3_endpoint, tmp_path / "slow", 3)
    use(server, s3_endpoint, monkeypatch)
    yield make_base(server.client("bedrock-agent"), s3_bucket)
    server.stop()


@pytest.fixture
def s3_base(knowledge: LocalAws, s3_bucket: Bucket) -> Base:
    """One over a bucket."""
    return make_base(knowledge.client("bedrock-agent"), s3_bucket)
