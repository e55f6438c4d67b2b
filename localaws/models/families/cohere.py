"""Cohere Embed and Rerank, and Amazon Rerank, which takes the same body."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from localaws.models import embedding, rerank
from localaws.models.bodies import malformed
from localaws.models.catalogue import Model

if TYPE_CHECKING:
    import numpy

_INPUT_TYPES = ["search_document", "search_query", "classification", "clustering", "image"]
_TYPES = ["float", "int8", "uint8", "binary", "ubinary"]
_TRUNCATE = {"type": "string", "enum": ["NONE", "START", "END", "LEFT", "RIGHT"]}
_EMBEDDING_TYPES = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "string", "enum": _TYPES},
}


def _texts(most: int) -> Mapping[str, Any]:
    return {
        "type": "array",
        "minItems": 1,
        "maxItems": 96,
        "items": {"type": "string", "maxLength": most},
    }


_V3 = {
    "properties": {
        "texts": _texts(2_048),
        "input_type": {"type": "string", "enum": _INPUT_TYPES},
        "truncate": _TRUNCATE,
        "embedding_types": _EMBEDDING_TYPES,
    },
    "required": ["texts", "input_type"],
}
_V4 = {
    "properties": {
        **_V3["properties"],  # type: ignore[dict-item]
        "texts": _texts(512_000),
        "output_dimension": {"type": "integer", "enum": [256, 512, 1024, 1536]},
        "max_tokens": {"type": "integer", "minimum": 0, "maximum": 128_000},
    },
    "required": ["texts", "input_type"],
}
_RERANK = {
    "properties": {
        "query": {"type": "string", "minLength": 1},
        "documents": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1_000,
            "items": {"type": ["string", "object"]},
        },
        "top_n": {"type": "integer", "minimum": 1},
        "api_version": {"type": "integer", "minimum": 2},
        "max_tokens_per_doc": {"type": "integer", "minimum": 1},
    },
    "required": ["query", "documents"],
}


def schema(model: Model) -> Mapping[str, Any]:
    """Return the JSON schema of the body."""
    if model.family == "cohere-rerank":
        return {**_RERANK, "required": ["query", "documents", "api_version"]}
    if model.family == "amazon-rerank":
        return _RERANK
    return _V4 if len(model.dimensions) > 1 else _V3


def answer(model: Model, body: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """Return the answer's body and the tokens read.

    Raises:
        AwsError: A text is longer than the model reads, and the caller wants no truncation.
    """
    if model.family.endswith("rerank"):
        return _ranked(model, body)
    texts = body["texts"]
    tokens = embedding.count(texts)
    if body.get("truncate") == "NONE" and max(tokens) > model.context_tokens:
        raise malformed(
            f"a text has {max(tokens)} tokens and the model reads {model.context_tokens}"
        )
    vectors = embedding.embed(model.id, texts, body.get("output_dimension"))
    made: dict[str, Any] = {"id": str(uuid.uuid4()), "texts": texts}
    kinds = body.get("embedding_types")
    if kinds is None and len(model.dimensions) == 1:
        made |= {"response_type": "embeddings_floats", "embeddings": vectors.tolist()}
    else:
        by_type = {kind: _quantised(vectors, kind) for kind in kinds or ["float"]}
        made |= {"response_type": "embeddings_by_type", "embeddings": by_type}
    return made, sum(tokens)


def _quantised(vectors: numpy.ndarray, kind: str) -> list[list[float]]:
    import numpy

    if kind == "float":
        return vectors.tolist()  # type: ignore[no-any-return]
    if kind in ("binary", "ubinary"):
        packed = numpy.packbits(vectors > 0, axis=1).astype(int)
        return (packed - 128 if kind == "binary" else packed).tolist()  # type: ignore[no-any-return]
    # A component of a normalised vector of some hundred dimensions stays well under 1/3.
    whole = numpy.clip(numpy.rint(vectors * 381), -128, 127).astype(int)
    return (whole + 128 if kind == "uint8" else whole).tolist()  # type: ignore[no-any-return]


def _ranked(model: Model, body: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    texts = [
        one if isinstance(one, str) else str(one.get("text", one)) for one in body["documents"]
    ]
    ranked = rerank.rank(model.id, body["query"], texts)[: body.get("top_n", len(texts))]
    results = [{"index": place, "relevance_score": score} for place, score in ranked]
    return {"results": results}, sum(embedding.count([body["query"], *texts]))
