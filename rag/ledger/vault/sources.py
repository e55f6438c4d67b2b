"""Where listed documents are in their source, sealed: a file name may name a patient.

The ledger itself knows documents by keyed hashes of that.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, delete, func, select

from rag.errors import VaultFailed
from rag.keys import Sealer
from rag.ledger.opening import Ledger
from rag.ledger.tables import batches, upsert, vault_sources
from rag.ledger.vault.keys import Keys
from rag.privacy.vault import seal, unseal

SUBJECT = "sources"
"""Subject of the data key that seals them; no keyed hash looks like it."""

_SEALED = "v1:"
"""Before what the vault has sealed; what is without it was sealed by the pseudonym key alone."""


class Sources:
    """Seals and opens where documents of one corpus are.

    Args:
        keys: None: the vault is off, and the pseudonym key alone seals them.
    """

    def __init__(self, ledger: Ledger, corpus: str, keys: Keys | None, sealer: Sealer) -> None:
        self._ledger = ledger
        self._corpus = corpus
        self._keys = keys
        self._sealer = sealer
        self._key = b""

    def seal(self, source: str) -> str:
        """Return a document's place, sealed, for a manifest or the vault.

        It is not bound to the document's id: that is a keyed hash of what is inside.

        Raises:
            VaultFailed: The vault's key could not be had.
        """
        if self._keys is None:
            return self._sealer.seal(source)
        if not self._key:
            with self._ledger.write() as db:
                self._key = self._keys.made(db, [SUBJECT])[SUBJECT]
        sealed = seal(self._key, source.encode("utf-8", "surrogatepass"), self._bound)
        return _SEALED + base64.b64encode(sealed).decode()

    def unseal(self, sealed: str) -> str:
        """Return what `seal` sealed, or the pseudonym key alone before there was a vault. Raw.

        Raises:
            VaultFailed: The vault's key is missing.
            ConfigError: It was sealed with another pseudonym key.
        """
        if not sealed.startswith(_SEALED):
            return self._sealer.unseal(sealed)
        if not self._key:
            with self._ledger.read() as db:
                found = Keys(self._corpus, self._keys.ring).of(db, [SUBJECT]) if self._keys else {}
            if SUBJECT not in found:
                raise VaultFailed(
                    "Source keys of this corpus are sealed by its vault, which is off or empty.",
                    "Switch it on (privacy.vault.on), or sync with --full-refresh.",
                )
            self._key = found[SUBJECT]
        data = base64.b64decode(sealed.removeprefix(_SEALED))
        return unseal(self._key, data, self._bound).decode("utf-8", "surrogatepass")

    @property
    def _bound(self) -> dict[str, str]:
        return {"corpus": self._corpus, "subject": SUBJECT}

    def reseal(self) -> int:
        """Seal by the vault what the pseudonym key alone sealed; return how many."""
        here = vault_sources.c.corpus == self._corpus
        old = here & ~vault_sources.c.sealed.startswith(_SEALED)
        with self._ledger.read() as db:
            rows = db.execute(select(vault_sources).where(old)).all()
        keep = {row.document_id: self.seal(self._sealer.unseal(row.sealed)) for row in rows}
        with self._ledger.write() as db:
            put(db, self._corpus, keep)
        return len(rows)


def put(db: Connection, corpus: str, sealed: Mapping[str, str]) -> None:
    """Keep where listed documents are, sealed, by document id. Needs a write transaction."""
    rows = [
        {"corpus": corpus, "document_id": name, "sealed": one}
        for name, one in sorted(sealed.items())
    ]
    upsert(db, vault_sources, rows)


def with_sealed(table: Table, *more: ColumnElement[Any]) -> Select[Any]:
    """Return a query for rows of documents with ``sealed_key``: where their listed document is.

    Empty where the vault does not know.
    """
    listed = func.coalesce(table.c.parent_id, table.c.document_id)
    here = and_(vault_sources.c.corpus == table.c.corpus, vault_sources.c.document_id == listed)
    sealed = func.coalesce(vault_sources.c.sealed, "").label("sealed_key")
    return select(table, sealed, *more).outerjoin(vault_sources, here)


def held(db: Connection, corpus: str, document_ids: Iterable[str] | None = None) -> dict[str, str]:
    """Return where listed documents are, sealed, by id; all, or those asked for."""
    here = select(vault_sources.c.document_id, vault_sources.c.sealed).where(
        vault_sources.c.corpus == corpus
    )
    if document_ids is None:
        return {row.document_id: row.sealed for row in db.execute(here)}
    return {
        row.document_id: row.sealed
        for some in batches(dict.fromkeys(document_ids))
        for row in db.execute(here.where(vault_sources.c.document_id.in_(some)))
    }


def forget(db: Connection, corpus: str, document_ids: Iterable[str]) -> None:
    """Delete where documents are: they are gone."""
    for some in batches(document_ids):
        db.execute(
            delete(vault_sources).where(
                vault_sources.c.corpus == corpus, vault_sources.c.document_id.in_(some)
            )
        )
