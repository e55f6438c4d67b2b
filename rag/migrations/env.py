"""What alembic runs: all revisions in the transaction that `rag.ledger.opening` has begun."""

from __future__ import annotations

from alembic import context

from rag.ledger.tables import metadata
from rag.migrations import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,  # SQLite alters a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
