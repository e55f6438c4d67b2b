"""Where listed documents are in their source, sealed: a file name may name a patient.

The ledger itself knows documents by keyed hashes of that.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, delete, select

from rag.keys import Sealer
from rag.ledger.tables import batches, upsert, vault_sources
from rag.ledger.vault.keys import Keys
from rag.privacy.vault import seal, unseal

SUBJECT = "sources"
"""Subject of the data key that seals them; no keyed hash looks like it."""

_SEALED = "v1:"
"""Before what the vault has sealed; what is without it was sealed by the pseudonym key alone."""


class Sources:
    """The source keys of one corpus.

    Args:
        keys: None: the vault is off, and the pseudonym key alone seals them.
    """

    def __init__(self, corpus: str, keys: Keys | None, sealer: Sealer) -> None:
        self._corpus = corpus
        self._keys = keys
        self._sealer = sealer

    def keep(self, db: Connection, sources: Mapping[str, str]) -> None:
        """Keep where listed documents are. Needs a write transaction.

        Args:
            sources: Plain text by document id: raw, it is sealed here.
        """
        if not sources:
            return
        rows = [
            {"corpus": self._corpus, "document_id": name, "sealed": sealed}
            for name, sealed in self._sealed(db, sources)
        ]
        upsert(db, vault_sources, rows)

    def _sealed(self, db: Connection, sources: Mapping[str, str]) -> Iterable[tuple[str, str]]:
        if self._keys is None:
            return [(name, self._sealer.seal(source)) for name, source in sorted(sources.items())]
        key = self._keys.made(db, [SUBJECT])[SUBJECT]
        return [
            (
                name,
                _SEALED + base64.b64encode(seal(key, source.encode(), self._bound(name))).decode(),
            )
            for name, source in sorted(sources.items())
        ]

    def read(self, db: Connection, document_ids: Iterable[str] | None = None) -> dict[str, str]:
        """Return where documents are, by id; all, or those asked for. Raw.

        Raises:
            VaultFailed: The vault's key is missing.
        """
        here = select(vault_sources.c.document_id, vault_sources.c.sealed).where(
            vault_sources.c.corpus == self._corpus
        )
        if document_ids is None:
            rows = list(db.execute(here))
        else:
            rows = [
                row
                for some in batches(dict.fromkeys(document_ids))
                for row in db.execute(here.where(vault_sources.c.document_id.in_(some)))
            ]
        key = b""
        if self._keys is not None and any(row.sealed.startswith(_SEALED) for row in rows):
            key = self._keys.of(db, [SUBJECT])[SUBJECT]
        return {row.document_id: self._opened(key, row.document_id, row.sealed) for row in rows}

    def _opened(self, key: bytes, document_id: str, sealed: str) -> str:
        if not sealed.startswith(_SEALED):
            return self._sealer.unseal(sealed)
        data = base64.b64decode(sealed.removeprefix(_SEALED))
        return unseal(key, data, self._bound(document_id)).decode()

    def _bound(self, document_id: str) -> dict[str, str]:
        return {"corpus": self._corpus, "document": document_id}

    def reseal(self, db: Connection) -> int:
        """Seal by the vault what the pseudonym key alone sealed; return how many."""
        found = db.scalars(
            select(vault_sources.c.document_id).where(
                vault_sources.c.corpus == self._corpus,
                ~vault_sources.c.sealed.startswith(_SEALED),
            )
        ).all()
        self.keep(db, self.read(db, found))
        return len(found)


def forget(db: Connection, corpus: str, document_ids: Iterable[str]) -> None:
    """Delete where documents are: they are gone."""
    for some in batches(document_ids):
        db.execute(
            delete(vault_sources).where(
                vault_sources.c.corpus == corpus, vault_sources.c.document_id.in_(some)
            )
        )
