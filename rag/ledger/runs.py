"""Runs over a corpus: how each went."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import uuid4

from sqlalchemy import Connection, insert, select, update

from rag.ledger.entries import Run, RunStatus
from rag.ledger.tables import now, runs


def start(db: Connection, corpus: str, mode: str, run_id: str | None = None) -> str:
    """Record that a run begins; return its id.

    Whoever starts a run holds the corpus's lease, so a run that is still ``running`` was
    killed: it becomes ``stopped``. Starting a run again (a retried task) sets it going again.
    """
    run_id = run_id or uuid4().hex
    moment = now()
    running = (runs.c.corpus == corpus) & (runs.c.status == "running")
    db.execute(
        update(runs)
        .where(running, runs.c.run_id != run_id)
        .values(status="stopped", finished_at=moment)
    )
    again = db.execute(
        update(runs)
        .where(runs.c.run_id == run_id, runs.c.corpus == corpus)
        .values(status="running", finished_at=None, error_code=None)
    )
    if not again.rowcount:
        db.execute(
            insert(runs).values(
                run_id=run_id,
                corpus=corpus,
                mode=mode,
                status="running",
                started_at=moment,
                counts={},
                seconds={},
            )
        )
    return run_id


def finish(
    db: Connection,
    run_id: str,
    status: RunStatus,
    counts: Mapping[str, int] | None = None,
    seconds: Mapping[str, float] | None = None,
    error_code: str | None = None,
) -> None:
    """Record how a run ended.

    Args:
        error_code: A failure's code or an exception's type, never its message.
    """
    db.execute(
        update(runs)
        .where(runs.c.run_id == run_id)
        .values(
            status=status,
            finished_at=now(),
            counts=dict(counts or {}),
            seconds=dict(seconds or {}),
            error_code=error_code,
        )
    )


def latest(db: Connection, corpus: str, limit: int = 1) -> list[Run]:
    """Return a corpus's last runs, newest first."""
    found = db.execute(
        select(runs)
        .where(runs.c.corpus == corpus)
        .order_by(runs.c.started_at.desc(), runs.c.run_id)
        .limit(limit)
    )
    return [
        Run(
            run_id=row.run_id,
            corpus=row.corpus,
            mode=row.mode,
            status=row.status,
            started_at=row.started_at,
            finished_at=row.finished_at,
            counts=row.counts,
            seconds=row.seconds,
            error_code=row.error_code,
        )
        for row in found
    ]
