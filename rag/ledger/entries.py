"""The ledger's records: frozen, plain, nothing raw in them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from rag.masked import Masked
from rag.records import Principal

RunStatus = Literal["running", "done", "failed", "stopped"]

_STEPS = ("parse", "mask", "chunk", "embed")


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """One hash a step: over its configuration, its model and the version of its code."""

    parse: str
    mask: str
    chunk: str
    embed: str

    def up_to(self, step: str) -> str:
        """Return one hash over all steps up to and including `step`.

        What fails in a step can be mended by it or by those before it, never by those after:
        a quarantined document is tried again when this hash changes. A step before ``parse``
        (``extract``) counts as ``parse``; an unknown one as all.
        """
        if step == "extract":
            step = "parse"
        last = _STEPS.index(step) if step in _STEPS else len(_STEPS) - 1
        joined = "\x1f".join(getattr(self, name) for name in _STEPS[: last + 1])
        return hashlib.blake2b(joined.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class DocumentEntry:
    """A document at the version that is served.

    Attributes:
        document_id: Keyed hash of the source key.
        name: Masked source key.
        sealed_key: Where its listed document is in the source, sealed; kept in the vault. Empty:
            what the vault has of it stays.
        version: As the source listed it when it was read.
        size: Bytes, or -1.
        content_id: Keyed hash of its bytes.
        acl: Principals who may read; empty: nobody.
        fingerprints: Of the steps that made it.
        digest: `rag.records.IndexedDocument.digest`.
        masked: Identifiers masked, by entity kind.
        modified: Day since which it has its bytes (`rag.days`), where the source says it.
        parent_id: For an attachment, the listed document that it was found in, however deep.
        run_id, updated_at: Set by the ledger when the entry is recorded.
    """

    document_id: str
    name: Masked
    sealed_key: str
    version: str
    size: int
    content_id: str
    media_type: str
    title: Masked
    acl: tuple[Principal, ...]
    fingerprints: Fingerprints
    digest: str
    chunk_count: int
    masked: Mapping[str, int] = field(default_factory=dict)
    modified: int | None = None
    parent_id: str | None = None
    run_id: str | None = None
    updated_at: datetime | None = None

    @property
    def root_id(self) -> str:
        """The listed document: itself, or the one that it is attached to."""
        return self.parent_id or self.document_id


@dataclass(frozen=True, slots=True)
class QuarantineEntry:
    """A document that could not be indexed, and why.

    Attributes:
        version: The version that failed.
        step, code, reason, action: As in `rag.records.Failure`.
        fingerprint: `Fingerprints.up_to` the step, when it failed.
        transient: Not the document's fault (its source or a detector did not answer): it is
            tried again in every run.
        parent_id: For an attachment, the listed document that it was found in.
        attempts: How often this version failed.
        served: Whether an older version of it is being served. Set by the ledger, as are
            `attempts`, `run_id`, `first_seen` and `last_seen`.
    """

    document_id: str
    name: Masked
    sealed_key: str
    version: str
    step: str
    code: str
    reason: Masked
    action: Masked
    fingerprint: str
    content_id: str = ""
    transient: bool = False
    parent_id: str | None = None
    attempts: int = 1
    run_id: str | None = None
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    served: bool = False

    @property
    def root_id(self) -> str:
        """The listed document: itself, or the one that it is attached to."""
        return self.parent_id or self.document_id


@dataclass(frozen=True, slots=True)
class Rights:
    """A change of who may read a document; its digest changes with it."""

    document_id: str
    acl: tuple[Principal, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Held:
    """What a target has been made to hold of one document.

    Attributes:
        refused: It will not hold this version: the document is not there, and waits in
            quarantine, while other targets serve it.
    """

    document_id: str
    digest: str
    chunk_count: int
    refused: bool = False


@dataclass(frozen=True, slots=True)
class LedgerView:
    """What planning needs to know of a corpus.

    Attributes:
        documents: By document id, attachments too.
        quarantine: By document id, attachments too.
        unsettled: Listed documents that some target does not hold as the ledger says, in whole
            or in an attachment.
    """

    documents: Mapping[str, DocumentEntry] = field(default_factory=dict)
    quarantine: Mapping[str, QuarantineEntry] = field(default_factory=dict)
    unsettled: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Run:
    """One run over a corpus.

    Attributes:
        counts: Documents by what happened to them, chunks, identifiers masked by kind.
        seconds: By step.
    """

    run_id: str
    corpus: str
    mode: str
    status: RunStatus
    started_at: datetime
    finished_at: datetime | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """A corpus in figures. Attachments count as documents of their own too."""

    documents: int
    attachments: int
    chunks: int
    bytes: int
    quarantined: int
    media_types: Mapping[str, int] = field(default_factory=dict)
    masked: Mapping[str, int] = field(default_factory=dict)
