"""Wait for what targets do by themselves after they were written, and note what they refused.

A service that embeds and indexes in its own time may refuse a document then. It goes to
quarantine in the service's words; what else was made of it is taken out of that target, so that
nothing half is served, and other targets serve it as before. All of it can be done again: a
target tells whether it has work under way, whoever began it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from rag.errors import DocumentsRefused, TargetFailed
from rag.ingest.failures import CODES
from rag.ledger import documents, quarantine, targets
from rag.ledger.entries import DocumentEntry, Fingerprints, QuarantineEntry
from rag.masked import configured, fixed
from rag.targets.refusals import passing, worded
from rag.telemetry import WARNING, event

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from rag.ingest.context import Context
    from rag.records import IndexedDocument
    from rag.targets import Job, Target

STEP, CODE = "sync", "refused_by_target"
LONGEST_SECONDS = 12 * 3600.0
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 15.0
ROUNDS = 3
"""Jobs in a row: for what was written, for what had to be taken out again, and one to spare."""

Tell = Callable[[str], None]
"""Called while a target is waited for, with its name."""

log = logging.getLogger(__name__)


def begin(context: Context) -> dict[str, Job]:
    """Start what each target must do before its documents can be searched; return the jobs."""
    begun = {name: target.begin() for name, target in context.targets.items()}
    return {name: job for name, job in begun.items() if job is not None}


def settle(context: Context, run_id: str | None, name: str, tell: Tell | None = None) -> None:
    """Wait until one target is done; note what it refused.

    Raises:
        TargetFailed: Its job failed, or does not end.
    """
    target = context.targets[name]
    for _ in range(ROUNDS):
        job = target.begin()
        if job is None:
            return
        reasons = _wait(target, job, lambda: tell(name) if tell else None)
        if reasons:
            note(context, run_id, name, reasons)
            write(target, deletes=sorted(reasons))


def _wait(target: Target, job: Job, tell: Callable[[], None]) -> Mapping[str, str]:
    until = time.monotonic() + LONGEST_SECONDS
    pause = FIRST_PAUSE
    while time.monotonic() < until:
        reasons = target.outcome(job)
        if reasons is not None:
            return reasons
        tell()
        time.sleep(pause)
        pause = min(LONGEST_PAUSE, pause * 1.5)
    raise TargetFailed(
        f"A job of kind {job.kind} did not end within {LONGEST_SECONDS / 3600:g} hours.",
        "See it in the service's console; the next sync goes on waiting for it.",
    )


def write(
    target: Target, upserts: Sequence[IndexedDocument] = (), deletes: Sequence[str] = ()
) -> Mapping[str, str]:
    """Write a target; return the documents that it cannot hold, id to reason."""
    try:
        target.apply(upserts, deletes)
    except DocumentsRefused as error:
        return error.reasons
    return {}


def note(context: Context, run_id: str | None, name: str, reasons: Mapping[str, str]) -> None:
    """Note in the ledger that a target refused documents; ids that it does not know are left."""
    if not reasons:
        return
    with context.ledger.write() as db:
        noted(db, context, run_id, name, reasons)


def noted(
    db: Connection, context: Context, run_id: str | None, name: str, reasons: Mapping[str, str]
) -> None:
    """Do `note` within a transaction."""
    entries = documents.entries(db, context.corpus, reasons)
    targets.refuse(db, context.corpus, name, [one.document_id for one in entries])
    quarantine.put(
        db,
        context.corpus,
        run_id,
        [_refused(one, name, reasons[one.document_id], context.fingerprints) for one in entries],
    )
    if entries:
        event(
            log,
            WARNING,
            "target {target} refused {count} documents: see sluice quarantine",
            target=configured(name),
            count=len(entries),
        )


def _refused(
    entry: DocumentEntry, target: str, reason: str, current: Fingerprints
) -> QuarantineEntry:
    said, action = CODES[CODE]
    return QuarantineEntry(
        document_id=entry.document_id,
        name=entry.name,
        sealed_key=entry.sealed_key,
        version=entry.version,
        step=STEP,
        code=CODE,
        reason=fixed("{} {}: {}", fixed(said), configured(target), worded(reason)),
        action=fixed(action),
        fingerprint=current.up_to(STEP),
        content_id=entry.content_id,
        transient=passing(reason),
        parent_id=entry.parent_id,
    )
