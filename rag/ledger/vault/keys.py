"""The vault's keys: one data key a person, wrapped by a vault key, wrapped by the owner's key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import Connection, func, select

from rag.ledger.tables import batches, insert_absent, now, vault_keys, vault_subjects
from rag.privacy.vault import new_key, seal, unseal
from rag.privacy.vault_keys import Ring


class Keys:
    """The keys of one corpus, as one process uses them.

    Args:
        ring: Called when a key-encryption key is first needed.
    """

    def __init__(self, corpus: str, ring: Callable[[], Ring]) -> None:
        self.corpus = corpus
        self.ring = ring
        self._opened: dict[int, bytes] = {}

    def forget(self) -> None:
        """Drop what was unwrapped: a rotation may have replaced it."""
        self._opened.clear()

    # Data keys

    def of(self, db: Connection, subjects: Iterable[str]) -> dict[str, bytes]:
        """Return the data keys that subjects have.

        Raises:
            VaultFailed: A key that opens them is missing, or a row was changed.
        """
        return {
            row.subject: unseal(
                self.vault_key(db, row.key_number),
                row.wrapped,
                self.bound(row.subject, row.key_number),
            )
            for some in batches(subjects)
            for row in db.execute(
                select(vault_subjects).where(
                    vault_subjects.c.corpus == self.corpus, vault_subjects.c.subject.in_(some)
                )
            )
        }

    def made(self, db: Connection, subjects: Sequence[str]) -> dict[str, bytes]:
        """Return subjects' data keys, made where there are none. Needs a write transaction."""
        wanted = sorted(set(subjects))
        found = self.of(db, wanted)
        missing = [one for one in wanted if one not in found]
        if missing:
            number = self.newest(db)
            vault_key, moment = self.vault_key(db, number), now()
            rows = [
                {
                    "corpus": self.corpus,
                    "subject": one,
                    "key_number": number,
                    "wrapped": seal(vault_key, new_key(), self.bound(one, number)),
                    "created_at": moment,
                }
                for one in missing
            ]
            insert_absent(db, vault_subjects, rows)
            # Another process may have been first: its key is the one.
            found |= self.of(db, missing)
        return found

    def bound(self, subject: str, number: int) -> dict[str, str]:
        """What a wrapped data key is bound to."""
        return {"corpus": self.corpus, "subject": subject, "key": str(number)}

    # Vault keys

    def newest(self, db: Connection) -> int:
        """Return the number of the vault key that wraps what is new; the first one is made."""
        number = db.scalar(
            select(func.max(vault_keys.c.number)).where(vault_keys.c.corpus == self.corpus)
        )
        if number is None:
            self.add(db, 1)
            return 1
        return int(number)

    def add(self, db: Connection, number: int) -> None:
        """Make a vault key under the current owner's key, unless another process has made it."""
        current = self.ring().current
        row = {
            "corpus": self.corpus,
            "number": number,
            "kek_id": current.id,
            "wrapped": current.wrap(new_key(), self._vault_key_bound(number)),
            "created_at": now(),
        }
        insert_absent(db, vault_keys, row)

    def vault_key(self, db: Connection, number: int) -> bytes:
        """Return a vault key, unwrapped once a process.

        Raises:
            VaultFailed: The key that wraps it is missing.
        """
        if number not in self._opened:
            row = db.execute(
                select(vault_keys.c.kek_id, vault_keys.c.wrapped).where(
                    vault_keys.c.corpus == self.corpus, vault_keys.c.number == number
                )
            ).one()
            owner = self.ring().find(row.kek_id)
            self._opened[number] = owner.unwrap(row.wrapped, self._vault_key_bound(number))
        return self._opened[number]

    def _vault_key_bound(self, number: int) -> dict[str, str]:
        return {"sluice": "vault key", "corpus": self.corpus, "number": str(number)}
