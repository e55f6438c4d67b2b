"""The whole path while everything it calls is busy or broken: the same two indexes, few calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Project
from tests.services.knowledge import knowledge, knowledge_server, make_base
from tests.services.localaws import LocalAws
from tests.services.opensearch import OpenSearch
from tests.services.opensearch_faults import Busy, busy
from tests.services.s3 import Bucket, s3_bucket, s3_endpoint

__all__ = ["knowledge", "knowledge_server", "s3_bucket", "s3_endpoint"]

DOCUMENTS = 16
OPERATIONS = ("InvokeModel", "ApplyGuardrail", "IngestKnowledgeBaseDocuments")
FAULTS = (
    {"fault": "throttle", "probability": 0.3, "seed": 1},
    {"fault": "status", "status": 503, "probability": 0.02, "seed": 2},
    {"fault": "reset", "probability": 0.02, "seed": 3},
)


@dataclass
class Seen:
    """What one sync left, and what it took.

    Attributes:
        held: By target and document: digest, rights and chunk ids.
        calls: By operation; ``_bulk`` to the cluster.
    """

    held: Mapping[str, Any]
    calls: dict[str, int] = field(default_factory=dict)


@pytest.fixture
def synced(
    make_project: Callable[..., Project],
    knowledge: LocalAws,
    opensearch: OpenSearch,
    s3_bucket: Bucket,
    tmp_path: Path,
) -> Callable[..., Seen]:
    """A function that syncs the same documents into new indexes, with faults or without."""
    guardrail = knowledge.client("bedrock").create_guardrail(
        name=f"net-{s3_bucket.name}",
        blockedInputMessaging="no",
        blockedOutputsMessaging="no",
        sensitiveInformationPolicyConfig={
            "piiEntitiesConfig": [{"type": "URL", "action": "ANONYMIZE"}]
        },
    )["guardrailId"]

    @contextmanager
    def troubled(faults: bool) -> Iterator[Busy]:
        with ExitStack() as stack:
            how = {"items": 0.3, "requests": 0.02, "resets": 0.02} if faults else {}
            if faults:
                stack.enter_context(knowledge.faults(*FAULTS))
            yield stack.enter_context(busy(opensearch.url, **how))

    def sync(name: str, *, faults: bool) -> Seen:
        first = tmp_path / "first"
        project = make_project(tmp_path / name, key_from=first if first.exists() else None)
        base = make_base(knowledge.client("bedrock-agent"), None)
        for number in range(DOCUMENTS):
            lines = [
                f"Pump P{number} part {part} rests {part + 2} days: see pumps.example.com/{part}."
                for part in range(40)
            ]
            project.write(f"p{number}.txt", " ".join(lines))
        knowledge.forget_calls()
        with troubled(faults) as cluster:
            settings = {
                "privacy": {"guardrail": {"id": guardrail, "on": ["documents"]}},
                "embed": {"model": "bedrock/amazon.titan-embed-text-v2:0", "dimensions": 256},
                "targets": [
                    {
                        "kind": "opensearch",
                        "url": cluster.url,
                        "index": f"sluice-{s3_bucket.name}-{name}",
                        "bulk_bytes": 60_000,
                        "replicas": 0,
                    },
                    base.settings(),
                ],
                "aws": {"region": "us-east-1"},
            }
            project.settings(yaml.safe_dump(settings))
            assert project.sync(workers=1).documents["quarantined"] == 0
            calls = {one: knowledge.calls(one) for one in OPERATIONS}
            calls["_bulk"] = cluster.calls["_bulk"]
            targets = project.corpus._context.targets
            held = {kind: dict(target.inventory()) for kind, target in targets.items()}
        return Seen(held, calls)

    return sync


def test_the_indexes_are_the_same_as_without_faults_for_less_than_twice_the_calls(
    synced: Callable[..., Seen],
) -> None:
    plain = synced("first", faults=False)
    troubled = synced("second", faults=True)
    assert set(plain.held) == {"opensearch", "knowledge_base"}
    assert len(plain.held["opensearch"]) == len(plain.held["knowledge_base"]) == DOCUMENTS
    assert troubled.held == plain.held
    ideal, made = sum(plain.calls.values()), sum(troubled.calls.values())
    assert troubled.calls["_bulk"] > plain.calls["_bulk"]
    assert ideal < made <= 2 * ideal
