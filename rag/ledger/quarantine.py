"""Documents that could not be indexed, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, case, delete, exists, literal_column, or_, update

from rag.ledger import tables
from rag.ledger.entries import QuarantineEntry
from rag.ledger.tables import batches, now, quarantine, upsert
from rag.ledger.vault import sources
from rag.masked import Masked, require
from rag.masked.stored import stored


def entries(db: Connection, corpus: str) -> list[QuarantineEntry]:
    """Return a corpus's quarantine, by name."""
    served = exists().where(
        tables.documents.c.corpus == quarantine.c.corpus,
        tables.documents.c.document_id == quarantine.c.document_id,
    )
    found = db.execute(
        sources.with_sealed(quarantine, served.label("served"))
        .where(quarantine.c.corpus == corpus)
        .order_by(quarantine.c.name, quarantine.c.document_id)
    )
    return [
        QuarantineEntry(
            document_id=row.document_id,
            name=stored(row.name),
            sealed_key=row.sealed_key,
            version=row.version,
            step=row.step,
            code=row.code,
            reason=stored(row.reason),
            action=stored(row.action),
            fingerprint=row.fingerprint,
            content_id=row.content_id,
            transient=row.transient,
            parent_id=row.parent_id,
            attempts=row.attempts,
            run_id=row.run_id,
            first_seen=row.first_seen,
            last_seen=row.last_seen,
            served=bool(row.served),
        )
        for row in found
    ]


def put(
    db: Connection, corpus: str, run_id: str | None, failures: Sequence[QuarantineEntry]
) -> None:
    """Put documents in quarantine. What is served of them stays served.

    Attempts count failures of one version; `first_seen` is when the document came here.
    """
    moment = now()
    sources.put(db, corpus, {one.root_id: one.sealed_key for one in failures if one.sealed_key})
    upsert(
        db,
        quarantine,
        [
            {
                "corpus": corpus,
                "document_id": one.document_id,
                "parent_id": one.parent_id,
                "name": require(one.name, "The ledger"),
                "version": one.version,
                "content_id": one.content_id,
                "step": one.step,
                "code": one.code,
                "reason": require(one.reason, "The ledger"),
                "action": require(one.action, "The ledger"),
                "fingerprint": one.fingerprint,
                "transient": one.transient,
                "attempts": 1,
                "run_id": run_id,
                "first_seen": moment,
                "last_seen": moment,
            }
            for one in failures
        ],
        keep=("first_seen",),
        compute={
            "attempts": case(
                (
                    quarantine.c.version == literal_column("excluded.version"),
                    quarantine.c.attempts + 1,
                ),
                else_=1,
            )
        },
    )


def rename(db: Connection, corpus: str, names: Mapping[str, Masked]) -> None:
    """Give documents in quarantine other names, by id."""
    for document_id, name in names.items():
        db.execute(
            update(quarantine)
            .where(quarantine.c.corpus == corpus, quarantine.c.document_id == document_id)
            .values(name=require(name, "The ledger"))
        )


def release(db: Connection, corpus: str, document_ids: Iterable[str]) -> None:
    """Take documents and their attachments out of quarantine."""
    for some in batches(document_ids):
        db.execute(
            delete(quarantine).where(
                quarantine.c.corpus == corpus,
                or_(quarantine.c.document_id.in_(some), quarantine.c.parent_id.in_(some)),
            )
        )
