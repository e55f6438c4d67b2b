"""The plain records that travel between the rooms: frozen, typed, without behaviour.

Two worlds meet here. *Raw* records (`DocumentRef`, `Element`, `ParsedDocument`) may hold
personal data and live in memory only, between extract and mask. *Masked* records (everything
whose text is of type `Masked`) may be written, logged, embedded and shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from rag.masked import EMPTY, fixed
from rag.masked import Masked as Masked

Principal = str
"""Somebody who may read: ``user:NAME`` or ``group:NAME``."""

ElementKind = Literal["title", "text", "list", "table", "header", "footer", "code", "field"]
"""``field`` is a key-value fact about the document: a mail header, a document property."""


@dataclass(frozen=True, slots=True)
class DocumentRef:
    """One document as its source lists it, before it is opened. Raw: names may be personal.

    Attributes:
        key: Name that is stable and unique within the source (a path relative to its root).
        uri: What the connector opens.
        version: Changes when the content may have changed (an ETag, or time and size).
        size: Bytes, or -1 where the source does not say.
        acl: Principals who may read it. Empty: nobody.
        modified: Day of this version (`rag.days`), or None where the source does not say.
    """

    key: str
    uri: str
    version: str
    size: int
    acl: tuple[Principal, ...]
    modified: int | None = None


@dataclass(frozen=True, slots=True)
class Element:
    """A piece of a parsed document in reading order. Raw.

    Attributes:
        kind: What it is.
        text: Readable text. A table's text is one row a line, cells joined by `` | ``.
        page: Page, slide or sheet, from 1; None where the format has none.
        section: Headings that it stands under, outermost first.
        rows: A table's cells, the header row first; empty for anything else.
        label: A field's name, for example ``From`` or ``author``.
    """

    kind: ElementKind
    text: str
    page: int | None = None
    section: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    label: str = ""


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A parsed document. Raw: it never leaves memory.

    Attributes:
        media_type: As found in the content, for example ``application/pdf``; not by extension.
        title: The document's own title, or empty.
        elements: In reading order.
        attachments: Documents found inside (mail attachments), parsed or failed.
        name: An attachment's file name; empty for a document of the source.
    """

    media_type: str
    title: str
    elements: tuple[Element, ...]
    attachments: tuple[ParsedDocument | Failure, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a document cannot be indexed, in words that a person can act on.

    Nothing in it comes from the document's content: `reason` and `action` are fixed sentences
    with numbers at most.

    Attributes:
        step: The step that gave up: extract, parse, mask, chunk, embed.
        code: One of `rag.ingest.failures.CODES`.
        reason: What is wrong.
        action: What to do next.
        name: An attachment's file name (raw, masked before it is written), else empty.
    """

    step: str
    code: str
    reason: Masked
    action: Masked
    name: str = EMPTY


@dataclass(frozen=True, slots=True)
class MaskedFailure(Failure):
    """A `Failure` after the gate; the same fields, masked."""

    name: Masked = EMPTY


@dataclass(frozen=True, slots=True)
class Finding:
    """One identifier in a text: where, which kind, how sure.

    Attributes:
        start: First character (code point) in the text given.
        end: One past the last.
        entity: Presidio's name of the kind, for example ``PERSON``.
        score: 0 to 1.
        recognizer: What found it.
    """

    start: int
    end: int
    entity: str
    score: float
    recognizer: str = ""


@dataclass(frozen=True, slots=True)
class MaskedText:
    """A text after the gate, with what was found in the original (offsets into the original)."""

    text: Masked
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class MaskedElement:
    """An `Element` after the gate; the same fields, masked."""

    kind: ElementKind
    text: Masked
    page: int | None = None
    section: tuple[Masked, ...] = ()
    rows: tuple[tuple[Masked, ...], ...] = ()
    label: Masked = EMPTY


@dataclass(frozen=True, slots=True)
class MaskedDocument:
    """A `ParsedDocument` after the gate: what the working store keeps.

    Attributes:
        masked: Identifiers masked, counted by entity kind.
        name_tokens: Keyed hashes of the words of every person named in it, so that a file name
            can be checked against them later without the names themselves.
        births: Keyed hashes of the dates of birth in it: they tell persons of one name apart.
        aliases: For each person, the pseudonyms that shorter forms of the name have by themselves,
            each with the person's own: by "Watt" alone James Watt is meant.
        attachments: Masked documents, or failures (with masked names).
    """

    media_type: str
    title: Masked
    elements: tuple[MaskedElement, ...]
    masked: Mapping[str, int] = field(default_factory=dict)
    name_tokens: tuple[str, ...] = ()
    births: tuple[str, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    attachments: tuple[MaskedDocument | MaskedFailure, ...] = ()
    name: Masked = EMPTY


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage as it is embedded, stored and quoted. Masked.

    Attributes:
        id: Deterministic in document, position and text.
        document_id: Keyed hash of the source key.
        position: 0-based place in the document.
        heading: Title and section path, joined by `` › ``; embedded in front of `text`.
        text: The passage itself.
        tokens: Of ``heading`` and ``text`` together, as the embedding model counts.
        page: Page where it starts, from 1, or None.
        section: Section path.
        html: A table's structure, or empty.
    """

    id: str
    document_id: str
    position: int
    heading: Masked
    text: Masked
    tokens: int
    page: int | None = None
    section: tuple[Masked, ...] = ()
    html: Masked = EMPTY
    kind: Literal["text", "table"] = "text"

    @property
    def embedded_text(self) -> Masked:
        """What the embedding model reads: the heading line, then the passage."""
        return fixed("{}\n{}", self.heading, self.text) if self.heading else self.text


@dataclass(frozen=True, slots=True)
class IndexedDocument:
    """What a target is told must be there for one document, at one version.

    Attributes:
        id: The document's id.
        name: Masked source key, for people to read.
        digest: Hash over all that is stored: equal digests need no write.
        acl: Principals who may read; empty: nobody.
        chunks: In order.
        vectors: One embedding a chunk, float32, L2-normalised; shape (chunks, dimensions).
        modified: Day since which it has its bytes (`rag.days`), where the source says it.
    """

    id: str
    name: Masked
    title: Masked
    media_type: str
    digest: str
    acl: tuple[Principal, ...]
    chunks: tuple[Chunk, ...]
    vectors: object  # numpy.ndarray; kept out of the signature so that numpy loads late
    modified: int | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that search found, best first.

    Attributes:
        document: Masked name of its document.
        score: Of the ranking that returned it; comparable within one result list only.
        legs: Rank (from 1) of the hit in each search leg that found it.
        media_type: Of its document; empty: the target did not say.
        modified: Day since which its document has its bytes (`rag.days`); None: not known.
    """

    chunk: Chunk
    document: Masked
    score: float
    title: Masked = EMPTY
    acl: tuple[Principal, ...] = ()
    legs: Mapping[str, int] = field(default_factory=dict)
    media_type: str = ""
    modified: int | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a sentence of an answer comes from; `quote` stands literally in the chunk's text."""

    document: Masked
    document_id: str
    chunk: str
    quote: Masked
    page: int | None = None
    section: tuple[Masked, ...] = ()
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer cost: passages considered and packed, tokens of context, seconds.

    Attributes:
        model: URI of who answered.
        input_tokens, output_tokens: Of all paid calls for this question, the search's too.
        usd: Their list price; None where one is not known.
    """

    hits: int
    packed: int
    context_tokens: int
    seconds: float
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float | None = 0.0


RefusalKind = Literal["nothing_found", "not_supported", "guardrail", "time", "price", "tokens"]
"""Why there is no answer: no passage; none that answers; the guardrail blocks it; or the budget's
time, price or tokens are used up."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """No answer, and why. In a stream it ends what was shown before.

    Attributes:
        reason: A sentence for people.
        looked_for: The question as it left the gate.
        nearest: Masked names of the nearest documents that the asker may read, nearest first.
    """

    reason: Masked
    looked_for: Masked
    nearest: tuple[Masked, ...] = ()
    kind: RefusalKind = "not_supported"


@dataclass(frozen=True, slots=True)
class Answer:
    """A cited answer, or an abstention that says why.

    Attributes:
        answer_id: Names this answer for later.
        question: The question as it left the gate.
        text: The answer; for an abstention, what was looked for and why nothing is said.
        citations: One or more a sentence, in order; empty for an abstention.
        left_out: Hits that did not fit into the token budget: chunk id to reason.
        support: How well the evidence answers the question, 0 to 1, also where nothing is said.
        refusal: Why nothing is said; None where something is.
        partial: Why the answer ends early (``time``, ``price``), or empty.
        cached: Id of the answer that this one repeats, or empty.
    """

    answer_id: str
    question: Masked
    text: Masked
    abstained: bool
    citations: tuple[Citation, ...]
    usage: Usage
    left_out: Mapping[str, str] = field(default_factory=dict)
    support: float = 0.0
    refusal: Refusal | None = None
    partial: str = ""
    cached: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of an answer that may be shown; the pieces joined are the answer's text."""

    text: Masked


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation of what was shown last; `number` is its place in the answer's, from 1."""

    number: int
    citation: Citation


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a stream, with all that it was."""

    answer: Answer


Event = Token | Cited | Refusal | Done
"""What a stream of an answer gives: tokens and citations, or a refusal, or both; then `Done`."""
