"""Revisions of the ledger's tables, oldest first in `versions`.

A new revision is a file there with the next number, and `HEAD` here. Tests see to it that the
two agree, and that the revisions together make what `rag.ledger.tables` declares.
"""

HEAD = "0007"
"""The newest revision, known without importing alembic, so that a ledger opens quickly."""

VERSION_TABLE = "sluice_ledger_version"
"""Not alembic's usual name: the database may be one that others (Airflow) migrate, too."""
