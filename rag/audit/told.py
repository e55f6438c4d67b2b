"""What an explanation tells: an answer as its records have it, each text with what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rag.ledger.audit import Verified
from rag.masked import Masked

State = Literal["kept", "changed", "removed", "withheld", "missing"]


@dataclass(frozen=True, slots=True)
class Told:
    """A text of a record.

    Attributes:
        text: None unless it is kept (or changed: then it is what somebody made of it).
        state: ``kept``: it is what its hash says. ``changed``: it is not. ``removed``: by
            retention or an erasure, as `note` says. ``withheld``: the reader may not see it.
            ``missing``: nobody recorded why.
        hash: SHA-256 over salt and text, in hexadecimal; empty: nothing was recorded.
    """

    text: Masked | None
    state: State = "kept"
    hash: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was found, then and now.

    Attributes:
        version: As its source had it then.
        now: ``as it was``; ``changed since``; ``indexed anew since``: the same version, by other
            settings or for other readers; ``deleted since``.
    """

    document_id: str
    name: Told
    version: str
    indexed_at: str
    now: str


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that was found.

    Attributes:
        rank: From 1, as it was returned.
        legs: Its rank in each way of searching that found it.
        evidence: As it was given to the model; None: it was not.
        place: Of the evidence among what was given, from 1; 0: it was not.
        tokens: Of the evidence.
        left_out: Why it was not, or not whole.
    """

    chunk: str
    document: Document
    rank: int
    score: float
    legs: Mapping[str, Any]
    evidence: Told | None = None
    place: int = 0
    tokens: int = 0
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a sentence rests on.

    Attributes:
        support: How well it does, 0 to 1.
        in_passage: Whether the quote stands literally in the passage as it was given; None:
            one of the two is not there any more.
    """

    quote: Told
    document: Document
    chunk: str
    page: int | None
    support: float
    in_passage: bool | None


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the answer with its evidence."""

    text: Told
    evidence: tuple[Evidence, ...]
    support: float | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """What somebody thought of the answer.

    Attributes:
        rating: 0 (bad) to 1 (good).
    """

    at: str
    rating: float
    comment: Told
    who: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """An answer, replayed from its records.

    Attributes:
        seq, hash: Of its record in the chain.
        outcome: ``answered``, ``abstained``, ``found``, ``nothing``, ``failed``, ``stopped``.
        error: Kind of the error where it failed.
        refusal: Why nothing is said: its kind, as `rag.records.Refusal` has it; or empty.
        support: How well the evidence answers the question, 0 to 1; None: it was not told.
        partial: Why the answer ends early, or empty.
        cached: Id of the answer that this one repeats, or empty.
        who: Who asked: keyed hashes with their kind, or as given if the corpus says so.
        yours: Whether it was the reader who asked.
        auditor: Whether the reader may read everything.
        understood: The question with the whole names that were meant; None: as it was asked.
        search: Settings that were searched with.
        filter: That narrowed the search, in the language of filters; None: there was none.
        settings: That the answer was made with: the least support, the tokens of context.
        run: The last run that had made the index what it was.
        count: Hits in all; `found` has the first hundred.
        calls: To models: URI, prompt with its hash, tokens, price, seconds.
        usage: As the answer told it.
        seconds: By stage; ``all`` is from the question to the record.
        verified: What became of a check of the whole chain, and of the texts told here.
    """

    answer_id: str
    corpus: str
    kind: str
    seq: int
    hash: str
    at: str
    outcome: str
    error: str
    refusal: str
    support: float | None
    partial: str
    cached: str
    who: tuple[str, ...]
    yours: bool
    auditor: bool
    question: Told
    understood: Told | None
    text: Told
    sentences: tuple[Sentence, ...]
    search: Mapping[str, Any]
    filter: Told | None
    settings: Mapping[str, Any]
    run: str
    found: tuple[Found, ...]
    count: int
    documents: tuple[Document, ...]
    calls: tuple[Mapping[str, Any], ...]
    usage: Mapping[str, Any]
    seconds: Mapping[str, float]
    verified: Verified
    feedback: tuple[Feedback, ...] = field(default_factory=tuple)

    @property
    def whole(self) -> bool:
        """Whether the audit is as it was written, and with it all that is told here."""
        return self.verified.broken is None
