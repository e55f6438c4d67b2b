"""Ingestion jobs: one at a time over a data source, and each known again by what it is for.

A job's description holds the token of what was pending when it was started. Whoever comes later,
after a kill or in another task, finds the job by it and starts no second one.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from typing import Any

from rag.errors import ConfigError, ServiceRefused, TargetFailed
from rag.targets import Job
from rag.targets.knowledge_base.names import Place
from rag.targets.knowledge_base.service import Service
from rag.targets.refusals import worded
from rag.telemetry import INFO, event

KIND = "bedrock_ingestion"
RUNNING = frozenset({"STARTING", "IN_PROGRESS", "STOPPING"})
LOOKED_AT = 25
"""Of the latest jobs, to find ours among."""
OTHERS_SECONDS = 6 * 3600.0
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 15.0

_URI = re.compile(r"s3://[^\s,\]\)\"']+")

log = logging.getLogger(__name__)


def begin(service: Service, place: Place, token: str) -> Job:
    """Return the job that makes what is pending searchable, started if need be.

    A job that was started before, by somebody else or for older changes, is waited for: the
    service runs one at a time.

    Raises:
        ConfigError: The data source cuts documents by itself, or looks elsewhere.
        TargetFailed: Another job runs for hours.
    """
    _fits(service, place)
    until = time.monotonic() + OTHERS_SECONDS
    pause = FIRST_PAUSE
    while time.monotonic() < until:
        latest = _latest(service)
        for one in latest:
            ours = one.get("description") == _description(token)
            if ours and one["status"] in (*RUNNING, "COMPLETE"):
                return _job(service, one["ingestionJobId"], token)
        if not any(one["status"] in RUNNING for one in latest):
            try:
                return _job(service, _start(service, token), token)
            except ServiceRefused as error:
                if error.code != "ConflictException":
                    raise
        event(log, INFO, "knowledge base: waiting for another ingestion job to end")
        time.sleep(pause)
        pause = min(LONGEST_PAUSE, pause * 1.5)
    raise TargetFailed(
        "Another ingestion job of the data source did not end within hours.",
        "See it in the Bedrock console; stop it there, then sync again.",
    )


def finished(service: Service, job: Job) -> Mapping[str, Any] | None:
    """Return what the service says of a job that is over; None while it runs.

    Raises:
        TargetFailed: It failed or was stopped.
    """
    found: dict[str, Any] = service.agent(
        lambda agent: agent.get_ingestion_job(
            **service.ids, ingestionJobId=job.reference["ingestion_job_id"]
        )
    )["ingestionJob"]
    if found["status"] in RUNNING:
        return None
    if found["status"] != "COMPLETE":
        reasons = found.get("failureReasons") or [""]
        raise TargetFailed(
            f"The knowledge base's ingestion job ended as {found['status']}: {worded(reasons[0])}",
            "What was served is still served; mend it and sync again, which starts another job.",
        )
    event(log, INFO, "knowledge base: ingestion job done", **statistics(found))
    return found


def read_by(found: Mapping[str, Any]) -> int:
    """Return how many files a job read, changed or not."""
    return statistics(found).get("numberOfDocumentsScanned", 0)


def failures(found: Mapping[str, Any]) -> dict[str, str]:
    """Return what a job says of files that it failed on: address to reason."""
    said: dict[str, str] = {}
    for reason in found.get("failureReasons") or []:
        for uri in _URI.findall(reason):
            said.setdefault(uri, reason)
    return said


def statistics(job: Mapping[str, Any]) -> dict[str, int]:
    """Return a job's counts by their names, without those that are 0."""
    counts = job.get("statistics") or {}
    return {name: int(count) for name, count in counts.items() if count}


def _latest(service: Service) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = service.agent(
        lambda agent: agent.list_ingestion_jobs(
            **service.ids,
            maxResults=LOOKED_AT,
            sortBy={"attribute": "STARTED_AT", "order": "DESCENDING"},
        )
    )["ingestionJobSummaries"]
    return found


def _start(service: Service, token: str) -> str:
    started = service.agent(
        lambda agent: agent.start_ingestion_job(**service.ids, description=_description(token))
    )
    return str(started["ingestionJob"]["ingestionJobId"])


def _description(token: str) -> str:
    return f"sluice {token}"


def _job(service: Service, job: str, token: str) -> Job:
    return Job(
        KIND,
        {
            "knowledge_base_id": service.ids["knowledgeBaseId"],
            "data_source_id": service.ids["dataSourceId"],
            "ingestion_job_id": job,
            "token": token,
        },
    )


def _fits(service: Service, place: Place) -> None:
    """See that the data source takes each file as one passage, and looks where they are."""
    source = service.agent(lambda agent: agent.get_data_source(**service.ids))["dataSource"]
    cutting = source.get("vectorIngestionConfiguration", {}).get("chunkingConfiguration", {})
    if cutting.get("chunkingStrategy", "NONE") != "NONE":
        raise ConfigError(
            "The knowledge base's data source cuts documents by itself.",
            "Make a data source with the chunking strategy NONE: its files are passages already.",
        )
    where = source.get("dataSourceConfiguration", {}).get("s3Configuration")
    if where is None:
        return
    bucket = where["bucketArn"].rpartition(":")[2]
    prefixes = where.get("inclusionPrefixes") or [""]
    if bucket != place.bucket or not place.prefix.startswith(tuple(prefixes)):
        raise ConfigError(
            "The knowledge base's data source reads another bucket or prefix than targets.url.",
            f"Give the data source the inclusion prefix {place.prefix}, or change targets.url.",
        )
    if place.beside.startswith(tuple(prefixes)):
        raise ConfigError(
            "The knowledge base's data source reads the whole bucket.",
            f"Give it the inclusion prefix {place.prefix}: what is kept beside is not for it.",
        )
