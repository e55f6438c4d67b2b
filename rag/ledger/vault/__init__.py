"""A corpus's vault: who is behind each pseudonym, and where each document is, sealed.

Three layers of keys (`rag.privacy.vault`): the owner's key-encryption key wraps the corpus's
vault key, which wraps one data key a person; under that are the spellings that documents have of
them. One more data key, of no person, seals where documents are in their source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select
from sqlalchemy.exc import DBAPIError

from rag.errors import VaultFailed
from rag.keys import Sealer
from rag.ledger.opening import Ledger
from rag.ledger.tables import (
    batches,
    insert_absent,
    now,
    vault_entries,
    vault_keys,
    vault_sources,
    vault_subjects,
)
from rag.ledger.vault.keys import Keys
from rag.ledger.vault.sources import SUBJECT, Sources
from rag.privacy.vault import Identity, seal, unseal
from rag.privacy.vault_keys import Ring

__all__ = ["Vault", "VaultStatus"]

_REMEMBERED = 300_000
"""Spellings that a process keeps in mind, as hashes, in order not to write them again."""


@dataclass(frozen=True, slots=True)
class VaultStatus:
    """A vault in figures.

    Attributes:
        persons: Data keys, one a person or other subject.
        kinds: Spellings kept, by entity kind.
        sources: Source keys kept.
        keys: Vault keys in use: number, id of the key that wraps it, when it was made.
        to_rotate: Data keys that are not under the newest vault key.
    """

    persons: int
    kinds: Mapping[str, int] = field(default_factory=dict)
    sources: int = 0
    keys: Sequence[tuple[int, str, datetime]] = ()
    to_rotate: int = 0


class Vault:
    """The vault of one corpus, as one process uses it.

    Args:
        ring: Called when a key is first needed: the pseudonym key alone opens nothing here.
        sealer: Of the pseudonym key, for keyed hashes of persons and spellings.
        on: Whether originals are kept; source keys always are.
    """

    def __init__(
        self,
        ledger: Ledger,
        corpus: str,
        ring: Callable[[], Ring],
        sealer: Sealer,
        *,
        on: bool = True,
    ) -> None:
        self._ledger = ledger
        self.corpus = corpus
        self._sealer = sealer
        self._on = on
        self.keys = Keys(corpus, ring)
        self.sources = Sources(ledger, corpus, self.keys if on else None, sealer)
        self._known: set[str] = set()
        self._noted: dict[str, Identity] = {}

    # Keeping

    def note(self, identity: Identity) -> None:
        """Take what the gate replaced, in memory, until `keep`; what is kept already is left."""
        if not self._on:
            return
        spelling = self._spelling(identity)
        if spelling not in self._known:
            self._noted[spelling] = identity

    def keep(self) -> None:
        """Write what was noted, in one transaction; on a failure it is forgotten.

        Raises:
            VaultFailed: The database or the owner's key could not be had. What was masked
                meanwhile must not be written.
        """
        noted, self._noted = self._noted, {}
        if not noted:
            return
        with self._failing(), self._ledger.write() as db:
            self._keep(db, noted)
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        self._known.update(noted)

    def _keep(self, db: Connection, noted: Mapping[str, Identity]) -> None:
        subjects = {tag: self.subject(one.subject or one.pseudonym) for tag, one in noted.items()}
        keys = self.keys.made(db, list(subjects.values()))
        moment = now()
        rows = [
            {
                "corpus": self.corpus,
                "pseudonym": one.pseudonym,
                "spelling": tag,
                "kind": one.entity,
                "subject": subjects[tag],
                "sealed": seal(
                    keys[subjects[tag]],
                    _plain(one.original).encode("utf-8", "replace"),
                    self._bound(one.pseudonym, tag, one.entity, subjects[tag]),
                ),
                "created_at": moment,
            }
            for tag, one in sorted(noted.items(), key=lambda item: (item[1].pseudonym, item[0]))
        ]
        insert_absent(db, vault_entries, rows)

    def subject(self, pseudonym: str) -> str:
        """Return the keyed hash under which a person's data key is kept."""
        return self._sealer.long_tag("subject", pseudonym)

    def _spelling(self, identity: Identity) -> str:
        spelt = f"{identity.pseudonym}\0{_plain(identity.original)}"
        return self._sealer.long_tag("spelling", spelt)

    def _bound(self, pseudonym: str, spelling: str, kind: str, subject: str) -> dict[str, str]:
        """What an entry is bound to: its whole row."""
        return {
            "corpus": self.corpus,
            "pseudonym": pseudonym,
            "spelling": spelling,
            "kind": kind,
            "subject": subject,
        }

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            self.keys.forget()
            raise VaultFailed(
                f"The vault could not be written ({type(error.orig).__name__}).",
                "Check the ledger's database and run it again: what was masked is not stored.",
            ) from None

    # Reading

    def originals(self, db: Connection, pseudonym: str) -> list[str]:
        """Return the spellings that documents have of a person, sorted. Raw.

        Raises:
            VaultFailed: Keys are missing, or rows were changed.
        """
        rows = db.execute(
            select(vault_entries).where(
                vault_entries.c.corpus == self.corpus, vault_entries.c.pseudonym == pseudonym
            )
        ).all()
        keys = self.keys.of(db, sorted({row.subject for row in rows}))
        return sorted(self._opened(keys[row.subject], row) for row in rows)

    def _opened(self, key: bytes, row: Row[Any]) -> str:
        bound = self._bound(row.pseudonym, row.spelling, row.kind, row.subject)
        return unseal(key, row.sealed, bound).decode()

    def spellings(self, db: Connection, kind: str) -> list[tuple[str, str]]:
        """Return pseudonyms of a kind with each spelling behind them. Raw, and all there are."""
        rows = db.execute(
            select(vault_entries).where(
                vault_entries.c.corpus == self.corpus, vault_entries.c.kind == kind
            )
        ).all()
        keys = self.keys.of(db, sorted({row.subject for row in rows}))
        return [(row.pseudonym, self._opened(keys[row.subject], row)) for row in rows]

    def belongings(self, db: Connection, pseudonyms: Iterable[str]) -> list[str]:
        """Return surrogates of persons, other than their pseudonyms: of their dates, say."""
        persons = set(pseudonyms)
        subjects = [self.subject(one) for one in persons]
        found = [
            one
            for some in batches(subjects)
            for one in db.scalars(
                select(vault_entries.c.pseudonym)
                .where(vault_entries.c.corpus == self.corpus, vault_entries.c.subject.in_(some))
                .distinct()
            )
        ]
        return sorted(set(found) - persons)

    def status(self, db: Connection) -> VaultStatus:
        """Return the vault in figures."""
        keys = [
            (row[0], row[1], row[2])
            for row in db.execute(
                select(vault_keys.c.number, vault_keys.c.kek_id, vault_keys.c.created_at)
                .where(vault_keys.c.corpus == self.corpus)
                .order_by(vault_keys.c.number)
            )
        ]
        newest = max((number for number, _, _ in keys), default=0)
        kinds = db.execute(
            select(vault_entries.c.kind, func.count())
            .where(vault_entries.c.corpus == self.corpus)
            .group_by(vault_entries.c.kind)
            .order_by(vault_entries.c.kind)
        )
        subjects = select(func.count()).where(vault_subjects.c.corpus == self.corpus)
        sources = select(func.count()).where(vault_sources.c.corpus == self.corpus)
        return VaultStatus(
            persons=db.scalar(subjects.where(vault_subjects.c.subject != SUBJECT)) or 0,
            kinds={row[0]: row[1] for row in kinds},
            sources=db.scalar(sources) or 0,
            keys=keys,
            to_rotate=db.scalar(subjects.where(vault_subjects.c.key_number != newest)) or 0,
        )

    # Destroying

    def destroy(self, db: Connection, pseudonyms: Iterable[str]) -> tuple[int, int]:
        """Delete persons' data keys and entries; return how many of each.

        What a database file keeps of deleted rows is its caller's care: `Ledger.scrub`.
        """
        persons = list(dict.fromkeys(pseudonyms))
        subjects = [self.subject(one) for one in persons]
        keys = entries = 0
        for column, values in (("pseudonym", persons), ("subject", subjects)):
            for some in batches(values):
                entries += db.execute(
                    delete(vault_entries).where(
                        vault_entries.c.corpus == self.corpus,
                        vault_entries.c[column].in_(some),
                    )
                ).rowcount
        for some in batches(subjects):
            keys += db.execute(
                delete(vault_subjects).where(
                    vault_subjects.c.corpus == self.corpus, vault_subjects.c.subject.in_(some)
                )
            ).rowcount
        self._known.clear()
        return keys, entries


def _plain(original: str) -> str:
    """A spelling without the line breaks and double spaces of where it stood."""
    return " ".join(original.split())
