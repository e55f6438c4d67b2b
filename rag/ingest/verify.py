"""Compare each target with the ledger; put right what can be put right."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.errors import IndexDiffers
from rag.ingest.settle import note, settle, write
from rag.ingest.shard import ShardReport, embed_results, results_of
from rag.ingest.store import DocumentResult, Job
from rag.ingest.sync import indexed
from rag.ledger import documents, targets
from rag.ledger.entries import DocumentEntry

if TYPE_CHECKING:
    from rag.ingest.context import Context
    from rag.targets import Stored


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a target is not what the ledger says: document ids."""

    missing: frozenset[str]
    different: frozenset[str]
    extra: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.missing or self.different or self.extra)


def compare(expected: Mapping[str, DocumentEntry], inventory: Mapping[str, Stored]) -> Difference:
    """Compare what must be there with what is: ids, digests, chunk counts and rights."""
    return Difference(
        missing=frozenset(
            name for name, one in expected.items() if name not in inventory and one.chunk_count
        ),
        different=frozenset(
            name
            for name, one in expected.items()
            if name in inventory and not _same(one, inventory[name])
        ),
        extra=frozenset(name for name in inventory if name not in expected),
    )


def _same(entry: DocumentEntry, stored: Stored) -> bool:
    return (
        entry.digest == stored.digest
        and entry.chunk_count == len(stored.chunks)
        and sorted(entry.acl) == sorted(stored.acl)
    )


def verify(context: Context, run_id: str | None = None) -> dict[str, int]:
    """Verify every target; return what was repaired, counted by kind (empty: all was well).

    A document that is missing or different is made again from its masked artifact; one that
    nobody knows is deleted. What a target refused is not missing there.

    Raises:
        IndexDiffers: Something could not be repaired; the next run redoes those documents.
    """
    with context.ledger.read() as db:
        expected = {one.document_id: one for one in documents.entries(db, context.corpus)}
    repaired: dict[str, int] = {}
    for name in context.target_names:
        target = context.targets[name]
        found = compare(_held(context, name, expected), target.inventory())
        if not found:
            continue
        _repair(context, run_id, name, expected, found)
        left = compare(_held(context, name, expected), target.inventory())
        for kind in ("missing", "different", "extra"):
            repaired[kind] = repaired.get(kind, 0) + len(getattr(found, kind))
        if left:
            unsettled = left.missing | left.different
            with context.ledger.write() as db:
                targets.intend(db, context.corpus, name, unsettled)
            raise IndexDiffers(
                f"{len(unsettled) + len(left.extra)} documents of target {name} are not as the "
                "ledger says and could not be repaired.",
                "Run the sync again: it redoes them from the source.",
            )
    return repaired


def _held(
    context: Context, name: str, expected: Mapping[str, DocumentEntry]
) -> dict[str, DocumentEntry]:
    """What a target must hold: all but what it refused."""
    with context.ledger.read() as db:
        refused = targets.refused(db, context.corpus, name)
    return {one: entry for one, entry in expected.items() if one not in refused}


def _repair(
    context: Context,
    run_id: str | None,
    name: str,
    expected: Mapping[str, DocumentEntry],
    found: Difference,
) -> None:
    target = context.targets[name]
    wanted = found.missing | found.different
    again = [indexed(one, context.fingerprints) for one in remake(context, expected, wanted)]
    note(context, run_id, name, write(target, again, sorted(found.extra)))
    target.compact()
    settle(context, run_id, name)


def remake(
    context: Context, expected: Mapping[str, DocumentEntry], wanted: Collection[str]
) -> Iterator[DocumentResult]:
    """Make documents again from their masked artifacts; those whose artifact is gone are left."""
    report = ShardReport()
    for root in sorted({expected[name].root_id for name in wanted}):
        entry = expected.get(root)
        if entry is None:
            continue
        masked = context.store.masked(entry.content_id, context.made_by(entry.sealed_key))
        if masked is None:
            continue
        job = Job.again(entry)
        made = list(results_of(context, job, entry.content_id, entry.name, masked, report))
        for one in embed_results(context, made, report):
            if one.document_id in wanted and one.failure is None:
                yield one
