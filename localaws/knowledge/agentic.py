"""AgenticRetrieveStream: searches managed knowledge bases and answers from what all of them hold.

The plan here is always one search for the last message in each knowledge base; the shapes, traces
and rights are the service's.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localaws.knowledge import access, bases, generate, records, worker
from localaws.knowledge.citing import parts
from localaws.knowledge.index import Found
from localaws.knowledge.records import Record
from localaws.knowledge.retrieve import (
    MANAGED_RERANKER,
    Search,
    attributes,
    guarded,
    reranked,
    searched,
)
from localaws.operations import AwsError, Call, operation

RESULTS = 10
MANAGED_MODEL = "amazon.nova-lite-v1:0"
"""What answers where the service chooses the model."""

_MISSING = ("memoryConfiguration", "retrievalInstructionConfiguration", "nextToken")

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Hit:
    """A passage and the knowledge base that it is from."""

    found: Found
    base: str


@operation("bedrock-agent-runtime", "AgenticRetrieveStream")
def agentic_retrieve_stream(call: Call) -> dict[str, Any]:
    """Passages of several knowledge bases, and an answer unless ``generateResponse`` is false."""
    worker.awake(call.state)
    params = call.params
    for member in _MISSING:
        if member in params:
            raise AwsError("NotImplementedException", f"localaws does not have {member}.")
    question = str(params["messages"][-1]["content"].get("text", ""))
    if params["messages"][-1]["role"] != "user" or not question.strip():
        raise AwsError("ValidationException", "The last message must be a text of the user.")
    searches = [_search(call, one["configuration"]) for one in params["retrievers"]]
    chosen = params["agenticRetrieveConfiguration"]
    model = _model(chosen)
    reranker = _reranker(chosen)
    return {"stream": _events(call, question, searches, model, reranker)}


def _search(call: Call, configuration: Mapping[str, Any]) -> tuple[Record, Search]:
    one = configuration.get("knowledgeBase")
    if one is None:
        raise AwsError("ValidationException", "A retriever must name a knowledge base.")
    base = records.active(call.state, one["knowledgeBaseId"])
    if not bases.managed(base):
        raise AwsError(
            "ValidationException",
            "AgenticRetrieveStream is only supported for managed knowledge bases.",
        )
    overrides = one.get("retrievalOverrides", {})
    results = min(100, overrides.get("maxNumberOfResults", RESULTS))
    return base, Search(
        results=results,
        words=True,
        condition=overrides.get("filter"),
        user=access.user(call, base),
        kept=results,
    )


def _model(chosen: Mapping[str, Any]) -> str:
    if chosen.get("foundationModelType", "MANAGED") == "MANAGED":
        return MANAGED_MODEL
    configuration = chosen.get("foundationModelConfiguration", {})
    bedrock = configuration.get("bedrockFoundationModelConfiguration")
    if bedrock is None:
        raise AwsError(
            "ValidationException",
            "bedrockFoundationModelConfiguration is required for the model type CUSTOM.",
        )
    return str(bedrock["modelConfiguration"]["modelArn"])


def _reranker(chosen: Mapping[str, Any]) -> str | None:
    kind = chosen.get("rerankingModelType", "NONE")
    if kind != "CUSTOM":
        return MANAGED_RERANKER if kind == "MANAGED" else None
    one = chosen.get("rerankingConfiguration", {}).get("bedrockRerankingConfiguration")
    if one is None:
        raise AwsError(
            "ValidationException",
            "rerankingConfiguration is required for the reranking model type CUSTOM.",
        )
    return bases.model_id(one["modelConfiguration"]["modelArn"])


def _events(
    call: Call,
    question: str,
    searches: Sequence[tuple[Record, Search]],
    model: str,
    reranker: str | None,
) -> Iterator[Event]:
    guardrail = call.params.get("policyConfiguration", {}).get("bedrockGuardrailConfiguration")
    _, text = guarded(call, guardrail, question)
    names = [{"identifier": base["id"]} for base, _ in searches]
    plan = {"retrieve": {"inputQuery": {"text": text}, "sourceRetrievers": names}}
    if not text:
        message = generate.blocked_message(call, guardrail, question)
        yield from _answered(message)
        yield {"result": {"results": [], "generatedResponse": {"answer": message}}}
        return
    yield _trace("Planning", "One search answers the question.", actions=[plan])
    hits = _found(call, text, searches, reranker)
    shown = [_shown(hit) for hit in hits]
    yield _trace("Retrieval", f"Found {len(hits)} passages.", retrievalResponse=shown)
    result: Event = {"results": shown}
    if call.params.get("generateResponse", True):
        found = [hit.found for hit in hits]
        history = [
            {"role": one["role"], "content": [{"text": one["content"].get("text", "")}]}
            for one in call.params["messages"][:-1]
        ]
        answer = generate.written(call, model, {}, history, text, found)
        if guardrail is not None:
            answer, _ = generate.checked(call, guardrail, text, answer, found)
        yield from _answered(answer)
        result["generatedResponse"] = {"answer": answer, "citations": _citations(answer, found)}
    yield {"result": result}


def _found(
    call: Call, text: str, searches: Sequence[tuple[Record, Search]], reranker: str | None
) -> list[_Hit]:
    hits = [
        _Hit(one, base["id"])
        for base, search in searches
        for one in searched(call.state, base, search, text, search.results)
    ]
    hits.sort(key=lambda hit: -hit.found.score)
    most = max(search.results for _, search in searches)
    if reranker is None:
        return hits[:most]
    owners = {id(hit.found.chunk): hit.base for hit in hits}
    search = Search(most, True, None, None, reranker, most)
    ranked = reranked(search, text, [hit.found for hit in hits])
    return [_Hit(one, owners[id(one.chunk)]) for one in ranked]


def _answered(text: str) -> Iterator[Event]:
    for event in generate.said_in_pieces(text):
        yield {"responseEvent": {"text": event["output"]["text"]}}


def _citations(answer: str, found: Sequence[Found]) -> list[dict[str, Any]]:
    return [
        {
            "startIndex": part.start,
            "endIndex": part.end,
            "references": [{"resultIndex": place} for place in part.sources],
        }
        for part in parts(answer, [one.chunk.shown for one in found])
        if part.sources
    ]


def _shown(hit: _Hit) -> dict[str, Any]:
    return {
        "content": {"mimeType": "text/plain", "text": hit.found.chunk.shown},
        "metadata": attributes(hit.found),
        "sourceRetriever": {"identifier": hit.base},
    }


def _trace(step: str, message: str, **members: Any) -> Event:
    return {
        "traceEvent": {
            "id": str(uuid.uuid4()),
            "timestamp": int(time.time() * 1000),
            "attributes": {"step": step, "status": "SUCCEEDED", "message": message, **members},
        }
    }
