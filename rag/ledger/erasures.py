"""Erasures under way and done: what each touched, and what of a person is left in the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    JSON,
    Connection,
    String,
    Text,
    TypeDecorator,
    Update,
    cast,
    literal,
    or_,
    select,
    update,
)

from rag.ledger.tables import erasures, metadata, now, upsert, vault_entries


@dataclass(frozen=True, slots=True)
class Erasure:
    """One erasure.

    Attributes:
        asked: A keyed hash of whom, and how.
        erasure_id: Random.
        mode: ``keep`` or ``remove``.
        before: Digests of the documents that it touches, by id, as they were.
        counts: What earlier attempts had deleted.
    """

    asked: str
    erasure_id: str
    mode: str
    started_at: datetime
    before: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)


def begin(
    db: Connection,
    corpus: str,
    asked: str,
    mode: str,
    before: Mapping[str, str],
    waiting: Iterable[str],
) -> Erasure:
    """Begin an erasure, or go on with the one that was asked for like this and is not finished.

    Args:
        asked: A keyed hash of whom, and how.
        before: Documents that name the person now; added to those of earlier attempts.
        waiting: Documents in quarantine that do.
    """
    row = db.execute(
        select(erasures).where(erasures.c.corpus == corpus, erasures.c.erasure_id == asked)
    ).first()
    body = dict(row.body) if row and row.finished_at is None else {}
    kept = {**dict.fromkeys(waiting, ""), **before, **body.get("before", {})}
    started = row.started_at if row and body else now()
    erasure_id = body.get("erasure", uuid4().hex)
    counts = body.get("counts", {})
    made = {"erasure": erasure_id, "mode": mode, "before": kept, "counts": counts}
    upsert(
        db,
        erasures,
        [
            {
                "corpus": corpus,
                "erasure_id": asked,
                "body": made,
                "started_at": started,
                "finished_at": None,
            }
        ],
    )
    return Erasure(asked, erasure_id, mode, started, kept, counts)


def count(db: Connection, corpus: str, work: Erasure, counts: Mapping[str, int]) -> Erasure:
    """Note what was deleted, so that an erasure that is stopped after that certifies it."""
    total = {name: work.counts.get(name, 0) + counts[name] for name in counts}
    work = replace(work, counts={**work.counts, **total})
    body = {"erasure": work.erasure_id, "mode": work.mode, "before": dict(work.before)}
    db.execute(_this(corpus, work).values(body={**body, "counts": dict(work.counts)}))
    return work


def finished(db: Connection, corpus: str, asked: str) -> dict[str, Any] | None:
    """Return the certificate of what was asked for, if that was done already."""
    row = db.execute(
        select(erasures).where(erasures.c.corpus == corpus, erasures.c.erasure_id == asked)
    ).first()
    return row.body["certificate"] if row and row.finished_at else None


def finish(db: Connection, corpus: str, work: Erasure, certificate: Mapping[str, Any]) -> None:
    """Close an erasure; its certificate is kept: it tells nothing of the person."""
    body = {"erasure": work.erasure_id, "mode": work.mode, "certificate": dict(certificate)}
    db.execute(_this(corpus, work).values(body=body, finished_at=now()))


def _this(corpus: str, work: Erasure) -> Update:
    here = (erasures.c.corpus == corpus) & (erasures.c.erasure_id == work.asked)
    return update(erasures).where(here)


def elsewhere(db: Connection, corpus: str, pseudonyms: Sequence[str]) -> tuple[str, ...]:
    """Return other corpora whose vault knows one of these pseudonyms: they share the key."""
    found = db.scalars(
        select(vault_entries.c.corpus)
        .where(vault_entries.c.corpus != corpus, vault_entries.c.pseudonym.in_(pseudonyms))
        .distinct()
        .order_by(vault_entries.c.corpus)
    )
    return tuple(found)


def remains(db: Connection, corpus: str, pseudonyms: Sequence[str]) -> list[str]:
    """Return tables of the ledger in which a corpus's rows, or the audit, hold a pseudonym."""
    left = []
    for table in metadata.sorted_tables:
        texts = [
            cast(column, Text)
            for column in table.columns
            if isinstance(column.type, String | JSON | TypeDecorator)
        ]
        holds = or_(*(one.contains(p, autoescape=True) for one in texts for p in pseudonyms))
        found = select(literal(1)).select_from(table).where(holds).limit(1)
        if "corpus" in table.columns:
            found = found.where(table.columns["corpus"] == corpus)
        if db.execute(found).first():
            left.append(f"ledger {table.name}")
    return left
