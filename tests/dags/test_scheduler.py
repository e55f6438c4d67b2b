"""Runs under Airflow's scheduler, triggered through its REST API."""

from __future__ import annotations

import time

import psutil
import pytest

from tests.dags.airflow import Api, Rig, Runner

pytestmark = pytest.mark.timeout(300)


def test_a_scheduled_run_makes_the_index_that_a_test_run_makes(
    tested: Runner, scheduled: tuple[Rig, Api]
) -> None:
    rig, api = scheduled
    run = api.trigger("sluice_notes")
    assert api.ended("sluice_notes", run) == "success"
    if not (tested.rig.home / "corpora" / "notes").exists():
        tested.run("sluice_notes")
    assert len(rig.index("notes")) == 8
    assert rig.index("notes") == tested.rig.index("notes")
    assert rig.leases("notes") == 0


def test_a_killed_shard_is_tried_again_and_changes_nothing(scheduled: tuple[Rig, Api]) -> None:
    rig, api = scheduled
    assert api.ended("sluice_notes", api.trigger("sluice_notes")) == "success"
    before = rig.index("notes")
    run = api.trigger("sluice_notes", full_refresh=True)
    victim = shard_at_work(rig, api, run)
    psutil.Process(victim).kill()
    assert api.ended("sluice_notes", run) == "success"
    assert rig.tasks("sluice_notes", run)["shard"] == ("success", 2)
    assert rig.index("notes") == before


def shard_at_work(rig: Rig, api: Api, run: str) -> int:
    """Wait until a shard's process works; return its id."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        for (pid,) in rig.airflow(
            "select pid from task_instance where run_id=? and task_id='shard' "
            "and state='running' and pid is not null",
            run,
        ):
            return int(pid)
        time.sleep(0.1)
    raise AssertionError("no shard started")


def test_it_listens_on_loopback_only(scheduled: tuple[Rig, Api]) -> None:
    _, api = scheduled
    listening = {
        connection.laddr.ip
        for process in api.processes
        if process.is_running()
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_a_failed_run_lets_go_of_the_corpus(scheduled: tuple[Rig, Api]) -> None:
    rig, api = scheduled
    first = api.trigger("sluice_shrinking")
    assert api.ended("sluice_shrinking", first) == "success"
    for path in sorted((rig.state / "documents" / "shrinking").iterdir())[:4]:
        path.unlink()
    run = api.trigger("sluice_shrinking")
    assert api.ended("sluice_shrinking", run) == "failed"
    assert len(rig.index("shrinking")) == 6
    deadline = time.monotonic() + 150
    while rig.leases("shrinking"):  # the DAG processor calls back some seconds later
        assert time.monotonic() < deadline
        time.sleep(0.2)
