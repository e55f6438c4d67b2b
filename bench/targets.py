"""Targets for a benchmark: the embedded index, a real OpenSearch, a knowledge base of localaws."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rag.config import Aws, CorpusConfig, KnowledgeBaseTarget, OpenSearchTarget, Search, Source
from rag.masked import Masked
from rag.records import IndexedDocument
from rag.retrieve.rerank import rerank
from rag.retrieve.search import Reranked
from rag.targets import Target, open_target

Kind = Literal["embedded", "opensearch", "knowledge_base"]
SETTLED_WITHIN = 900.0
_TOGETHER = 200
"""Documents that are written at once."""


@dataclass(frozen=True, slots=True)
class Place:
    """A target.

    Attributes:
        target: Searches by meaning and by words.
        semantic: The same by meaning alone, where the target must be told so.
    """

    kind: Kind
    target: Target
    semantic: Target

    def fill(self, documents: Sequence[IndexedDocument]) -> None:
        """Write documents, and wait until they can be searched.

        Raises:
            RuntimeError: The service refused some, or takes too long.
        """
        for start in range(0, len(documents), _TOGETHER):
            self.target.apply(documents[start : start + _TOGETHER], [])
        until = time.monotonic() + SETTLED_WITHIN
        while (job := self.target.begin()) is not None:
            while (refused := self.target.outcome(job)) is None:
                if time.monotonic() > until:
                    raise RuntimeError(f"{self.kind}: what was written cannot be searched yet")
                time.sleep(0.2)
            if refused:
                raise RuntimeError(f"{self.kind}: {len(refused)} documents were refused")
        self.target.compact()


@contextmanager
def running(
    kinds: Collection[Kind], dimensions: int, folder: Path
) -> Iterator[Mapping[Kind, Place]]:
    """Give empty targets; the servers that some of them need run until the block ends.

    Args:
        dimensions: Of the embeddings; a knowledge base has its own.
        folder: For indexes, and for the servers' data and logs.
    """
    if set(kinds) <= {"embedded"}:
        yield _opened(kinds, dimensions, folder, "", dict)
        return
    from rag.aws import forget_clients
    from samples.aws.servers import running as servers

    plain = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with servers(folder / "servers", plain) as started:
        os.environ.update(started.environment)
        forget_clients()
        yield _opened(kinds, dimensions, folder, started.opensearch, _knowledge_base)


def _opened(
    kinds: Collection[Kind],
    dimensions: int,
    folder: Path,
    opensearch: str,
    knowledge_base: Callable[[], Mapping[str, str]],
) -> dict[Kind, Place]:
    corpus = CorpusConfig(corpus="bench", source=Source(url="nowhere"), aws=Aws(region="us-east-1"))
    places: dict[Kind, Place] = {}
    for kind in kinds:
        if kind == "knowledge_base":
            made = {"kind": kind, **knowledge_base()}
            both, semantic = (
                open_target(
                    KnowledgeBaseTarget.model_validate({**made, "search": how}),
                    corpus,
                    dimensions,
                    folder,
                )
                for how in ("hybrid", "semantic")
            )
            places[kind] = Place(kind, both, semantic)
        elif kind == "opensearch":
            target = OpenSearchTarget(kind="opensearch", url=opensearch, replicas=0)
            one = open_target(target, corpus, dimensions, folder)
            places[kind] = Place(kind, one, one)
        else:
            one = open_target(corpus.targets[0], corpus, dimensions, folder)
            places[kind] = Place(kind, one, one)
    return places


def _knowledge_base() -> dict[str, str]:
    """Make a knowledge base as docs/aws.md does; return what a corpus file says of it."""
    from samples.aws.account import KNOWLEDGE, PREFIX, create

    account = create()
    return {
        "id": account.knowledge_base,
        "data_source": account.data_source,
        "url": f"s3://{KNOWLEDGE}/{PREFIX}",
    }


def reranked(settings: Search, text: Masked) -> Reranked | None:
    """Return what puts hits in the order of the settings' reranker, if there is one."""
    uri = settings.rerank
    if uri is None:
        return None
    return lambda hits: rerank(uri, text, hits, settings.reranked, Aws())
