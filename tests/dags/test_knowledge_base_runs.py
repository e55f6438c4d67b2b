"""Runs of a corpus in a knowledge base: its ingestion job is waited for in the triggerer."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass

import boto3
import pytest

from samples.airflow_home import password, served
from samples.opensearch_server import free_ports
from tests.dags.airflow import Api, Rig, copy, log_in, runner
from tests.services.knowledge import Base, make_base
from tests.services.localaws import start
from tests.services.s3 import KEY, SECRET, Bucket, s3_endpoint

__all__ = ["s3_endpoint"]

pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True)
class Kept:
    """An Airflow home with a corpus ``based`` in two targets, and one of them."""

    rig: Rig
    base: Base

    def passages(self) -> set[str]:
        """Document and chunk of what the knowledge base has indexed."""
        return {
            uri.partition("/corpus/")[2]
            for uri, status in self.base.statuses().items()
            if status == "INDEXED"
        }

    def expected(self) -> set[str]:
        """The same of what the other target holds."""
        rows = self.rig.index("based").items()
        return {f"{row[0]}/{row[1]:05d}-{chunk}.txt" for chunk, row in rows}


@pytest.fixture(scope="module")
def kept(
    migrated: Rig, s3_endpoint: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kept]:
    files = {
        "AWS_ENDPOINT_URL_S3": s3_endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
        "LOCALAWS_INGESTION_SECONDS": "3",  # so that Airflow sees it run
        "LOCALAWS_SETTLE_SECONDS": "0",
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }
    server = start(tmp_path_factory.mktemp("localaws"), environment=files)
    try:
        client = boto3.client(
            "s3",
            endpoint_url=s3_endpoint,
            region_name="us-east-1",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
        )
        client.create_bucket(Bucket="based-in-airflow")
        bucket = Bucket("based-in-airflow", s3_endpoint, client)
        base = make_base(server.client("bedrock-agent"), bucket)
        # Where AWS is and who we are there, Airflow's connection says, and nothing else.
        connection = {
            "conn_type": "aws",
            "login": server.environment["AWS_ACCESS_KEY_ID"],
            "password": server.environment["AWS_SECRET_ACCESS_KEY"],
            "extra": {
                "region_name": "us-east-1",
                "endpoint_url": server.url,
                "service_config": {"s3": {"endpoint_url": s3_endpoint}},
            },
        }
        settings = {
            "AIRFLOW_CONN_OUR_AWS": json.dumps(connection),
            "SLUICE_POLL_SECONDS": "1",
        }
        rig = copy(migrated, tmp_path_factory.mktemp("based") / "state", **settings)
        targets = json.dumps([{"kind": "embedded"}, base.settings()])
        rig.corpus("based", 12, f"targets: {targets}\naws: {{connection: our_aws}}")
        yield Kept(rig, base)
    finally:
        server.stop()


def test_a_run_defers_until_the_service_has_taken_in_what_was_written(kept: Kept) -> None:
    rig = kept.rig
    crowd = ", ".join(f"group:g{number}" for number in range(11))
    refused = rig.state / "documents" / "based" / "p3.txt.acl.yaml"
    refused.write_text(f"allow: [{crowd}]")
    with runner(rig) as process:
        run, state = process.run("sluice_based")
        assert state == "success", rig.log()[-6000:]
        [begun] = [value for task, _, value in rig.xcoms("sluice_based", run) if task == "begin"]
        assert begun[0]["ingestion_job_id"] in {one["ingestionJobId"] for one in kept.base.jobs()}
        assert rig.tasks("sluice_based", run)["wait"][0] == "success"
        # What the service refused is not in it, and waits with its reason.
        [(document, reason)] = rig.ledger(
            "select document_id, reason from quarantine where corpus='based'"
        )
        assert reason.startswith("It was refused by target knowledge_base: ")
        assert kept.passages() == {one for one in kept.expected() if not one.startswith(document)}
        assert rig.leases("based") == 0

        refused.unlink()
        (rig.state / "documents" / "based" / "p3.txt").write_text("Pumps, once more.")
        run, state = process.run("sluice_based")
        assert state == "success"
        assert kept.passages() == kept.expected()

        jobs = kept.base.jobs()
        run, state = process.run("sluice_based")
        assert state == "success"
        assert rig.tasks("sluice_based", run)["wait"][0] == "skipped", "no job is owed"
        assert rig.tasks("sluice_based", run)["settle"][0] == "success"
        assert kept.base.jobs() == jobs


@pytest.fixture(scope="module")
def scheduled(kept: Kept) -> Iterator[Api]:
    with served(kept.rig.env, free_ports(1)[0]) as address:
        yield log_in(address, password(kept.rig.env))


def test_a_killed_sync_is_done_again_and_the_wait_is_in_the_triggerer(
    kept: Kept, scheduled: Api
) -> None:
    rig = kept.rig
    folder = rig.state / "documents" / "based"
    for number in range(12):
        (folder / f"p{number}.txt").write_text(f"Anew: the pump in hall {number} runs at night.")
    run = scheduled.trigger("sluice_based")
    os.kill(at_work(rig, run, "sync"), signal.SIGKILL)
    states = set()
    deadline = time.monotonic() + 180
    while scheduled.call(f"dags/sluice_based/dagRuns/{run}")["state"] not in ("success", "failed"):
        assert time.monotonic() < deadline, rig.tasks("sluice_based", run)
        states.add(rig.tasks("sluice_based", run).get("wait", ("", 0))[0])
        time.sleep(0.1)
    assert rig.tasks("sluice_based", run)["publish"][0] == "success"
    assert rig.tasks("sluice_based", run)["sync"] == ("success", 2)
    assert "deferred" in states
    assert len(kept.passages()) == 12
    assert kept.passages() == kept.expected()


def at_work(rig: Rig, run: str, task: str) -> int:
    """Wait until a task's process works; return its id."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for (pid,) in rig.airflow(
            "select pid from task_instance where run_id=? and task_id=? "
            "and state='running' and pid is not null",
            run,
            task,
        ):
            return int(pid)
        time.sleep(0.05)
    raise AssertionError(f"{task} never ran")
