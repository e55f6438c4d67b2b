"""A run of a corpus: ``plan → shards → sync → settle → verify → publish``.

Each step can be killed and done again. The command line and the Python API do all steps in one
process and its workers; Airflow does each in a task of its own.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rag.audit.removal import retain
from rag.errors import SluiceError
from rag.ingest import plan as planning
from rag.ingest.context import Context
from rag.ingest.guard import names
from rag.ingest.models_kept import check_model
from rag.ingest.report import SyncReport, summed
from rag.ingest.settle import Tell, begin, settle
from rag.ingest.shard import Progress, ShardReport, run_shard
from rag.ingest.store import DocumentResult, Job, RunPlan
from rag.ingest.sync import apply_results, finish, restrict
from rag.ingest.verify import verify
from rag.ledger import documents, erased, leases, runs
from rag.masked import SPACE, Masked

AIRFLOW_LEASE_SECONDS = 6 * 3600.0
"""A run whose tasks wait in queues holds its corpus for this long after its last sign of life."""

SHARDS_A_WORKER = 8
SMALLEST_SHARD = 16
RUN_ID = 64
"""Characters that the ledger keeps of a run's name."""
INGESTION = "bedrock_ingestion"
"""Kind of the jobs that a sensor of Airflow's amazon provider can wait for."""
TOGETHER = 500
"""Documents that go into the targets at once."""


@dataclass(frozen=True, slots=True)
class Options:
    """What one run may do beyond the usual.

    Attributes:
        full_refresh: Read, parse and mask every document anew; an embedding that the same model
            gave the same text still comes from the cache.
        dry_run: Plan only; write nothing but the run's record.
        allow_mass_delete: Delete even more than `max_delete`.
        workers: Size shards for so many processes side by side, so that none waits long for
            another's last one; None: as the corpus says.
        most_shards: Make shards larger than the corpus says rather than more than so many.
    """

    full_refresh: bool = False
    dry_run: bool = False
    allow_mass_delete: bool = False
    workers: int | None = None
    most_shards: int | None = None


class Pipeline:
    """The steps of a corpus's run, over one `Context`.

    Args:
        owner: Whose the corpus is from `plan` to `publish`, across processes. None: the caller
            holds the corpus itself.
    """

    def __init__(self, context: Context, owner: str | None = None) -> None:
        self.context = context
        self.owner = owner

    @classmethod
    def open(cls, corpus: str | Path, owner: str | None = None) -> Pipeline:
        """Open a corpus by name or path.

        Raises:
            ConfigError: There is none, or its file is wrong.
        """
        return cls(Context.open(corpus), owner)

    def plan(self, run: str, options: Options) -> RunPlan:
        """List the source, compare it with the ledger, write the shards.

        Rights that changed are applied here, before anything takes its time.

        Raises:
            ListingFailed: The source could not be listed whole, or lists nothing.
            MassDeletion: Too much would be deleted. In both cases nothing was.
            CorpusBusy: Another run holds the corpus.
        """
        started = time.perf_counter()
        context, run_id = self.context, as_run_id(run)
        with context.ledger.write() as db:
            if self.owner:
                leases.acquire(db, context.corpus, self.owner, AIRFLOW_LEASE_SECONDS)
            runs.start(db, context.corpus, "dry run" if options.dry_run else "sync", run_id)
        check_model(context)
        listing = [
            planning.Listed(context.sealer.document_id(ref.key), ref)
            for ref in context.connector.list()
        ]
        with context.ledger.write() as db:
            kept_out = erased.documents(db, context.corpus)
            erased.seen(db, context.corpus, {one.document_id for one in listing})
        listing = [one for one in listing if one.document_id not in kept_out]
        with context.ledger.read() as db:
            view = documents.view(db, context.corpus, context.target_names)
        plan = planning.plan(
            listing,
            view,
            context.fingerprints,
            context.config.source.max_delete,
            allow_mass_delete=options.allow_mass_delete,
            full_refresh=options.full_refresh,
        )
        context.store.drop_runs(keep={run_id})
        shards = {} if options.dry_run else self._shards(plan, options)
        for shard_id, works in shards.items():
            jobs = [self._job(work, options.full_refresh) for work in works]
            context.store.write_shard(run_id, shard_id, jobs)
        result = RunPlan(
            run_id=run_id,
            shards=tuple(shards),
            documents=len(plan.work),
            counts=plan.counts(),
            deleted=(*(one.document_id for one in plan.deleted), *plan.forgotten),
            moved={
                work.document_id: work.moved_from
                for work in (*plan.moved, *plan.retried)
                if work.moved_from
            },
            warnings=_warnings(context),
            dry_run=options.dry_run,
        )
        if not options.dry_run:
            restrict(context, run_id, {one.document_id: one.acl for one in plan.rights})
        context.store.write_plan(result)
        self._report(run_id, "plan", started)
        return result

    def _shards(
        self, plan: planning.Plan, options: Options
    ) -> dict[str, tuple[planning.Work, ...]]:
        most = self.context.config.shard_documents
        if options.most_shards:
            most = max(most, -(-len(plan.work) // options.most_shards))
        if options.workers is None:
            return planning.shards(plan, most)
        even = -(-len(plan.work) // (SHARDS_A_WORKER * options.workers))
        return planning.shards(plan, min(most, max(SMALLEST_SHARD, even)), options.workers)

    def _job(self, work: planning.Work, fresh: bool) -> Job:
        sealed = self.context.seal(work.ref)
        return Job.of(work.document_id, sealed, work.ref, work.why, fresh=fresh)

    def shard(self, run: str, shard_id: str, progress: Progress | None = None) -> ShardReport:
        """Do one shard, from extract to embed.

        Raises:
            CorpusBusy: Another run took the corpus meanwhile.
        """
        run_id = as_run_id(run)
        self._hold()
        report = run_shard(self.context, run_id, shard_id, progress)
        self.context.store.write_report(run_id, shard_id, report.as_counts())
        return report

    def apply(self, run: str, shards: Iterable[str]) -> None:
        """Put finished shards' documents into the targets and the ledger.

        Some hundred documents go into one commit: a commit costs more than its documents.
        """
        run_id = as_run_id(run)
        started = time.perf_counter()
        waiting: list[DocumentResult] = []
        last = ""
        for last in shards:
            waiting += self.context.store.result(run_id, last)
            if len(waiting) >= TOGETHER:
                apply_results(self.context, run_id, waiting)
                waiting = []
        if waiting:
            apply_results(self.context, run_id, waiting)
        if last:
            self._report(run_id, f"sync-{last}", started, "sync")

    def sync(self, run: str, shards: Iterable[str] | None = None) -> dict[str, int]:
        """Make every target hold what the run's shards made, and nothing that is gone.

        Args:
            shards: Those that `apply` has not done yet; None: all.

        Raises:
            CorpusBusy: Another run took the corpus meanwhile.
        """
        run_id = as_run_id(run)
        self._hold()
        plan = self.context.store.plan(run_id)
        if plan.dry_run:
            return dict(plan.counts)
        self.apply(run_id, plan.shards if shards is None else shards)
        started = time.perf_counter()
        finish(self.context, plan)
        self._report(run_id, "sync", started)
        return dict(plan.counts)

    def begin(self, run: str) -> list[dict[str, str]]:
        """Start the jobs of targets that need time to take in what `sync` wrote; name them.

        Again after a kill, it names the same jobs.

        Returns:
            Of each ingestion job of Bedrock: ``knowledge_base_id``, ``data_source_id`` and
            ``ingestion_job_id``. What else must be waited for, `settle` waits for itself.
        """
        run_id = as_run_id(run)
        self._hold()
        if self.context.store.plan(run_id).dry_run:
            return []
        named = ("knowledge_base_id", "data_source_id", "ingestion_job_id")
        jobs = begin(self.context)
        return [
            {name: job.reference[name] for name in named}
            for job in jobs.values()
            if job.kind == INGESTION
        ]

    def settle(self, run: str, tell: Tell | None = None) -> None:
        """Wait until every target is done with what `sync` wrote; note what they refused.

        Args:
            tell: Called now and then with the name of the target that is waited for.

        Raises:
            TargetFailed: A target's job failed; another run starts another one.
        """
        run_id = as_run_id(run)
        self._hold()
        started = time.perf_counter()
        if not self.context.store.plan(run_id).dry_run:
            for name in self.context.target_names:
                settle(self.context, run_id, name, tell)
        self._report(run_id, "settle", started)

    def verify(self, run: str) -> dict[str, int]:
        """Compare the targets with the ledger; return what had to be repaired, by kind."""
        run_id = as_run_id(run)
        self._hold()
        started = time.perf_counter()
        repaired = {} if self.context.store.plan(run_id).dry_run else verify(self.context, run_id)
        self._report(run_id, "verify", started, repaired=repaired)
        return repaired

    def publish(self, run: str) -> SyncReport:
        """Close the run: record what it did, tidy the working store, free the corpus."""
        context, run_id = self.context, as_run_id(run)
        plan = context.store.plan(run_id)
        with context.ledger.read() as db:
            summary = documents.summary(db, context.corpus)
            begun = runs.latest(db, context.corpus)
        elapsed = (datetime.now(UTC) - begun[0].started_at).total_seconds() if begun else 0.0
        total = summed(context.store.reports(run_id))
        report = SyncReport(
            run_id=run_id,
            corpus=context.corpus,
            documents={**_outcomes(plan, total), "quarantined": summary.quarantined},
            chunks=summary.chunks,
            masked=total.get("masked", {}),
            seconds={step: round(value, 3) for step, value in total.get("seconds", {}).items()},
            parsed=total.get("parsed", 0),
            embedded=total.get("embedded", 0),
            types=total.get("types", {}),
            failures=total.get("failures", {}),
            repaired=total.get("repaired", {}),
            usage=total.get("usage", {}),
            warnings=plan.warnings,
            elapsed=round(elapsed, 3),
            dry_run=plan.dry_run,
        )
        if plan.shards or plan.deleted:
            with context.ledger.read() as db:
                entries = documents.entries(db, context.corpus)
            context.store.drop_masked(
                {f"{one.content_id}-{context.made_by(one.sealed_key)}" for one in entries}
            )
        if not plan.dry_run:
            retain(context)
        with context.ledger.write() as db:
            counts = {**report.documents, "chunks": report.chunks}
            runs.finish(db, run_id, "done", counts, report.seconds)
            if self.owner:
                leases.release(db, context.corpus, self.owner)
        context.store.drop_runs()
        return report

    def abandon(self, run: str, error: BaseException | None = None) -> None:
        """Record that a run failed, and free the corpus. What is served stays as it is."""
        with self.context.ledger.write() as db:
            code = type(error).__name__ if error else None
            runs.finish(db, as_run_id(run), "failed", error_code=code)
            if self.owner:
                leases.release(db, self.context.corpus, self.owner)

    def _hold(self) -> None:
        """Give the owner's lease its whole time again; take it anew for a run that is resumed."""
        if self.owner:
            with self.context.ledger.write() as db:
                leases.acquire(db, self.context.corpus, self.owner, AIRFLOW_LEASE_SECONDS)

    def _report(
        self, run_id: str, name: str, started: float, step: str = "", **counts: Any
    ) -> None:
        seconds = {step or name: time.perf_counter() - started}
        self.context.store.write_report(run_id, name, {"seconds": seconds, **counts})


def _warnings(context: Context) -> dict[Masked, Masked]:
    """What should be mended in the source: masked name to what is wrong and what to do."""
    found = context.connector.warnings
    shown = names(context, [one.key for one in found])
    return {
        name: SPACE.join([one.reason, one.action]) for name, one in zip(shown, found, strict=True)
    }


def _outcomes(plan: RunPlan, total: Mapping[str, Any]) -> dict[str, int]:
    """Return documents by what happened to them; for a dry run, by what would."""
    counts = plan.counts
    if plan.dry_run:
        new, moved = counts["new"], counts["moved"]
        changed = counts["changed"] + counts["retried"]
    else:
        done = total.get("outcomes", {})
        new, moved = done.get("new", 0), done.get("moved", 0)
        changed = sum(done.values()) - new - moved
    return {
        "new": new,
        "changed": changed,
        "moved": moved,
        "acl": counts["acl"],
        "unchanged": counts["unchanged"],
        "deleted": counts["deleted"],
    }


def as_run_id(run: str) -> str:
    """Return a run's name as it is used in paths and in the ledger; doing it twice is harmless.

    Raises:
        SluiceError: Nothing usable is left of the name.
    """
    cleaned = re.sub(r"[^A-Za-z0-9_.-]+", "_", run).strip("._")
    if not cleaned:
        raise SluiceError("A run needs a name with letters or digits.", "Give it another name.")
    if len(cleaned) > RUN_ID:
        digest = hashlib.blake2b(cleaned.encode(), digest_size=8).hexdigest()
        cleaned = f"{cleaned[: RUN_ID - 17]}-{digest}"
    return cleaned
