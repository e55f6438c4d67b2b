"""Searching a knowledge base within the asker's rights: filters, Retrieve, hits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rag.config import KnowledgeBaseTarget
from rag.records import Hit
from rag.retrieve.candidates import Candidate, Legs
from rag.retrieve.filters import sifted
from rag.retrieve.query import Query
from rag.targets.knowledge_base.attributes import Attributes, as_hit, ours
from rag.targets.knowledge_base.filters import Condition, within
from rag.targets.knowledge_base.service import Service

MOST_RESULTS = 100
"""Of one call (`numberOfResults`)."""
MOST_SIFTED = 1000
"""Passages that are asked for at most, where some of a filter is left to check here."""
QUESTION = 20_000
"""Characters of a question (`KnowledgeBaseQuery`)."""


def search(
    service: Service, target: KnowledgeBaseTarget, query: Query, depth: int
) -> Sequence[Candidate]:
    """Return the best `depth` passages that the asker may read, best first.

    An asker with more principals than one filter holds is asked for in several calls, whose
    results are joined by score. Of the filter, the service gets what it can do; the rest is
    checked here, over more passages. With `user_context` the asker must name a user: a knowledge
    base that keeps rights of its own is never asked for nobody.
    """
    principals = sorted(set(query.principals))
    text = query.text.strip()[:QUESTION]
    if not principals or not text or depth < 1:
        return []
    users = [one.removeprefix("user:") for one in principals if one.startswith("user:")]
    contexts: list[dict[str, Any]] = [{}]
    if target.user_context:
        contexts = [{"userContext": {"userId": user}} for user in users]
    groups, left = within(principals, query.filter)

    def ask(depth: int) -> Legs:
        requests = [
            {"retrievalQuery": {"text": text}, **_searching(target, group, depth), **context}
            for group in groups
            for context in contexts
        ]
        return {"": [Candidate.of(hit) for hit in _best(service, requests, depth)]}

    return sifted(ask, left, depth, MOST_SIFTED, target.kind)[""]


def _best(service: Service, requests: Sequence[dict[str, Any]], depth: int) -> list[Hit]:
    """Return the best `depth` passages of all requests, each once, best first."""
    best: dict[str, Hit] = {}
    for one in _pages(service, requests, depth):
        hit = as_hit(
            one.get("content", {}).get("text", ""),
            one.get("metadata", {}),
            float(one.get("score", 0.0)),
        )
        if hit is None:
            continue
        known = best.get(hit.chunk.id)
        if known is None or hit.score > known.score:
            best[hit.chunk.id] = hit
    return sorted(best.values(), key=lambda hit: (-hit.score, hit.chunk.id))[:depth]


def every_passage(
    service: Service, target: KnowledgeBaseTarget, document: str, users: Sequence[str]
) -> list[tuple[str, Attributes]]:
    """Return text and attributes of all passages of one document that the service serves.

    Args:
        users: Who may read it, by the rights that the service keeps; asked for the first of them.
    """
    only = {"equals": {"key": "document_id", "value": document}}
    request = {"retrievalQuery": {"text": "document"}, **_searching(target, only, MOST_RESULTS)}
    if target.user_context and users:
        request["userContext"] = {"userId": users[0]}
    found = {}
    for one in _pages(service, [request], None):
        made = ours(one.get("metadata", {}))
        if made.get("chunk_id"):
            found[made["chunk_id"]] = one["content"]["text"], made
    return list(found.values())


def _searching(target: KnowledgeBaseTarget, found: Condition, depth: int) -> dict[str, Any]:
    settings: dict[str, Any] = {"numberOfResults": min(depth, MOST_RESULTS), "filter": found}
    if target.user_context:
        # Only managed knowledge bases keep rights; they choose the way of searching themselves.
        return {"retrievalConfiguration": {"managedSearchConfiguration": settings}}
    settings["overrideSearchType"] = target.search.upper()
    return {"retrievalConfiguration": {"vectorSearchConfiguration": settings}}


def _pages(
    service: Service, requests: Sequence[dict[str, Any]], depth: int | None
) -> Iterator[dict[str, Any]]:
    """The results of each request, page after page until there are `depth` or no more."""
    counts = [0] * len(requests)
    waiting = dict(enumerate(requests))
    while waiting:
        answers = service.retrieve(list(waiting.values()))
        for (number, request), answer in zip(list(waiting.items()), answers, strict=True):
            results = answer["retrievalResults"]
            counts[number] += len(results)
            yield from results
            token = answer.get("nextToken")
            if token and results and (depth is None or counts[number] < depth):
                waiting[number] = {**request, "nextToken": token}
            else:
                del waiting[number]
