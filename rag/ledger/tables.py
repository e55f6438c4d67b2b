"""The ledger's tables, and the few statements that differ between SQLite and Postgres.

A change here needs a revision in `rag.migrations`; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    false,
)

T = TypeVar("T")


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite keeps no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class AnyText(TypeDecorator[str]):
    """A text from outside, made fit for every database.

    NUL is dropped (Postgres refuses it); half a surrogate pair, as in file names that are not
    UTF-8, becomes a question mark.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or (value.isprintable() and value.isascii()):
            return value
        return value.replace("\0", "").encode(errors="replace").decode()


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

runs = Table(
    "runs",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("corpus", String(63), nullable=False),
    Column("mode", String(32), nullable=False),
    Column("status", String(16), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("counts", JSON, nullable=False),
    Column("seconds", JSON, nullable=False),
    Column("error_code", String(64)),
    Index(None, "corpus", "started_at"),
)


def _run_id() -> Column[str]:
    return Column("run_id", String(64), ForeignKey("runs.run_id", ondelete="SET NULL"))


documents = Table(
    "documents",
    metadata,
    Column("corpus", String(63), primary_key=True),
    Column("document_id", String(64), primary_key=True),
    Column("parent_id", String(64)),
    Column("name", AnyText, nullable=False),
    Column("version", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("content_id", String(64), nullable=False),
    Column("media_type", Text, nullable=False),
    Column("title", AnyText, nullable=False),
    Column("acl", JSON, nullable=False),
    Column("parse_fp", String(64), nullable=False),
    Column("mask_fp", String(64), nullable=False),
    Column("chunk_fp", String(64), nullable=False),
    Column("embed_fp", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("chunk_count", Integer, nullable=False),
    Column("masked", JSON, nullable=False),
    Column("modified", Integer),
    _run_id(),
    Column("updated_at", UtcDateTime, nullable=False),
    Index(None, "corpus", "parent_id"),
    Index(None, "run_id"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("corpus", String(63), primary_key=True),
    Column("document_id", String(64), primary_key=True),
    Column("parent_id", String(64)),
    Column("name", AnyText, nullable=False),
    Column("version", Text, nullable=False),
    Column("content_id", String(64), nullable=False),
    Column("step", String(32), nullable=False),
    Column("code", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("transient", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False),
    _run_id(),
    Column("first_seen", UtcDateTime, nullable=False),
    Column("last_seen", UtcDateTime, nullable=False),
    Index(None, "corpus", "parent_id"),
    Index(None, "run_id"),
)

aliases = Table(
    "aliases",
    metadata,
    Column("corpus", String(63), primary_key=True),
    Column("alias", String(64), primary_key=True),  # the pseudonym of a shorter form of a name
    Column("pseudonym", String(64), primary_key=True),  # of the whole name
)

target_documents = Table(
    "target_documents",
    metadata,
    Column("corpus", String(63), primary_key=True),
    Column("target", String(128), primary_key=True),
    Column("document_id", String(64), primary_key=True),
    Column("digest", String(64), nullable=False),  # empty: a write was begun, its end is unknown
    Column("chunk_count", Integer, nullable=False),
    Column("refused", Boolean, nullable=False, server_default=false()),
)

leases = Table(
    "leases",
    metadata,
    Column("corpus", String(63), primary_key=True),
    Column("owner", String(128), nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Integer),
    Column("acquired_at", UtcDateTime, nullable=False),
    Column("heartbeat_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

vault_keys = Table(
    "vault_keys",
    metadata,
    Column("corpus", String(63), primary_key=True),
    Column("number", Integer, primary_key=True),  # the highest one wraps what is new
    Column("kek_id", Text, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

vault_subjects = Table(
    "vault_subjects",
    metadata,
    Column("corpus", String(63), primary_key=True),
    Column("subject", String(64), primary_key=True),  # a keyed hash
    Column("key_number", Integer, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # A data key cannot be wrapped by a key that a rotation has removed meanwhile.
    ForeignKeyConstraint(["corpus", "key_number"], ["vault_keys.corpus", "vault_keys.number"]),
    Index(None, "corpus", "key_number"),
)

vault_entries = Table(
    "vault_entries",
    metadata,
    Column("corpus", String(63), primary_key=True),
    Column("pseudonym", Text, primary_key=True),
    Column("spelling", String(32), primary_key=True),  # a keyed hash
    Column("kind", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    ForeignKeyConstraint(
        ["corpus", "subject"],
        ["vault_subjects.corpus", "vault_subjects.subject"],
        ondelete="CASCADE",
    ),
    Index(None, "corpus", "subject"),
)

vault_sources = Table(
    "vault_sources",
    metadata,
    Column("corpus", String(63), primary_key=True),
    Column("document_id", String(64), primary_key=True),
    Column("sealed", Text, nullable=False),
)

erased = Table(
    "erased",
    metadata,
    Column("corpus", String(63), primary_key=True),
    Column("kind", String(16), primary_key=True),  # person, words or document
    Column("tag", String(64), primary_key=True),  # a keyed hash
    Column("body", JSON, nullable=False),
    Column("erased_at", UtcDateTime, nullable=False),
)

erasures = Table(
    "erasures",
    metadata,
    Column("corpus", String(63), primary_key=True),
    Column("erasure_id", String(64), primary_key=True),
    Column("body", JSON, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", String(40), nullable=False),  # text, for the hash is over it
    Column("kind", String(32), nullable=False),
    Column("body", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("about", String(64)),  # an answer's id, as the body says: to find it
    Index(None, "about"),
)

audit_texts = Table(
    "audit_texts",
    metadata,
    Column("corpus", String(63), primary_key=True),
    Column("hash", String(64), primary_key=True),
    Column("salt", String(32), nullable=False),
    Column("text", AnyText, nullable=False),
    Column("seq", BigInteger, nullable=False),  # the last record that names it
    Index(None, "corpus", "seq"),
)

BATCH = 500
"""Ids in one ``IN (…)``: well under every database's limit of parameters."""


def batches(items: Iterable[T]) -> Iterator[Sequence[T]]:
    """Cut items into lists that fit one statement."""
    everything = list(items)
    for start in range(0, len(everything), BATCH):
        yield everything[start : start + BATCH]


def upsert(
    db: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    keep: Sequence[str] = (),
    compute: Mapping[str, Any] | None = None,
) -> None:
    """Insert rows, or update those whose primary key is there, in one go.

    Args:
        keep: Columns that an update leaves as they are.
        compute: Column to SQL expression that an update sets instead of the new value; it may
            use the table's columns (the old row).
    """
    if not rows:
        return
    statement = _insert(db, table)
    keys = [column.name for column in table.primary_key]
    changes = {
        column.name: statement.excluded[column.name]
        for column in table.columns
        if column.name not in keys and column.name not in keep and column.name in rows[0]
    }
    changes.update(compute or {})
    db.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes), list(rows))


def insert_absent(
    db: Connection, table: Table, rows: Mapping[str, Any] | Sequence[Mapping[str, Any]]
) -> None:
    """Insert rows whose primary key is not there; waits for a transaction that inserts one.

    Two transactions that insert several of the same do not wait for each other for ever if both
    have them in the same order.
    """
    if rows:
        db.execute(_insert(db, table).on_conflict_do_nothing(), rows)


def _insert(db: Connection, table: Table) -> Any:
    # Each dialect takes a moment to load: only the one in use.
    if db.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)


def now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)
