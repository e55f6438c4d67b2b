"""The audit's texts: masked, each under its hash, kept beside the chain so that they can go.

A record of the chain says ``text:HASH``. The hash is SHA-256 over a salt and the text; the salt
is a keyed hash of the text, so that equal texts are kept once, and it goes with the text: from
the hash that stays nobody can tell what the text was by trying texts, without the key. With the
salt, which an export brings, anybody can check the hash.

They are not compressed: kept once they are no more than the corpus itself, and an erasure must
find a name in them by whatever means look through the database.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select

from rag.keys import Sealer
from rag.ledger.tables import audit_texts, batches, upsert
from rag.masked import EMPTY, Masked, require
from rag.masked.stored import stored

REFERENCE = re.compile(r'"text:([0-9a-f]{64})"')
"""How a record's body names a text."""


@dataclass(frozen=True, slots=True)
class Text:
    """One text.

    Attributes:
        hash: SHA-256 over salt and text, in hexadecimal.
        salt: In hexadecimal.
        seq: Number of the last record that names it.
    """

    hash: str
    salt: str
    text: Masked
    seq: int = 0

    @property
    def reference(self) -> str:
        """What a record says for it."""
        return f"text:{self.hash}"

    @property
    def whole(self) -> bool:
        """Whether it is what was written."""
        return hashed(self.salt, self.text) == self.hash


def made(sealer: Sealer, text: Masked) -> Text:
    """Return a text with its salt and hash.

    Raises:
        NotMasked: It is not masked.
    """
    fit = require(text, "The audit").replace("\0", EMPTY)
    salt = sealer.long_tag("audit text", fit)
    return Text(hashed(salt, fit), salt, fit)


def hashed(salt: str, text: str) -> str:
    """Return SHA-256 over a salt and a text, in hexadecimal."""
    return hashlib.sha256(f"{salt}\0{text}".encode("utf-8", "replace")).hexdigest()


def put(db: Connection, corpus: str, texts: Iterable[Text], seq: int) -> None:
    """Keep texts that the record `seq` names; those that are there already stay as they are."""
    rows = [
        {
            "corpus": corpus,
            "hash": one.hash,
            "salt": one.salt,
            "text": require(one.text, "The audit"),
            "seq": seq,
        }
        for one in sorted(set(texts), key=lambda one: one.hash)
    ]
    upsert(db, audit_texts, rows, keep=("salt", "text"))


def held(db: Connection, corpus: str, hashes: Iterable[str]) -> dict[str, Text]:
    """Return those of the texts named that are there, by hash."""
    found: dict[str, Text] = {}
    for some in batches(dict.fromkeys(hashes)):
        rows = db.execute(
            select(audit_texts).where(audit_texts.c.corpus == corpus, audit_texts.c.hash.in_(some))
        )
        found |= {row.hash: Text(row.hash, row.salt, stored(row.text), row.seq) for row in rows}
    return found


def every(db: Connection, corpus: str = "") -> Iterator[tuple[str, Text]]:
    """Yield corpus and text of all that are kept, or of a corpus's, by hash."""
    rows = select(audit_texts).order_by(audit_texts.c.corpus, audit_texts.c.hash)
    if corpus:
        rows = rows.where(audit_texts.c.corpus == corpus)
    for row in db.execute(rows).yield_per(1000):
        yield row.corpus, Text(row.hash, row.salt, stored(row.text), row.seq)


def exported(said: Mapping[str, Any]) -> Text:
    """Return a text of an export, for the check of it: whether it was changed is seen there.

    Raises:
        KeyError: Something of it is missing.
    """
    return Text(said["hash"], said["salt"], stored(said["text"]), said["seq"])


def unnamed_since(db: Connection, corpus: str, seq: int) -> list[str]:
    """Return hashes of the texts that no record after `seq` names."""
    rows = select(audit_texts.c.hash).where(
        audit_texts.c.corpus == corpus, audit_texts.c.seq <= seq
    )
    return list(db.scalars(rows.order_by(audit_texts.c.seq)))


def drop(db: Connection, corpus: str, hashes: Iterable[str]) -> None:
    """Delete texts; SQLite overwrites what it frees. Whoever calls this records it."""
    if db.dialect.name == "sqlite":
        db.exec_driver_sql("PRAGMA secure_delete = ON")
    for some in batches(hashes):
        db.execute(
            delete(audit_texts).where(audit_texts.c.corpus == corpus, audit_texts.c.hash.in_(some))
        )


def references(body: Mapping[str, object] | str) -> list[str]:
    """Return the hashes of the texts that a record's body names, in order."""
    import json

    written = body if isinstance(body, str) else json.dumps(body)
    return REFERENCE.findall(written)
