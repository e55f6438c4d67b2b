"""Compare what a source lists with what the ledger holds: what is to be done.

A pure function: it reads nothing, changes nothing, and gives the same plan for the same input
in any order. Whoever calls it has listed the source to the end; a listing that broke off is an
exception long before.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from rag.errors import ListingFailed, MassDeletion
from rag.masked import Masked
from rag.records import DocumentRef, Principal

if TYPE_CHECKING:
    from rag.config import MaxDelete
    from rag.ledger import DocumentEntry, Fingerprints, LedgerView, QuarantineEntry

Why = Literal[
    "new",  # never seen
    "moved",  # new, and looks like a document that vanished
    "version",  # the source says that it changed
    "parse", "mask", "chunk", "embed",  # the first step whose fingerprint changed
    "target",  # a target does not hold it as the ledger says
    "refresh",  # everything is asked for again
    "retry",  # quarantined, and it or the code changed, or it was not its own fault
    "rights", "unchanged", "quarantined",  # nothing to read
]  # fmt: skip

_CHANGED = frozenset({"version", "parse", "mask", "chunk", "embed", "target", "refresh"})
_OVERHEAD = 2048  # bytes that a document weighs besides its own
_SMALLEST = 8  # documents; a task with fewer costs more than it saves


@dataclass(frozen=True, slots=True)
class Listed:
    """A document as the source lists it, and its ids.

    Attributes:
        content_id: Keyed hash of its bytes, where the source tells a hash; else empty.
    """

    document_id: str
    ref: DocumentRef = field(repr=False)  # raw: it must not get into a log
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """One document to do, and why. Raw, as its reference is: it does not leave the process.

    Attributes:
        moved_from: A vanished document that this seems to be. Not certain until it is read: its
            content id tells.
    """

    document_id: str
    ref: DocumentRef = field(repr=False)
    why: Why
    moved_from: str | None = None


@dataclass(frozen=True, slots=True)
class Rights:
    """Who may read a served document from now on; the same holds for its attachments."""

    document_id: str
    acl: tuple[Principal, ...]


@dataclass(frozen=True, slots=True)
class Gone:
    """A served document that the source no longer lists; its attachments go with it."""

    document_id: str
    name: Masked


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, each list by document id. A listed document is in exactly one class.

    Attributes:
        new: Never seen.
        changed: Served, and to be made again.
        moved: Never seen under this name, but looks like one that vanished.
        retried: Quarantined, and worth another try; it may have moved, too.
        acl_only: Served documents of which nothing but the rights changed.
        unchanged: Ids of documents with nothing to do.
        skipped: Ids of quarantined documents that would fail again.
        deleted: Served documents that vanished, except those that moved.
        forgotten: Ids of vanished documents that were only in quarantine.
        rights: For every served document whose rights changed: those of `acl_only`, and those
            that are to be made again too, because taking a right away does not wait for a new
            version to succeed. Moved ones are here under their old names.
    """

    new: tuple[Work, ...] = ()
    changed: tuple[Work, ...] = ()
    moved: tuple[Work, ...] = ()
    retried: tuple[Work, ...] = ()
    acl_only: tuple[Work, ...] = ()
    unchanged: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    deleted: tuple[Gone, ...] = ()
    forgotten: tuple[str, ...] = ()
    rights: tuple[Rights, ...] = ()

    @property
    def work(self) -> tuple[Work, ...]:
        """All documents that must be read, by id."""
        every = (*self.new, *self.changed, *self.moved, *self.retried)
        return tuple(sorted(every, key=lambda one: one.document_id))

    def gone(self, failed: Collection[str] = ()) -> tuple[str, ...]:
        """Return ids to remove when the work is done, by id.

        Args:
            failed: Ids of work that ended in quarantine: where a moved document failed under
                its new name, the old one stays served.
        """
        left = {one.document_id for one in self.deleted} | set(self.forgotten)
        left |= {
            one.moved_from
            for one in (*self.moved, *self.retried)
            if one.moved_from and one.document_id not in failed
        }
        return tuple(sorted(left))

    def counts(self) -> dict[str, int]:
        """Return the number of documents in each class."""
        return {
            "new": len(self.new),
            "changed": len(self.changed),
            "moved": len(self.moved),
            "retried": len(self.retried),
            "acl": len(self.acl_only),
            "unchanged": len(self.unchanged),
            "skipped": len(self.skipped),
            "deleted": len(self.deleted),
            "forgotten": len(self.forgotten),
        }


def plan(
    listing: Iterable[Listed],
    ledger: LedgerView,
    fingerprints: Fingerprints,
    max_delete: MaxDelete,
    *,
    allow_mass_delete: bool = False,
    full_refresh: bool = False,
) -> Plan:
    """Compare a whole listing with the ledger.

    Args:
        listing: Everything that the source has; any order.
        fingerprints: Of the steps as they are now.
        max_delete: More deletions than both its share and its count are refused.
        allow_mass_delete: Allow them, and an empty listing, this time.
        full_refresh: Read everything again.

    Raises:
        ListingFailed: The listing is empty while the ledger is not, or names a document twice.
        MassDeletion: Too much would be deleted; carries masked names.
    """
    listed = _by_id(listing)
    served = _served(ledger)
    if not listed and (served or ledger.quarantine) and not allow_mass_delete:
        raise ListingFailed(
            f"The source lists no documents, but {len(served)} are indexed; nothing was deleted.",
            "Check the source's url, include and exclude. If everything is really gone, "
            "run once with --allow-mass-delete.",
        )
    current = _Current(ledger, fingerprints, full_refresh)
    why = {name: current.why(one) for name, one in listed.items()}
    vanished = {name: label for name, label in served.items() if name not in listed}
    unserved = [
        one
        for name, one in listed.items()
        if why[name] in ("new", "retry") and name not in ledger.documents
    ]
    origins = _moves(unserved, vanished, ledger)
    moved = set(origins.values())
    deleted = tuple(Gone(name, label) for name, label in vanished.items() if name not in moved)
    if not allow_mass_delete:
        _refuse_mass_deletion(deleted, len(served), max_delete)

    def work(names: Iterable[str], reason: Why | None = None) -> tuple[Work, ...]:
        return tuple(
            Work(name, listed[name].ref, reason or why[name], origins.get(name)) for name in names
        )

    def because(reason: Why) -> tuple[str, ...]:
        return tuple(name for name in listed if why[name] == reason)

    roots = {one.root_id for one in ledger.quarantine.values()}
    return Plan(
        new=work(name for name in because("new") if name not in origins),
        changed=work(name for name in listed if why[name] in _CHANGED),
        moved=work((name for name in because("new") if name in origins), "moved"),
        retried=work(because("retry")),
        acl_only=work(because("rights")),
        unchanged=because("unchanged"),
        skipped=because("quarantined"),
        deleted=deleted,
        forgotten=tuple(sorted(roots - listed.keys() - served.keys())),
        rights=tuple(
            [Rights(name, one.ref.acl) for name, one in listed.items() if current.rights(one)]
            + _narrowed(origins, listed, ledger)
        ),
    )


class _Current:
    """Classifies one listed document against the ledger, as things are now."""

    def __init__(self, ledger: LedgerView, fingerprints: Fingerprints, refresh: bool) -> None:
        self._ledger = ledger
        self._fingerprints = fingerprints
        self._refresh = refresh
        self._mendable = {one.root_id for one in ledger.quarantine.values() if one.transient}

    def why(self, one: Listed) -> Why:
        name = one.document_id
        entry = self._ledger.documents.get(name)
        failure = self._ledger.quarantine.get(name)
        if failure is not None and self._fails_again(one, failure):
            return "rights" if self.rights(one) else "quarantined"
        if failure is not None or name in self._mendable:
            return "retry"
        if entry is None:
            return "new"
        if self._refresh:
            return "refresh"
        if (one.ref.version, one.ref.size) != (entry.version, entry.size):
            return "version"
        for step in ("parse", "mask", "chunk", "embed"):
            if getattr(entry.fingerprints, step) != getattr(self._fingerprints, step):
                return step
        if name in self._ledger.unsettled:
            return "target"
        return "rights" if self.rights(one) else "unchanged"

    def _fails_again(self, one: Listed, failure: QuarantineEntry) -> bool:
        return (
            not self._refresh
            and one.document_id not in self._mendable
            and one.ref.version == failure.version
            and self._fingerprints.up_to(failure.step) == failure.fingerprint
            # What one target refuses may still be owed to another.
            and not (failure.step == "sync" and one.document_id in self._ledger.unsettled)
        )

    def rights(self, one: Listed) -> bool:
        """Whether a served document's rights changed; their order means nothing."""
        entry = self._ledger.documents.get(one.document_id)
        return entry is not None and frozenset(entry.acl) != frozenset(one.ref.acl)


def _by_id(listing: Iterable[Listed]) -> dict[str, Listed]:
    everything = sorted(listing, key=lambda one: one.document_id)
    listed = {one.document_id: one for one in everything}
    if twice := len(everything) - len(listed):
        raise ListingFailed(
            f"The source lists {twice} documents more than once.",
            "Check that no two places of the source overlap, then run again.",
        )
    return listed


def _served(ledger: LedgerView) -> dict[str, Masked]:
    """Return id and name of listed documents of which something is served, by id."""
    names: dict[str, Masked] = {}
    for one in ledger.documents.values():
        # A mail may be in quarantine while a file attached to it is served.
        named = ledger.documents.get(one.root_id) or ledger.quarantine.get(one.root_id) or one
        names[one.root_id] = named.name
    return dict(sorted(names.items()))


def _moves(new: Sequence[Listed], vanished: Collection[str], ledger: LedgerView) -> dict[str, str]:
    """Match new documents to vanished ones that they may be; return new id to old id.

    By content where the source tells it, else by version and size. Each is matched at most
    once, in the order of ids.
    """
    origins: dict[str, str] = {}
    left = {name: ledger.documents[name] for name in vanished if name in ledger.documents}
    sides: tuple[tuple[Callable[[Listed], object], Callable[[DocumentEntry], object]], ...] = (
        (lambda one: one.content_id or None, lambda old: old.content_id),
        (
            lambda one: (one.ref.version, one.ref.size) if one.ref.version else None,
            lambda old: (old.version, old.size),
        ),
    )
    for of_new, of_old in sides:
        free: dict[object, list[str]] = defaultdict(list)
        for name in sorted(left, reverse=True):
            free[of_old(left[name])].append(name)
        for one in new:
            alike = of_new(one)
            if one.document_id not in origins and alike is not None and free.get(alike):
                origins[one.document_id] = free[alike].pop()
                del left[origins[one.document_id]]
    return origins


def _narrowed(
    origins: Mapping[str, str], listed: Mapping[str, Listed], ledger: LedgerView
) -> list[Rights]:
    """Return rights of moved documents under their old names, for as long as those are served.

    Only who could read the old one and may read the new one: it is not certain yet that they
    are the same.
    """
    rights = []
    for name, old in origins.items():
        before = ledger.documents[old].acl
        both = tuple(sorted(set(before) & set(listed[name].ref.acl)))
        if set(both) != set(before):
            rights.append(Rights(old, both))
    return rights


def _refuse_mass_deletion(deleted: Sequence[Gone], served: int, limit: MaxDelete) -> None:
    if len(deleted) > limit.count and len(deleted) > limit.share * served:
        raise MassDeletion(
            [one.name for one in deleted],
            f"{len(deleted)} of {served} documents vanished from the source, more than "
            f"source.max_delete allows ({limit.count} and {limit.share:.0%}); "
            "nothing was deleted.",
            "Check the source. If they are really gone, run once with --allow-mass-delete.",
        )


def shards(plan: Plan, size: int, workers: int = 1) -> dict[str, tuple[Work, ...]]:
    """Cut a plan's work into shards of about equal bytes; return them by id, heaviest first.

    Largest document first, each to the lightest shard that has room (the LPT rule: Graham,
    "Bounds on multiprocessing timing anomalies", 1969). Within a shard documents are in the
    order of their ids, which are hashes: sizes are mixed. A shard's id is a hash over its
    documents and their versions: the same work is the same shard.

    Args:
        size: Most documents in a shard.
        workers: Shards that run side by side; their number is rounded up to a multiple of it,
            so that all are busy to the end, unless that made shards of fewer than 8 documents.
    """
    everything = sorted(plan.work, key=lambda one: (-one.ref.size, one.document_id))
    if not everything:
        return {}
    count = -(-len(everything) // size)
    rounded = -(-count // workers) * workers
    if rounded * _SMALLEST <= len(everything):
        count = rounded
    known = [one.ref.size for one in everything if one.ref.size >= 0]
    unknown = sum(known) // len(known) if known else 0
    members: list[list[Work]] = [[] for _ in range(count)]
    load = [0] * count
    lightest = [(0, index) for index in range(count)]
    for one in everything:
        _, index = heapq.heappop(lightest)
        members[index].append(one)
        load[index] += (one.ref.size if one.ref.size >= 0 else unknown) + _OVERHEAD
        if len(members[index]) < size:
            heapq.heappush(lightest, (load[index], index))
    heaviest = sorted(range(count), key=lambda index: (-load[index], index))
    cut = [tuple(sorted(members[index], key=lambda one: one.document_id)) for index in heaviest]
    return {_shard_id(some): some for some in cut if some}


def _shard_id(members: Sequence[Work]) -> str:
    named = "\n".join(f"{one.document_id} {one.ref.version}" for one in members)
    return hashlib.blake2b(named.encode(), digest_size=8).hexdigest()
