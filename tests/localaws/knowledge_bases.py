"""A knowledge base on localaws with a bucket on an S3 server behind it, for tests."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.services.localaws import LocalAws, start
from tests.services.s3 import Bucket

ROLE = "arn:aws:iam::123456789012:role/knowledge"
EMBEDDING = "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-embed-text-v2:0"
STORAGE = {
    "type": "OPENSEARCH_SERVERLESS",
    "opensearchServerlessConfiguration": {
        "collectionArn": "arn:aws:aoss:us-east-1:123456789012:collection/passages",
        "vectorIndexName": "passages",
        "fieldMapping": {"vectorField": "v", "textField": "t", "metadataField": "m"},
    },
}
VECTOR = {
    "type": "VECTOR",
    "vectorKnowledgeBaseConfiguration": {
        "embeddingModelArn": EMBEDDING,
        "embeddingModelConfiguration": {"bedrockEmbeddingModelConfiguration": {"dimensions": 256}},
    },
}
MANAGED = {
    "type": "MANAGED",
    "managedKnowledgeBaseConfiguration": {"embeddingModelType": "MANAGED"},
}
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def knowledge(tmp_path_factory: pytest.TempPathFactory, s3_endpoint: str) -> Iterator[LocalAws]:
    """A server with an S3 server behind it, whose jobs are quick."""
    server = start(
        tmp_path_factory.mktemp("knowledge"),
        environment={
            "AWS_ENDPOINT_URL_S3": s3_endpoint,
            "LOCALAWS_INGESTION_SECONDS": "0.3",
            "LOCALAWS_SETTLE_SECONDS": "0.1",
        },
    )
    yield server
    server.stop()


def eventually(look: Callable[[], Any], wanted: Callable[[Any], bool], seconds: float = 20) -> Any:
    """Return what `look` sees as soon as it is wanted; fail when it never is."""
    until = time.monotonic() + seconds
    while True:
        seen = look()
        if wanted(seen):
            return seen
        assert time.monotonic() < until, seen
        time.sleep(0.03)


@dataclass
class Base:
    """One knowledge base and one data source of it."""

    server: LocalAws
    id: str
    source: str
    agent: Any = field(repr=False)
    runtime: Any = field(repr=False)

    @property
    def ids(self) -> dict[str, str]:
        return {"knowledgeBaseId": self.id, "dataSourceId": self.source}

    def sync(self) -> dict[str, Any]:
        """Run an ingestion job to its end; return it."""
        job = self.agent.start_ingestion_job(**self.ids)["ingestionJob"]["ingestionJobId"]
        return self.ended(job)

    def ended(self, job: str) -> dict[str, Any]:
        final = ("COMPLETE", "FAILED", "STOPPED")
        return eventually(lambda: self.job(job), lambda one: one["status"] in final)

    def job(self, job: str) -> dict[str, Any]:
        return self.agent.get_ingestion_job(**self.ids, ingestionJobId=job)["ingestionJob"]

    def search(
        self, text: str, user: str | None = None, managed: bool = False, **configuration: Any
    ) -> list[dict[str, Any]]:
        """Return the results of a search; options go to its configuration."""
        who = {} if user is None else {"userContext": {"userId": user}}
        kind = "managedSearchConfiguration" if managed else "vectorSearchConfiguration"
        found: list[dict[str, Any]] = self.runtime.retrieve(
            knowledgeBaseId=self.id,
            retrievalQuery={"text": text},
            retrievalConfiguration={kind: configuration},
            **who,
        )["retrievalResults"]
        return found

    def statuses(self) -> dict[str, str]:
        """Return the status of each document by name."""
        pages = self.agent.get_paginator("list_knowledge_base_documents").paginate(**self.ids)
        found = (one for page in pages for one in page["documentDetails"])
        return {named(one["identifier"]): one["status"] for one in found}

    def send(self, **texts: str) -> list[dict[str, Any]]:
        """Ingest texts directly; return their details once nothing moves any more."""
        self.agent.ingest_knowledge_base_documents(
            **self.ids, documents=[sent(name, text) for name, text in texts.items()]
        )
        return self.settled(*texts)

    def settled(self, *names: str) -> list[dict[str, Any]]:
        moving = ("STARTING", "PENDING", "IN_PROGRESS", "DELETING", "DELETE_IN_PROGRESS")
        asked = [{"dataSourceType": "CUSTOM", "custom": {"id": name}} for name in names]
        return eventually(
            lambda: self.agent.get_knowledge_base_documents(**self.ids, documentIdentifiers=asked)[
                "documentDetails"
            ],
            lambda found: not any(one["status"] in moving for one in found),
        )


def named(identifier: Mapping[str, Any]) -> str:
    """Return a document's name from its identifier."""
    return identifier["s3"]["uri"] if "s3" in identifier else identifier["custom"]["id"]


def sent(name: str, text: str, **metadata: Any) -> dict[str, Any]:
    """Return a document for direct ingestion."""
    document: dict[str, Any] = {
        "content": {
            "dataSourceType": "CUSTOM",
            "custom": {
                "customDocumentIdentifier": {"id": name},
                "sourceType": "IN_LINE",
                "inlineContent": {"type": "TEXT", "textContent": {"data": text}},
            },
        }
    }
    if metadata:
        document["metadata"] = {"type": "IN_LINE_ATTRIBUTE", **metadata}
    return document


def attribute(key: str, value: Any) -> dict[str, Any]:
    """Return an attribute as direct ingestion takes it."""
    members = {bool: ("BOOLEAN", "booleanValue"), str: ("STRING", "stringValue")}
    members |= {list: ("STRING_LIST", "stringListValue")}
    kind, member = members.get(type(value), ("NUMBER", "numberValue"))
    return {"key": key, "value": {"type": kind, member: value}}


def make(
    server: LocalAws,
    source: Mapping[str, Any],
    configuration: Mapping[str, Any] = VECTOR,
    storage: Mapping[str, Any] | None = STORAGE,
    **options: Any,
) -> Base:
    """Make a knowledge base with one data source, ready for documents."""
    agent, runtime = server.client("bedrock-agent"), server.client("bedrock-agent-runtime")
    number = next(_numbers)
    kept = {} if storage is None else {"storageConfiguration": storage}
    base = agent.create_knowledge_base(
        name=f"base-{number}", roleArn=ROLE, knowledgeBaseConfiguration=configuration, **kept
    )["knowledgeBase"]["knowledgeBaseId"]
    eventually(
        lambda: agent.get_knowledge_base(knowledgeBaseId=base)["knowledgeBase"]["status"],
        lambda status: status == "ACTIVE",
    )
    made = agent.create_data_source(
        knowledgeBaseId=base, name="source", dataSourceConfiguration=source, **options
    )["dataSource"]["dataSourceId"]
    eventually(
        lambda: agent.get_data_source(knowledgeBaseId=base, dataSourceId=made)["dataSource"][
            "status"
        ],
        lambda status: status == "AVAILABLE",
    )
    return Base(server, base, made, agent, runtime)


def s3_source(bucket: Bucket, *prefixes: str) -> dict[str, Any]:
    """Return the configuration of a data source that reads a bucket."""
    s3: dict[str, Any] = {"bucketArn": f"arn:aws:s3:::{bucket.name}"}
    if prefixes:
        s3["inclusionPrefixes"] = list(prefixes)
    return {"type": "S3", "s3Configuration": s3}


def chunked(strategy: str, **members: Any) -> dict[str, Any]:
    """Return the option of a data source that chunks like this."""
    return {
        "vectorIngestionConfiguration": {
            "chunkingConfiguration": {"chunkingStrategy": strategy, **members}
        }
    }


def describe(bucket: Bucket, key: str, acl: Any = None, **attributes: Any) -> None:
    """Write a document's metadata file."""
    content: dict[str, Any] = {"metadataAttributes": attributes}
    if acl is not None:
        content["accessControlList"] = acl
    bucket.put(f"{key}.metadata.json", json.dumps(content))
