"""What shows that an erasure is whole: a search, a scan, and a signed statement."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.certificate import signed
from rag.errors import SluiceError
from rag.home import home
from rag.ingest.leftovers import FORMS, Leftovers, pattern, scan
from rag.ingest.persons import Named, Person
from rag.ledger import audit, documents, erasures
from rag.privacy.erased import tag
from rag.retrieve.query import Query

if TYPE_CHECKING:
    from rag.ingest.context import Context

FORMAT = "sluice-erasure/1"
SEARCHED = 100
"""Hits that the last search looks at, of each target and way of searching."""
UNCOVERED = (
    "the source itself",
    "backups, snapshots and replicas of the databases, the state folder and the targets",
    "copies that others made of search results or answers",
)


def readers(context: Context) -> tuple[str, ...]:
    """Return everybody who may read anything."""
    with context.ledger.read() as db:
        entries = documents.entries(db, context.corpus)
    return tuple(sorted({who for one in entries for who in one.acl}))


def hits(context: Context, who: Person, readers: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield target and document of every hit that names the person."""
    for name, target in context.targets.items():
        for pseudonym in who.pseudonyms:
            query = Query(pseudonym, None, tuple(readers))
            for hits in target.legs(query, SEARCHED).values():
                for hit in (one.hit for one in target.read(hits, readers)):
                    shown = [hit.document, hit.title, hit.chunk.heading, hit.chunk.text]
                    if who.pattern.search("\n".join([*shown, hit.chunk.html, *hit.chunk.section])):
                        yield name, hit.chunk.document_id


def verify(context: Context, who: Person, named: Named, readers: Sequence[str]) -> Leftovers:
    """Search every target as everybody, and look through all that is on disk.

    Raises:
        SluiceError: Something is left.
    """
    others = set(named.namesakes) | set(named.undecided)
    with context.ledger.read() as db:
        roots = {one.document_id: one.root_id for one in documents.entries(db, context.corpus)}
    left = [
        f"target {name}"
        for name, document in hits(context, who, readers)
        if roots.get(document, document) not in others
    ]
    words = named.unshared(who)
    seen = Leftovers(0, 0)
    if words:
        found = pattern(words)
        left += [f"working store {one}" for one in context.store.masked_with(found.search)]
        skip = [home() / "keys"]
        folders = home() / "corpora"
        if folders.is_dir():
            skip += [one for one in folders.iterdir() if one.name != context.corpus]
        if elsewhere(context, who):  # the pseudonym is theirs, too: only our own rows are looked at
            skip += list(home().glob("ledger.sqlite*"))
        with context.ledger.read() as db:
            left += erasures.remains(db, context.corpus, words)
        seen = scan(words, _roots(), skip)
        left += seen.places
    if left:
        raise SluiceError(
            f"The person is still named in {len(left)} places: {', '.join(sorted(set(left))[:5])}.",
            "See that nothing else writes to this corpus, then run the same command again.",
        )
    return seen


def _roots() -> list[Path]:
    """Return the folders that this installation writes."""
    roots = [home()]
    store = os.environ.get("SLUICE_STORE", "")
    if store and "://" not in store:
        roots.append(Path(store))
    return roots


def elsewhere(context: Context, who: Person) -> tuple[str, ...]:
    with context.ledger.read() as db:
        return erasures.elsewhere(db, context.corpus, who.pseudonyms)


def certify(
    context: Context,
    who: Person,
    work: erasures.Erasure,
    named: Named,
    seen: Leftovers,
) -> dict[str, Any]:
    """Close the erasure: its record in the audit, and a signed statement of what was done."""
    with context.ledger.write() as db:
        after = {one.document_id: one.digest for one in documents.entries(db, context.corpus)}
        last = audit.append(
            db,
            "erase",
            {"corpus": context.corpus, "erasure": work.erasure_id, "outcome": "done"}
            | {"documents": work.mode, "count": len(work.before)},
        )
        mine = [one for one in audit.records(db, "erase") if one.body["erasure"] == work.erasure_id]
        statement = {
            "format": FORMAT,
            "erasure": work.erasure_id,
            "corpus": context.corpus,
            "person": sorted(_hash(context, one) for one in who.pseudonyms),
            "started_at": work.started_at.isoformat(),
            "finished_at": last.at,
            "documents": [
                {"id": one, "before": before, "after": after.get(one)}
                for one, before in sorted(work.before.items())
            ],
            "documents_are": "kept without the person" if work.mode == "keep" else "removed",
            "namesakes": len(named.namesakes),
            "undecided": len(named.undecided),
            "taken_out_until_read_again": work.counts["read_again"],
            "places": [
                *({"place": f"target {one}", "confirmed_by": "search"} for one in context.targets),
                {"place": "working store", "confirmed_by": "scan"},
                {"place": "embedding cache", "vectors_deleted": work.counts["vectors"]},
                {
                    "place": "vault",
                    "data_keys_destroyed": work.counts["keys"],
                    "entries_deleted": work.counts["entries"],
                },
                {"place": "audit", "texts_deleted": work.counts["texts"]},
                {"place": "ledger", "confirmed_by": "scan", "rewritten": True},
            ],
            "scan": {
                "files": seen.files,
                "bytes": seen.bytes,
                "forms": list(FORMS),
                "found": len(seen.places),
            },
            "name_is_masked_from_now_on": True,
            "not_covered": list(UNCOVERED),
            "audit": [{"seq": one.seq, "hash": one.hash} for one in mine],
        }
        certificate = signed(statement)
        erasures.finish(db, context.corpus, work, certificate)
    return certificate


def _hash(context: Context, pseudonym: str) -> str:
    return hashlib.sha256(tag(context.sealer, pseudonym).encode()).hexdigest()
