"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "runs",
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("corpus", sa.String(63), nullable=False),
        sa.Column("mode", sa.String(32), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("finished_at", moment),
        sa.Column("counts", sa.JSON, nullable=False),
        sa.Column("seconds", sa.JSON, nullable=False),
        sa.Column("error_code", sa.String(64)),
        sa.PrimaryKeyConstraint("run_id", name="pk_runs"),
    )
    op.create_index("ix_runs_corpus_started_at", "runs", ["corpus", "started_at"])

    op.create_table(
        "documents",
        sa.Column("corpus", sa.String(63), nullable=False),
        sa.Column("document_id", sa.String(64), nullable=False),
        sa.Column("parent_id", sa.String(64)),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sealed_key", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("content_id", sa.String(64), nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("acl", sa.JSON, nullable=False),
        sa.Column("parse_fp", sa.String(64), nullable=False),
        sa.Column("mask_fp", sa.String(64), nullable=False),
        sa.Column("chunk_fp", sa.String(64), nullable=False),
        sa.Column("embed_fp", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("chunk_count", sa.Integer, nullable=False),
        sa.Column("masked", sa.JSON, nullable=False),
        sa.Column("run_id", sa.String(64)),
        sa.Column("updated_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("corpus", "document_id", name="pk_documents"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.run_id"], name="fk_documents_run_id", ondelete="SET NULL"
        ),
    )
    op.create_index("ix_documents_corpus_parent_id", "documents", ["corpus", "parent_id"])
    op.create_index("ix_documents_run_id", "documents", ["run_id"])

    op.create_table(
        "quarantine",
        sa.Column("corpus", sa.String(63), nullable=False),
        sa.Column("document_id", sa.String(64), nullable=False),
        sa.Column("parent_id", sa.String(64)),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sealed_key", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("content_id", sa.String(64), nullable=False),
        sa.Column("step", sa.String(32), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("transient", sa.Boolean, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("run_id", sa.String(64)),
        sa.Column("first_seen", moment, nullable=False),
        sa.Column("last_seen", moment, nullable=False),
        sa.PrimaryKeyConstraint("corpus", "document_id", name="pk_quarantine"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.run_id"], name="fk_quarantine_run_id", ondelete="SET NULL"
        ),
    )
    op.create_index("ix_quarantine_corpus_parent_id", "quarantine", ["corpus", "parent_id"])
    op.create_index("ix_quarantine_run_id", "quarantine", ["run_id"])

    op.create_table(
        "target_documents",
        sa.Column("corpus", sa.String(63), nullable=False),
        sa.Column("target", sa.String(128), nullable=False),
        sa.Column("document_id", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("chunk_count", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("corpus", "target", "document_id", name="pk_target_documents"),
    )

    op.create_table(
        "leases",
        sa.Column("corpus", sa.String(63), nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", sa.Integer),
        sa.Column("acquired_at", moment, nullable=False),
        sa.Column("heartbeat_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("corpus", name="pk_leases"),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("leases", "target_documents", "quarantine", "documents", "runs"):
        op.drop_table(table)
