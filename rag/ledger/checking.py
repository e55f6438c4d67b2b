"""Whether the audit is as it was written: its chain, and each text beside it.

A text must be what its hash says, be named by a record, and be there as long as no later record
says that it was removed. Records and texts may come from the database or from an export.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from rag.ledger import audit, texts
from rag.ledger.audit import Chain, Verified

REMOVED = "removed"
"""The kind of record that says which texts are gone, why, and by that since when."""


@dataclass(slots=True)
class Mentions:
    """Which texts records name, by corpus and hash: the last record that does, or removes it."""

    named: dict[tuple[str, bytes], int] = field(default_factory=dict)
    removed: dict[tuple[str, bytes], int] = field(default_factory=dict)

    def take(self, seq: int, kind: str, body: str) -> None:
        """Take a record."""
        if kind == REMOVED:
            said = json.loads(body)
            for one in said["texts"]:
                self.removed[said["corpus"], bytes.fromhex(one)] = seq
            return
        found = texts.references(body)
        if found:
            corpus = _corpus(body)
            for one in found:
                self.named[corpus, bytes.fromhex(one)] = seq

    def gone(self, key: tuple[str, bytes]) -> bool:
        """Whether the last that is said of a text is that it was removed."""
        return self.removed.get(key, 0) > self.named.get(key, 0)


def check(db: Connection, head: str = "") -> Verified:
    """Check chain and texts; stop at the first record that is broken.

    Args:
        head: As for `rag.ledger.audit.verify`.
    """
    chain, mentions = Chain(head), Mentions()
    for row in audit.raw(db):
        if reason := chain.take(
            row.seq, row.at, row.kind, row.body, row.previous, row.hash, row.about
        ):
            return Verified(chain.count, chain.last, row.seq, reason)
        mentions.take(row.seq, row.kind, row.body)
    verified = chain.end()
    return verified if verified.broken else against(verified, mentions, texts.every(db))


def against(
    verified: Verified, mentions: Mentions, kept: Iterable[tuple[str, texts.Text]]
) -> Verified:
    """Check texts against what a good chain says of them.

    Returns: `verified` with their number, or with the record that names the first bad one.
    """
    seen: set[tuple[str, bytes]] = set()
    for corpus, one in kept:
        seq, reason = _wrong(mentions, seen, corpus, one)
        if reason:
            return replace(verified, broken=seq, reason=f"its text {one.hash[:16]} {reason}")
    for key, seq in mentions.named.items():
        if key not in seen and not mentions.gone(key):
            reason = f"its text {key[1].hex()[:16]} is missing"
            return replace(verified, broken=seq, reason=reason)
    gone = sum(1 for key in mentions.named if mentions.gone(key))
    return replace(verified, texts=len(seen), removed=gone)


def _wrong(
    mentions: Mentions, seen: set[tuple[str, bytes]], corpus: str, one: texts.Text
) -> tuple[int, str]:
    """Return the record that names a text, and what is wrong with it."""
    try:
        key = (corpus, bytes.fromhex(one.hash))
    except ValueError:
        return max(one.seq, 1), "has no hash"
    named = mentions.named.get(key)
    reason = ""
    if not one.whole:
        reason = "was changed"
    elif named is None:
        reason = "is named by no record"
    elif mentions.gone(key):
        reason = "was removed and is there again"
    elif one.seq != named:
        reason = "was changed in the number of its last record"
    elif key in seen or one.hash != key[1].hex():
        reason = "is there twice"
    seen.add(key)
    return named or max(one.seq, 1), reason


def _corpus(body: str) -> str:
    # Parsing a whole record for one word costs more than all else that is checked.
    marker = '"corpus":"'
    start = body.find(marker)
    return body[start + len(marker) : body.index('"', start + len(marker))] if start >= 0 else ""


def removals(db: Connection, corpus: str) -> Iterator[tuple[audit.Record, Mapping[str, Any]]]:
    """Yield the records that say which texts of a corpus were removed."""
    for one in audit.records(db, REMOVED):
        if one.body["corpus"] == corpus:
            yield one, one.body
