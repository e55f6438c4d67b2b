"""The ledger on Postgres, as a deployment of Airflow has it: columns have lengths there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rag.ingest.pipeline import Options, Pipeline
from tests.conftest import Project
from tests.dags.airflow import text
from tests.services.postgres import postgres

__all__ = ["postgres"]


def test_a_run_keeps_its_ledger_on_postgres(
    make_project: Callable[..., Project],
    postgres: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SLUICE_LEDGER_URL", postgres())
    project = make_project()
    project.write("good.txt", text(0))
    project.write("empty.txt", "")
    run_id = "manual__2026-01-01T00:00:00.000000+00:00_with-a-name-as-long-as-airflow-allows"
    run = Pipeline.open(project.path, "airflow:sluice_notes")
    for shard in run.plan(run_id, Options()).shards:
        run.shard(run_id, shard)
    run.sync(run_id)
    assert not any(run.verify(run_id).values())
    done = run.publish(run_id).documents
    assert (done["new"], done["quarantined"]) == (1, 1)
    assert project.sync().documents["unchanged"] == 1
    run.context.ledger.close()
