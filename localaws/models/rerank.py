"""Reranking: how well texts answer a query, from meaning and from words in common."""

from __future__ import annotations

import base64
import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from localaws.models import catalogue, embedding
from localaws.operations import AwsError, Call, operation

PAGE = 100
"""Results in one answer of Rerank."""

_WORD = re.compile(r"\w+")
_STOP = frozenset(
    _WORD.findall(
        """a an and are as at be by do does for from has have how i in is it of on or that the this
        to was what when where which who why will with"""
    )
)


def rank(model_id: str, query: str, texts: Sequence[str]) -> list[tuple[int, float]]:
    """Return places of `texts` with scores from 0 to 1, best first.

    The score is a logistic function of cosine and of the share of the query's words, the rarer
    ones counting more, that the text has; it does not depend on the other texts but through that.
    """
    if not texts:
        return []
    vectors = embedding.meanings([query, *texts])
    cosines = vectors[1:] @ vectors[0]
    wanted = _words(query)
    own = [_words(text) for text in texts]
    spread = Counter(word for words in own for word in words & wanted)
    weights = {word: math.log(1 + (len(texts) + 1) / (spread[word] + 0.5)) for word in wanted}
    total = math.fsum(weights.values()) or 1.0
    scored = []
    for place, words in enumerate(own):
        cover = math.fsum(weights[word] for word in words & wanted) / total
        logit = 9.0 * float(cosines[place]) + 3.0 * cover - 5.5
        scored.append((place, 1 / (1 + math.exp(-logit))))
    return sorted(scored, key=lambda one: (-one[1], one[0]))


@operation("bedrock-agent-runtime", "Rerank")
def rerank(call: Call) -> dict[str, Any]:
    """Order inline texts and JSON documents by relevance to a query."""
    params = call.params
    settings = params["rerankingConfiguration"].get("bedrockRerankingConfiguration")
    if settings is None:
        raise AwsError("ValidationException", "The reranking configuration is missing.")
    identifier = settings["modelConfiguration"]["modelArn"]
    model = catalogue.known(identifier, call.state)
    if model is None or model.family not in ("amazon-rerank", "cohere-rerank"):
        raise AwsError(
            "ValidationException",
            f"The provided model identifier is invalid: {identifier} is no reranking model.",
        )
    documents = [_document(source) for source in params["sources"]]
    wanted = settings.get("numberOfResults", len(documents))
    if wanted > len(documents):
        raise AwsError(
            "ValidationException",
            f"The number of results {wanted} exceeds the number of sources {len(documents)}.",
        )
    query = params["queries"][0]["textQuery"]["text"]
    ranked = rank(model.id, query, [text for text, _ in documents])[:wanted]
    start = _start(params.get("nextToken"), len(ranked))
    results = [
        {"index": place, "relevanceScore": score, "document": documents[place][1]}
        for place, score in ranked[start : start + PAGE]
    ]
    page: dict[str, Any] = {"results": results}
    if start + PAGE < len(ranked):
        page["nextToken"] = base64.urlsafe_b64encode(str(start + PAGE).encode()).decode()
    return page


def _document(source: Any) -> tuple[str, dict[str, Any]]:
    """The text that is ranked, and the document as it is given back."""
    document = source["inlineDocumentSource"]
    kind = document["type"]
    member = "textDocument" if kind == "TEXT" else "jsonDocument"
    value = document.get(member)
    if value is None:
        raise AwsError("ValidationException", f"A document of type {kind} must have {member}.")
    shown = dict(value) if isinstance(value, dict) else value
    text = shown["text"] if kind == "TEXT" else json.dumps(shown, ensure_ascii=False)
    return text, {"type": kind, member: shown}


def _start(token: str | None, length: int) -> int:
    if token is None:
        return 0
    try:
        start = int(base64.urlsafe_b64decode(token))
    except ValueError:
        start = -1
    if not 0 <= start < length:
        raise AwsError("ValidationException", "The nextToken is invalid.")
    return start


def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in _WORD.findall(text.lower()) if word not in _STOP)
