"""Sealed source keys move to the vault, one row a listed document.

They stay sealed as they are: whoever opens one finds by its form which key it wants.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Move them."""
    for table in ("documents", "quarantine"):
        op.execute(_MOVE.format(table=table))
        with op.batch_alter_table(table) as changed:
            changed.drop_column("sealed_key")


def downgrade() -> None:
    """Move them back; what the vault has sealed meanwhile only the vault can open."""
    for table in ("documents", "quarantine"):
        with op.batch_alter_table(table) as changed:
            changed.add_column(sa.Column("sealed_key", sa.Text, nullable=False, server_default=""))
        op.execute(_BACK.format(table=table))
    op.execute("DELETE FROM vault_sources")


_MOVE = """
INSERT INTO vault_sources (corpus, document_id, sealed)
SELECT corpus, document_id, sealed_key FROM {table} AS one
WHERE parent_id IS NULL AND NOT EXISTS (
    SELECT 1 FROM vault_sources AS there
    WHERE there.corpus = one.corpus AND there.document_id = one.document_id
)
"""
_BACK = """
UPDATE {table} SET sealed_key = COALESCE((
    SELECT sealed FROM vault_sources AS there
    WHERE there.corpus = {table}.corpus
    AND there.document_id = COALESCE({table}.parent_id, {table}.document_id)
), '')
"""
