"""How good a ranking is, against judgements. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rag.evaluate.files import Judgements
from rag.records import Hit

METRICS = ("ndcg@10", "recall@100", "mrr@10")
"""Names of what `each` gives."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Means over the judged queries that have a relevant document, each 0 to 1.

    Attributes:
        each: The same for each query, by its id: metric's name to value.
    """

    queries: int
    ndcg_at_10: float
    recall_at_100: float
    mrr_at_10: float
    each: Mapping[str, Mapping[str, float]] = field(default_factory=dict, repr=False)

    def values(self, metric: str) -> list[float]:
        """Return one metric of each query, in the order of their ids."""
        return [self.each[query][metric] for query in sorted(self.each)]


def by_document(hits: Iterable[Hit], name: Callable[[Hit], str]) -> list[str]:
    """A ranking of passages as one of documents: each stands where its best passage stood.

    Args:
        hits: Best first.
        name: The document id of the judgements for a hit.
    """
    return list(dict.fromkeys(name(hit) for hit in hits))


def each(
    rankings: Mapping[str, Sequence[str]], judgements: Judgements
) -> dict[str, dict[str, float]]:
    """Return the metrics of each judged query that has a relevant document, by query id.

    Args:
        rankings: Query id to document ids, best first, without repetition; a query that it has
            not counts as an empty ranking.
    """
    return {
        query: measured(rankings.get(query, ()), graded)
        for query, graded in judgements.items()
        if any(grade > 0 for grade in graded.values())
    }


def measured(ranking: Sequence[str], graded: Mapping[str, int]) -> dict[str, float]:
    """Return the `METRICS` of one ranking, each 0 to 1."""
    found = (ndcg(ranking, graded, 10), recall(ranking, graded, 100))
    return dict(zip(METRICS, (*found, reciprocal_rank(ranking, graded, 10)), strict=True))


def score(rankings: Mapping[str, Sequence[str]], judgements: Judgements) -> Scores:
    """Means over the queries of `judgements`; one that `rankings` has not counts as empty.

    Args:
        rankings: Query id to document ids, best first, without repetition.
        judgements: Queries without a relevant document are left out.
    """
    found = each(rankings, judgements)
    ndcg_, recall_, mrr = (
        math.fsum(one[metric] for one in found.values()) / len(found) if found else 0.0
        for metric in METRICS
    )
    return Scores(len(found), ndcg_, recall_, mrr, found)


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
