"""The Python API: one object a corpus, to keep it, look into it and ask it."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rag.budget import Budget
from rag.corpus_file import Loaded, load
from rag.errors import SluiceError
from rag.records import Answer, Done, Event, Hit, MaskedText, Principal

if TYPE_CHECKING:
    from rag.asking.remembered import Remembered
    from rag.asking.streams import Stream
    from rag.asking.way import Asked
    from rag.audit.opinions import Rating
    from rag.audit.told import Explanation
    from rag.evaluate import Scores
    from rag.evaluate.subject import Subject
    from rag.ingest.context import Context
    from rag.ingest.erase import Erasure
    from rag.ingest.local import Progress
    from rag.ingest.reindex import ReindexReport
    from rag.ingest.report import SyncReport
    from rag.ingest.rollback import RollbackReport
    from rag.langchain import CorpusRetriever, CorpusRunnable
    from rag.ledger import QuarantineEntry, Run, Summary
    from rag.ledger.audit import Verified
    from rag.ledger.erased import KeptOut
    from rag.ledger.vault import VaultStatus
    from rag.ledger.vault.rotation import Rotation
    from rag.retrieve.filters import Filter
    from rag.retrieve.query import Where
    from rag.reveal import Revealed
    from rag.rights import Expand
    from rag.targets import Target


@dataclass(frozen=True, slots=True)
class Status:
    """A corpus as it stands.

    Attributes:
        path: Its file.
        indexed: Documents, attachments, chunks, bytes, types and masked identifiers.
        last_runs: Newest first.
        quarantine: What waits for somebody, and why.
        kept_out: Whom and what erasures keep out.
    """

    corpus: str
    path: Path
    indexed: Summary
    last_runs: Sequence[Run]
    quarantine: Sequence[QuarantineEntry]
    kept_out: KeptOut

    @property
    def last_success(self) -> datetime | None:
        """When a run was last finished."""
        return next((run.finished_at for run in self.last_runs if run.status == "done"), None)


class Corpus:
    """A declared corpus.

    Example::

        corpus = Corpus.open("handbook")
        corpus.sync()
        answer = corpus.ask("Who approves overtime?", principals=["group:staff"])
        print(answer.text, [citation.quote for citation in answer.citations])
    """

    def __init__(self, loaded: Loaded, expand: Expand | None = None) -> None:
        self.loaded = loaded
        self._expand = expand
        self.name: str = loaded.config.corpus
        self._context_made: Context | None = None
        self._remembered_made: Remembered | None = None

    @classmethod
    def open(cls, corpus: str | Path, *, expand: Expand | None = None) -> Corpus:
        """Open a corpus by its name in ``corpora/`` or by the path of its file.

        Args:
            expand: Makes an asker's principals, with their groups, of those given; instead of
                ``rights.expand`` of the file. See `rag.rights`.

        Raises:
            ConfigError: There is none, or its file is wrong.
        """
        return cls(load(corpus), expand)

    @property
    def _context(self) -> Context:
        if self._context_made is None:
            from rag.ingest.context import Context

            self._context_made = Context(self.loaded, threads=os.cpu_count() or 1)
        return self._context_made

    # Keep it

    def sync(
        self,
        progress: Callable[[Progress], None] | None = None,
        *,
        full_refresh: bool = False,
        dry_run: bool = False,
        allow_mass_delete: bool = False,
        workers: int | None = None,
    ) -> SyncReport:
        """Make the index equal to the source; return what was done.

        Args:
            progress: Called as documents are finished, possibly from another thread.
            full_refresh: Do every document anew.
            dry_run: Only say what would be done.
            allow_mass_delete: Let this run delete more than ``source.max_delete``.
            workers: Processes; by default one a core.

        Raises:
            ListingFailed, MassDeletion, CorpusBusy: Nothing was deleted.
            SluiceError: The run stopped; what was served is still served, and another sync goes
                on from there.
        """
        from rag.ingest.local import run_corpus
        from rag.ingest.pipeline import Options

        options = Options(
            full_refresh=full_refresh,
            dry_run=dry_run,
            allow_mass_delete=allow_mass_delete,
            workers=workers or os.cpu_count() or 1,
        )
        return run_corpus(self._context, options, progress or (lambda _: None))

    def reindex(
        self,
        progress: Callable[[Progress], None] | None = None,
        *,
        queries: Path | None = None,
        qrels: Path | None = None,
        tolerance: float = 0.02,
        floor: float | None = None,
        dry_run: bool = False,
    ) -> ReindexReport:
        """Build the OpenSearch index anew beside the one that is served, then exchange them.

        It takes model, chunking and the target's settings from the corpus file as it is now.
        Searches go on meanwhile; `rollback` goes back.

        Args:
            queries, qrels: Judgements as for `evaluate`; without them the new one is not judged.
            tolerance: nDCG@10 that the new index may lose against the old one, 0 to 1.
            floor: Instead, the nDCG@10 that it must reach.
            dry_run: Only say what would be done.

        Raises:
            ConfigError: The corpus has no OpenSearch target, or a file has another layout.
            SluiceError: The work could not be done; the old index is still served.
        """
        from rag.ingest import reindex as exchange

        judge = None
        if queries is not None and qrels is not None:
            judge = partial(self._evaluate, queries, qrels, None)
        gate = exchange.Gate(tolerance, floor)
        tell = progress or (lambda _: None)
        return exchange.reindex(self._context, gate=gate, judge=judge, tell=tell, dry_run=dry_run)

    def rollback(self) -> RollbackReport:
        """Serve the index again that the last `reindex` replaced.

        Raises:
            TargetFailed: There is none.
        """
        from rag.ingest.rollback import rollback

        return rollback(self._context)

    def status(self) -> Status:
        """Return what is indexed, what waits in quarantine, and how the last runs went."""
        from rag.ledger import documents, erased, quarantine, runs

        with self._context.ledger.read() as db:
            return Status(
                corpus=self.name,
                path=self.loaded.path,
                indexed=documents.summary(db, self.name),
                last_runs=runs.latest(db, self.name, 10),
                quarantine=quarantine.entries(db, self.name),
                kept_out=erased.kept_out(db, self.name),
            )

    def quarantine(self) -> list[QuarantineEntry]:
        """Return the documents that could not be indexed, by name, with reason and next step."""
        return list(self.status().quarantine)

    def reveal(
        self,
        pseudonyms: Sequence[str] = (),
        *,
        documents: Sequence[str] = (),
        principals: Sequence[Principal],
        purpose: str,
    ) -> list[Revealed]:
        """Return who is behind pseudonyms, and where documents are: raw, to be shown only.

        Each attempt, also a refused one, goes into the audit.

        Args:
            documents: By id, or by masked name.
            purpose: Why; it is masked.

        Raises:
            Denied: ``privacy.vault.reveal`` names none of the principals.
            SluiceError: There is no purpose, or the vault does not open.
        """
        from rag.reveal import reveal

        asker = self._asker(principals)
        return reveal(self._context, pseudonyms, documents, principals=asker, purpose=purpose)

    def erase(
        self,
        persons: Sequence[str] = (),
        *,
        emails: Sequence[str] = (),
        born: str = "",
        documents: Literal["keep", "remove"] = "keep",
        dry_run: bool = False,
        progress: Callable[[Progress], None] | None = None,
    ) -> Erasure:
        """Erase a person: from documents or with them, from all targets, caches and the vault.

        Run again after it was stopped, it goes on. The name is masked as anybody's from then on.

        Args:
            persons: Spellings of the name, as people write it; case, accents, order and titles
                make no difference.
            emails: Addresses of the person's.
            born: Date of birth, YYYY-MM-DD, where others have the same name: only documents that
                say this date are the person's.
            documents: ``keep`` them without the person, or ``remove`` those that name them, and
                keep them out.
            dry_run: Only say which documents it would touch.

        Raises:
            SluiceError: Nobody is named, a step failed, or something is left.
            CorpusBusy: A run holds the corpus.
        """
        from datetime import date

        from rag.ingest.erase import erase
        from rag.ingest.local import Progress
        from rag.ingest.persons import person

        if not (any(one.strip() for one in persons) or any(one.strip() for one in emails)):
            raise SluiceError("Nobody is named.", "Give a name or an e-mail address.")
        try:
            day = date.fromisoformat(born).isoformat() if born else ""
        except ValueError:
            raise SluiceError("The date of birth cannot be read.", "Give it YYYY-MM-DD.") from None
        self._forget()
        context = self._context
        who = person(context, persons, emails, day)
        tell = progress or (lambda _: None)
        return erase(
            context,
            who,
            documents,
            dry_run=dry_run,
            tell=lambda step, done, total: tell(Progress(step, done, total)),
        )

    def _forget(self) -> None:
        """Forget what was asked."""
        from rag.asking import vectors

        vectors.forget()
        if self._remembered_made is not None:
            self._remembered_made.clear()

    def vault_status(self) -> VaultStatus:
        """Return what the vault holds, in figures, and under which keys."""
        with self._context.ledger.read() as db:
            return self._context.vault.status(db)

    def rotate_vault(self, *, drop_old: bool = False) -> Rotation:
        """Wrap all data keys of the vault anew; what was stopped goes on.

        Args:
            drop_old: Then delete the old key's file.

        Raises:
            VaultFailed: A key that something is wrapped by is not configured.
            ConfigError: Another corpus still needs the old key's file.
            CorpusBusy: A run holds the corpus.
        """
        from rag.reveal import rotate

        return rotate(self._context, drop_old=drop_old)

    def unlock(self) -> bool:
        """End another run's hold on the corpus; return whether there was one.

        For somebody who knows that the run is dead; a live one stops at its next step.
        """
        from rag.ledger import leases

        with self._context.ledger.write() as db:
            return leases.release(db, self.name)

    # Ask it

    def warm(self, *, freeze: bool = False) -> None:
        """Load models and open indexes, so that the first question takes as long as the others.

        For processes that serve questions, once, before the first. Nothing is recorded, and no
        model that costs money is called.

        Args:
            freeze: Take all that is loaded by then, the application's own objects too, out of the
                garbage collector's sight (`gc.freeze`), whose pauses are else the slowest searches.

        Raises:
            TargetFailed: An index could not be read.
        """
        from rag.asking.warm import warm

        warm(self._context, freeze=freeze)

    def search(
        self,
        question: str,
        *,
        principals: Sequence[Principal],
        k: int = 10,
        where: Where | Filter | str | None = None,
        target: str | None = None,
        budget: Budget | None = None,
    ) -> list[Hit]:
        """Return the `k` best passages that the asker may read, best first.

        Args:
            question: Raw; it is masked before anything else sees it.
            principals: Who asks, for example ``["user:ana", "group:hr"]``; nobody finds nothing.
            where: Narrows what is searched, as a filter or as text: see `rag.retrieve.filters`.
            target: Kind of the target to search, where the corpus has several; by default its
                first.
            budget: Hard limits of money and time. A model that it does not pay for is left out:
                the search is by words alone, or not reranked.

        Raises:
            ConfigError: The corpus has no such target, or the audit cannot be written.
            FilterWrong: The filter cannot be read.
            Blocked, GuardrailBlocked: The question holds what the policy or guardrail blocks.
            NotIndexed: The corpus was never synced.
            OverBudget: The time is over.
        """
        from rag.asking import alone

        asked = self._asked(question, principals, where, target, budget)
        return alone.search(asked, self._context, k, alone.stages(asked))

    async def asearch(
        self,
        question: str,
        *,
        principals: Sequence[Principal],
        k: int = 10,
        where: Where | Filter | str | None = None,
        target: str | None = None,
        budget: Budget | None = None,
    ) -> list[Hit]:
        """`search` for coroutines: its work is done in a thread, and given up when cancelled."""
        from rag.asking import alone

        asked = self._asked(question, principals, where, target, budget)
        return await alone.asearch(asked, self._context, k)

    def ask(
        self,
        question: str,
        *,
        principals: Sequence[Principal],
        where: Where | Filter | str | None = None,
        target: str | None = None,
        budget: Budget | None = None,
    ) -> Answer:
        """Answer from what the asker may read, with citations, or abstain.

        Args:
            where, target: As for `search`.
            budget: Hard limits of tokens, money and time; what it does not say, the corpus file's
                ``answer.budget`` does. When time or money is used up, what was said by then is the
                answer (`Answer.partial` says why it ends), or a refusal.

        Raises:
            ConfigError: The corpus has no such target, or the audit cannot be written.
            Blocked, GuardrailBlocked: The question holds what the policy or guardrail blocks.
            NotIndexed: The corpus was never synced.
            TargetFailed, ServiceFailed, ServiceRefused: A target or model could not be had.
            OverBudget: The time was over before the answer was in the audit.
        """
        with self.stream(
            question, principals=principals, where=where, target=target, budget=budget
        ) as events:
            return collected(events)

    async def aask(
        self,
        question: str,
        *,
        principals: Sequence[Principal],
        where: Where | Filter | str | None = None,
        target: str | None = None,
        budget: Budget | None = None,
    ) -> Answer:
        """`ask` for coroutines; cancelling the task stops the model's call."""
        events = self.astream(
            question, principals=principals, where=where, target=target, budget=budget
        )
        async with aclosing(events):
            return collected([event async for event in events])

    def stream(
        self,
        question: str,
        *,
        principals: Sequence[Principal],
        where: Where | Filter | str | None = None,
        target: str | None = None,
        budget: Budget | None = None,
    ) -> Stream:
        """Answer as `ask` does, event by event, as they come.

        `Token` is text that may be shown, `Cited` where it comes from, `Refusal` why there is no
        answer (in its place, or after what was shown: a guardrail may withhold the rest), and
        `Done` the whole answer. Closing the stream, from any thread, stops the model's call::

            with corpus.stream("Who approves overtime?", principals=["group:staff"]) as events:
                for event in events:
                    if isinstance(event, Token):
                        print(event.text, end="", flush=True)

        Raises:
            As `ask`, when the first event is asked for.
        """
        return self._streamed(question, principals, where, target, budget)

    def astream(
        self,
        question: str,
        *,
        principals: Sequence[Principal],
        where: Where | Filter | str | None = None,
        target: str | None = None,
        budget: Budget | None = None,
    ) -> AsyncGenerator[Event, None]:
        """`stream` for coroutines: ``async for event in corpus.astream(…)``.

        Cancelling the task, or closing the iterator, stops the model's call.
        """
        from rag.asking.streams import as_they_come

        return as_they_come(
            lambda: self._streamed(question, principals, where, target, budget, leaving=True)
        )

    def _streamed(
        self,
        question: str,
        principals: Sequence[Principal],
        where: Where | Filter | str | None,
        target: str | None,
        budget: Budget | None,
        *,
        leaving: bool = False,
    ) -> Stream:
        from rag.asking.journey import journey
        from rag.asking.streams import Stream

        asked = self._asked(question, principals, where, target, budget)
        return Stream(
            lambda stages: journey(asked, self._context, stages, self._remembered),
            asked.budget,
            leaving=leaving,
        )

    def _asked(
        self,
        question: str,
        principals: Sequence[Principal],
        where: Where | Filter | str | None,
        target: str | None,
        budget: Budget | None,
    ) -> Asked:
        from rag.asking.way import Asked

        own = self.loaded.config.answer.budget
        limits = (budget or Budget()).under(Budget(own.tokens, own.usd, own.seconds))
        return Asked(question, self._asker(principals), where, target, limits)

    def _asker(self, principals: Sequence[Principal]) -> tuple[Principal, ...]:
        """Return who asks, with all groups.

        Raises:
            RightsUnknown: That could not be found out: nobody is let in.
        """
        from rag.rights import expanded, named

        place = self.loaded.config.rights.expand
        return expanded(principals, self._expand or (named(place) if place else None))

    @property
    def _remembered(self) -> Remembered | None:
        """Answers that may be given again; None where the corpus file does not want it."""
        settings = self.loaded.config.answer.cache
        if settings is None:
            return None
        if self._remembered_made is None:
            from rag.asking.remembered import Remembered

            self._remembered_made = Remembered(settings)
        return self._remembered_made

    def explain(self, answer_id: str, *, principals: Sequence[Principal]) -> Explanation:
        """Replay an answer from the audit's records, as it was then; the reading is recorded.

        Args:
            principals: Who reads: whoever ``audit.readers`` names reads all of it; who asked,
                what of it they could read then and may read now.

        Raises:
            NotRecorded: There is no such answer of this corpus.
            Denied: They may read nothing of it.
        """
        from rag.explain import explain

        return explain(self._context, answer_id, self._asker(principals))

    def feedback(
        self,
        answer_id: str,
        rating: Rating,
        comment: str = "",
        *,
        principals: Sequence[Principal],
    ) -> None:
        """Record what somebody thought of an answer.

        Args:
            rating: ``good``, ``bad``, or 0 (bad) to 1 (good).
            comment: Raw; it is masked.
            principals: Who says it.

        Raises:
            SluiceError: There is no such rating, or nobody says it.
            NotRecorded: There is no such answer of this corpus.
            Blocked: The comment holds what the policy blocks.
        """
        from rag.audit.opinions import feedback

        feedback(self._context, answer_id, rating, comment, principals=principals)

    def export_audit(self, path: Path, *, principals: Sequence[Principal]) -> Verified:
        """Write the audit's records of this corpus with all texts, as JSON lines.

        Returns: How many records and texts, and the head.

        Raises:
            Denied: ``audit.readers`` names none of the principals; the attempt is recorded.
            SluiceError: The file cannot be written.
        """
        from rag.audit.export import export

        return export(self._context, path, self._asker(principals))

    def mask(self, text: str) -> MaskedText:
        """Return a question as it would be searched for, and what was found in it.

        Raises:
            Blocked: It holds an identifier that the policy blocks.
            GuardrailBlocked: The guardrail refuses it.
            ServiceFailed, ServiceRefused: The guardrail did not answer.
        """
        from rag.asking.gate import masked

        return masked(self._context, text)

    def as_retriever(
        self,
        *,
        principals: Sequence[Principal],
        k: int = 10,
        where: Where | Filter | str | None = None,
        budget: Budget | None = None,
    ) -> CorpusRetriever:
        """Return a LangChain ``BaseRetriever`` over what these principals may read."""
        from rag.langchain import CorpusRetriever

        return CorpusRetriever(
            corpus=self, principals=tuple(principals), k=k, where=where, budget=budget
        )

    def as_runnable(
        self,
        *,
        principals: Sequence[Principal],
        where: Where | Filter | str | None = None,
        target: str | None = None,
        budget: Budget | None = None,
    ) -> CorpusRunnable:
        """Return a LangChain ``Runnable`` from a question to a cited answer, as a message.

        It streams, and it is async: see `rag.langchain.CorpusRunnable`.
        """
        from rag.langchain import CorpusRunnable

        return CorpusRunnable(self, principals, where, target, budget)

    def evaluate(
        self, queries: Path, qrels: Path, *, principals: Sequence[Principal] | None = None
    ) -> Scores:
        """Score search against judgements in the BEIR layout.

        Args:
            queries: ``queries.jsonl``.
            qrels: ``qrels.tsv``; its document ids are source keys, or file names without
                extension. A passage of an attachment counts for its mail.
            principals: Who asks; None: everybody who may read anything.

        Raises:
            ConfigError: A file has another layout.
        """
        return self._evaluate(queries, qrels, principals, self._target)

    def _evaluate(
        self, queries: Path, qrels: Path, principals: Sequence[Principal] | None, target: Target
    ) -> Scores:
        from rag.evaluate import read_qrels, read_queries
        from rag.evaluate.ranking import rank

        questions, judgements = read_queries(queries), read_qrels(qrels)
        called = {document for graded in judgements.values() for document in graded}
        judged = self.judged(called, principals=principals)
        return rank(judged, questions, judgements, target=target).scores

    def judged(
        self, called: Iterable[str], *, principals: Sequence[Principal] | None = None
    ) -> Subject:
        """Return the corpus as `rag.evaluate` judges and tunes it.

        Args:
            called: What judgements call its documents: source keys, or file names without
                extension.
            principals: Who asks; None: everybody who may read anything.
        """
        from rag.evaluate.subject import subject

        asker = None if principals is None else self._asker(principals)
        return subject(self._context, frozenset(called), asker)

    @property
    def _target(self) -> Target:
        """The target that is searched."""
        return next(iter(self._context.targets.values()))


def collected(events: Iterable[Event]) -> Answer:
    """Return the answer that a stream's events end with.

    Raises:
        SluiceError: They end before it.
    """
    for event in events:
        if isinstance(event, Done):
            return event.answer
    raise SluiceError("The question was given up before it was answered.", "Ask it again.")
