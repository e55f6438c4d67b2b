"""Whose a corpus is while the tasks of a DAG run follow one another, each in its own process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from rag.errors import CorpusBusy
from rag.ingest.pipeline import Options, Pipeline
from rag.ledger import Ledger, leases
from rag.ledger.tables import leases as table
from rag.ledger.tables import now
from tests.conftest import Project
from tests.dags.airflow import text


@pytest.fixture
def project(make_project: Callable[..., Project]) -> Project:
    made = make_project()
    made.write("p0.txt", text(0))
    return made


def left(ledger: Ledger) -> timedelta:
    """How long the corpus is still held."""
    with ledger.read() as db:
        return timedelta() + (db.execute(select(table.c.expires_at)).scalar_one() - now())


def test_each_task_gives_the_run_its_whole_time_again(project: Project) -> None:
    run = Pipeline.open(project.path, "airflow:notes")
    plan = run.plan("one", Options())
    soon = now() + timedelta(seconds=60)
    for step in (lambda: run.shard("one", plan.shards[0]), lambda: run.sync("one")):
        with run.context.ledger.write() as db:
            db.execute(update(table).values(expires_at=soon))
        step()
        assert left(run.context.ledger) > timedelta(hours=5)


def test_a_failed_run_can_be_resumed_where_it_failed(project: Project) -> None:
    """As when an operator clears the failed tasks of a run."""
    run = Pipeline.open(project.path, "airflow:notes")
    plan = run.plan("one", Options())
    run.shard("one", plan.shards[0])
    run.abandon("one")
    resumed = Pipeline.open(project.path, "airflow:notes")
    resumed.sync("one")
    resumed.verify("one")
    with pytest.raises(CorpusBusy), leases.hold(resumed.context.ledger, "notes", "somebody"):
        pass
    assert resumed.publish("one").chunks == 1
    assert project.sync().documents["unchanged"] == 1


def test_a_task_stops_when_another_run_took_the_corpus(project: Project) -> None:
    run = Pipeline.open(project.path, "airflow:notes")
    plan = run.plan("one", Options())
    run.abandon("one")
    with leases.hold(run.context.ledger, "notes", "somebody"), pytest.raises(CorpusBusy):
        run.shard("one", plan.shards[0])
