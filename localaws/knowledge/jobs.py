"""Ingestion jobs: start, get, list, stop. What one does is in `localaws.knowledge.crawl`.

A job runs in a thread of its own for ``LOCALAWS_INGESTION_SECONDS`` at least (by default 1), so
that clients see its statuses pass. One that a stop of the server cut off is FAILED afterwards.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

from localaws.knowledge import bases, bucket, records
from localaws.knowledge.crawl import BadRights, Progress, Stopped, crawl
from localaws.knowledge.records import JOB, Record
from localaws.knowledge.sources import origin
from localaws.knowledge.store import store
from localaws.operations import AwsError, Call, operation
from localaws.state import State

FINAL = ("COMPLETE", "FAILED", "STOPPED")
INTERRUPTED = "The ingestion job was interrupted: the server stopped. Start a new ingestion job."
MOST = 5
"""Jobs that run at a time (default quotas: 5 of an account, 1 of a knowledge base, or 50 of a
managed one)."""

log = logging.getLogger("localaws")

_running: set[tuple[Path, str]] = set()


@operation("bedrock-agent", "StartIngestionJob")
def start_ingestion_job(call: Call) -> dict[str, Any]:
    """Make the knowledge base equal to a bucket."""
    state = call.state
    base = records.active(state, call.params["knowledgeBaseId"])
    source = records.available(state, base["id"], call.params["dataSourceId"])
    if origin(source).kind != "S3":
        raise AwsError(
            "ValidationException",
            "A data source of type CUSTOM has nothing to sync. Use IngestKnowledgeBaseDocuments.",
        )
    started: list[tuple[str, Record]] = []

    def make() -> str:
        _refuse(state, base, source)
        moment = records.now()
        job: Record = {
            "id": records.new_id(),
            "knowledgeBaseId": base["id"],
            "dataSourceId": source["id"],
            "status": "STARTING",
            "statistics": Progress().statistics(),
            "failureReasons": [],
            "startedAt": moment,
            "updatedAt": moment,
        }
        if "description" in call.params:
            job["description"] = call.params["description"]
        key = f"{base['id']}/{source['id']}/{job['id']}"
        _running.add((state.folder, key))
        state.put(JOB, key, job)
        started.append((key, job))
        return str(job["id"])

    with state.together():
        name, _ = records.once(call, f"{base['id']}/{source['id']}", make)
    for key, job in started:
        threading.Thread(
            target=_run, args=(call, base, source, key, job), name=f"ingestion-{name}", daemon=True
        ).start()
    return {"ingestionJob": _shown(_job(state, base["id"], source["id"], name))}


@operation("bedrock-agent", "GetIngestionJob")
def get_ingestion_job(call: Call) -> dict[str, Any]:
    """One job."""
    return {"ingestionJob": _shown(_asked(call))}


@operation("bedrock-agent", "ListIngestionJobs")
def list_ingestion_jobs(call: Call) -> dict[str, Any]:
    """A page of summaries; without sortBy, the latest first."""
    params = call.params
    source = records.data_source(call.state, params["knowledgeBaseId"], params["dataSourceId"])
    prefix = f"{source['knowledgeBaseId']}/{source['id']}/"
    found = [_current(call.state, key) for key, _ in call.state.all(JOB, prefix)]
    for one in params.get("filters", ()):
        found = [job for job in found if job["status"] in one["values"]]
    order = params.get("sortBy", {"attribute": "STARTED_AT", "order": "DESCENDING"})
    member = "status" if order["attribute"] == "STATUS" else "startedAt"
    found.sort(
        key=lambda job: (job[member], job["startedAt"], job["id"]),
        reverse=order["order"] == "DESCENDING",
    )
    numbered = [(f"{place:08d}", job) for place, job in enumerate(found)]
    listed, following = records.page(numbered, params.get("maxResults"), params.get("nextToken"))
    summaries = [
        {key: value for key, value in _shown(job).items() if key != "failureReasons"}
        for job in listed
    ]
    result: dict[str, Any] = {"ingestionJobSummaries": summaries}
    return result if following is None else result | {"nextToken": following}


@operation("bedrock-agent", "StopIngestionJob")
def stop_ingestion_job(call: Call) -> dict[str, Any]:
    """What the job did so far stays."""
    with call.state.together():
        job = _asked(call)
        if job["status"] in (*FINAL, "STOPPING"):
            raise AwsError(
                "ConflictException",
                f"The ingestion job {job['id']} is in status {job['status']} and can't be stopped.",
            )
        job |= {"status": "STOPPING", "updatedAt": records.now()}
        call.state.put(JOB, _key(job), job)
    return {"ingestionJob": _shown(job)}


def refuse_while_running(state: State, base: str, source: str) -> None:
    """Raise unless nothing is ingested into a data source, or a knowledge base if it is empty.

    Raises:
        AwsError: ConflictException.
    """
    prefix = f"{base}/{source}/" if source else f"{base}/"
    for job in _unfinished(state, prefix):
        raise _conflict(job)


def _refuse(state: State, base: Record, source: Record) -> None:
    refuse_while_running(state, base["id"], source["id"])
    if not bases.managed(base):
        refuse_while_running(state, base["id"], "")
    if len(_unfinished(state, "")) >= MOST:
        raise AwsError(
            "ServiceQuotaExceededException",
            f"You have reached the maximum number of {MOST} concurrent ingestion jobs.",
        )


def _unfinished(state: State, prefix: str) -> list[Record]:
    found = [_current(state, key) for key, _ in state.all(JOB, prefix)]
    return [job for job in found if job["status"] not in FINAL]


def _conflict(job: Record) -> AwsError:
    return AwsError(
        "ConflictException",
        f"There is an ongoing ingestion job {job['id']} for data source {job['dataSourceId']} of "
        f"knowledge base {job['knowledgeBaseId']}. Retry your request when it has finished.",
    )


def _run(call: Call, base: Record, source: Record, key: str, job: Record) -> None:
    """The thread of a job."""
    state = call.state
    least = records.seconds("LOCALAWS_INGESTION_SECONDS", 1.0)
    began = time.monotonic()
    progress = Progress()

    def told(progress: Progress) -> None:
        """Write progress down; stop when somebody asked for it."""
        with state.together():
            if (state.get(JOB, key) or job)["status"] == "STOPPING":
                raise Stopped
            _put(state, key, job, "IN_PROGRESS", progress)

    try:
        time.sleep(least * 0.3)
        told(progress)
        crawl(store(state), base, source, progress, told, call.faults)
        while time.monotonic() - began < least:
            time.sleep(min(0.05, least))
            told(progress)
        with state.together():
            told(progress)  # a stop that was accepted is kept, up to the last moment
            job["textReadyAt"] = records.now()
            _put(state, key, job, "COMPLETE", progress)
    except Stopped:
        _put(state, key, job, "STOPPED", progress)
    except (bucket.Unreachable, BadRights) as error:
        progress.reasons.append(str(error))
        _put(state, key, job, "FAILED", progress)
    except sqlite3.ProgrammingError:
        pass  # the server is ending; the next one finds the job cut off
    except Exception as error:
        log.exception("an ingestion job failed")
        progress.reasons.append(f"The ingestion job failed: {type(error).__name__}.")
        _put(state, key, job, "FAILED", progress)
    finally:
        _running.discard((state.folder, key))


def _put(state: State, key: str, job: Record, status: str, progress: Progress) -> None:
    job |= {
        "status": status,
        "statistics": progress.statistics(),
        "failureReasons": progress.failure_reasons(),
        "updatedAt": records.now(),
    }
    state.put(JOB, key, job)


def _asked(call: Call) -> Record:
    source = records.data_source(
        call.state, call.params["knowledgeBaseId"], call.params["dataSourceId"]
    )
    return _job(call.state, source["knowledgeBaseId"], source["id"], call.params["ingestionJobId"])


def _job(state: State, base: str, source: str, name: str) -> Record:
    key = f"{base}/{source}/{name}"
    if state.get(JOB, key) is None:
        raise AwsError("ResourceNotFoundException", f"Ingestion job with id {name} does not exist")
    return _current(state, key)


def _current(state: State, key: str) -> Record:
    """A job as it stands; one that no thread works on any more has failed."""
    running = (state.folder, key) in _running
    job: Record = state.get(JOB, key) or {}
    if job["status"] not in FINAL and not running:
        job |= {"status": "FAILED", "failureReasons": [INTERRUPTED], "updatedAt": records.now()}
        state.put(JOB, key, job)
    return job


def _key(job: Record) -> str:
    return f"{job['knowledgeBaseId']}/{job['dataSourceId']}/{job['id']}"


def _shown(job: Record) -> dict[str, Any]:
    kept = ("knowledgeBaseId", "dataSourceId", "description", "status", "statistics")
    shown = {key: job[key] for key in kept if key in job} | {"ingestionJobId": job["id"]}
    if job["failureReasons"]:
        shown["failureReasons"] = job["failureReasons"]
    for key in ("startedAt", "updatedAt", "textReadyAt"):
        if key in job:
            shown[key] = records.moment(job[key])
    return shown
