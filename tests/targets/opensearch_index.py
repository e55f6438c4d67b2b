"""An index of a test's own on the shared node, and questions to it."""

from __future__ import annotations

from typing import Any

from rag import config
from rag.records import Hit
from rag.retrieve.fuse import by_rank
from rag.retrieve.query import Query, Where
from rag.targets.opensearch import OpenSearchIndex
from tests.masked import masked
from tests.services.opensearch import OpenSearch
from tests.targets.documents import DIMENSIONS, told, vector

STAFF = ("group:staff",)
ANYWHERE = Where()


def corpus(**settings: Any) -> config.CorpusConfig:
    return config.CorpusConfig(corpus="notes", source=config.Source(url="folder"), **settings)


def target(server: OpenSearch, **settings: Any) -> config.OpenSearchTarget:
    given: dict[str, Any] = {"url": server.url, "index": server.index, "replicas": 0}
    return config.OpenSearchTarget(kind="opensearch", **given | settings)


def index_of(server: OpenSearch, *, hybrid: bool = False, **settings: Any) -> OpenSearchIndex:
    return OpenSearchIndex(target(server, **settings), corpus(), DIMENSIONS, hybrid=hybrid)


def asked(
    index: OpenSearchIndex,
    text: str,
    principals: tuple[str, ...] = STAFF,
    where: Where = ANYWHERE,
    depth: int = 1000,
) -> list[Hit]:
    """What both legs find, fused."""
    query = Query(masked(text), list(vector(text)), principals, where)
    return told(index, by_rank(index.legs(query, depth)), *principals)


def found(index: OpenSearchIndex, text: str) -> list[str]:
    """Ids of the chunks that hold the words."""
    hits = index.legs(Query(masked(text), None, STAFF), 100)
    return [hit.id for hit in hits.get("text", [])]


def everything(index: OpenSearchIndex, principals: tuple[str, ...] = STAFF) -> dict[str, str]:
    """Texts of all chunks that may be read, by id."""
    hits = index.legs(Query(masked(""), list(vector("any")), principals), 1000)
    return {
        hit.chunk.id: hit.chunk.text for hit in told(index, hits.get("vector", []), *principals)
    }
