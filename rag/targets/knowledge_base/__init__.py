"""A knowledge base of Amazon Bedrock: it embeds by itself, in its own time.

Each passage is a document of the service, so that ids, headings, pages and citations are those
of every other target. What is written can be searched when the service has taken it in: after an
ingestion job over S3, or one by one when documents are handed over by API. Until then readers see
what was there; the service replaces passage by passage, so a document that is being replaced may
for that time be found in parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from rag.errors import DocumentsRefused
from rag.records import IndexedDocument, Principal
from rag.retrieve.candidates import Candidate, Legs
from rag.retrieve.query import Query
from rag.targets import Contents, Job, Stored, gated
from rag.targets.knowledge_base import retrieval
from rag.targets.knowledge_base.documents import Documents
from rag.targets.knowledge_base.files import Files
from rag.targets.knowledge_base.service import Service

if TYPE_CHECKING:
    from rag import config


class _Way(Protocol):
    """How documents get into the knowledge base; `apply` and `set_acl` return refusals."""

    def apply(
        self, upserts: Sequence[IndexedDocument], deletes: Sequence[str]
    ) -> dict[str, str]: ...

    def set_acl(
        self, acls: Mapping[str, tuple[Principal, ...]], digests: Mapping[str, str] | None
    ) -> dict[str, str]: ...

    def begin(self) -> Job | None: ...

    def outcome(self, job: Job) -> dict[str, str] | None: ...

    def inventory(self) -> dict[str, Stored]: ...


class KnowledgeBase:
    """A `rag.targets.Target` in a knowledge base and one of its data sources.

    Args:
        target: As configured. The data source is the corpus's alone.
        corpus: Whose; says where AWS is.
    """

    embeds = True

    def __init__(self, target: config.KnowledgeBaseTarget, corpus: config.CorpusConfig) -> None:
        self.target = target
        self._service = Service(target, corpus.aws)
        self._way: _Way = (
            Files(self._service, target)
            if target.ingest == "s3"
            else Documents(self._service, target)
        )

    def apply(self, upserts: Sequence[IndexedDocument], deletes: Sequence[str]) -> None:
        """See `rag.targets.Target.apply`; embeddings are not used.

        Raises:
            DocumentsRefused: Some have more metadata than AWS takes; the others are written.
        """
        gated.documents(upserts)
        ids = [document.id for document in upserts]
        if len(set(ids)) != len(ids) or not set(ids).isdisjoint(deletes):
            raise ValueError("a document id comes twice")
        _told(self._way.apply(upserts, deletes))

    def set_acl(
        self,
        acls: Mapping[str, tuple[Principal, ...]],
        digests: Mapping[str, str] | None = None,
    ) -> None:
        """See `rag.targets.Target.set_acl`.

        Raises:
            DocumentsRefused: Some cannot have these rights here, and were taken out.
        """
        _told(self._way.set_acl(acls, digests))

    def compact(self) -> None:
        """See `rag.targets.Target.compact`: the service tidies by itself."""

    def begin(self) -> Job | None:
        """See `rag.targets.Target.begin`."""
        return self._way.begin()

    def outcome(self, job: Job) -> Mapping[str, str] | None:
        """See `rag.targets.Target.outcome`."""
        return self._way.outcome(job)

    def inventory(self) -> Mapping[str, Stored]:
        """See `rag.targets.Target.inventory`: what the service says that it has indexed."""
        return self._way.inventory()

    def model(self) -> config.Embedding | None:
        """See `rag.targets.Target.model`: the knowledge base has its own."""
        return None

    def legs(self, query: Query, depth: int) -> Legs:
        """See `rag.targets.Target.legs`: one leg, for the service searches and fuses by itself."""
        gated.question(query)
        name = "hybrid" if self.target.search == "hybrid" else "vector"
        found = retrieval.search(self._service, self.target, query, depth)
        return {name: found} if found else {}

    def read(
        self, candidates: Sequence[Candidate], principals: Sequence[Principal]
    ) -> list[Candidate]:
        """See `rag.targets.Target.read`: the service gave their text at once."""
        return list(candidates)

    def sample(self, size: int) -> None:
        """See `rag.targets.Target.sample`: the service keeps its vectors to itself."""

    def stats(self) -> Contents:
        """See `rag.targets.Contents`."""
        held = self.inventory()
        return Contents(len(held), sum(len(stored.chunks) for stored in held.values()))


def _told(refused: Mapping[str, str]) -> None:
    if refused:
        raise DocumentsRefused(refused)
