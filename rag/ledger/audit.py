"""The audit: records that can be added and not changed, each chained to the one before.

A record's hash is SHA-256 over the hash before it and its own content, so that changing, removing
or inserting one breaks the chain there. Cutting records off at the end does not: for that keep
the head (`Verified.head`) elsewhere, as each erasure's certificate does.

What a record says is masked or hashed: it outlives what it is about.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select, text

from rag.ledger.tables import audit, now

FIRST = "0" * 64
"""What the first record is chained to."""

_LOCK = 0x51_1C_E1  # any constant number of ours, for Postgres' advisory locks


@dataclass(frozen=True, slots=True)
class Record:
    """One record.

    Attributes:
        seq: From 1, without gaps.
        at: ISO 8601, UTC.
        kind: What was done: ``answer``, ``search``, ``feedback``, ``explain``, ``export``,
            ``removed``; ``reveal``, ``erase``, ``rotate``.
        body: By whom, to what, with which outcome.
        previous: Hash of the record before.
    """

    seq: int
    at: str
    kind: str
    body: Mapping[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of a check of the chain.

    Attributes:
        records: Read, up to the first broken one.
        head: Hash of the last good one.
        broken: Number of the first record that is not as it was written; None: all are.
        reason: What is wrong with it.
    """

    records: int
    head: str
    broken: int | None = None
    reason: str = ""


def append(db: Connection, kind: str, body: Mapping[str, Any]) -> Record:
    """Add a record; needs a write transaction, and other writers wait for its end.

    Args:
        body: Plain values; nothing raw. Under ``answer`` it names the answer that it is about:
            `about` finds it by that.
    """
    if db.dialect.name == "postgresql":
        db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    last = db.execute(
        select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
    ).first()
    seq, previous = (last.seq + 1, last.hash) if last else (1, FIRST)
    at = now().isoformat(timespec="microseconds")
    written = json.dumps(body, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    row = {"seq": seq, "at": at, "kind": kind, "body": written, "previous": previous}
    digest = _hash(seq, at, kind, written, previous)
    db.execute(audit.insert().values(**row, hash=digest, about=body.get("answer")))
    return Record(seq, at, kind, dict(body), previous, digest)


def records(db: Connection, kind: str = "") -> Iterator[Record]:
    """Yield all records, or those of a kind, oldest first."""
    for row in _rows(db, kind):
        yield Record(row.seq, row.at, row.kind, json.loads(row.body), row.previous, row.hash)


def about(db: Connection, answer_id: str) -> list[Record]:
    """Return all records about an answer, oldest first."""
    rows = select(audit).where(audit.c.about == answer_id).order_by(audit.c.seq)
    return [
        Record(row.seq, row.at, row.kind, json.loads(row.body), row.previous, row.hash)
        for row in db.execute(rows)
    ]


def verify(db: Connection, head: str = "") -> Verified:
    """Check the chain from its beginning; stop at the first record that is broken.

    Args:
        head: A hash that was noted before: the chain must still hold it.
    """
    count, last, met = 0, FIRST, head in ("", FIRST)
    for row in _rows(db):
        reason = ""
        if row.seq != count + 1:
            reason = f"record {count + 1} is missing before it"
        elif row.previous != last:
            reason = "it does not follow from the record before"
        elif row.hash != _hash(row.seq, row.at, row.kind, row.body, row.previous):
            reason = "its content was changed"
        if reason:
            return Verified(count, last, row.seq, reason)
        count, last = count + 1, row.hash
        met = met or last == head
    if not met:
        return Verified(count, last, count + 1, "the record with the given head is missing")
    return Verified(count, last)


def _rows(db: Connection, kind: str = "") -> Iterator[Row[Any]]:
    every = select(audit).order_by(audit.c.seq)
    yield from db.execute(every.where(audit.c.kind == kind) if kind else every).yield_per(1000)


def _hash(seq: int, at: str, kind: str, body: str, previous: str) -> str:
    content = json.dumps([previous, seq, at, kind, body], ensure_ascii=True)
    return hashlib.sha256(content.encode()).hexdigest()
