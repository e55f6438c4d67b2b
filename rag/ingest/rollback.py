"""Go back to the index that the last reindex replaced."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rag.errors import TargetFailed
from rag.ingest.fingerprints import fingerprints
from rag.ingest.reindex import Made, opensearch_of, record, recorded
from rag.ingest.sync import with_rights
from rag.ledger import documents, targets

if TYPE_CHECKING:
    from rag.ingest.context import Context


@dataclass(frozen=True, slots=True)
class RollbackReport:
    """What became of a rollback.

    Attributes:
        model: Of the index that is served again.
        documents: That it holds.
        to_redo: Documents that changed since it was replaced: the next sync makes them anew.
    """

    corpus: str
    target: str
    model: str
    documents: int
    to_redo: int


def rollback(context: Context) -> RollbackReport:
    """Serve the index that the last reindex replaced.

    What was deleted since, and rights taken away, are so there too. What changed since is made
    anew by the next sync, once the corpus file names the old model again.

    Raises:
        ConfigError: No target of the corpus is an OpenSearch.
        TargetFailed: There is no index to go back to.
        CorpusBusy: A run holds the corpus.
    """
    name, _, now = opensearch_of(context)
    with recorded(context, "rollback") as run_id:
        before = now.before()
        model = before.model() if before else None
        if before is None or model is None:
            raise TargetFailed("There is no older index to go back to.", "A reindex keeps one.")
        with context.ledger.read() as db:
            entries = {one.document_id: one for one in documents.entries(db, context.corpus)}
        current, kept = now.inventory(), before.inventory()
        before.apply([], sorted(set(kept) - set(entries)))
        alike = {
            one
            for one in kept.keys() & current.keys() & entries.keys()
            if kept[one].chunks == current[one].chunks
        }
        # A document and its attachments are recorded together.
        changed = {entries[one].root_id for one in entries.keys() - alike}
        embed = fingerprints(context.config.model_copy(update={"embed": model})).embed
        same = {
            one: replace(
                entries[one],
                digest=with_rights(kept[one].digest, entries[one].acl),
                fingerprints=replace(entries[one].fingerprints, embed=embed),
            )
            for one in alike
            if entries[one].root_id not in changed
        }
        before.set_acl(
            {one: entries[one].acl for one in kept.keys() & entries.keys()},
            {one: entry.digest for one, entry in same.items()},
        )
        now.serve(before)
        with context.ledger.write() as db:
            targets.intend(db, context.corpus, name, entries.keys() - same.keys())
        record(context, run_id, name, Made(same))
    return RollbackReport(
        corpus=context.corpus,
        target=name,
        model=model.model,
        documents=len(kept.keys() & entries.keys()),
        to_redo=len(entries) - len(same),
    )
