"""How good retrieval and answers are, and how sure that is.

`score` and `each` measure rankings, `estimate` gives a mean its interval, `compare` tests two
configurations on the same queries.
"""

from __future__ import annotations

from rag.evaluate.files import Judgements, Question, read_qrels, read_queries, read_questions
from rag.evaluate.intervals import Difference, Estimate, auc, compare, estimate
from rag.evaluate.metrics import (
    METRICS,
    Scores,
    by_document,
    each,
    measured,
    ndcg,
    recall,
    reciprocal_rank,
    score,
)

__all__ = [
    "METRICS",
    "Difference",
    "Estimate",
    "Judgements",
    "Question",
    "Scores",
    "auc",
    "by_document",
    "compare",
    "each",
    "estimate",
    "measured",
    "ndcg",
    "read_qrels",
    "read_queries",
    "read_questions",
    "recall",
    "reciprocal_rank",
    "score",
]
