"""Erase a person: from documents or with them, from every target, cache and the vault.

The order makes a killed erasure harmless: what is to be done is noted first, the name is nobody's
from then on; each document is rewritten in the targets and the ledger before its masked form is,
by which it would be found again; the keys go after the documents. Run again, it goes on, and
certifies all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

from rag.audit.removal import forget
from rag.errors import SluiceError
from rag.ingest.models_kept import check_model
from rag.ingest.persons import (
    Named,
    Person,
    artifact_of,
    find,
    is_name,
    masked_of,
    renamed,
    without,
)
from rag.ingest.proof import certify, elsewhere, hits, readers, verify
from rag.ingest.reindex import recorded
from rag.ingest.settle import settle
from rag.ingest.shard import ShardReport, embed_results, results_of
from rag.ingest.store import DocumentResult, Job
from rag.ingest.sync import apply_results
from rag.ledger import aliases, audit, documents, erased, erasures, quarantine, targets
from rag.ledger.entries import DocumentEntry, Fingerprints
from rag.ledger.vault import sources
from rag.masked import Masked, configured, fixed
from rag.privacy.erased import tag
from rag.records import MaskedDocument

if TYPE_CHECKING:
    from rag.ingest.context import Context
    from rag.targets import Target

Mode = Literal["keep", "remove"]
Tell = Callable[[str, int, int], None]
"""Called with the step, documents done and their total."""

TOGETHER = 50
_NAME = "<PERSON>"


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was done, or for a dry run what would be.

    Attributes:
        named: Documents by what they are to the person.
        names: Masked names of those documents, by id.
        certificate: Signed; None for a dry run.
        elsewhere: Other corpora of this ledger that know the same pseudonym.
        similar: Pseudonyms of longer names with the same words: not erased.
    """

    named: Named
    names: Mapping[str, Masked] = field(default_factory=dict)
    certificate: Mapping[str, Any] | None = None
    elsewhere: tuple[str, ...] = ()
    similar: tuple[Masked, ...] = ()


def erase(
    context: Context,
    who: Person,
    mode: Mode = "keep",
    *,
    dry_run: bool = False,
    tell: Tell | None = None,
) -> Erasure:
    """Erase a person from a corpus.

    What was done already gives out its certificate again.

    Args:
        mode: ``keep`` documents without the person, or ``remove`` those about them and keep them
            out.

    Raises:
        CorpusBusy: A run holds the corpus.
        SluiceError: A step could not be done, or something is left; run again, it goes on.
    """
    said = tell or (lambda step, done, total: None)
    if dry_run:
        named = find(context, who)
        return Erasure(named, _names(context, named), None, elsewhere(context, who), who.similar)
    check_model(context)
    with recorded(context, "erase") as run_id:
        context.store.drop_runs()
        everybody = readers(context)
        named = find(context, who)
        names = _names(context, named)
        if not (named.about or named.waiting):
            with context.ledger.read() as db:
                done = erasures.finished(db, context.corpus, f"{who.asked}-{mode}")
            if done is not None:
                verify(context, who, named, everybody)
                return Erasure(named, names, done, elsewhere(context, who), who.similar)
        work = _begin(context, who, mode, named)
        context.look_again()
        _documents(context, run_id, who, work, named, said)
        said("targets", 0, 0)
        work = _settle(context, run_id, who, work, named, everybody)
        work = _forget(context, who, work, named)
        said("verify", 0, 0)
        seen = verify(context, who, named, everybody)
        certificate = certify(context, who, work, named, seen)
    return Erasure(named, names, certificate, elsewhere(context, who), who.similar)


# What is to be done


def _begin(context: Context, who: Person, mode: Mode, named: Named) -> erasures.Erasure:
    """Note what will be done, and make the name nobody's from now on."""
    sealer = context.sealer
    with context.ledger.read() as db:
        before = {
            one.document_id: one.digest
            for one in documents.entries(db, context.corpus)
            if one.root_id in set(named.about)
        }
    with context.ledger.write() as db:
        work = erasures.begin(
            db, context.corpus, f"{who.asked}-{mode}", mode, before, named.waiting
        )
        born = {one: who.born if named.shared and is_name(one) else "" for one in who.pseudonyms}
        tags: dict[str, dict[str, Any]] = {tag(sealer, one, day): {} for one, day in born.items()}
        erased.put(db, context.corpus, erased.PERSON, tags)
        if not named.shared:
            words = {
                sealer.long_tag("erased words", "\0".join(sorted(one))): {"words": sorted(one)}
                for one in who.words
            }
            erased.put(db, context.corpus, erased.WORDS, words)
        if mode == "remove":
            gone: dict[str, dict[str, Any]] = {one: {} for one in (*named.about, *named.waiting)}
            erased.put(db, context.corpus, erased.DOCUMENT, gone)
        audit.append(
            db,
            "erase",
            {"corpus": context.corpus, "erasure": work.erasure_id, "outcome": "begun"}
            | {"documents": mode, "count": len(named.about)},
        )
    return work


# Documents


def _documents(
    context: Context,
    run_id: str,
    who: Person,
    work: erasures.Erasure,
    named: Named,
    tell: Tell,
) -> None:
    if work.mode == "remove":
        with context.ledger.write() as db:
            documents.remove(db, context.corpus, [*named.about, *named.waiting])
    else:
        _rewrite(context, run_id, who, named.about, tell)
        with context.ledger.write() as db:
            new = {
                one.document_id: renamed(one.name, who)
                for one in quarantine.entries(db, context.corpus)
                if one.root_id in set(named.waiting) or not named.shared
            }
            quarantine.rename(db, context.corpus, new)


def _rewrite(context: Context, run_id: str, who: Person, roots: Sequence[str], tell: Tell) -> None:
    also = _surrogates(context, who)
    with context.ledger.read() as db:
        entries = {one.document_id: one for one in documents.entries(db, context.corpus, roots)}
    done = 0
    for made_by, group in _by_steps(context, [entries[one] for one in roots]):
        for start in range(0, len(group), TOGETHER):
            _rewrite_some(context, run_id, who, group[start : start + TOGETHER], made_by, also)
            done += len(group[start : start + TOGETHER])
            tell("documents", done, len(roots))


def _by_steps(
    context: Context, entries: Sequence[DocumentEntry]
) -> Iterator[tuple[Fingerprints, list[DocumentEntry]]]:
    """Yield documents by the steps that parsed and masked them: those are not done again."""
    now = context.fingerprints

    def steps(one: DocumentEntry) -> tuple[str, str]:
        return one.fingerprints.parse, one.fingerprints.mask

    for (parse, mask), group in groupby(sorted(entries, key=steps), key=steps):
        yield Fingerprints(parse, mask, now.chunk, now.embed), list(group)


def _rewrite_some(
    context: Context,
    run_id: str,
    who: Person,
    entries: Sequence[DocumentEntry],
    made_by: Fingerprints,
    also: Mapping[str, Masked],
) -> None:
    report = ShardReport()
    made: list[DocumentResult] = []
    new: dict[str, MaskedDocument] = {}
    unnamed: list[str] = []
    for one in entries:
        masked = masked_of(context, one)
        if masked is None:  # only its name tells of the person: the next sync reads it again
            with context.ledger.write() as db:
                documents.remove(db, context.corpus, [one.document_id])
            continue
        new[one.document_id] = rewritten = without(masked, who, also)
        named = renamed(one.name, who)
        if _NAME in named:  # the vault, too, must not tell of a file that is named after them
            unnamed.append(one.document_id)
        job = replace(Job.again(one), sealed_key="")
        made += results_of(context, job, one.content_id, named, rewritten, report)
    results = embed_results(context, made, report)
    if any(one.failure and one.failure.code == "embedding_failed" for one in results):
        raise SluiceError(
            "The embedding model could not be had, so that the erasure is not whole.",
            "See that the model is reachable, then run the same command again: it goes on.",
        )
    with context.ledger.write() as db:
        for name in context.target_names:  # write all of it: only a heading may differ
            targets.intend(db, context.corpus, name, [one.document_id for one in results])
    apply_results(context, run_id, results, made_by)
    with context.ledger.write() as db:
        sources.forget(db, context.corpus, unnamed)
    for one in entries:
        if one.document_id in new:
            place = "" if one.document_id in unnamed else one.sealed_key
            made_of = context.made_by(place, one.fingerprints)
            context.store.keep_masked(one.content_id, made_of, new[one.document_id])


def _surrogates(context: Context, who: Person) -> dict[str, Masked]:
    """Return the person's own surrogates (of dates, say), as the vault has them."""
    with context.ledger.read() as db:
        found = context.vault.belongings(db, who.pseudonyms)
    kinds = {one: one[1:].partition(" ")[0] for one in found if one.startswith("<")}
    return {one: fixed("<{}>", configured(kind)) for one, kind in kinds.items()}


# Targets, working store, vault, cache


def _settle(
    context: Context,
    run_id: str,
    who: Person,
    work: erasures.Erasure,
    named: Named,
    everybody: Sequence[str],
) -> erasures.Erasure:
    """Have every target hold what the ledger says, and no older version; tidy the store."""
    lost = _lost(context, who, named, everybody)
    with context.ledger.write() as db:
        documents.remove(db, context.corpus, lost)  # the next sync reads them again
        work = erasures.count(db, context.corpus, work, {"read_again": len(lost)})
    for name, target in context.targets.items():
        with context.ledger.read() as db:
            stale = targets.stale(db, context.corpus, name)
        if stale:
            target.apply([], stale)
            with context.ledger.write() as db:
                targets.forget(db, context.corpus, name, stale)
        settle(context, run_id, name)
        target.compact()
        if name == "opensearch":
            _no_rollback(target)
    with context.ledger.read() as db:
        listed = [one for one in documents.entries(db, context.corpus) if one.parent_id is None]
    kept = {artifact_of(context, one) for one in listed}
    every = context.store.masked_with(lambda _: True)
    holding = set(context.store.masked_with(who.named_in))
    context.store.drop_masked({one for one in every if one in kept or one not in holding})
    return work


def _no_rollback(target: Target) -> None:
    """Delete what an index keeps to go back to: it holds the person too."""
    from rag.targets.opensearch import OpenSearchIndex

    if isinstance(target, OpenSearchIndex):
        target.drop_others()


def _lost(context: Context, who: Person, named: Named, everybody: Sequence[str]) -> list[str]:
    """Return documents without a masked form in which a search finds the person."""
    if not named.lost:
        return []
    found = {one for _, one in hits(context, who, everybody)}
    with context.ledger.read() as db:
        entries = documents.entries(db, context.corpus, found)
    return sorted({one.root_id for one in entries} & set(named.lost))


def _forget(
    context: Context, who: Person, work: erasures.Erasure, named: Named
) -> erasures.Erasure:
    """Destroy data keys, entries and cached vectors, and what the database keeps of them.

    Of the audit the texts go that name the person, also where a namesake may be meant.
    """
    texts = forget(context, who.pattern, _surrogates(context, who), work.erasure_id)
    gone = named.unshared(who)
    vectors = context.cache.forget(gone)
    with context.ledger.write() as db:
        keys, entries = context.vault.destroy(db, gone)
        aliases.forget(db, context.corpus, gone)
        counts = {"keys": keys, "entries": entries, "vectors": vectors, "texts": texts}
        work = erasures.count(db, context.corpus, work, counts)
    context.ledger.scrub()
    return work


def _names(context: Context, named: Named) -> dict[str, Masked]:
    """Return masked names of the documents concerned, for a person to read."""
    wanted = {*named.about, *named.undecided, *named.namesakes, *named.waiting}
    with context.ledger.read() as db:
        known = [*documents.entries(db, context.corpus, wanted)]
        waiting = quarantine.entries(db, context.corpus)
    return {one.document_id: one.name for one in waiting if one.document_id in wanted} | {
        one.document_id: one.name for one in known
    }
