"""A corpus kept in two targets at once, one of them a knowledge base."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from rag.ingest.pipeline import Options, Pipeline
from rag.ingest.verify import compare
from rag.ledger import documents
from tests.conftest import Project
from tests.services.knowledge import (
    Base,
    base,
    knowledge,
    knowledge_server,
    s3_base,
    slow_base,
)
from tests.services.localaws import LocalAws
from tests.services.s3 import s3_bucket, s3_endpoint

__all__ = [
    "base",
    "knowledge",
    "knowledge_server",
    "s3_base",
    "s3_bucket",
    "s3_endpoint",
    "slow_base",
]

STAFF = ["group:staff"]


def text(number: int) -> str:
    return f"Procedure {number}. The pump in room {number} is checked by the night shift."


@pytest.fixture
def project(make_project: Callable[..., Project], base: Base) -> Project:
    return declared(make_project(), base)


def declared(made: Project, base: Base, more: str = "") -> Project:
    targets = json.dumps([{"kind": "embedded"}, base.settings()])
    made.settings(f"targets: {targets}\naws: {{region: us-east-1}}\n{more}")
    for number in range(3):
        made.write(f"p{number}.txt", text(number))
    return made


def held(project: Project) -> dict[str, dict[str, Any]]:
    """What each target really holds; asserted to be what the ledger says."""
    context = project.corpus._context
    with context.ledger.read() as db:
        expected = {one.document_id: one for one in documents.entries(db, "notes")}
    inventories = {name: dict(one.inventory()) for name, one in context.targets.items()}
    for name, inventory in inventories.items():
        assert not compare(expected, inventory), name
    return inventories


def names(project: Project, target: str, principals: list[str] = STAFF) -> set[str]:
    hits = project.corpus.search("pump room", principals=principals, k=50, target=target)
    return {str(hit.document) for hit in hits}


def test_both_targets_follow_the_source(project: Project) -> None:
    first = project.sync()
    assert (first.documents["new"], first.chunks) == (3, 3)
    held(project)
    project.write("p1.txt", text(41))
    project.remove("p2.txt")
    project.write("p0.txt.acl.yaml", "allow: [user:ana]")
    second = project.sync()
    assert second.documents["deleted"] == second.documents["changed"] == 1
    assert second.documents["acl"] == 1
    assert not second.repaired
    both = held(project)
    assert len(both["knowledge_base"]) == 2
    for target in both:
        assert names(project, target) == {"p1.txt"}
        assert names(project, target, ["user:ana"]) == {"p0.txt"}
    assert not any(project.sync().repaired.values())


def test_an_answer_cites_the_same_passage_from_either_target(project: Project) -> None:
    project.sync()
    question = "Who checks the pump in room 2?"
    first, second = (
        project.corpus.ask(question, principals=STAFF, target=name)
        for name in ("embedded", "knowledge_base")
    )
    assert not first.abstained
    assert first.text == second.text
    assert [(one.document, one.chunk, one.quote) for one in first.citations] == [
        (one.document, one.chunk, one.quote) for one in second.citations
    ]


def test_nothing_is_written_or_ingested_when_nothing_changed(
    make_project: Callable[..., Project], s3_base: Base, knowledge: LocalAws
) -> None:
    project = declared(make_project(), s3_base)
    project.sync()
    jobs = s3_base.jobs()
    project.sync()
    assert s3_base.jobs() == jobs


def test_a_document_that_the_service_refuses_waits_in_quarantine_and_is_served_elsewhere(
    make_project: Callable[..., Project], s3_base: Base
) -> None:
    project = declared(make_project(), s3_base)
    crowd = ", ".join(f"group:g{number}" for number in range(11))
    project.write("p0.txt.acl.yaml", f"allow: [{crowd}]")
    report = project.sync()
    assert report.documents["quarantined"] == 1
    [entry] = project.corpus.quarantine()
    assert (entry.step, entry.code, entry.served) == ("sync", "refused_by_target", True)
    assert entry.reason.startswith("It was refused by target knowledge_base: ")
    assert (entry.name, entry.transient) == ("p0.txt", False)
    assert names(project, "embedded", ["group:g3"]) == {"p0.txt"}
    assert names(project, "knowledge_base", ["group:g3", *STAFF]) == {"p1.txt", "p2.txt"}
    assert not any("/p0" in uri for uri in s3_base.statuses())

    # It is not tried again, nor missed, while nothing changes.
    jobs = s3_base.jobs()
    again = project.sync()
    assert (again.documents["quarantined"], again.documents["unchanged"]) == (1, 2)
    assert not any(again.repaired.values())
    assert s3_base.jobs() == jobs

    # What else a target misses is brought, whatever another one refused.
    context = project.corpus._context
    context.targets["embedded"].apply([], [entry.document_id])
    assert project.sync().repaired["missing"] == 1
    assert names(project, "embedded", ["group:g3"]) == {"p0.txt"}

    # A change is another try.
    project.write("p0.txt.acl.yaml", "allow: [group:g3]")
    project.write("p0.txt", text(77))
    assert project.sync().documents["quarantined"] == 0
    held(project)
    assert names(project, "knowledge_base", ["group:g3"]) == {"p0.txt"}


def test_a_deleted_document_leaves_quarantine_too(
    make_project: Callable[..., Project], s3_base: Base
) -> None:
    project = declared(make_project(), s3_base)
    crowd = ", ".join(f"group:g{number}" for number in range(11))
    project.write("p0.txt.acl.yaml", f"allow: [{crowd}]")
    project.sync()
    project.remove("p0.txt")
    project.remove("p0.txt.acl.yaml")
    report = project.sync()
    assert (report.documents["quarantined"], report.documents["deleted"]) == (0, 1)
    held(project)


def test_what_somebody_took_out_of_the_service_is_repaired(project: Project) -> None:
    project.sync()
    context = project.corpus._context
    target = context.targets["knowledge_base"]
    gone = sorted(target.inventory())[0]
    target.apply([], [gone])
    report = project.sync()
    # What was begun for it is awaited before the targets are compared.
    assert report.repaired["missing"] == 1
    held(project)


def test_a_run_that_dies_before_the_service_was_told_is_finished_by_the_next(
    project: Project,
) -> None:
    run = Pipeline.open(project.path)
    plan = run.plan("one", Options())
    for shard in plan.shards:
        run.shard("one", shard)
    run.sync("one")
    # Killed here: the ledger has the documents, the service was not told to take them in.
    report = project.sync()
    assert report.documents["unchanged"] == 3
    assert not any(report.repaired.values())
    held(project)


def test_a_job_that_somebody_stopped_is_begun_again(
    make_project: Callable[..., Project], slow_base: Base
) -> None:
    project = declared(make_project(), slow_base)
    run = Pipeline.open(project.path)
    plan = run.plan("one", Options())
    for shard in plan.shards:
        run.shard("one", shard)
    run.sync("one")
    [job] = run.begin("one")
    assert run.begin("one") == [job], "the same job, however often it is asked for"
    slow_base.stop(job["ingestion_job_id"])
    run.settle("one")
    assert not any(run.verify("one").values())
    assert run.publish("one").documents["new"] == 3
    held(project)


def test_nothing_is_embedded_where_every_target_does_it_itself(
    make_project: Callable[..., Project], s3_base: Base
) -> None:
    project = make_project()
    project.settings(f"targets: [{json.dumps(s3_base.settings())}]\naws: {{region: us-east-1}}")
    project.write("p0.txt", text(0))
    report = project.sync()
    assert (report.chunks, report.embedded) == (1, 0)
    held(project)
    assert names(project, "knowledge_base") == {"p0.txt"}
    assert project.corpus.ask("Who checks the pump in room 0?", principals=STAFF).citations
