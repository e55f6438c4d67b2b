"""What each target has been made to hold."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, and_, delete, func, select, update

from rag.ledger import tables
from rag.ledger.entries import Held
from rag.ledger.tables import batches, target_documents, upsert

UNKNOWN = ""
"""The digest of a document whose write was begun: nobody knows what the target holds of it."""


def held(
    db: Connection, corpus: str, target: str, document_ids: Iterable[str] | None = None
) -> dict[str, Held]:
    """Return what a target holds, by document id; everything or those asked for."""
    every = select(
        target_documents.c.document_id,
        target_documents.c.digest,
        target_documents.c.chunk_count,
        target_documents.c.refused,
    ).where(target_documents.c.corpus == corpus, target_documents.c.target == target)
    if document_ids is None:
        return {row[0]: Held(*row) for row in db.execute(every)}
    return {
        row[0]: Held(*row)
        for some in batches(dict.fromkeys(document_ids))
        for row in db.execute(every.where(target_documents.c.document_id.in_(some)))
    }


def intend(db: Connection, corpus: str, target: str, document_ids: Iterable[str]) -> None:
    """Note, before a target is written, which documents the write touches.

    If the run dies in between, the documents are unsettled and the next run makes them so.
    """
    upsert(
        db,
        target_documents,
        [_row(corpus, target, Held(name, UNKNOWN, 0)) for name in dict.fromkeys(document_ids)],
    )


def settle(db: Connection, corpus: str, target: str, documents: Iterable[Held]) -> None:
    """Note what a target now holds of these documents."""
    upsert(db, target_documents, [_row(corpus, target, one) for one in documents])


def _row(corpus: str, target: str, one: Held) -> dict[str, object]:
    return {
        "corpus": corpus,
        "target": target,
        "document_id": one.document_id,
        "digest": one.digest,
        "chunk_count": one.chunk_count,
        "refused": one.refused,
    }


def refuse(db: Connection, corpus: str, target: str, document_ids: Iterable[str]) -> None:
    """Note that a target will not hold these documents, at the version that it was given."""
    for some in batches(document_ids):
        db.execute(
            update(target_documents)
            .where(
                target_documents.c.corpus == corpus,
                target_documents.c.target == target,
                target_documents.c.document_id.in_(some),
            )
            .values(refused=True)
        )


def refused(db: Connection, corpus: str, target: str) -> set[str]:
    """Return ids of documents that a target will not hold, at the version that is recorded."""
    found = db.scalars(
        select(target_documents.c.document_id)
        .join(tables.documents, _same_document())
        .where(
            target_documents.c.corpus == corpus,
            target_documents.c.target == target,
            target_documents.c.refused,
            target_documents.c.digest == tables.documents.c.digest,
        )
    )
    return set(found)


def forget(db: Connection, corpus: str, target: str, document_ids: Iterable[str]) -> None:
    """Note that a target no longer holds these documents."""
    for some in batches(document_ids):
        db.execute(
            delete(target_documents).where(
                target_documents.c.corpus == corpus,
                target_documents.c.target == target,
                target_documents.c.document_id.in_(some),
            )
        )


def stale(db: Connection, corpus: str, target: str) -> list[str]:
    """Return ids that a target holds, or may hold, and the ledger's documents do not.

    Ask it after the run's documents are recorded: what was only intended is stale until then.
    """
    found = db.scalars(
        select(target_documents.c.document_id)
        .outerjoin(tables.documents, _same_document())
        .where(
            target_documents.c.corpus == corpus,
            target_documents.c.target == target,
            tables.documents.c.document_id.is_(None),
        )
        .order_by(target_documents.c.document_id)
    )
    return list(found)


def unsettled(db: Connection, corpus: str, target: str) -> list[str]:
    """Return ids of documents that a target does not hold as the ledger says."""
    documents = tables.documents
    found = db.scalars(
        select(documents.c.document_id)
        .outerjoin(target_documents, and_(_same_document(), target_documents.c.target == target))
        .where(
            documents.c.corpus == corpus,
            func.coalesce(target_documents.c.digest, UNKNOWN) != documents.c.digest,
        )
        .order_by(documents.c.document_id)
    )
    return list(found)


def _same_document() -> ColumnElement[bool]:
    return and_(
        target_documents.c.corpus == tables.documents.c.corpus,
        target_documents.c.document_id == tables.documents.c.document_id,
    )
