"""One ingestion job: compares a bucket with what is indexed and does what changed.

A document is done again when its ETag changed. When only its metadata file did, attributes and
rights change and nothing is embedded, unless an attribute is embedded with the text. What fails
keeps what was indexed before, and is tried again by the next job.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from localaws.knowledge import bucket, failures, records
from localaws.knowledge.bucket import Entry
from localaws.knowledge.index import Document
from localaws.knowledge.ingest import TOO_LARGE, Prepared, embed_and_keep, fingerprint, prepared
from localaws.knowledge.records import Record
from localaws.knowledge.sidecar import Described, Unusable, entries, from_file
from localaws.knowledge.sources import Origin, origin
from localaws.knowledge.store import Store
from localaws.knowledge.text import suffix, text_of
from localaws.operations import Faults

SUFFIX = ".metadata.json"
INJECTED = "because of an internal error. Retry your request"
_BATCH_CHARACTERS = 100_000
Rights = tuple[tuple[str, str], ...]


class Stopped(Exception):
    """Somebody asked for the job to stop."""


class BadRights(Exception):
    """The file that gives rights by prefix cannot be used."""


@dataclass
class Progress:
    """What a job has done so far.

    Attributes:
        failed: URIs by reason.
        reasons: Why the job as a whole failed.
    """

    scanned: int = 0
    sidecars: int = 0
    new: int = 0
    modified: int = 0
    described: int = 0
    deleted: int = 0
    skipped: int = 0
    failed: dict[str, list[str]] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)

    def statistics(self) -> dict[str, int]:
        """Return them as the service's IngestionJobStatistics."""
        return {
            "numberOfDocumentsScanned": self.scanned,
            "numberOfMetadataDocumentsScanned": self.sidecars,
            "numberOfNewDocumentsIndexed": self.new,
            "numberOfModifiedDocumentsIndexed": self.modified,
            "numberOfMetadataDocumentsModified": self.described,
            "numberOfDocumentsDeleted": self.deleted,
            "numberOfDocumentsFailed": sum(map(len, self.failed.values())),
            "numberOfDocumentsSkipped": self.skipped,
        }

    def failure_reasons(self) -> list[str]:
        """Return them as the service words them."""
        return [*self.reasons, *failures.reasons(self.failed)]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A document as the bucket has it.

    Attributes:
        described: Version of its metadata file and of the rights given to its prefix.
        rights: Given to its prefix.
    """

    uri: str
    entry: Entry
    sidecar: str
    described: str
    rights: Rights | None


@dataclass
class _Crawl:
    store: Store
    base: Record
    source: Record
    origin: Origin
    progress: Progress
    told: Callable[[Progress], None]
    faults: Faults
    batch: list[tuple[Prepared, str]] = field(default_factory=list)


def crawl(
    store: Store,
    base: Record,
    source: Record,
    progress: Progress,
    told: Callable[[Progress], None],
    faults: Faults,
) -> None:
    """Make what is indexed of a data source equal to its bucket.

    Args:
        progress: Counts what was done.
        told: Called after each batch; raises `Stopped` to end here.
        faults: A share of the documents that need work fails on purpose.

    Raises:
        bucket.Unreachable: The bucket cannot be listed; nothing was changed then.
    """
    work = _Crawl(store, base, source, origin(source), progress, told, faults)
    wanted = _listed(work)
    told(progress)
    known = {one.name: one for one in store.documents(base["id"], source["id"])}
    for uri, each in wanted.items():
        _attend(work, each, known.get(uri))
    _flush(work)
    gone = [one for name, one in known.items() if name not in wanted]
    if not _protected(work.origin, len(gone), len(known)):
        for one in gone:
            store.remove(base["id"], source["id"], one.name)
            progress.deleted += bool(one.version)
    told(progress)


def _listed(work: _Crawl) -> dict[str, _Wanted]:
    where = work.origin
    found: dict[str, Entry] = {}
    for prefix in _prefixes(where):
        found.update((one.key, one) for one in bucket.listing(where.bucket, prefix))
    by_prefix = _global_rights(where)
    sidecars = {key for key in found if key.endswith(SUFFIX)}
    documents = [
        one
        for key, one in found.items()
        if key not in sidecars
        and not key.endswith("/")
        and where.includes(key)
        and f"s3://{where.bucket}/{key}" != where.global_acl
    ]
    work.progress.scanned = len(documents)
    work.progress.sidecars = len(sidecars)
    wanted = {}
    for one in documents:
        uri = f"s3://{where.bucket}/{one.key}"
        sidecar = found.get(f"{where.sidecars}{one.key}{SUFFIX}")
        rights = _given(by_prefix, uri)
        described = sidecar.version if sidecar else ""
        if rights is not None:
            described += "|" + fingerprint(json.dumps(rights))
        named = f"s3://{where.bucket}/{sidecar.key}" if sidecar else ""
        wanted[uri] = _Wanted(uri, one, named, described, rights)
    return wanted


def _prefixes(where: Origin) -> Iterable[str]:
    prefixes = where.prefixes or ("",)
    return (*prefixes, where.sidecars) if where.sidecars else prefixes


def _attend(work: _Crawl, wanted: _Wanted, known: Document | None) -> None:
    """Do what one document needs."""
    same = known is not None and known.version == wanted.entry.version
    if known is not None and same and known.sidecar == wanted.described:
        if known.status != "INDEXED":
            work.store.note(work.base["id"], replace(known, status="INDEXED", reason=""))
        return
    try:
        if work.faults.fails():
            raise Unusable(INJECTED)
        described = _described(wanted)
        if work.origin.native_acl and described.acl is None:
            _without_rights(work, known)
            return
        fresh = Document(
            source=work.source["id"],
            name=wanted.uri,
            kind="S3",
            status="INDEXED",
            updated=records.now(),
            version=wanted.entry.version,
            sidecar=wanted.described,
            attributes=described.attributes,
            acl=described.acl,
            embedded=described.embedded,
        )
        if known is not None and same and known.embedded == fresh.embedded:
            work.store.note(work.base["id"], fresh)
            work.progress.described += 1
            return
        text = _text(work.origin, wanted)
        work.batch.append((prepared(fresh, text, work.source), _counted(known, wanted)))
    except (Unusable, bucket.Unreachable) as error:
        _failed(work, wanted, known, str(error), "METADATA_UPDATE_FAILED" if same else "FAILED")
        return
    held = (len(chunk.text) for one, _ in work.batch for chunk in one.chunks)
    if sum(held) > _BATCH_CHARACTERS:
        _flush(work)


def _counted(known: Document | None, wanted: _Wanted) -> str:
    """What a document counts as once it is indexed: letters of new, modified, described."""
    if known is None or not known.version:
        return "n"
    modified = "m" if known.version != wanted.entry.version else ""
    return modified + ("d" if known.sidecar != wanted.described else "")


def _flush(work: _Crawl) -> None:
    embed_and_keep(work.store, work.base, [one for one, _ in work.batch])
    for _, counted in work.batch:
        work.progress.new += "n" in counted
        work.progress.modified += "m" in counted
        work.progress.described += "d" in counted
    work.batch = []
    work.told(work.progress)


def _described(wanted: _Wanted) -> Described:
    if not wanted.sidecar:
        return Described(acl=wanted.rights)
    found = from_file(bucket.read(wanted.sidecar))
    return found if found.acl is not None else replace(found, acl=wanted.rights)


def _text(where: Origin, wanted: _Wanted) -> str:
    if wanted.entry.size > where.max_bytes:
        raise Unusable(TOO_LARGE)
    return text_of(bucket.read(wanted.uri), suffix(wanted.entry.key))


def _failed(work: _Crawl, wanted: _Wanted, known: Document | None, why: str, status: str) -> None:
    work.progress.failed.setdefault(why, []).append(wanted.uri)
    was = known or Document(work.source["id"], wanted.uri, "S3", status, "")
    reason = failures.message(why, [wanted.uri])
    work.store.note(
        work.base["id"], replace(was, status=status, updated=records.now(), reason=reason)
    )


def _without_rights(work: _Crawl, known: Document | None) -> None:
    """Where documents carry rights, one without any is not indexed."""
    work.progress.skipped += 1
    if known is not None:
        work.store.remove(work.base["id"], work.source["id"], known.name)
        work.progress.deleted += bool(known.version)


def _protected(where: Origin, gone: int, known: int) -> bool:
    """Whether so many would be deleted that none is."""
    return where.most_deleted is not None and known > 0 and 100 * gone > where.most_deleted * known


def _global_rights(where: Origin) -> list[tuple[str, Rights]]:
    """Rights by prefix, the longest prefix first."""
    if not where.global_acl or bucket.entry(where.global_acl) is None:
        return []
    try:
        content = json.loads(bucket.read(where.global_acl))
        found = [(one["keyPrefix"], _rights(one)) for one in content]
    except (ValueError, TypeError, KeyError, Unusable) as error:
        raise BadRights(f"The access control list file {where.global_acl} is invalid.") from error
    return sorted(found, key=lambda one: -len(one[0]))


def _rights(one: Mapping[str, Any]) -> Rights:
    return entries(one["aclEntries"], "Name", "Type", "Access")


def _given(by_prefix: list[tuple[str, Rights]], uri: str) -> Rights | None:
    return next((rights for prefix, rights in by_prefix if uri.startswith(prefix)), None)
