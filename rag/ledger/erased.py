"""Who was erased, and which documents are kept out: keyed hashes that later runs read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from rag.ledger.tables import erased, now, upsert
from rag.privacy.erased import Erased

PERSON, WORDS, DOCUMENT = "person", "words", "document"


@dataclass(frozen=True, slots=True)
class KeptOut:
    """What erasures keep out of a corpus.

    Attributes:
        persons: Erased, by pseudonym (and date of birth).
        documents: That were removed for somebody.
        listed: Of those, how many the source still listed when it was last looked at.
    """

    persons: int = 0
    documents: int = 0
    listed: int = 0


def read(db: Connection, corpus: str) -> Erased:
    """Return what the gate must know."""
    tags, words = set(), []
    rows = db.execute(
        select(erased.c.kind, erased.c.tag, erased.c.body).where(
            erased.c.corpus == corpus, erased.c.kind != DOCUMENT
        )
    )
    for kind, tag, body in rows:
        if kind == PERSON:
            tags.add(tag)
        else:
            words.append(frozenset(body["words"]))
    return Erased(frozenset(tags), tuple(words))


def documents(db: Connection, corpus: str) -> set[str]:
    """Return ids of listed documents that are kept out."""
    here = (erased.c.corpus == corpus) & (erased.c.kind == DOCUMENT)
    return set(db.scalars(select(erased.c.tag).where(here)))


def put(db: Connection, corpus: str, kind: str, tags: Mapping[str, Mapping[str, Any]]) -> None:
    """Add to the list; what is on it is left."""
    moment = now()
    upsert(
        db,
        erased,
        [
            {"corpus": corpus, "kind": kind, "tag": tag, "body": dict(body), "erased_at": moment}
            for tag, body in sorted(tags.items())
        ],
        keep=("erased_at",),
    )


def seen(db: Connection, corpus: str, listed: Collection[str]) -> None:
    """Note which of the documents that are kept out the source still lists."""
    out = documents(db, corpus)
    put(db, corpus, DOCUMENT, {one: {"listed": one in listed} for one in out})


def kept_out(db: Connection, corpus: str) -> KeptOut:
    """Return the list in figures."""
    counted = db.execute(
        select(erased.c.kind, func.count()).where(erased.c.corpus == corpus).group_by(erased.c.kind)
    )
    kinds: dict[str, int] = {row[0]: row[1] for row in counted}
    bodies = db.scalars(
        select(erased.c.body).where(erased.c.corpus == corpus, erased.c.kind == DOCUMENT)
    )
    return KeptOut(
        persons=kinds.get(PERSON, 0),
        documents=kinds.get(DOCUMENT, 0),
        listed=sum(bool(body.get("listed", True)) for body in bodies),
    )
