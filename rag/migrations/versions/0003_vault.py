"""The vault, the list of erased persons, and the audit's chain."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; rows of the audit can be added, never changed or deleted."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "vault_keys",
        sa.Column("corpus", sa.String(63), nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("kek_id", sa.Text, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("corpus", "number", name="pk_vault_keys"),
    )
    op.create_table(
        "vault_subjects",
        sa.Column("corpus", sa.String(63), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("key_number", sa.Integer, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("corpus", "subject", name="pk_vault_subjects"),
        sa.ForeignKeyConstraint(
            ["corpus", "key_number"],
            ["vault_keys.corpus", "vault_keys.number"],
            name="fk_vault_subjects_corpus",
        ),
    )
    op.create_index(
        "ix_vault_subjects_corpus_key_number", "vault_subjects", ["corpus", "key_number"]
    )
    op.create_table(
        "vault_entries",
        sa.Column("corpus", sa.String(63), nullable=False),
        sa.Column("pseudonym", sa.Text, nullable=False),
        sa.Column("spelling", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("corpus", "pseudonym", "spelling", name="pk_vault_entries"),
        sa.ForeignKeyConstraint(
            ["corpus", "subject"],
            ["vault_subjects.corpus", "vault_subjects.subject"],
            name="fk_vault_entries_corpus",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_vault_entries_corpus_subject", "vault_entries", ["corpus", "subject"])
    op.create_table(
        "vault_sources",
        sa.Column("corpus", sa.String(63), nullable=False),
        sa.Column("document_id", sa.String(64), nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("corpus", "document_id", name="pk_vault_sources"),
    )
    op.create_table(
        "erased",
        sa.Column("corpus", sa.String(63), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("tag", sa.String(64), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("erased_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("corpus", "kind", "tag", name="pk_erased"),
    )
    op.create_table(
        "erasures",
        sa.Column("corpus", sa.String(63), nullable=False),
        sa.Column("erasure_id", sa.String(64), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("finished_at", moment),
        sa.PrimaryKeyConstraint("corpus", "erasure_id", name="pk_erasures"),
    )
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
    )
    _append_only()


def _append_only() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION sluice_audit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
            "FOR EACH STATEMENT EXECUTE FUNCTION sluice_audit_append_only()"
        )
        return
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_no_{change.lower()} BEFORE {change} ON audit "
            "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
        )


def downgrade() -> None:
    """Drop them, with all that the vault holds."""
    for table in (
        *("audit", "erasures", "erased", "vault_sources"),
        *("vault_entries", "vault_subjects", "vault_keys"),
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION sluice_audit_append_only()")
