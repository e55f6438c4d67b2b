"""Make the targets hold what the shards made, and no longer what the source dropped.

The order keeps a killed run harmless: a write is noted in the ledger before a target sees it, the
new version of a document is in place before anything of it is recorded, and what is recorded as
gone is deleted from the targets after that. Whatever was left half done is unsettled or stale in
the ledger, and the next run finishes it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.errors import DocumentsRefused
from rag.ingest.settle import noted, write
from rag.ingest.store import DocumentResult, RunPlan
from rag.ledger import aliases, documents, targets
from rag.ledger.entries import DocumentEntry, Fingerprints, Held, QuarantineEntry, Rights
from rag.records import IndexedDocument, Principal

if TYPE_CHECKING:
    from rag.ingest.context import Context
    from rag.targets import Target

TRANSIENT = frozenset(
    {"unreadable_source", "changed_while_reading", "detector_failed", "guardrail_failed"}
    | {"embedding_failed", "vault_failed"}
)
"""Failures that are not the document's: it is tried again in every run."""


def apply_results(
    context: Context,
    run_id: str,
    results: Sequence[DocumentResult],
    made_by: Fingerprints | None = None,
) -> None:
    """Put documents into every target, then into the ledger.

    Documents that a target already holds with the same digest are not written again. A failed
    document goes to quarantine, and its older version, if there is one, stays served.

    Args:
        made_by: The steps that made them; by default as they are now.
    """
    current = made_by or context.fingerprints
    results = _with_days(context, results)
    made = {one.document_id: indexed(one, current) for one in results if one.failure is None}
    entries = [entry_of(one, made[one.document_id], current) for one in results if not one.failure]
    failures = [quarantined(one, current) for one in results if one.failure]
    refused = {
        name: _write(context, name, target, list(made.values()))
        for name, target in context.targets.items()
    }
    with context.ledger.write() as db:
        documents.record(db, context.corpus, run_id, entries, failures)
        aliases.put(db, context.corpus, (pair for one in results for pair in one.aliases))
        for name, reasons in refused.items():
            held = [Held(one.id, one.digest, len(one.chunks)) for one in made.values()]
            targets.settle(db, context.corpus, name, held)
            noted(db, context, run_id, name, reasons)


def _with_days(context: Context, results: Sequence[DocumentResult]) -> list[DocumentResult]:
    """Return the results with the days since which the documents have their bytes.

    What was only touched is no newer than it was, and need not be written again.
    """
    with context.ledger.read() as db:
        entries = documents.entries(db, context.corpus, [one.document_id for one in results])
    since = {(one.document_id, one.content_id): one.modified for one in entries}
    return [
        replace(one, modified=since.get((one.document_id, one.content_id)) or one.modified)
        for one in results
    ]


def _write(
    context: Context, name: str, target: Target, wanted: Sequence[IndexedDocument]
) -> Mapping[str, str]:
    """Write what a target does not hold yet; return what it cannot hold, id to reason."""
    with context.ledger.read() as db:
        held = targets.held(db, context.corpus, name, [one.id for one in wanted])
    changed = [
        one
        for one in wanted
        if one.id not in held or held[one.id].digest != one.digest or held[one.id].refused
    ]
    if not changed:
        return {}
    with context.ledger.write() as db:
        targets.intend(db, context.corpus, name, [one.id for one in changed])
    return write(target, changed)


def restrict(context: Context, run_id: str, rights: Mapping[str, tuple[Principal, ...]]) -> None:
    """Give served documents and their attachments the rights that the source says now.

    Nothing is parsed or embedded. Targets come before the ledger: rights that were taken away
    are gone from the index first.

    Args:
        rights: By the ids of listed documents.
    """
    if not rights:
        return
    with context.ledger.read() as db:
        attached = documents.attachments(db, context.corpus, rights)
        entries = documents.entries(db, context.corpus, [*rights, *attached])
    changes = [
        Rights(one.document_id, acl, with_rights(one.digest, acl))
        for one in entries
        if (acl := rights[one.root_id]) != one.acl
    ]
    if not changes:
        return
    before = {one.document_id: one for one in entries}
    refused = {name: _set_acl(target, changes) for name, target in context.targets.items()}
    with context.ledger.write() as db:
        for name in context.targets:
            held = targets.held(db, context.corpus, name, before)
            settled = [
                replace(held[one.document_id], digest=one.digest)
                for one in changes
                if one.document_id in held
                and held[one.document_id].digest == before[one.document_id].digest
            ]
            targets.settle(db, context.corpus, name, settled)
        documents.set_rights(db, context.corpus, run_id, changes)
        for name, reasons in refused.items():
            noted(db, context, run_id, name, reasons)
    for target in context.targets.values():
        target.begin()  # a service that needs time for it begins at once; the run waits later


def _set_acl(target: Target, changes: Sequence[Rights]) -> Mapping[str, str]:
    """Change rights in a target; return the documents that cannot have them there."""
    try:
        target.set_acl(
            {one.document_id: one.acl for one in changes},
            {one.document_id: one.digest for one in changes},
        )
    except DocumentsRefused as error:
        return error.reasons
    return {}


def finish(context: Context, plan: RunPlan) -> None:
    """Delete what the source dropped, and whatever else in a target no document stands for.

    A document that moved goes from its old name once it is in place under the new one.
    """
    with context.ledger.write() as db:
        there = {one.document_id for one in documents.entries(db, context.corpus, plan.moved)}
        left = [old for new, old in plan.moved.items() if new in there]
        documents.remove(db, context.corpus, [*plan.deleted, *left])
    changed = bool(plan.shards or plan.deleted)
    for name in context.target_names:
        with context.ledger.read() as db:
            stale = targets.stale(db, context.corpus, name)
        if stale:
            context.targets[name].apply([], stale)
            with context.ledger.write() as db:
                targets.forget(db, context.corpus, name, stale)
        if stale or changed:
            context.targets[name].compact()


def indexed(result: DocumentResult, current: Fingerprints) -> IndexedDocument:
    """Return what a target must hold for one result."""
    content = hashlib.blake2b(
        json.dumps(
            [
                current.embed,
                result.name,
                result.title,
                result.media_type,
                [(chunk.id, chunk.position, chunk.page) for chunk in result.chunks],
                *([] if result.modified is None else [result.modified]),
            ]
        ).encode(),
        digest_size=16,
    ).hexdigest()
    return IndexedDocument(
        id=result.document_id,
        name=result.name,
        title=result.title,
        media_type=result.media_type,
        digest=with_rights(content, result.acl),
        acl=result.acl,
        chunks=result.chunks,
        vectors=result.vectors,
        modified=result.modified,
    )


def with_rights(digest: str, acl: tuple[Principal, ...]) -> str:
    """Return a document's digest (content, then rights) with other rights."""
    rights = hashlib.blake2b(json.dumps(sorted(acl)).encode(), digest_size=8).hexdigest()
    return f"{digest.partition('-')[0]}-{rights}"


def entry_of(
    result: DocumentResult, document: IndexedDocument, current: Fingerprints
) -> DocumentEntry:
    return DocumentEntry(
        document_id=result.document_id,
        name=result.name,
        sealed_key=result.sealed_key,
        version=result.version,
        size=result.size,
        content_id=result.content_id,
        media_type=result.media_type,
        title=result.title,
        acl=result.acl,
        fingerprints=current,
        digest=document.digest,
        chunk_count=len(result.chunks),
        masked=result.masked,
        modified=result.modified,
        parent_id=result.parent_id,
    )


def quarantined(result: DocumentResult, current: Fingerprints) -> QuarantineEntry:
    assert result.failure is not None
    return QuarantineEntry(
        document_id=result.document_id,
        name=result.name,
        sealed_key=result.sealed_key,
        version=result.version,
        step=result.failure.step,
        code=result.failure.code,
        reason=result.failure.reason,
        action=result.failure.action,
        fingerprint=current.up_to(result.failure.step),
        content_id=result.content_id,
        transient=result.failure.code in TRANSIENT,
        parent_id=result.parent_id,
    )
