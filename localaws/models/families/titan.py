"""Amazon Titan Text Embeddings: one text, one vector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.models import embedding
from localaws.models.catalogue import Model
from localaws.operations import AwsError

_TEXT = {"type": "string", "minLength": 1, "maxLength": 50_000}
_V1 = {"properties": {"inputText": _TEXT}, "required": ["inputText"]}
_V2 = {
    "properties": {
        "inputText": _TEXT,
        "dimensions": {"type": "integer", "enum": [256, 512, 1024]},
        "normalize": {"type": "boolean"},
        "embeddingTypes": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "enum": ["float", "binary"]},
        },
    },
    "required": ["inputText"],
}

_LENGTH = 17.0
"""Norm of a vector that is not normalised; the embedded model knows directions only."""


def schema(model: Model) -> Mapping[str, Any]:
    """Return the JSON schema of the body."""
    return _V2 if len(model.dimensions) > 1 else _V1


def answer(model: Model, body: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """Return the answer's body and the tokens read.

    Raises:
        AwsError: The text is longer than the model reads.
    """
    text = body["inputText"]
    tokens = embedding.count([text])[0]
    if tokens > model.context_tokens:
        raise AwsError(
            "ValidationException",
            f"400 Bad Request: Too many input tokens. Max input tokens: {model.context_tokens},"
            f" request input token count: {tokens} ",
        )
    vector = embedding.embed(model.id, [text], body.get("dimensions"))[0]
    if not body.get("normalize", True) or len(model.dimensions) == 1:
        vector = vector * _LENGTH
    if len(model.dimensions) == 1:
        return {"embedding": vector.tolist(), "inputTextTokenCount": tokens}, tokens
    kinds = body.get("embeddingTypes", ["float"])
    by_type: dict[str, list[Any]] = {}
    if "float" in kinds:
        by_type["float"] = vector.tolist()
    if "binary" in kinds:
        by_type["binary"] = (vector > 0).astype(int).tolist()
    made: dict[str, Any] = {"embeddingsByType": by_type, "inputTextTokenCount": tokens}
    if "float" in by_type:
        made = {"embedding": by_type["float"], **made}
    return made, tokens
