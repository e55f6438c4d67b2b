"""Retrieve: search a knowledge base by meaning, or by meaning and words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localaws.knowledge import access, bases, filters, records, worker
from localaws.knowledge.index import Document, Found
from localaws.knowledge.ingest import fingerprint
from localaws.knowledge.records import DATA_SOURCE, Record
from localaws.knowledge.sources import origin
from localaws.knowledge.store import store
from localaws.operations import AwsError, Call, operation
from localaws.state import State

RESULTS = 5
MANAGED_RERANKER = "amazon.rerank-v1:0"
URI = "x-amz-bedrock-kb-source-uri"
CHUNK = "x-amz-bedrock-kb-chunk-id"
SOURCE = "x-amz-bedrock-kb-data-source-id"

_MEANING_ONLY = ("S3_VECTORS", "PINECONE", "REDIS_ENTERPRISE_CLOUD", "NEPTUNE_ANALYTICS")
"""Vector stores that cannot search by words."""


@dataclass(frozen=True, slots=True)
class Search:
    """How to search, read from a request.

    Attributes:
        reranker: A model's id; None leaves the order as it is.
        kept: Results after reranking.
        told: Reads a document's attributes to the reranker, as text.
    """

    results: int
    words: bool
    condition: Mapping[str, Any] | None
    user: str | None
    reranker: str | None = None
    kept: int = RESULTS
    fields: Mapping[str, Any] | None = None


@operation("bedrock-agent-runtime", "Retrieve")
def retrieve(call: Call) -> dict[str, Any]:
    """Return passages, best first, a page of ``numberOfResults`` at a time."""
    worker.awake(call.state)
    params = call.params
    base = records.active(call.state, params["knowledgeBaseId"])
    text = _asked(params["retrievalQuery"])
    search = configured(base, params.get("retrievalConfiguration"), access.user(call, base))
    blocked, text = guarded(call, params.get("guardrailConfiguration"), text)
    action = {} if blocked is None else {"guardrailAction": blocked}
    if blocked == "INTERVENED" and not text:
        return {"retrievalResults": [], **action}
    same = fingerprint(text, repr(search))
    first = _first(params.get("nextToken"), same)
    found = searched(call.state, base, search, text, first + search.results + 1)
    page = found[first : first + search.results]
    result: dict[str, Any] = {
        "retrievalResults": [
            _result(base, one) for one in reranked(search, text, _by_parent(page))
        ],
        **action,
    }
    if len(found) > first + search.results:
        result["nextToken"] = records.seal(f"{first + search.results}/{same}")
    return result


def configured(base: Record, configuration: Mapping[str, Any] | None, user: str | None) -> Search:
    """Return the search that a request asks for.

    Raises:
        AwsError: ValidationException: the knowledge base cannot be searched like this.
    """
    configuration = configuration or {}
    own = "managedSearchConfiguration" if bases.managed(base) else "vectorSearchConfiguration"
    other = {"managedSearchConfiguration", "vectorSearchConfiguration"} - {own}
    if other & set(configuration):
        raise AwsError(
            "ValidationException",
            f"{other.pop()} is not supported for this type of knowledge base. Use {own}.",
        )
    one = configuration.get(own, {})
    if "implicitFilterConfiguration" in one:
        raise AwsError(
            "NotImplementedException", "localaws does not have implicitFilterConfiguration."
        )
    condition = one.get("filter")
    filters.compiled(condition)
    results = one.get("numberOfResults", RESULTS)
    reranking = one.get("rerankingConfiguration", {}).get("bedrockRerankingConfiguration", {})
    return Search(
        results=results,
        words=_by_words(base, one.get("overrideSearchType"), condition),
        condition=condition,
        user=user,
        reranker=_reranker(one, reranking),
        kept=min(results, reranking.get("numberOfRerankedResults", results)),
        fields=reranking.get("metadataConfiguration"),
    )


def searched(state: State, base: Record, search: Search, text: str, limit: int) -> list[Found]:
    """Return the best chunks that the filter and rights allow, best first."""
    from localaws.models.embedding import embed

    guarded_sources = _guarded(state, base)
    test = filters.compiled(search.condition)

    def allowed(document: Document) -> bool:
        if guarded_sources.get(document.source, document.acl is not None) and not access.may(
            document, search.user
        ):
            return False
        return test(
            document.attributes | {URI: document.name, SOURCE: document.source}
            if search.condition is not None
            else document.attributes
        )

    rule = json.dumps(
        [filters.rule(search.condition), search.user, sorted(guarded_sources.items())]
    )
    model, dimensions = bases.embedding(base)
    vector = embed(model, [text], dimensions)[0]
    index = store(state).index(base["id"])
    return index.search(vector, text if search.words else None, limit, rule, allowed)


def reranked(search: Search, text: str, found: Sequence[Found]) -> list[Found]:
    """Return passages in the order of the reranking model, if one is asked for.

    Raises:
        AwsError: There is no such model.
    """
    if search.reranker is None or not found:
        return list(found)
    from localaws.models.rerank import rank

    ranked = rank(search.reranker, text, [_told(search, one) for one in found])
    return [
        Found(found[place].chunk, found[place].document, float(score))
        for place, score in ranked[: search.kept]
    ]


def attributes(found: Found) -> dict[str, Any]:
    """Return the metadata of a result."""
    return found.document.attributes | {
        URI: found.document.name,
        CHUNK: found.chunk.name,
        SOURCE: found.document.source,
    }


def location(base: Record, document: Document) -> dict[str, Any]:
    """Return where a document is. Managed knowledge bases give the https address of an object."""
    if document.kind == "CUSTOM":
        return {"type": "CUSTOM", "customDocumentLocation": {"id": document.name}}
    uri = document.name
    if bases.managed(base):
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        uri = f"https://{bucket}.s3.amazonaws.com/{key}"
    return {"type": "S3", "s3Location": {"uri": uri}}


def guarded(
    call: Call, configuration: Mapping[str, Any] | None, text: str
) -> tuple[str | None, str]:
    """Return what a guardrail did to a question (None: there is no guardrail), and the question.

    An empty question was blocked.
    """
    if configuration is None:
        return None, text
    from localaws.models.guarding import guard

    one = guard(
        call,
        {
            "guardrailIdentifier": configuration["guardrailId"],
            "guardrailVersion": configuration["guardrailVersion"],
        },
    )
    assert one is not None
    blocked, texts = one.input([text])
    if blocked is not None:
        return "INTERVENED", ""
    return ("NONE" if texts[0] == text else "INTERVENED"), texts[0]


def _asked(query: Mapping[str, Any]) -> str:
    if query.get("type", "TEXT") != "TEXT" or "image" in query:
        raise AwsError("NotImplementedException", "localaws does not search by images.")
    text = str(query.get("text", ""))
    if not text.strip():
        raise AwsError("ValidationException", "The retrieval query must have text.")
    return text


def _by_words(base: Record, asked: str | None, condition: Mapping[str, Any] | None) -> bool:
    kind = base.get("storageConfiguration", {}).get("type")
    if kind == "S3_VECTORS" and {"startsWith", "stringContains"} & filters.operators(condition):
        raise AwsError(
            "ValidationException",
            "The filters startsWith and stringContains are not supported for S3 vector stores.",
        )
    if asked == "HYBRID" and kind in _MEANING_ONLY:
        raise AwsError(
            "ValidationException",
            f"HYBRID search type is not supported for search operation on index {base['id']}. "
            "Retry your request with a different search type.",
        )
    return asked == "HYBRID" or (asked is None and bases.managed(base))


def _reranker(one: Mapping[str, Any], reranking: Mapping[str, Any]) -> str | None:
    chosen = one.get("rerankingModelType", "CUSTOM" if reranking else "NONE")
    if chosen == "NONE":
        return None
    if chosen == "MANAGED":
        return MANAGED_RERANKER
    if not reranking:
        raise AwsError(
            "ValidationException",
            "rerankingConfiguration is required for the reranking model type CUSTOM.",
        )
    return bases.model_id(reranking["modelConfiguration"]["modelArn"])


def _told(search: Search, found: Found) -> str:
    """A passage as the reranker reads it: with attributes where they are asked for."""
    if search.fields is None:
        return found.chunk.shown
    values = attributes(found)
    chosen = search.fields.get("selectiveModeConfiguration", {})
    if "fieldsToInclude" in chosen:
        named = {one["fieldName"] for one in chosen["fieldsToInclude"]}
        values = {key: value for key, value in values.items() if key in named}
    for one in chosen.get("fieldsToExclude", ()):
        values.pop(one["fieldName"], None)
    return "\n".join([*(f"{key}: {value}" for key, value in values.items()), found.chunk.shown])


def _guarded(state: State, base: Record) -> dict[str, bool]:
    """Whether documents carry rights, by data source."""
    if not bases.managed(base):
        return {
            key.rpartition("/")[2]: False for key, _ in state.all(DATA_SOURCE, f"{base['id']}/")
        }
    return {
        record["id"]: origin(record).native_acl
        for _, record in state.all(DATA_SOURCE, f"{base['id']}/")
    }


def _by_parent(found: Sequence[Found]) -> list[Found]:
    """Passages of the same larger one are given back as that, once, where the best of them is."""
    seen: set[tuple[str, str, str]] = set()
    kept = []
    for one in found:
        key = (*one.document.key, one.chunk.shown)
        if one.chunk.shown != one.chunk.text and key in seen:
            continue
        seen.add(key)
        kept.append(one)
    return kept


def _first(token: str | None, same: str) -> int:
    if token is None:
        return 0
    place, _, of = records.unseal(token).partition("/")
    if of != same or not place.isdecimal():
        raise AwsError("ValidationException", "The provided nextToken is of another request.")
    return int(place)


def _result(base: Record, found: Found) -> dict[str, Any]:
    result = {
        "content": {"type": "TEXT", "text": found.chunk.shown},
        "location": location(base, found.document),
        "score": found.score,
        "metadata": attributes(found),
    }
    if bases.managed(base):
        result["documentId"] = found.document.name
    return result
