"""A whole run on this machine: one process that leads, workers that do the shards."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from rag.ingest.context import Context
from rag.ingest.pipeline import TOGETHER, Options, Pipeline
from rag.ingest.report import SyncReport
from rag.ingest.store import RunPlan
from rag.ingest.worker import run_shards
from rag.ledger import leases


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sync is: in `step`, `done` of `total` documents (total 0: not known)."""

    step: str
    done: int = 0
    total: int = 0


Tell = Callable[[Progress], None]


def run_corpus(context: Context, options: Options, tell: Tell) -> SyncReport:
    """Do all steps of a run.

    A finished shard goes into the index while the others are being worked on.

    Raises:
        SluiceError: As the steps do. What was served is still served.
    """
    run = f"sync-{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid4().hex[:6]}"
    pipeline = Pipeline(context)
    with leases.hold(context.ledger, context.corpus, run):
        try:
            tell(Progress("plan"))
            plan = pipeline.plan(run, options)
            left = _shards(pipeline, plan, options, tell) if plan.shards else []
            tell(Progress("sync", plan.documents, plan.documents))
            pipeline.sync(run, left)
            pipeline.settle(run, lambda name: tell(Progress(f"wait for {name}")))
            tell(Progress("verify", plan.documents, plan.documents))
            pipeline.verify(run)
            return pipeline.publish(run)
        except BaseException as error:
            pipeline.abandon(run, error)
            raise


def _shards(pipeline: Pipeline, plan: RunPlan, options: Options, tell: Tell) -> list[str]:
    """Do a plan's shards; return those that are not in the targets yet."""
    lock = threading.Lock()
    done = 0

    def count(finished: int) -> None:
        nonlocal done
        with lock:
            done += finished
            tell(Progress("documents", min(done, plan.documents), plan.documents))

    tell(Progress("documents", 0, plan.documents))
    if len(plan.shards) == 1:
        # A little work is done here: models that were loaded for it serve the next sync too.
        pipeline.shard(plan.run_id, plan.shards[0], count)
        return list(plan.shards)
    workers = options.workers or os.cpu_count() or 1
    corpus = str(pipeline.context.loaded.path)
    waiting: list[str] = []
    size = 0
    for shard_id, report in run_shards(corpus, plan.run_id, plan.shards, workers, count):
        pipeline.context.store.write_report(plan.run_id, shard_id, report.as_counts())
        waiting.append(shard_id)
        size += report.documents
        if size >= TOGETHER:
            pipeline.apply(plan.run_id, waiting)
            waiting, size = [], 0
    return waiting
