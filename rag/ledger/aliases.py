"""Shorter forms of the names in a corpus: by which pseudonyms a person may be asked for.

"Watt" by itself has another pseudonym than James Watt. Both are keyed hashes: the table says of two
pseudonyms that the words of one are among the other's, and no word. Rows stay until their person is
erased, as the vault's do.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, or_, select

from rag.ledger.tables import aliases, batches, insert_absent
from rag.masked import Masked
from rag.masked.stored import stored


def put(db: Connection, corpus: str, pairs: Iterable[tuple[str, str]]) -> None:
    """Add pairs of a shorter form's pseudonym and the whole name's; what is there is left."""
    for some in batches(sorted(set(pairs))):
        insert_absent(
            db,
            aliases,
            [{"corpus": corpus, "alias": short, "pseudonym": whole} for short, whole in some],
        )


def of(db: Connection, corpus: str, alias: str, most: int) -> tuple[Masked, ...]:
    """Return the whole names that a shorter one may mean, up to `most` of them."""
    found = db.scalars(
        select(aliases.c.pseudonym)
        .where(aliases.c.corpus == corpus, aliases.c.alias == alias)
        .order_by(aliases.c.pseudonym)
        .limit(most)
    )
    return tuple(map(stored, found))


def forget(db: Connection, corpus: str, pseudonyms: Iterable[str]) -> None:
    """Delete what tells of persons, as whole names or as shorter ones."""
    for some in batches(pseudonyms):
        here = aliases.c.corpus == corpus
        named = or_(aliases.c.alias.in_(some), aliases.c.pseudonym.in_(some))
        db.execute(delete(aliases).where(here, named))
