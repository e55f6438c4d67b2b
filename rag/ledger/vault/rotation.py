"""A new key-encryption key and a new vault key; what was under the old ones is wrapped anew.

The data keys themselves stay, and with them all that they seal. Each batch is a transaction, so
that a rotation that was stopped goes on when it is run again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from rag.errors import ConfigError
from rag.ledger.tables import upsert, vault_keys, vault_subjects
from rag.privacy.vault import seal, unseal
from rag.privacy.vault_keys import drop_retired, replace_file, retired

if TYPE_CHECKING:
    from rag.config import VaultKey
    from rag.ledger.opening import Ledger
    from rag.ledger.vault import Vault

BATCH = 500


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did.

    Attributes:
        key: Id of the key-encryption key that wraps everything now.
        rewrapped: Data keys.
        retired: Files of old keys that are still there.
    """

    key: str
    rewrapped: int
    retired: int = 0


def rotate(ledger: Ledger, vault: Vault, place: VaultKey) -> Rotation:
    """Wrap a corpus's data keys anew; needs the corpus's lease.

    A key file is replaced by a new one, and the old one kept beside it. For an environment
    variable or KMS, the corpus file names the new place in ``privacy.vault.key`` and the old one
    in ``privacy.vault.old``; if it names no new one, only the vault key between is replaced.

    Raises:
        VaultFailed: A key that something is wrapped by is not configured.
    """
    with ledger.read() as db:
        listed = vault.status(db).keys
    under_current = {key_id for _, key_id, _ in listed} <= {vault.keys.ring().current.id}
    if place.file is not None and listed and under_current and len(listed) == 1:
        replace_file(place)
    ring = vault.keys.ring()
    with ledger.write() as db:
        newest = vault.keys.newest(db)
        owner = db.scalar(
            select(vault_keys.c.kek_id).where(
                vault_keys.c.corpus == vault.corpus, vault_keys.c.number == newest
            )
        )
        begun = len(listed) > 1 and owner == ring.current.id
        if not begun:
            newest += 1
            vault.keys.add(db, newest)
    count = 0
    while done := _batch(ledger, vault, newest):
        count += done
    vault.sources.reseal()
    with ledger.write() as db:
        here = vault_keys.c.corpus == vault.corpus
        db.execute(delete(vault_keys).where(here, vault_keys.c.number != newest))
    vault.keys.forget()
    return Rotation(ring.current.id, count, len(retired(place)))


def _batch(ledger: Ledger, vault: Vault, newest: int) -> int:
    with ledger.write() as db:
        old = db.execute(
            select(vault_subjects)
            .where(vault_subjects.c.corpus == vault.corpus, vault_subjects.c.key_number != newest)
            .limit(BATCH)
        ).all()
        key = vault.keys.vault_key(db, newest)
        rows = [
            {
                "corpus": vault.corpus,
                "subject": row.subject,
                "key_number": newest,
                "wrapped": seal(
                    key,
                    unseal(
                        vault.keys.vault_key(db, row.key_number),
                        row.wrapped,
                        vault.keys.bound(row.subject, row.key_number),
                    ),
                    vault.keys.bound(row.subject, newest),
                ),
                "created_at": row.created_at,
            }
            for row in old
        ]
        upsert(db, vault_subjects, rows)
        return len(rows)


def drop_old(ledger: Ledger, place: VaultKey, current: str) -> int:
    """Delete the files of replaced keys; return how many.

    Raises:
        ConfigError: Another corpus's vault is still wrapped by one of them.
    """
    with ledger.read() as db:
        waiting = db.scalars(
            select(vault_keys.c.corpus)
            .where(vault_keys.c.kek_id != current, vault_keys.c.kek_id.startswith("file:"))
            .group_by(vault_keys.c.corpus)
            .order_by(func.min(vault_keys.c.corpus))
        ).all()
    if waiting:
        raise ConfigError(
            f"Vaults are still wrapped by an old key: {', '.join(waiting)}.",
            "Rotate them first: sluice vault rotate CORPUS.",
        )
    return drop_retired(place)
