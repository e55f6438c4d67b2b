"""The index's shape: fields, analyzers, k-NN; and the template that new generations follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag import config

PIPELINE = "sluice-rrf"
"""The search pipeline that fuses a hybrid query's legs by rank."""
RANK_CONSTANT = 60
LAYOUT = 4
"""Of the fields of an index made now. The first had heading and text as one text of words, and
headings and titles as nothing to filter by; the second gave vectors only as lists of numbers, which
took half of a search; the third did not know how old a document is, and had no vectors in a column.
Such an index is served and written as it was made, until `sluice reindex` exchanges it."""
_TERM = 8191
"""Characters of a keyword: Lucene takes 32,766 bytes. A longer principal matches nobody."""


def body(target: config.OpenSearchTarget, dimensions: int, *, serverless: bool) -> dict[str, Any]:
    """Return settings and mappings of an index.

    Args:
        dimensions: Of the embeddings.
        serverless: Shards, replicas and refreshes are not ours to set there.
    """
    index: dict[str, Any] = {"knn": target.method != "exact"}
    if target.engine == "faiss" and target.method == "hnsw":
        index["knn.algo_param.ef_search"] = target.ef_search
    if not serverless:
        index |= {
            "number_of_shards": target.shards,
            "number_of_replicas": target.replicas,
            # Only an explicit refresh shows what was written: a document's new version appears
            # in the same moment as its old one goes.
            "refresh_interval": "-1",
            # Deleted text leaves the disk, not only the results.
            "merge.policy.expunge_deletes_allowed": 0,
        }
    return {
        "settings": {"index": index, "analysis": _analysis(target.analyzer)},
        "mappings": {"dynamic": "strict", "properties": _fields(target, dimensions)},
    }


def _fields(target: config.OpenSearchTarget, dimensions: int) -> dict[str, Any]:
    keyword = {"type": "keyword", "ignore_above": _TERM}
    stored = {"type": "text", "index": False}
    words = {"type": "text", "analyzer": "words"}
    number = {"type": "integer"}
    return {
        "chunk_id": keyword,
        "document_id": keyword,
        "digest": keyword,
        "written": {"type": "long"},
        "name": keyword,
        "media_type": keyword,
        "kind": keyword,
        "acl": keyword,
        "position": number,
        "page": number,
        "tokens": number,
        "modified": number,
        "title": {**stored, "fields": {"exact": keyword}},
        "heading": stored,
        "text": stored,
        "section": keyword,
        "html": stored,
        # As they are asked for, pseudonyms as one word each.
        "title_words": words,
        "heading_words": words,
        "text_words": words,
        "vector": _vector(target, dimensions),
        # The same to be read back: as one string, not as hundreds of numbers; from a column.
        "packed": {"type": "binary", "doc_values": True},
    }


def _vector(target: config.OpenSearchTarget, dimensions: int) -> dict[str, Any]:
    field: dict[str, Any] = {"type": "knn_vector", "dimension": dimensions}
    if target.method == "exact":
        return field
    parameters: dict[str, Any]
    if target.method == "ivf":
        parameters = {"nlist": 128, "nprobes": 16}
    else:
        parameters = {"m": target.m, "ef_construction": target.ef_construction}
    method = {
        "name": target.method,
        "engine": target.engine,
        "space_type": space(target),
        "parameters": parameters,
    }
    return field | {"method": method}


def space(target: config.OpenSearchTarget) -> str:
    """Return how vectors are compared. They are L2-normalised, so both are the cosine.

    faiss computes inner products natively; its cosine is that plus a normalisation. By script,
    the cosine's score was redefined between versions of OpenSearch, the inner product's was not.
    """
    lucene = target.engine == "lucene" and target.method != "exact"
    return "cosinesimil" if lucene else "innerproduct"


def cosine(score: float, target: config.OpenSearchTarget) -> float:
    """Return the cosine that a k-NN score stands for.

    Formulas: OpenSearch documentation, "Spaces": (1 + cos) / 2 for Lucene's cosinesimil; for
    innerproduct 1 + ip if ip ≥ 0, else 1 / (1 - ip).
    """
    if space(target) == "cosinesimil":
        return 2 * score - 1
    return score - 1 if score >= 1 else 1 - 1 / score


def _analysis(language: str) -> dict[str, Any]:
    """Return the analyzer of the words: OpenSearch's own for a language.

    English is as OpenSearch's, and finds ``café`` by ``cafe`` too.
    """
    if language != "english":
        return {"analyzer": {"words": {"type": language}}}
    return {
        "filter": {
            "possessive": {"type": "stemmer", "language": "possessive_english"},
            "stop_words": {"type": "stop", "stopwords": "_english_"},
            "stems": {"type": "stemmer", "language": "english"},
        },
        "analyzer": {
            "words": {
                "type": "custom",
                "tokenizer": "standard",
                "filter": ["possessive", "lowercase", "stop_words", "asciifolding", "stems"],
            }
        },
    }


def pipeline() -> dict[str, Any]:
    """Return the search pipeline: reciprocal rank fusion, as `rag.retrieve.fuse.by_rank` does."""
    fusion = {"technique": "rrf", "rank_constant": RANK_CONSTANT}
    return {
        "description": "Sluice: words and vectors fused by rank",
        "phase_results_processors": [{"score-ranker-processor": {"combination": fusion}}],
    }
