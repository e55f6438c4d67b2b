"""Texts leave the audit: too old, or of a person who is erased; the chain says so, and stays."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from rag.ledger import audit, texts
from rag.ledger.checking import REMOVED
from rag.ledger.tables import now

if TYPE_CHECKING:
    import re

    from rag.audit.trail import Keeper

TOGETHER = 1000
"""Texts that one record and one transaction remove: others write between two."""


def retain(context: Keeper, at: datetime | None = None) -> int:
    """Remove what is older than ``audit.retain_days``; return how many texts that were.

    A text that a younger record names, too, stays. Each sync does this.

    Args:
        at: The moment that it is; by default now.
    """
    days = context.config.audit.retain_days
    if days is None:
        return 0
    since = ((at or now()) - timedelta(days=days)).isoformat(timespec="microseconds")
    with context.ledger.read() as db:
        last = audit.last_before(db, since)
        old = texts.unnamed_since(db, context.corpus, last)
    for some in _cut(old):
        body = {"why": "retention", "days": days, "before": since}
        _remove(context, some, body, last)
    return len(old)


def forget(context: Keeper, named: re.Pattern[str], surrogates: Collection[str], to: str) -> int:
    """Remove all texts that name a person; return how many.

    Args:
        named: Finds the person's pseudonyms.
        surrogates: Of the person's dates or numbers.
        to: The erasure's id.
    """
    with context.ledger.read() as db:
        found = [
            one.hash
            for _, one in texts.every(db, context.corpus)
            if named.search(one.text) or any(part in one.text for part in surrogates)
        ]
    for some in _cut(found):
        _remove(context, some, {"why": "erasure", "erasure": to})
    return len(found)


def _remove(
    context: Keeper, hashes: Sequence[str], body: dict[str, Any], last: int | None = None
) -> None:
    """Remove texts and record it, in one transaction.

    Args:
        last: Those that a later record names by now stay.
    """
    with context.ledger.write() as db:
        if last is not None:
            held = texts.held(db, context.corpus, hashes)
            hashes = [one.hash for one in held.values() if one.seq <= last]
        if hashes:
            texts.drop(db, context.corpus, hashes)
            audit.append(db, REMOVED, {"corpus": context.corpus, **body, "texts": sorted(hashes)})


def _cut(hashes: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(hashes), TOGETHER):
        yield hashes[start : start + TOGETHER]
