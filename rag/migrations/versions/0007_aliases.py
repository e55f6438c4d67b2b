"""Shorter forms of the names in a corpus, by pseudonym."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; what is there is found by shorter names once it is masked again."""
    op.create_table(
        "aliases",
        sa.Column("corpus", sa.String(63), primary_key=True),
        sa.Column("alias", sa.String(64), primary_key=True),
        sa.Column("pseudonym", sa.String(64), primary_key=True),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("aliases")
