"""What is indexed, at which version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, Row, bindparam, delete, func, or_, select, update

from rag.ledger import quarantine, targets
from rag.ledger.entries import (
    DocumentEntry,
    Fingerprints,
    LedgerView,
    QuarantineEntry,
    Rights,
    Summary,
)
from rag.ledger.tables import batches, documents, now, upsert
from rag.ledger.tables import quarantine as quarantine_table
from rag.ledger.vault import sources
from rag.masked import require
from rag.masked.stored import stored


def view(db: Connection, corpus: str, targets_kept: Iterable[str] = ()) -> LedgerView:
    """Return all that planning needs, in three statements.

    Args:
        targets_kept: Names of the corpus's targets; a document that one of them does not hold
            as recorded is unsettled.
    """
    found = {one.document_id: one for one in entries(db, corpus)}
    unsettled = {
        found[name].root_id
        for target in targets_kept
        for name in targets.unsettled(db, corpus, target)
        if name in found
    }
    waiting = {one.document_id: one for one in quarantine.entries(db, corpus)}
    return LedgerView(found, waiting, frozenset(unsettled))


def entries(
    db: Connection, corpus: str, document_ids: Iterable[str] | None = None
) -> list[DocumentEntry]:
    """Return documents and attachments, by id; all of the corpus's or those asked for."""
    every = sources.with_sealed(documents).where(documents.c.corpus == corpus)
    if document_ids is None:
        found = [_entry(row) for row in db.execute(every)]
    else:
        found = [
            _entry(row)
            for some in batches(dict.fromkeys(document_ids))
            for row in db.execute(every.where(documents.c.document_id.in_(some)))
        ]
    return sorted(found, key=lambda one: one.document_id)


def _entry(row: Row[tuple[object, ...]]) -> DocumentEntry:
    return DocumentEntry(
        document_id=row.document_id,
        name=stored(row.name),
        sealed_key=row.sealed_key,
        version=row.version,
        size=row.size,
        content_id=row.content_id,
        media_type=row.media_type,
        title=stored(row.title),
        acl=tuple(row.acl),
        fingerprints=Fingerprints(row.parse_fp, row.mask_fp, row.chunk_fp, row.embed_fp),
        digest=row.digest,
        chunk_count=row.chunk_count,
        masked=row.masked,
        modified=row.modified,
        parent_id=row.parent_id,
        run_id=row.run_id,
        updated_at=row.updated_at,
    )


def versions(
    db: Connection, corpus: str, document_ids: Iterable[str]
) -> dict[str, tuple[str, str, datetime]]:
    """Return version, digest and when it was indexed, of those documents that are there."""
    wanted = (
        documents.c.document_id,
        documents.c.version,
        documents.c.digest,
        documents.c.updated_at,
    )
    return {
        row[0]: (row[1], row[2], row[3])
        for some in batches(document_ids)
        for row in db.execute(
            select(*wanted).where(documents.c.corpus == corpus, documents.c.document_id.in_(some))
        )
    }


def record(
    db: Connection,
    corpus: str,
    run_id: str | None,
    indexed: Sequence[DocumentEntry],
    failures: Sequence[QuarantineEntry] = (),
) -> None:
    """Record what a run made of some documents, each with all its attachments.

    An indexed document leaves quarantine, and attachments that it no longer has leave the
    ledger. A failed one goes to quarantine and keeps what was recorded of it: that version is
    still served. The same holds for an attachment that failed in a document that did not.

    Raises:
        ValueError: An attachment names another attachment as its parent.
    """
    made: list[DocumentEntry | QuarantineEntry] = [*indexed, *failures]
    attached = {one.document_id for one in made if one.parent_id}
    if any(one.parent_id in attached for one in made):
        raise ValueError("parent_id is the listed document, however deep an attachment lies")
    failed = {one.document_id for one in failures}
    listed = [one.document_id for one in indexed if one.parent_id is None]
    kept = {one.document_id for one in indexed} | failed
    _remove(db, corpus, [name for name in attachments(db, corpus, listed) if name not in kept])
    quarantine.release(db, corpus, [one for one in listed if one not in failed])
    quarantine.release(
        db, corpus, [one.document_id for one in indexed if one.document_id not in failed]
    )
    moment = now()
    upsert(
        db,
        documents,
        [
            {
                "corpus": corpus,
                "document_id": one.document_id,
                "parent_id": one.parent_id,
                "name": require(one.name, "The ledger"),
                "version": one.version,
                "size": one.size,
                "content_id": one.content_id,
                "media_type": one.media_type,
                "title": require(one.title, "The ledger"),
                "acl": list(one.acl),
                "parse_fp": one.fingerprints.parse,
                "mask_fp": one.fingerprints.mask,
                "chunk_fp": one.fingerprints.chunk,
                "embed_fp": one.fingerprints.embed,
                "digest": one.digest,
                "chunk_count": one.chunk_count,
                "masked": dict(one.masked),
                "modified": one.modified,
                "run_id": run_id,
                "updated_at": moment,
            }
            for one in indexed
        ],
    )
    sources.put(db, corpus, {one.root_id: one.sealed_key for one in indexed if one.sealed_key})
    quarantine.put(db, corpus, run_id, failures)


def set_rights(db: Connection, corpus: str, run_id: str | None, changes: Sequence[Rights]) -> None:
    """Record who may read some documents now; attachments are named like any other."""
    if not changes:
        return
    moment = now()
    db.execute(
        update(documents)
        .where(documents.c.corpus == corpus, documents.c.document_id == bindparam("which_document"))
        .values(
            acl=bindparam("new_acl", type_=documents.c.acl.type),
            digest=bindparam("new_digest"),
            run_id=run_id,
            updated_at=moment,
        ),
        [
            {"which_document": one.document_id, "new_acl": list(one.acl), "new_digest": one.digest}
            for one in changes
        ],
    )


def attachments(db: Connection, corpus: str, document_ids: Iterable[str]) -> list[str]:
    """Return ids of the recorded attachments of listed documents."""
    return [
        name
        for some in batches(document_ids)
        for name in db.scalars(
            select(documents.c.document_id)
            .where(documents.c.corpus == corpus, documents.c.parent_id.in_(some))
            .order_by(documents.c.document_id)
        )
    ]


def remove(db: Connection, corpus: str, document_ids: Iterable[str]) -> None:
    """Remove documents with their attachments, from the ledger, quarantine and the vault.

    Targets still hold them: `rag.ledger.targets.stale` then says so.
    """
    gone = list(document_ids)
    _remove(db, corpus, gone)
    quarantine.release(db, corpus, gone)
    sources.forget(db, corpus, gone)


def _remove(db: Connection, corpus: str, document_ids: Iterable[str]) -> None:
    for some in batches(document_ids):
        db.execute(
            delete(documents).where(
                documents.c.corpus == corpus,
                or_(documents.c.document_id.in_(some), documents.c.parent_id.in_(some)),
            )
        )


def corpora(db: Connection) -> list[str]:
    """Return names of all corpora that have documents or a quarantine."""
    names = set(db.scalars(select(documents.c.corpus).distinct()))
    names |= set(db.scalars(select(quarantine_table.c.corpus).distinct()))
    return sorted(names)


def summary(db: Connection, corpus: str) -> Summary:
    """Return a corpus in figures."""
    listed = documents.c.parent_id.is_(None)
    here = documents.c.corpus == corpus
    total, own, chunks, size = db.execute(
        select(
            func.count(),
            func.count().filter(listed),
            func.coalesce(func.sum(documents.c.chunk_count), 0),
            func.coalesce(func.sum(documents.c.size).filter(listed, documents.c.size > 0), 0),
        ).where(here)
    ).one()
    kinds = db.execute(
        select(documents.c.media_type, func.count())
        .where(here)
        .group_by(documents.c.media_type)
        .order_by(documents.c.media_type)
    )
    masked: Counter[str] = Counter()
    for counts in db.scalars(select(documents.c.masked).where(here)):
        masked.update(counts)
    waiting = db.scalar(
        select(func.count())
        .select_from(quarantine_table)
        .where(quarantine_table.c.corpus == corpus)
    )
    return Summary(
        documents=own,
        attachments=total - own,
        chunks=int(chunks),
        bytes=int(size),
        quarantined=waiting or 0,
        media_types={row[0]: row[1] for row in kinds},
        masked=dict(sorted(masked.items())),
    )
