"""Searching a knowledge base within the asker's rights: filters, Retrieve, hits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rag.config import KnowledgeBaseTarget
from rag.records import Hit, Principal
from rag.retrieve.query import Query, Where
from rag.targets.knowledge_base.attributes import Attributes, as_hit, ours, short
from rag.targets.knowledge_base.service import Service

MOST_RESULTS = 100
"""Of one call (`numberOfResults`)."""
GROUP = 5
"""Conditions in one ``andAll`` or ``orAll``; they nest once (`RetrievalFilter`)."""
QUESTION = 20_000
"""Characters of a question (`KnowledgeBaseQuery`)."""

Filter = dict[str, Any]


def search(service: Service, target: KnowledgeBaseTarget, query: Query, depth: int) -> list[Hit]:
    """Return the best `depth` passages that the asker may read, best first.

    An asker with more principals than one filter holds is asked for in several calls, whose
    results are joined by score. With `user_context` the asker must name a user: a knowledge base
    that keeps rights of its own is never asked for nobody.
    """
    principals = sorted(set(query.principals))
    text = query.text.strip()[:QUESTION]
    if not principals or not text or depth < 1:
        return []
    users = [one.removeprefix("user:") for one in principals if one.startswith("user:")]
    contexts: list[dict[str, Any]] = [{}]
    if target.user_context:
        contexts = [{"userContext": {"userId": user}} for user in users]
    requests = [
        {"retrievalQuery": {"text": text}, **_searching(target, found, depth), **context}
        for found in filters(principals, query.where)
        for context in contexts
    ]
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


def _searching(target: KnowledgeBaseTarget, found: Filter, depth: int) -> dict[str, Any]:
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


def filters(principals: Sequence[Principal], where: Where) -> list[Filter]:
    """Return filters that together find what one of `principals` may read, within AWS's limits."""
    narrow = [
        {"in": {"key": key, "value": [short(one) for one in values]}}
        for key, values in (
            ("document_id", where.documents),
            ("name", where.names),
            ("media_type", where.media_types),
            ("kind", where.kinds),
        )
        if values
    ]
    readable = [{"listContains": {"key": "acl", "value": one}} for one in principals]
    groups = [_joined("orAll", part) for part in _parts(readable)]
    if narrow:
        return [{"andAll": [group, *narrow]} for group in groups]
    return [_joined("orAll", part) for part in _parts(groups)]


def _parts(conditions: Sequence[Filter]) -> Iterator[list[Filter]]:
    for start in range(0, len(conditions), GROUP):
        yield list(conditions[start : start + GROUP])


def _joined(operator: str, conditions: list[Filter]) -> Filter:
    """One condition, or all of them under an operator: AWS takes no group of one."""
    return conditions[0] if len(conditions) == 1 else {operator: conditions}
