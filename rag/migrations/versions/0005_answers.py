"""The audit of answers: records are found by what they are about; their texts lie beside them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and the table."""
    op.add_column("audit", sa.Column("about", sa.String(64)))
    op.create_index("ix_audit_about", "audit", ["about"])
    op.create_table(
        "audit_texts",
        sa.Column("corpus", sa.String(63), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("salt", sa.String(32), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("corpus", "hash", name="pk_audit_texts"),
    )
    op.create_index("ix_audit_texts_corpus_seq", "audit_texts", ["corpus", "seq"])


def downgrade() -> None:
    """Drop the texts, and how records are found; the records stay."""
    op.drop_table("audit_texts")
    op.drop_index("ix_audit_about", "audit")
    op.drop_column("audit", "about")
