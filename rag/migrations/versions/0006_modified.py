"""The day since which a document has its bytes, where its source says it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what is there has no day until it is read again."""
    op.add_column("documents", sa.Column("modified", sa.Integer))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("documents", "modified")
