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

from sqlalchemy import Connection, Row, func, select, text

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
        texts: Looked at beside the chain; all good.
        removed: Texts that records name and that are removed, as other records say.
    """

    records: int
    head: str
    broken: int | None = None
    reason: str = ""
    texts: int = 0
    removed: int = 0


def append(db: Connection, kind: str, body: Mapping[str, Any]) -> Record:
    """Add a record; needs a write transaction, and other writers wait for its end.

    Args:
        body: Plain values; nothing raw. Under ``answer`` it names the answer that it is about:
            `about` finds it by that.
    """
    if db.dialect.name == "postgresql":
        db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    number, previous = head(db)
    seq = number + 1
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

    What lies beside it is looked at by `rag.ledger.checking`.

    Args:
        head: A hash that was noted before: the chain must still hold it.
    """
    chain = Chain(head)
    for row in _rows(db):
        if reason := chain.take(
            row.seq, row.at, row.kind, row.body, row.previous, row.hash, row.about
        ):
            return Verified(chain.count, chain.last, row.seq, reason)
    return chain.end()


class Chain:
    """A check of records one after the other.

    Attributes:
        count: Records taken, all good.
        last: Hash of the last one.
    """

    def __init__(self, head: str = "") -> None:
        self.count, self.last = 0, FIRST
        self._head, self._met = head, head in ("", FIRST)

    def take(
        self,
        seq: int,
        at: str,
        kind: str,
        body: str,
        previous: str,
        digest: str,
        about: str | None,
    ) -> str:
        """Take the next record; return what is wrong with it, or nothing."""
        if reason := self._follows(seq, previous):
            return reason
        if digest != _hash(seq, at, kind, body, previous):
            return "its content was changed"
        said = f'"answer":"{about}"' if about is not None else '"answer":"'
        if (said in body) != (about is not None):
            return "what it is found by was changed"
        return self._taken(digest)

    def link(self, seq: int, previous: str, digest: str) -> str:
        """Take a record of which only the place in the chain is told."""
        return self._follows(seq, previous) or self._taken(digest)

    def end(self) -> Verified:
        """Return what became of it."""
        if self._met:
            return Verified(self.count, self.last)
        missing = "the record with the given head is missing"
        return Verified(self.count, self.last, self.count + 1, missing)

    def _follows(self, seq: int, previous: str) -> str:
        if seq != self.count + 1:
            place = "is missing before it" if seq > self.count else "is there already"
            return f"record {self.count + 1 if seq > self.count else seq} {place}"
        return "" if previous == self.last else "it does not follow from the record before"

    def _taken(self, digest: str) -> str:
        self.count, self.last = self.count + 1, digest
        self._met = self._met or digest == self._head
        return ""


def head(db: Connection) -> tuple[int, str]:
    """Return number and hash of the last record, to be kept elsewhere; 0 where there is none."""
    last = db.execute(
        select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
    ).first()
    return (last.seq, last.hash) if last else (0, FIRST)


def last_before(db: Connection, moment: str) -> int:
    """Return the number of the last record before a moment (ISO 8601, UTC); 0: none is."""
    found = db.scalar(select(func.max(audit.c.seq)).where(audit.c.at < moment))
    return found or 0


def raw(db: Connection) -> Iterator[Row[Any]]:
    """Yield all rows as they are, oldest first."""
    yield from _rows(db)


def _rows(db: Connection, kind: str = "") -> Iterator[Row[Any]]:
    every = select(audit).order_by(audit.c.seq)
    yield from db.execute(every.where(audit.c.kind == kind) if kind else every).yield_per(1000)


def _hash(seq: int, at: str, kind: str, body: str, previous: str) -> str:
    content = json.dumps([previous, seq, at, kind, body], ensure_ascii=True)
    return hashlib.sha256(content.encode()).hexdigest()
