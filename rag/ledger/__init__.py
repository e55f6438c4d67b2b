"""The ledger: what is indexed at which version, what waits in quarantine, who is running.

It holds nothing raw: ids are keyed hashes, names and titles are masked. Beside it, in the same
database, is the vault (`rag.ledger.vault`): sealed, who is behind the pseudonyms and where the
documents are.
Open it, then call the functions of `documents`, `quarantine`, `targets`, `runs` and `leases`
inside one transaction::

    from rag.ledger import Ledger, documents, targets

    with Ledger.open() as ledger:
        with ledger.read() as db:
            seen = documents.view(db, "handbook", targets=["embedded"])
        with ledger.write() as db:
            documents.record(db, "handbook", run_id, indexed, failures)
            targets.settle(db, "handbook", "embedded", held)

What a killed run leaves is always repairable if the order is: `targets.intend`, write the target,
then `documents.record` and `targets.settle` in one transaction; for deletions `documents.remove`,
then delete from the target what `targets.stale` names, then `targets.forget`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rag.ledger.entries import (
    DocumentEntry,
    Fingerprints,
    Held,
    LedgerView,
    QuarantineEntry,
    Rights,
    Run,
    Summary,
)

if TYPE_CHECKING:
    from rag.ledger.opening import Ledger

__all__ = [
    "DocumentEntry",
    "Fingerprints",
    "Held",
    "Ledger",
    "LedgerView",
    "QuarantineEntry",
    "Rights",
    "Run",
    "Summary",
]


def __getattr__(name: str) -> Any:
    # The records above are plain; SQLAlchemy (half a second) loads with the ledger itself.
    if name == "Ledger":
        from rag.ledger.opening import Ledger

        return Ledger
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
