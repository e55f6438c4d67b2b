"""What one question leaves behind, collected as it goes and written in one transaction."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, Protocol
from uuid import uuid4

from rag.errors import ConfigError, SluiceError
from rag.masked import EMPTY, SPACE, Masked, fixed, require

if TYPE_CHECKING:
    from rag.config import CorpusConfig
    from rag.keys import Sealer
    from rag.ledger import Ledger
    from rag.ledger.audit import Record
    from rag.ledger.texts import Text
    from rag.records import Answer, Citation, Hit, Principal
    from rag.retrieve.pack import Packed

_USAGE = (
    *("hits", "packed", "context_tokens", "seconds"),
    *("model", "input_tokens", "output_tokens", "usd"),
)
_ANSWERING = ("model", "min_support", "context_tokens", "max_tokens")
"""Settings of the corpus file that an answer was made by."""
_TURN = threading.Lock()
_TURN_SECONDS = 5.0
BARE = fixed("(a question too bare to be written down)")
"""Stands for one of which the gate cannot tell whether it is a name: see `rag.privacy.bare`."""
SHOWN_HITS = 100
"""Hits that a record holds one by one; a search may return a thousand."""


class Keeper(Protocol):
    """What a trail needs of `rag.ingest.context.Context`."""

    corpus: str
    config: CorpusConfig

    @property
    def sealer(self) -> Sealer: ...
    @property
    def ledger(self) -> Ledger: ...


class Said(Protocol):
    """A sentence of an answer, as `rag.answer.Sentence` is one."""

    @property
    def text(self) -> Masked: ...
    @property
    def citations(self) -> tuple[Citation, ...]: ...
    @property
    def support(self) -> float: ...


class Trail:
    """One question on its way to an answer, or to hits.

    Args:
        context: Of the corpus that is asked.
        answer_id: Names the answer; empty: a new one (`answer_id` says it).
        principals: Who asks.
        kind: What is recorded; a ``search`` keeps no evidence.
    """

    def __init__(
        self,
        context: Keeper,
        answer_id: str,
        principals: Sequence[Principal],
        kind: Literal["answer", "search"] = "answer",
    ) -> None:
        self.answer_id = answer_id or uuid4().hex
        self.corpus = context.corpus
        self.kind = kind
        self._context = context
        self._hits: Sequence[Hit] = ()
        self._texts: dict[str, Text] = {}
        self._asked = EMPTY
        self._bare = EMPTY
        self._seconds: dict[str, float] = {}
        self._begun = time.perf_counter()
        self._body: dict[str, Any] = {
            "corpus": context.corpus,
            "answer": self.answer_id,
            "who": who(context, principals),
            "outcome": "unfinished",
        }
        if kind == "answer":
            settings = context.config.answer
            self._body["settings"] = {name: getattr(settings, name) for name in _ANSWERING}

    def question(self, question: Masked) -> None:
        """Note the question as it left the gate; of a bare one its keyed hash alone."""
        from rag.privacy.bare import bare

        if bare(require(question, "The audit")):
            self._bare = SPACE.join(question.split())
            self._body["question_tag"] = self._context.sealer.long_tag("bare question", question)
        self._asked = question
        self._body["question"] = self._kept(BARE if self._bare else question)

    def understood(self, question: Masked) -> None:
        """Note the question with the names that are meant, if it is another one by that.

        Not of a bare one: its other words may be names, too.
        """
        if question != self._asked and not self._bare:
            self._body["understood"] = self._kept(question)

    def retrieved(
        self, hits: Sequence[Hit], settings: Mapping[str, Any], seconds: float = 0.0
    ) -> None:
        """Note what was found.

        Args:
            hits: Best first, as the asker may read them.
            settings: Plain values, in the program's own words: ``target``, its ``generation``,
                ``embedding`` model, ``k``, ``fusion``, ``rerank`` and the like; masked text, such
                as the ``filter``, is kept as all texts are.
            seconds: What it took; or `timed` says it.
        """
        self._hits = hits
        self._body["search"] = {
            name: self._kept(value) if isinstance(value, Masked) else value
            for name, value in settings.items()
        }
        self._add("search", seconds)

    def packed(self, packed: Packed) -> None:
        """Note which passages were given to the model, with their text as it was given."""
        self._body["packed"] = [
            {"chunk": one.hit.chunk.id, "tokens": one.tokens, "text": self._kept(one.shown)}
            for one in packed.passages
        ]
        self._body["left_out"] = {chunk: str(why) for chunk, why in packed.left_out.items()}

    def generated(
        self,
        model: str,
        prompt: str = "",
        input_tokens: int = 0,
        output_tokens: int = 0,
        usd: float | None = 0.0,
        seconds: float = 0.0,
        *,
        prompt_sha256: str = "",
    ) -> None:
        """Note a call to a model; once for each.

        Args:
            model: Its URI.
            prompt: Version of the prompt; empty where there is none.
            usd: By list price; None: it is not known.
            seconds: What it took; or `timed` says it.
            prompt_sha256: Of the prompt's files, so that a changed prompt is seen.
        """
        self._body.setdefault("calls", []).append(
            {
                "model": model,
                "prompt": prompt,
                "prompt_sha256": prompt_sha256,
                "input_tokens": input_tokens,
                "output_tokens": output_tokens,
                "usd": usd,
                "seconds": round(seconds, 4),
            }
        )
        self._add("generate", seconds)

    def decided(self, answer: Answer, sentences: Sequence[Said] = ()) -> None:
        """Note the answer, or that there is none and why.

        Args:
            sentences: The answer's, in order; by default each citation stands for one.
        """
        self._body |= {
            "outcome": "abstained" if answer.abstained else "answered",
            "text": self._kept(answer.text),
            "support": round(float(answer.support), 4),
            "partial": answer.partial,
            "cached": answer.cached,
            "citations": [self._cited(one) for one in answer.citations],
            "usage": {name: getattr(answer.usage, name) for name in _USAGE},
        }
        if answer.refusal:
            self._body["refusal"] = {
                "kind": answer.refusal.kind,
                "reason": self._kept(answer.refusal.reason),
            }
        places: dict[tuple[str, str], int] = {}
        for number, cited in enumerate(answer.citations):
            places.setdefault((cited.chunk, cited.quote), number)
        self._body["sentences"] = [
            {
                "text": self._kept(one.text),
                "support": round(float(one.support), 4),
                "citations": [
                    places[cited.chunk, cited.quote]
                    for cited in one.citations
                    if (cited.chunk, cited.quote) in places
                ],
            }
            for one in sentences
        ]

    def found(self) -> None:
        """Note that a search was finished."""
        self._body["outcome"] = "found" if self._hits else "nothing"

    def failed(self, error: BaseException) -> None:
        """Note that it ended otherwise: by which kind of error; never what an error says."""
        stopped = isinstance(error, GeneratorExit | KeyboardInterrupt)
        self._body["outcome"] = "stopped" if stopped else "failed"
        self._body["error"] = type(error).__name__

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Measure a stage: ``mask``, ``search``, ``pack``, ``generate``, ``ground``."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self._add(stage, time.perf_counter() - begun)

    def body(self, versions: Mapping[str, Mapping[str, str]], run_id: str = "") -> dict[str, Any]:
        """Return what the record says.

        Args:
            versions: Of the documents found, by id, as the ledger has them.
            run_id: Of the last run that made the index what it is.
        """
        shown = self._hits[:SHOWN_HITS]
        readers: list[list[str]] = []
        documents: dict[str, dict[str, str]] = {}
        hits = []
        for rank, hit in enumerate(shown, start=1):
            acl = tags(self._context, hit.acl)
            if acl not in readers:
                readers.append(acl)
            chunk = hit.chunk
            documents.setdefault(
                chunk.document_id,
                {"name": self._kept(hit.document), **versions.get(chunk.document_id, {})},
            )
            hits.append(
                {
                    "chunk": chunk.id,
                    "document": chunk.document_id,
                    "rank": rank,
                    "score": round(float(hit.score), 6),
                    "legs": dict(hit.legs),
                    "readers": readers.index(acl),
                }
            )
        total = time.perf_counter() - self._begun
        return self._body | {
            "hits": hits,
            "count": len(self._hits),
            "documents": documents,
            "readers": readers,
            "run": run_id,
            "seconds": {
                stage: round(taken, 4) for stage, taken in (*self._seconds.items(), ("all", total))
            },
        }

    @property
    def documents(self) -> list[str]:
        """Ids of the documents that were found."""
        found = (hit.chunk.document_id for hit in self._hits[:SHOWN_HITS])
        return list(dict.fromkeys(found))

    @property
    def texts(self) -> Sequence[Text]:
        """All texts that the record names."""
        return list(self._texts.values())

    def _cited(self, one: Citation) -> dict[str, Any]:
        return {
            "chunk": one.chunk,
            "document": one.document_id,
            "quote": self._kept(one.quote),
            "page": one.page,
            "score": round(float(one.score), 4),
        }

    def _kept(self, text: Masked) -> str:
        from rag.ledger.texts import made

        fit = require(text, "The audit")
        if self._bare and self._bare in fit:
            fit = fit.replace(self._bare, BARE)
        one = made(self._context.sealer, fit)
        self._texts[one.hash] = one
        return one.reference

    def _add(self, stage: str, seconds: float) -> None:
        if seconds:
            self._seconds[stage] = self._seconds.get(stage, 0.0) + seconds


def write(ledger: Ledger, trail: Trail) -> Record:
    """Write a trail's record and its texts, in one transaction that waits for no model.

    Raises:
        ConfigError: The ledger cannot be written: what is not recorded must not be answered.
    """
    from sqlalchemy.exc import DBAPIError

    from rag.ledger import audit, texts

    try:
        body = trail.body(*_versions(ledger, trail))
        with _in_turn(), ledger.write() as db:
            record = audit.append(db, trail.kind, body)
            texts.put(db, trail.corpus, trail.texts, record.seq)
    except DBAPIError as error:
        raise ConfigError(
            f"The audit could not be written ({type(error.orig).__name__}): nothing is answered.",
            "See that the ledger's database is there, writable and not full, and ask again.",
        ) from None
    return record


@contextmanager
def _in_turn() -> Iterator[None]:
    """Let a process's threads write one after the other.

    SQLite lets those who wait sleep for ever longer, up to a tenth of a second each time. After
    `_TURN_SECONDS` a thread tries all the same: a fork may have copied the lock while it was held.
    """
    taken = _TURN.acquire(timeout=_TURN_SECONDS)
    try:
        yield
    finally:
        if taken:
            _TURN.release()


def _versions(ledger: Ledger, trail: Trail) -> tuple[dict[str, dict[str, str]], str]:
    """Return versions of the documents that were found, and the last run, as served now."""
    from rag.ledger import documents, runs

    with ledger.read() as db:
        served = documents.versions(db, trail.corpus, trail.documents)
        last = [one for one in runs.latest(db, trail.corpus, 5) if one.status == "done"]
    versions = {
        name: {"version": version, "digest": digest, "indexed": at.isoformat(timespec="seconds")}
        for name, (version, digest, at) in served.items()
    }
    return versions, last[0].run_id if last else ""


@contextmanager
def recorded(
    context: Keeper,
    principals: Sequence[Principal],
    kind: Literal["answer", "search"] = "answer",
    answer_id: str = "",
) -> Iterator[Trail]:
    """Give a trail that is written at the end, also where an error or a stop ends it.

    Raises:
        ConfigError: The ledger cannot be written.
    """
    trail = Trail(context, answer_id, principals, kind)
    try:
        yield trail
    except BaseException as error:
        trail.failed(error)
        _write_anyway(context, trail)
        raise
    if kind == "search":
        trail.found()
    if kind == "answer" or context.config.audit.searches:
        write(context.ledger, trail)


def _write_anyway(context: Keeper, trail: Trail) -> None:
    """Write it while another error is on its way, which is the one to be told."""
    try:
        if trail.kind == "answer" or context.config.audit.searches:
            write(context.ledger, trail)
    except SluiceError:
        return


def who(context: Keeper, principals: Sequence[Principal]) -> list[str]:
    """Return what records say for somebody: ``user:TAG``, or as they are if the corpus says so."""
    if context.config.audit.principals == "plain":
        return sorted(set(principals))
    return tags(context, principals)


def tags(context: Keeper, principals: Sequence[Principal]) -> list[str]:
    """Return principals as keyed hashes, with their kind, sorted."""
    return sorted(
        f"{one.partition(':')[0]}:{context.sealer.long_tag('audit principal', one)}"
        for one in set(principals)
    )
