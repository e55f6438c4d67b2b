"""The places that are kept equal to a corpus, and searched.

A target is told what must be there (`Target.apply`) and asked what is (`Target.inventory`).
A new one is one file with a class that has these methods; nothing is inherited::

    class Shelf:
        def apply(self, upserts, deletes): ...
        ...

and one line in `open_target`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rag.records import IndexedDocument, Principal
from rag.retrieve.candidates import Candidate, Legs
from rag.retrieve.query import Query

if TYPE_CHECKING:
    import numpy

    from rag import config


@dataclass(frozen=True, slots=True)
class Stored:
    """What a target really holds of one document.

    Attributes:
        digest: As it was given with the document, or with its latest rights.
        chunks: Chunk ids in order of position.
    """

    digest: str
    acl: tuple[Principal, ...]
    chunks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """How much a target holds; `bytes` is -1 where the target does not say."""

    documents: int
    chunks: int
    bytes: int = -1


@dataclass(frozen=True, slots=True)
class Job:
    """Work that a target's service does by itself after `Target.apply`, until it can be searched.

    Attributes:
        kind: Which kind of service, for whoever waits: ``bedrock_ingestion``.
        reference: What names the job there; plain, so that it may travel between tasks.
    """

    kind: str
    reference: Mapping[str, str]


class Target(Protocol):
    """An index that can be made equal to a corpus, and searched within somebody's rights.

    Nobody is the default: a document without principals, and an asker without any, match nothing.

    Attributes:
        embeds: Whether it makes its own vectors: it ignores those of documents and questions.
    """

    embeds: bool

    def apply(self, upserts: Sequence[IndexedDocument], deletes: Sequence[str]) -> None:
        """Make `upserts` be there, whole and in place of what was, and `deletes` (ids) gone.

        Readers see each document's old version until they see its new one: never both, never
        neither. Doing it again changes nothing. A document without chunks is taken as deleted.

        Raises:
            ValueError: an embedding has another shape than the target's, or an id comes twice.
            CorpusBusy: another process is writing.
            TargetFailed: the target could not do it; what was served is still served.
            DocumentsRefused: it cannot hold some of them, ever, and holds nothing of those; all
                others are written.
        """

    def set_acl(
        self,
        acls: Mapping[str, tuple[Principal, ...]],
        digests: Mapping[str, str] | None = None,
    ) -> None:
        """Change who may read the documents named (by id), and their digests, but no text.

        Raises:
            DocumentsRefused: as for `apply`: it cannot hold some of them with these rights.
        """

    def compact(self) -> None:
        """Tidy after a sync: what was replaced or deleted leaves the disk, indexes are whole."""

    def begin(self) -> Job | None:
        """Start what the service must do before applied changes can be searched; None: nothing.

        Asked again before that is over, it returns the same job.
        """

    def outcome(self, job: Job) -> Mapping[str, str] | None:
        """The documents that the service refused, id to its reason; None: the job still runs.

        Raises:
            TargetFailed: The whole job failed.
        """

    def inventory(self) -> Mapping[str, Stored]:
        """What is really there, by document id."""

    def model(self) -> config.Embedding | None:
        """What the index that is served was embedded with; None: what the corpus file says."""

    def legs(self, query: Query, depth: int) -> Legs:
        """The best `depth` passages of every way of searching that the target has, best first.

        Not all were read: `read` does that. All of them come from one version of the index. The
        names are ``vector`` (needs `query.vector`) and ``text``, or ``hybrid`` where a service
        joins the two. Rights and filters hold inside each leg's query.
        """

    def read(
        self, candidates: Sequence[Candidate], principals: Sequence[Principal]
    ) -> list[Candidate]:
        """Candidates of its legs in their order, with what they say.

        Those that are gone by now, or that the asker may no longer read, are left out.

        Raises:
            ModelChanged: The index that they are of is gone.
        """

    def sample(self, size: int) -> numpy.ndarray | None:
        """Up to `size` vectors of passages, float32 (passages, dimensions), evenly over the index.

        The same object until the index has changed enough to look again; None where the target
        does not give vectors away.
        """

    def stats(self) -> Contents: ...


def open_target(
    target: config.Target, corpus: config.CorpusConfig, dimensions: int, root: Path
) -> Target:
    """The corpus's index in this target.

    Args:
        target: As configured.
        corpus: Whose; each corpus has an index of its own.
        dimensions: Of the embeddings.
        root: Folder for targets that live on this machine; made when needed.
    """
    if target.kind == "opensearch":
        from rag.targets.opensearch import OpenSearchIndex

        return OpenSearchIndex(target, corpus, dimensions)
    if target.kind == "knowledge_base":
        from rag.targets.knowledge_base import KnowledgeBase

        return KnowledgeBase(target, corpus)
    from rag.targets.embedded import EmbeddedIndex

    return EmbeddedIndex(root / corpus.corpus, dimensions)
