"""One shard, from extract to embed, in one process: nothing raw leaves its memory.

Documents are opened and parsed a few ahead of masking, so that the parsing process and this one
both have work. What is written is masked: the artifact of each document, and the shard's result.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from rag.cost import metered
from rag.errors import (
    ChangedWhileReading,
    ServiceFailed,
    SourceUnavailable,
    TooLarge,
    VaultFailed,
)
from rag.ingest.chunk import chunk
from rag.ingest.failures import failure
from rag.ingest.report import plain
from rag.ingest.store import DocumentResult, Job, with_vectors
from rag.masked import EMPTY, Masked, fixed, identifier
from rag.records import (
    Chunk,
    DocumentRef,
    Failure,
    MaskedDocument,
    MaskedFailure,
    ParsedDocument,
)
from rag.telemetry import WARNING, event

if TYPE_CHECKING:
    from rag.ingest.context import Context
    from rag.privacy import Masker

BATCH_DOCUMENTS = 32
BATCH_BYTES = 400_000
AHEAD_DOCUMENTS = 2 * BATCH_DOCUMENTS
AHEAD_BYTES = 64 * 2**20

log = logging.getLogger(__name__)

Progress = Callable[[int], None]
"""Called with the number of documents that were just finished."""


@dataclass(slots=True)
class ShardReport:
    """Counts of what a shard did; nothing in it comes from a document's text.

    Attributes:
        documents: With attachments.
        outcomes: Listed documents that can be indexed, by why they were done.
        parsed: Read by the parser (the rest had been masked before).
        types: Documents by media type.
        masked: Identifiers by entity kind.
        embedded: Chunks that the model embedded; the rest came from the cache.
        usage: Calls to models and services that cost, by model (`rag.cost`).
        seconds: Working time by step.
    """

    documents: int = 0
    parsed: int = 0
    chunks: int = 0
    embedded: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    masked: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    usage: dict[str, dict[str, Any]] = field(default_factory=dict)

    def as_counts(self) -> dict[str, Any]:
        """Return it as plain dictionaries and numbers."""
        return plain(self)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - start
            self.seconds[step] = self.seconds.get(step, 0.0) + spent


@dataclass(slots=True)
class _Item:
    """A document on its way: bytes read, perhaps parsed, perhaps masked. Raw until `masked`."""

    job: Job
    key: str
    content_id: str = ""
    size: int = 0
    pending: Future[ParsedDocument | Failure] | None = None
    parsed: ParsedDocument | None = None
    masked: MaskedDocument | MaskedFailure | None = None
    name: Masked = EMPTY


def run_shard(
    context: Context, run_id: str, shard_id: str, progress: Progress | None = None
) -> ShardReport:
    """Extract, parse, mask, chunk and embed the documents of one shard; write their results.

    Documents that fail become results with a reason; only a fault of the machinery raises.

    Raises:
        ServiceRefused: A model or service will not work for us at all.
    """
    report = ShardReport()
    context.look_again()
    jobs = context.store.shard(run_id, shard_id)
    results: list[DocumentResult] = []
    with metered() as meter:
        for batch in _batches(_read(context, jobs, report)):
            _mask(context, batch, report)
            made = [result for item in batch for result in _results(context, item, report)]
            done = embed_results(context, made, report)
            why = {item.job.document_id: item.job.why for item in batch}
            report.outcomes.update(
                why[one.document_id] for one in done if not (one.parent_id or one.failure)
            )
            results += done
            if progress:
                progress(len(batch))
    report.usage = meter.as_counts()
    with report.timed("write"):
        context.store.write_result(run_id, shard_id, results)
    return report


def _read(
    context: Context,
    jobs: Sequence[Job],
    report: ShardReport,
) -> Iterator[_Item]:
    """Open documents and have them parsed, a bounded number ahead; yield them in order."""
    ahead: deque[_Item] = deque()
    for job in jobs:
        ahead.append(_open(context, job, report))
        while len(ahead) > AHEAD_DOCUMENTS or sum(item.size for item in ahead) > AHEAD_BYTES:
            yield _parsed(ahead.popleft(), report)
    while ahead:
        yield _parsed(ahead.popleft(), report)


def _open(context: Context, job: Job, report: ShardReport) -> _Item:
    key, uri = context.unseal(job.sealed_key)
    item = _Item(job, key)
    limit = context.config.parse.limits.bytes
    try:
        with report.timed("extract"):
            ref = DocumentRef(key, uri, job.version, job.size, job.acl, job.modified)
            data = context.connector.open(ref, limit)
    except TooLarge:
        item.masked = failure("too_large", "extract", limit=limit)
    except ChangedWhileReading:
        item.masked = failure("changed_while_reading", "extract")
    except SourceUnavailable:
        item.masked = failure("unreadable_source", "extract")
    if item.masked is not None:
        return item
    item.size = len(data)
    item.content_id = context.sealer.content_id(data)
    if not job.fresh:
        item.masked = context.store.masked(item.content_id, context.made_by(job.sealed_key))
    if item.masked is None:
        report.parsed += 1
        item.pending = context.parser.submit(data, key.rpartition("/")[2])
    return item


def _parsed(item: _Item, report: ShardReport) -> _Item:
    if item.pending is not None:
        with report.timed("parse"):
            outcome = item.pending.result()
        item.pending = None
        if isinstance(outcome, Failure):  # of a listed document: it has no name
            item.masked = MaskedFailure(outcome.step, outcome.code, outcome.reason, outcome.action)
        else:
            item.parsed = outcome
    return item


def _batches(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    batch: list[_Item] = []
    size = 0
    for item in items:
        batch.append(item)
        size += item.size
        if len(batch) >= BATCH_DOCUMENTS or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _mask(context: Context, batch: Sequence[_Item], report: ShardReport) -> None:
    """Take the batch and its names through the gate; from here on nothing is raw."""
    raw = [(item, item.parsed) for item in batch if item.parsed is not None]
    with report.timed("mask"):
        shares: dict[Masker, list[tuple[_Item, ParsedDocument]]] = {}
        for item, parsed in raw:
            shares.setdefault(context.masker_of(item.key), []).append((item, parsed))
        for masker, share in shares.items():
            masked = masker.mask_documents([parsed for _, parsed in share])
            for (item, _), outcome in zip(share, masked, strict=True):
                item.masked, item.parsed = outcome, None
        for item in batch:
            item.name = _named(context, item)
    fresh = [item for item, _ in raw]
    _keep(context, batch, report)
    _guard(context, batch, fresh, report)
    for item in fresh:
        if isinstance(item.masked, MaskedDocument):
            with report.timed("write"):
                context.store.keep_masked(
                    item.content_id, context.made_by(item.job.sealed_key), item.masked
                )


def _named(context: Context, item: _Item) -> Masked:
    masker = context.masker_of(item.key)
    if isinstance(item.masked, MaskedDocument):
        return masker.mask_name(item.key, item.masked.name_tokens, item.masked.births)
    return masker.mask_name(item.key)


def _keep(context: Context, batch: Sequence[_Item], report: ShardReport) -> None:
    """Have the vault keep who is behind the new pseudonyms; if it cannot, the batch waits."""
    try:
        with report.timed("vault"):
            context.vault.keep()
    except VaultFailed as error:
        event(log, WARNING, "the vault did not answer: the documents wait", error=error)
        for item in batch:
            item.masked, item.name = failure("vault_failed", "mask"), _unnamed(item)


def _guard(
    context: Context, batch: Sequence[_Item], fresh: Sequence[_Item], report: ShardReport
) -> None:
    """Have the guardrail, if there is one, read what was just masked, and all names.

    When it cannot answer, the whole batch waits for the next run.
    """
    guardrail = context.guardrail("documents")
    if guardrail is None:
        return
    from rag.ingest.guard import guard

    new = {id(item) for item in fresh}
    try:
        with report.timed("guard"):
            passed = guard(
                guardrail,
                [item.masked if id(item) in new else None for item in batch],
                [item.name for item in batch],
            )
    except ServiceFailed as error:
        event(log, WARNING, "the guardrail did not answer: the documents wait", error=error)
        for item in batch:
            item.masked, item.name = failure("guardrail_failed", "mask"), _unnamed(item)
        return
    for item, one in zip(batch, passed, strict=True):
        item.masked = one.document or item.masked
        item.name = _unnamed(item) if one.name is None else one.name


def _unnamed(item: _Item) -> Masked:
    """The name of a document whose own did not pass."""
    return fixed("withheld/{}", identifier(item.job.document_id).cut(0, 12))


def _results(context: Context, item: _Item, report: ShardReport) -> Iterator[DocumentResult]:
    assert item.masked is not None
    yield from results_of(context, item.job, item.content_id, item.name, item.masked, report)


def results_of(
    context: Context,
    job: Job,
    content_id: str,
    name: Masked,
    masked: MaskedDocument | MaskedFailure,
    report: ShardReport,
    parent: tuple[str, int] | None = None,
) -> Iterator[DocumentResult]:
    """Chunk a masked document and its attachments; yield a result (without vectors) for each.

    An attachment is a document of its own with the listed document's rights and version; its id
    comes from the id of what holds it and its place there (`parent`).
    """
    document_id = job.document_id
    if parent is not None:
        document_id = context.sealer.document_id(f"{parent[0]}/{parent[1]}")
    failed, document = _split(masked)
    chunks: list[Chunk] = []
    if document is not None:
        with report.timed("chunk"):
            chunks = chunk(document, document_id, context.config.chunk, context.embedder)
        if not chunks and not document.attachments:
            failed = failure("no_text", "chunk")
    report.documents += 1
    yield DocumentResult(
        document_id=document_id,
        parent_id=job.document_id if parent else None,
        name=name,
        sealed_key=job.sealed_key,
        version=job.version,
        size=job.size,
        content_id=content_id,
        media_type=document.media_type if document else "",
        title=document.title if document else EMPTY,
        acl=job.acl,
        masked=dict(document.masked) if document else {},
        modified=job.modified,
        aliases=document.aliases if document else (),
        chunks=tuple(chunks),
        failure=failed,
    )
    for place, attached in enumerate(document.attachments if document else ()):
        inner = fixed("{} › {}", name, attached.name or place + 1)
        yield from results_of(
            context, job, content_id, inner, attached, report, (document_id, place)
        )


def _split(
    masked: MaskedDocument | MaskedFailure,
) -> tuple[MaskedFailure | None, MaskedDocument | None]:
    return (masked, None) if isinstance(masked, MaskedFailure) else (None, masked)


def embed_results(
    context: Context, results: Sequence[DocumentResult], report: ShardReport
) -> list[DocumentResult]:
    """Return the results with their chunks' embeddings, embedded in one go; count them.

    When the model cannot answer, the documents that need it fail for now.

    Raises:
        ServiceRefused: The model will not embed for us at all.
    """
    from rag.ingest.embed import embed_chunks, no_vectors

    chunks = [chunk for result in results for chunk in result.chunks]
    try:
        with report.timed("embed"):
            vectors, counts = (
                embed_chunks(chunks, context.embedder, context.cache)
                if context.needs_vectors
                else no_vectors(chunks)
            )
    except ServiceFailed as error:
        event(log, WARNING, "the model did not answer: what it should embed waits", error=error)
        results, chunks = _without_embeddings(results), []
        vectors, counts = embed_chunks(chunks, context.embedder, context.cache)
    report.chunks += len(chunks)
    report.embedded += counts.embedded
    for result in results:
        if result.failure:
            report.failures[result.failure.code] += 1
        else:
            report.types[result.media_type] += 1
            report.masked.update(result.masked)
    return with_vectors(results, vectors)


def _without_embeddings(results: Sequence[DocumentResult]) -> list[DocumentResult]:
    """Return failures for listed documents with passages, their own or an attachment's.

    They fail whole, so that what is served of their older version stays together.
    """
    failing = {one.parent_id or one.document_id for one in results if one.chunks}
    failed = failure("embedding_failed", "embed")
    return [
        replace(one, failure=failed, chunks=()) if one.document_id in failing else one
        for one in results
        if one.parent_id not in failing
    ]
