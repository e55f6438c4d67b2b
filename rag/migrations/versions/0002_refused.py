"""A target may refuse a document that other targets hold."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the mark; what was there before was refused by nobody."""
    with op.batch_alter_table("target_documents") as table:
        table.add_column(
            sa.Column("refused", sa.Boolean, nullable=False, server_default=sa.false())
        )


def downgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("target_documents") as table:
        table.drop_column("refused")
