"""Two targets of one corpus hold what the ledger says, whatever happens to it and to its runs."""

from __future__ import annotations

import itertools
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Literal

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.ingest.pipeline import Options, Pipeline
from rag.ledger import documents
from tests.conftest import Project
from tests.killed import killed_at
from tests.services.knowledge import knowledge, knowledge_server, make_base
from tests.services.localaws import LocalAws
from tests.services.opensearch import opensearch_url
from tests.services.s3 import KEY, SECRET, Bucket, s3_endpoint

__all__ = ["knowledge", "knowledge_server", "opensearch_url", "s3_endpoint"]

pytestmark = pytest.mark.timeout(1200)

NAMES = ("a", "b", "c", "d")
READERS = ("group:staff", "user:ana", "group:board")
WATCHED = ("rag.ledger", "rag.targets", "rag.ingest.sync", "rag.ingest.settle", "rag.ingest.verify")

Change = tuple[Literal["write", "delete", "rights"], str, int]

changes = st.one_of(
    st.tuples(st.just("write"), st.sampled_from(NAMES), st.integers(0, 5)),
    st.tuples(st.just("write"), st.sampled_from(NAMES), st.integers(0, 5)),
    st.tuples(st.just("delete"), st.sampled_from(NAMES), st.just(0)),
    st.tuples(st.just("rights"), st.sampled_from(NAMES), st.integers(0, 6)),
)
runs = st.tuples(
    st.lists(changes, min_size=1, max_size=4),
    # The call at which it is killed; None: it is left alone.
    st.one_of(st.none(), st.integers(1, 1000), st.integers(1, 200)),
)


_numbers = itertools.count(1)


@pytest.fixture
def make(
    knowledge: LocalAws, s3_endpoint: str, opensearch_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Project]]:
    """Make a corpus in two targets of its own, which gets documents into one of them in a way."""
    from opensearchpy import OpenSearch

    indexes = OpenSearch(hosts=[opensearch_url])
    keys: list[Path] = []
    with ExitStack() as folders:

        def made(way: str) -> Project:
            root = Path(folders.enter_context(tempfile.TemporaryDirectory()))
            number = next(_numbers)
            monkeypatch.setenv("SLUICE_HOME", str(root / "home"))
            (root / "source").mkdir()
            if keys:  # one key for all: what is loaded for it is loaded once
                shutil.copytree(keys[0], root / "home" / "keys")
            bucket = Bucket(f"follow-{number}", s3_endpoint, s3) if way == "s3" else None
            if bucket:
                s3.create_bucket(Bucket=bucket.name)
            base = make_base(knowledge.client("bedrock-agent"), bucket)
            indexes.indices.delete(index=f"follow-{number - 1}-*", ignore_unavailable=True)
            index = {
                "kind": "opensearch",
                "url": opensearch_url,
                "index": f"follow-{number}",
                "replicas": 0,
            }
            project = Project(root / "notes.yaml", root / "source", root / "home")
            targets = json.dumps([index, base.settings()])
            project.settings(f"targets: {targets}\naws: {{region: us-east-1}}")
            Pipeline.open(project.path).context.key  # noqa: B018  # makes it
            keys.append(project.home / "keys")
            return project

        s3 = boto3.client(
            "s3",
            endpoint_url=s3_endpoint,
            region_name="us-east-1",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
        )
        yield made


def run(project: Project, name: str, call: int | None = None) -> None:
    """One run, as its tasks do it one after another; killed, it leaves everything as it is."""
    pipeline = Pipeline.open(project.path)
    with nullcontext() if call is None else killed_at(call, WATCHED):
        plan = pipeline.plan(name, Options(allow_mass_delete=True))
        for shard in plan.shards:
            pipeline.shard(name, shard)
        pipeline.sync(name)
        pipeline.settle(name)
        pipeline.verify(name)
        pipeline.publish(name)
    pipeline.context.ledger.close()


def change(project: Project, what: Change) -> None:
    kind, name, number = what
    path = project.source / f"{name}.txt"
    rights = project.source / f"{name}.txt.acl.yaml"
    if kind == "delete":
        path.unlink(missing_ok=True)
        rights.unlink(missing_ok=True)
    elif kind == "write":
        # Two passages or more, so that a document can be there in part.
        parts = [f"# Part {part}\n\nPump {name}{number} of hall {part}.\n" for part in range(2)]
        path.write_text(("\n".join(parts) + "\n") * (1 + number % 2))
    elif path.exists():
        allowed = [one for bit, one in enumerate(READERS) if number >> bit & 1]
        rights.write_text(f"allow: {json.dumps(allowed)}")


def said(project: Project) -> dict[str, tuple[str, int, tuple[str, ...]]]:
    """Digest, passages and rights of each document that the ledger knows."""
    context = project.corpus._context
    with context.ledger.read() as db:
        entries = documents.entries(db, "notes")
    return {
        one.document_id: (one.digest, one.chunk_count, tuple(sorted(one.acl))) for one in entries
    }


def held(project: Project, target: str) -> dict[str, tuple[str, int, tuple[str, ...]]]:
    """The same of what a target really holds."""
    inventory = project.corpus._context.targets[target].inventory()
    return {
        name: (one.digest, len(one.chunks), tuple(sorted(one.acl)))
        for name, one in inventory.items()
    }


def found(project: Project, target: str) -> dict[str, set[str]]:
    """Documents that each reader finds in a target."""
    return {
        reader: {
            str(hit.document)
            for hit in project.corpus.search("pump", principals=[reader], k=50, target=target)
        }
        for reader in READERS
    }


def readable(project: Project) -> dict[str, set[str]]:
    """Documents that each reader may read, by the source itself."""
    may: dict[str, set[str]] = {reader: set() for reader in READERS}
    for path in project.source.glob("*.txt"):
        rights = project.source / f"{path.name}.acl.yaml"
        allowed = (
            json.loads(rights.read_text().removeprefix("allow: "))
            if rights.exists()
            else ["group:staff"]
        )
        for reader in allowed:
            may[reader].add(path.name)
    return may


@settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(sequence=st.lists(runs, min_size=1, max_size=3), way=st.sampled_from(["s3", "direct"]))
def test_both_targets_hold_what_the_ledger_says_after_any_changes_and_crashes(
    sequence: list[tuple[list[Change], int | None]],
    way: str,
    make: Callable[[str], Project],
) -> None:
    project = make(way)
    for number, (some, call) in enumerate(sequence):
        for one in some:
            change(project, one)
        run(project, f"run-{number}", call)
    run(project, "last")
    expected = said(project)
    assert len(expected) == len(list(project.source.glob("*.txt")))
    for target in ("opensearch", "knowledge_base"):
        assert held(project, target) == expected, target
        assert found(project, target) == readable(project), target
