"""Exchange the index of an OpenSearch target for one made anew, while the old one is served.

The new generation is built beside: from the masked documents of the working store, with the
model, chunking and index settings that the corpus file says now. It is compared with what the
ledger expects, judged against the old one where there are judgements, and only then served, by
moving an alias. The old one stays, to go back to.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from rag.errors import ConfigError, IndexDiffers, TargetFailed
from rag.ingest.local import Progress
from rag.ingest.settle import noted, settle, write
from rag.ingest.shard import ShardReport, embed_results, results_of, run_shard
from rag.ingest.store import DocumentResult, Job
from rag.ingest.sync import entry_of, indexed, quarantined
from rag.ingest.verify import compare
from rag.ledger import documents, leases, runs, targets
from rag.ledger.entries import DocumentEntry, Held, QuarantineEntry

if TYPE_CHECKING:
    from rag.config import OpenSearchTarget
    from rag.evaluate import Scores
    from rag.ingest.context import Context
    from rag.records import MaskedDocument
    from rag.targets import Target
    from rag.targets.opensearch import OpenSearchIndex

TOGETHER = 200
"""Documents that are made at once."""

Tell = Callable[[Progress], None]
Judge = Callable[["Target"], "Scores"]


@dataclass(frozen=True, slots=True)
class Gate:
    """What the new index must reach in nDCG@10, 0 to 1, to be served.

    Attributes:
        tolerance: It may lose so much against the old one.
        floor: Or: what it must reach, whatever the old one does.
    """

    tolerance: float = 0.02
    floor: float | None = None

    def lets(self, old: Scores, new: Scores) -> bool:
        """Whether an index of these scores may be served in place of the old one."""
        wanted = old.ndcg_at_10 - self.tolerance if self.floor is None else self.floor
        return new.ndcg_at_10 >= wanted


@dataclass(frozen=True, slots=True)
class ReindexReport:
    """What became of a reindex.

    Attributes:
        old_model, new_model: URIs.
        served: Whether the new index is served; else the old one still is.
        documents, chunks: In the new index.
        read_again: Listed documents that had to be read from the source.
        gone: Documents that were served and are no longer in the source.
        old, new: Scores, where there were judgements.
        elapsed: Seconds.
    """

    corpus: str
    target: str
    old_model: str
    new_model: str
    served: bool
    dry_run: bool = False
    documents: int = 0
    chunks: int = 0
    read_again: int = 0
    gone: int = 0
    old: Scores | None = None
    new: Scores | None = None
    elapsed: float = 0.0


@dataclass(slots=True)
class Made:
    """What was put into the new index; the chunks themselves are not kept."""

    entries: dict[str, DocumentEntry] = field(default_factory=dict)
    failures: list[QuarantineEntry] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    read_again: int = 0


def reindex(
    context: Context,
    *,
    gate: Gate,
    judge: Judge | None = None,
    tell: Tell = lambda _: None,
    dry_run: bool = False,
) -> ReindexReport:
    """Build the corpus's OpenSearch index anew beside the one that is served, then serve it.

    Args:
        judge: Scores a target's searches; None: the new index is not judged.
        dry_run: Only say what would be done.

    Raises:
        ConfigError: No target of the corpus is an OpenSearch.
        CorpusBusy: A run holds the corpus.
        IndexDiffers: The new index does not hold what it must; the old one is still served.
        SluiceError: The work could not be done; the old one is still served.
    """
    started = time.monotonic()
    name, settings, old = opensearch_of(context)
    served = old.model()
    if served is None:
        raise TargetFailed("There is no index to exchange.", "Run `sluice sync` first.")
    with context.ledger.read() as db:
        entries = {one.document_id: one for one in documents.entries(db, context.corpus)}
    report = ReindexReport(
        corpus=context.corpus,
        target=name,
        old_model=served.model,
        new_model=context.config.embed.model,
        served=False,
        dry_run=dry_run,
        documents=len(entries),
        chunks=sum(one.chunk_count for one in entries.values()),
    )
    if dry_run:
        return replace(report, read_again=len(_without_artifact(context, entries)))
    with recorded(context, "reindex") as run_id:
        new = old.beside(settings, context.config.embed, context.embedder.dimensions)
        try:
            made = _fill(context, run_id, new, entries, tell)
            _verify(new, made, tell)
            scores = _judged(judge, old, new, tell)
        except BaseException:
            new.drop()
            raise
        report = replace(
            report,
            documents=len(made.entries),
            chunks=sum(one.chunk_count for one in made.entries.values()),
            read_again=made.read_again,
            gone=len(made.gone),
            old=scores[0] if scores else None,
            new=scores[1] if scores else None,
        )
        if scores and not gate.lets(*scores):
            new.drop()
        else:
            tell(Progress("serve"))
            old.serve(new)
            record(context, run_id, name, made)
            report = replace(report, served=True)
    return replace(report, elapsed=round(time.monotonic() - started, 3))


def opensearch_of(context: Context) -> tuple[str, OpenSearchTarget, OpenSearchIndex]:
    """Return the first OpenSearch target: its name, its settings, and itself."""
    from rag.targets.opensearch import OpenSearchIndex

    for settings, (name, target) in zip(
        context.config.targets, context.targets.items(), strict=True
    ):
        if isinstance(target, OpenSearchIndex) and settings.kind == "opensearch":
            return name, settings, target
    raise ConfigError(
        f"No target of the corpus {context.corpus} is of kind opensearch.",
        "Only those are exchanged as a whole; the others follow a new model with the next sync.",
    )


@contextmanager
def recorded(context: Context, mode: str) -> Iterator[str]:
    """Hold the corpus while the block runs, and record how it went; the run's id."""
    run_id = f"{mode}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid4().hex[:6]}"
    with leases.hold(context.ledger, context.corpus, run_id):
        with context.ledger.write() as db:
            runs.start(db, context.corpus, mode, run_id)
        failed = ""
        try:
            yield run_id
        except BaseException as error:
            failed = type(error).__name__
            raise
        finally:
            with context.ledger.write() as db:
                runs.finish(db, run_id, "failed" if failed else "done", error_code=failed or None)
            context.store.drop_runs()


def _fill(
    context: Context,
    run_id: str,
    new: OpenSearchIndex,
    entries: Mapping[str, DocumentEntry],
    tell: Tell,
) -> Made:
    """Put every document into the new index; return what it must hold now.

    Raises:
        IndexDiffers: A document can neither be made from its masked form nor be read again.
    """
    made = Made()
    roots = sorted({one.root_id for one in entries.values()})
    tell(Progress("documents", 0, len(roots)))
    for done, results in _results(context, run_id, entries, roots, made):
        wanted = [one for one in results if one.failure is None]
        put = [indexed(one, context.fingerprints) for one in wanted]
        made.refused |= write(new, put)
        for result, document in zip(wanted, put, strict=True):
            made.entries[document.id] = entry_of(result, document, context.fingerprints)
        failed = [one for one in results if one.failure is not None]
        made.failures += [quarantined(one, context.fingerprints) for one in failed]
        tell(Progress("documents", done, len(roots)))
    lost = {
        name
        for name, one in entries.items()
        if name not in made.entries and one.root_id not in made.gone and one.chunk_count
    }
    if lost:
        raise IndexDiffers(
            f"{len(lost)} documents that are served could not be made again; the old index is "
            "still served.",
            "Put the old model back into the corpus file, run `sluice sync`, and see "
            "`sluice quarantine`.",
        )
    return made


def _results(
    context: Context,
    run_id: str,
    entries: Mapping[str, DocumentEntry],
    roots: Sequence[str],
    made: Made,
) -> Iterator[tuple[int, list[DocumentResult]]]:
    """Yield how many documents are done, and their results, some hundred at a time."""
    report = ShardReport()
    again: list[str] = []
    for start in range(0, len(roots), TOGETHER):
        found: list[DocumentResult] = []
        for root in roots[start : start + TOGETHER]:
            entry = entries.get(root)
            masked = _artifact(context, entry) if entry else None
            if entry is None or masked is None:
                again.append(root)
                continue
            found += results_of(
                context, Job.again(entry), entry.content_id, entry.name, masked, report
            )
        yield min(len(roots), start + TOGETHER) - len(again), embed_results(context, found, report)
    if again:
        jobs = _listed(context, again)
        made.gone += sorted(set(again) - {job.document_id for job in jobs})
        made.read_again = len(jobs)
        for number, start in enumerate(range(0, len(jobs), TOGETHER)):
            shard = f"again-{number}"
            context.store.write_shard(run_id, shard, jobs[start : start + TOGETHER])
            run_shard(context, run_id, shard)
            done = len(roots) - len(jobs) + min(len(jobs), start + TOGETHER)
            yield done, list(context.store.result(run_id, shard))


def _without_artifact(context: Context, entries: Mapping[str, DocumentEntry]) -> list[str]:
    return [
        name
        for name, one in entries.items()
        if one.parent_id is None and _artifact(context, one) is None
    ]


def _artifact(context: Context, entry: DocumentEntry) -> MaskedDocument | None:
    return context.store.masked(entry.content_id, context.made_by(entry.sealed_key))


def _listed(context: Context, wanted: Sequence[str]) -> list[Job]:
    """Return documents of the source as jobs, those that it still has."""
    among = set(wanted)
    return [
        Job.of(document_id, context.seal(ref), ref, fresh=False)
        for ref in context.connector.list()
        if (document_id := context.sealer.document_id(ref.key)) in among
    ]


def _verify(new: OpenSearchIndex, made: Made, tell: Tell) -> None:
    tell(Progress("verify", len(made.entries), len(made.entries)))
    expected = {name: one for name, one in made.entries.items() if name not in made.refused}
    found = compare(expected, new.inventory())
    if found:
        raise IndexDiffers(
            f"The new index differs from what was written in {len(found.missing)} missing, "
            f"{len(found.different)} different and {len(found.extra)} unknown documents; the old "
            "one is still served.",
            "Check the cluster's health and run it again.",
        )


def _judged(
    judge: Judge | None, old: Target, new: Target, tell: Tell
) -> tuple[Scores, Scores] | None:
    if judge is None:
        return None
    tell(Progress("evaluate"))
    return judge(old), judge(new)


def record(context: Context, run_id: str, name: str, made: Made) -> None:
    """Note in the ledger what is served now.

    A target that embeds by itself holds the same text as before, under a new digest. Any other
    one holds vectors of the old model: the next sync makes them anew.
    """
    held = [Held(one.document_id, one.digest, one.chunk_count) for one in made.entries.values()]
    with context.ledger.write() as db:
        documents.record(db, context.corpus, run_id, list(made.entries.values()), made.failures)
        documents.remove(db, context.corpus, made.gone)
        targets.settle(db, context.corpus, name, held)
        noted(db, context, run_id, name, made.refused)
        stale = targets.stale(db, context.corpus, name)
        targets.forget(db, context.corpus, name, stale)
    for other, target in context.targets.items():
        if other != name and target.embeds:
            _rename(context, run_id, other, target, made)


def _rename(context: Context, run_id: str, name: str, target: Target, made: Made) -> None:
    """Give a target that embeds by itself the new digests."""
    with context.ledger.read() as db:
        held = targets.held(db, context.corpus, name, made.entries)
    there = {one: entry for one, entry in made.entries.items() if one in held}
    target.set_acl(
        {one: entry.acl for one, entry in there.items()},
        {one: entry.digest for one, entry in there.items()},
    )
    settle(context, run_id, name)
    with context.ledger.write() as db:
        targets.settle(
            db,
            context.corpus,
            name,
            [replace(held[one], digest=entry.digest) for one, entry in there.items()],
        )
