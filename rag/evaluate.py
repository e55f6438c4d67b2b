"""How good a ranking is, against judgements in the BEIR layout. Pure functions.

BEIR: Thakur et al., A Heterogeneous Benchmark for Zero-shot Evaluation of Information Retrieval
Models, NeurIPS 2021.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import ConfigError
from rag.records import Hit

Judgements = Mapping[str, Mapping[str, int]]
"""Query id to document id to grade; 0 and below: not relevant."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Means over the judged queries that have a relevant document, each 0 to 1."""

    queries: int
    ndcg_at_10: float
    recall_at_100: float
    mrr_at_10: float


def read_queries(path: Path) -> dict[str, str]:
    """``queries.jsonl``: lines of ``{"_id": …, "text": …}`` to text by id.

    Raises:
        ConfigError: a line has not that form; it is named by its number.
    """
    queries: dict[str, str] = {}
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                query = json.loads(line)
                queries[str(query["_id"])] = str(query["text"])
            except (ValueError, KeyError, TypeError):
                raise ConfigError(
                    f"{path.name}, line {number}: not a query.",
                    'Write one JSON object a line: {"_id": "1", "text": "…"}.',
                ) from None
    return queries


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """``qrels.tsv``: query id, document id and grade by tabs; a first line of names is skipped.

    Raises:
        ConfigError: a line has not that form; it is named by its number.
    """
    judgements: dict[str, dict[str, int]] = {}
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip() or (number == 1 and line.startswith("query-id")):
                continue
            try:
                query, document, grade = line.rstrip("\r\n").split("\t")
                judgements.setdefault(query, {})[document] = int(grade)
            except ValueError:
                raise ConfigError(
                    f"{path.name}, line {number}: not a judgement.",
                    "Write three columns with tabs between: query-id, corpus-id, score.",
                ) from None
    return judgements


def by_document(hits: Iterable[Hit], name: Callable[[Hit], str]) -> list[str]:
    """A ranking of passages as one of documents: each stands where its best passage stood.

    Args:
        hits: Best first.
        name: The document id of the judgements for a hit.
    """
    return list(dict.fromkeys(name(hit) for hit in hits))


def score(rankings: Mapping[str, Sequence[str]], judgements: Judgements) -> Scores:
    """Means over the queries of `judgements`; one that `rankings` has not counts as empty.

    Args:
        rankings: Query id to document ids, best first, without repetition.
        judgements: Queries without a relevant document are left out.
    """
    judged = {
        query: graded for query, graded in judgements.items() if any(g > 0 for g in graded.values())
    }
    if not judged:
        return Scores(0, 0.0, 0.0, 0.0)
    pairs = [(rankings.get(query, ()), graded) for query, graded in judged.items()]

    def mean(values: Iterable[float]) -> float:
        return math.fsum(values) / len(pairs)

    return Scores(
        queries=len(pairs),
        ndcg_at_10=mean(ndcg(ranking, graded, 10) for ranking, graded in pairs),
        recall_at_100=mean(recall(ranking, graded, 100) for ranking, graded in pairs),
        mrr_at_10=mean(reciprocal_rank(ranking, graded, 10) for ranking, graded in pairs),
    )


def ndcg(ranking: Sequence[str], graded: Mapping[str, int], k: int) -> float:
    """Normalised discounted cumulative gain: sum of grade / log2(1 + rank), over the ideal.

    Järvelin, Kekäläinen: Cumulated gain-based evaluation of IR techniques. TOIS 2002; with the
    grade itself as gain, as trec_eval and BEIR have it.
    """
    gained = _gain([max(0, graded.get(document, 0)) for document in ranking[:k]])
    ideal = _gain(sorted((max(0, grade) for grade in graded.values()), reverse=True)[:k])
    return gained / ideal if ideal else 0.0


def recall(ranking: Sequence[str], graded: Mapping[str, int], k: int) -> float:
    """Share of the relevant documents among the first `k`."""
    relevant = {document for document, grade in graded.items() if grade > 0}
    return len(relevant.intersection(ranking[:k])) / len(relevant) if relevant else 0.0


def reciprocal_rank(ranking: Sequence[str], graded: Mapping[str, int], k: int) -> float:
    """1 / rank of the first relevant document among the first `k`, else 0."""
    for rank, document in enumerate(ranking[:k], start=1):
        if graded.get(document, 0) > 0:
            return 1 / rank
    return 0.0


def _gain(grades: Sequence[int]) -> float:
    return math.fsum(grade / math.log2(1 + rank) for rank, grade in enumerate(grades, start=1))
