"""Questions to an index: the bodies of its two legs, rights and filters inside both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from rag.records import Principal
from rag.retrieve.candidates import Candidate
from rag.retrieve.query import Query
from rag.targets.opensearch.filters import readable, within
from rag.targets.opensearch.mapping import cosine, space
from rag.targets.opensearch.rows import (
    COLUMNS,
    as_hit,
    candidate,
    row_of,
    vector_column,
    vector_of,
)
from rag.targets.rows import searchable

if TYPE_CHECKING:
    import numpy

    from rag import config
    from rag.targets.opensearch.connection import Connection

_LONGEST = 1000
"""Characters of a question that are searched for: Lucene takes 1,024 terms."""

MOST_WEIGHTED = 200
"""Further words that are searched for; each is a clause for every field."""
BOOSTS = {"title_words": 0.5, "heading_words": 0.5, "text_words": 1.0}

VERSIONS = 3
"""Rows of one passage that may be there at once: what a killed writer left, beside the next's."""
MOST_ROWS = 10_000
"""Rows that a search may ask for (``index.max_result_window``)."""

Body = dict[str, Any]


def legs(query: Query, depth: int, target: config.OpenSearchTarget, layout: int) -> dict[str, Body]:
    """Return each leg's query clause, by name.

    Args:
        layout: Of the index: see `mapping.LAYOUT`.
    """
    allowed = within(query, layout)
    found: dict[str, Body] = {}
    if query.vector is not None:
        found["vector"] = _nearest(_plain(query.vector), depth, allowed, target)
    if query.text.strip():
        words = [
            clause for text, weight in _asked(query) for clause in _words(text, weight, layout)
        ]
        some = {"should": words, "minimum_should_match": 1}
        found["text"] = {"bool": {**some, "filter": allowed}}
    return found


def _asked(query: Query) -> Iterable[tuple[str, float]]:
    """Yield texts that are searched for, and what each counts: words of one weight are one text."""
    yield searchable(query.text)[:_LONGEST], 1.0
    further: dict[float, list[str]] = {}
    for text, weight in query.weighted[:MOST_WEIGHTED]:
        if weight > 0:
            further.setdefault(weight, []).append(searchable(text)[:_LONGEST])
    for weight, texts in further.items():
        yield " ".join(texts), weight


def _words(text: str, weight: float, layout: int) -> list[Body]:
    """Return clauses whose sum scores a text's words: each field's BM25, weighted.

    Not ``multi_match``, which adds up what Lucene could cut short at the best hits.
    """
    fields = {"words": 1.0} if layout == 1 else BOOSTS
    return [
        {"match": {field: {"query": text, "boost": weight * boost}}}
        for field, boost in fields.items()
    ]


def _plain(vector: Any) -> list[float]:
    return vector.tolist() if hasattr(vector, "tolist") else list(vector)


def _nearest(
    vector: Sequence[float], depth: int, allowed: list[Body], target: config.OpenSearchTarget
) -> Body:
    within = {"bool": {"filter": allowed}}
    if target.method == "exact":
        asked = {"field": "vector", "query_value": vector, "space_type": space(target)}
        script = {"lang": "knn", "source": "knn_score", "params": asked}
        return {"script_score": {"query": within, "script": script}}
    clause: Body = {"vector": vector, "k": depth, "filter": within}
    if target.method == "hnsw" and target.engine == "lucene":
        clause["method_parameters"] = {"ef_search": max(depth, target.ef_search)}
    return {"knn": {"vector": clause}}


def request(clause: Body, depth: int, wanted: Body) -> Body:
    """Return the body of a search for one leg.

    Args:
        wanted: Of each passage; see `rows.wanted`.
    """
    return {"query": clause, "size": depth, "track_total_hits": False, **wanted}


def hybrid(clauses: Mapping[str, Body], depth: int, wanted: Body) -> Body:
    """Return the body of one search for all legs, which the search pipeline fuses."""
    both = {"queries": list(clauses.values()), "pagination_depth": depth}
    return request({"hybrid": both}, depth, wanted)


Scored = tuple[Mapping[str, Any], float]
"""A row, and its score as the cluster has it."""


def candidates(
    found: Iterable[Scored], leg: str, target: config.OpenSearchTarget
) -> list[Candidate]:
    """Return the passages that a search found, best first; vectors scored by cosine."""
    return [
        candidate(row, cosine(score, target) if leg == "vector" else score) for row, score in found
    ]


def newest(answers: Mapping[str, Any]) -> dict[str, list[Scored]]:
    """Return each leg's rows, without those of which a newer version was found too.

    The legs are asked one after the other, and a write may come between; and what a killed
    writer left may be there beside what the next one wrote.
    """
    legs: dict[str, list[Scored]] = {
        leg: [(row_of(one), float(one["_score"])) for one in answer["hits"]["hits"]]
        for leg, answer in answers.items()
    }
    versions: dict[str, int] = {}
    for row, _ in (one for found in legs.values() for one in found):
        document = row["document_id"]
        versions[document] = max(versions.get(document, 0), row["written"])
    return {
        leg: [one for one in found if one[0]["written"] == versions[one[0]["document_id"]]]
        for leg, found in legs.items()
    }


def ask_each(
    connection: Connection,
    where: str,
    clauses: Mapping[str, Body],
    depth: int,
    wanted: Body,
) -> dict[str, Any] | None:
    """Return each leg's answer, asked in one request; None: there is no such index.

    The same copies of the shards answer both, so that they differ by no more than a write
    between them (see `newest`).
    """
    header = {"index": where, "preference": uuid4().hex, "allow_partial_search_results": False}
    lines = [line for one in clauses.values() for line in (header, request(one, depth, wanted))]

    def ask(client: Any) -> Any:
        answers = client.msearch(body=lines)["responses"]
        for answer in answers:
            _raise_failure(answer)
        return answers

    answers = connection.ask(ask)
    return dict(zip(clauses, answers, strict=True)) if answers is not None else None


def ask_hybrid(
    connection: Connection,
    where: str,
    pipeline: str,
    clauses: Mapping[str, Body],
    depth: int,
    wanted: Body,
) -> dict[str, Any] | None:
    """Return the answer to all legs, fused there; None: there is no such index."""
    how = {"search_pipeline": pipeline, "allow_partial_search_results": "false"}
    body = hybrid(clauses, depth, wanted)
    answer = connection.ask(lambda client: client.search(index=where, body=body, params=how))
    return {"hybrid": answer} if answer is not None else None


def read(
    connection: Connection,
    where: str,
    candidates: Sequence[Candidate],
    principals: Sequence[Principal],
) -> list[Candidate] | None:
    """Return candidates with what they say, those that may be read; None: no such index."""
    ids = [one.id for one in candidates]
    clause: Body = {"bool": {"filter": [{"terms": {"chunk_id": ids}}, readable(principals)]}}
    body = request(clause, min(VERSIONS * len(ids), MOST_ROWS), {"_source": list(COLUMNS)})
    answer = connection.ask(lambda client: client.search(index=where, body=body))
    if answer is None:
        return None
    rows = sorted(
        (one["_source"] for one in answer["hits"]["hits"]), key=lambda row: row["written"]
    )
    hits = {row["chunk_id"]: as_hit(row) for row in rows}
    return [one.told(hits[one.id]) for one in candidates if one.id in hits]


def sample(connection: Connection, index: str, size: int, layout: int) -> numpy.ndarray | None:
    """Return the vectors of up to `size` passages, the same ones each time; None: no such index."""
    import numpy

    chance = {"seed": 1, "field": "_seq_no"}
    body = {
        "query": {"function_score": {"query": {"match_all": {}}, "random_score": chance}},
        "size": size,
        "_source": [vector_column(layout)],
        "track_total_hits": False,
    }
    answer = connection.ask(lambda client: client.search(index=index, body=body))
    if answer is None:
        return None
    found = [vector_of(one["_source"]) for one in answer["hits"]["hits"]]
    return numpy.asarray(found, numpy.float32)


def _raise_failure(answer: Mapping[str, Any]) -> None:
    """Raise what the client would have, had this part of the request been one by itself."""
    from opensearchpy.exceptions import NotFoundError, TransportError

    if "error" not in answer:
        return
    kind = NotFoundError if answer["status"] == 404 else TransportError
    raise kind(answer["status"], answer["error"].get("type", ""), {})
