"""An evaluation as programs and the report read it: plain dictionaries, at the edge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rag.evaluate.intervals import Difference, Estimate, compare
from rag.evaluate.metrics import METRICS
from rag.evaluate.ranking import Compared, Ranked, compared, percentile

if TYPE_CHECKING:
    from rag.evaluate.answers import Answered

_CHANGED = 10
"""Queries named that differ most."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that one run of an evaluation found.

    Attributes:
        corpus, other: Names of what was judged, and of what it is compared with.
        budgets: The same questions with other context sizes, the smallest first.
        notes: Sentences that a reader of the figures should know.
    """

    corpus: str
    ranked: Ranked | None = None
    answered: Answered | None = None
    other: str = ""
    other_ranked: Ranked | None = None
    other_answered: Answered | None = None
    budgets: tuple[Answered, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def compared(self) -> Compared | None:
        """Ranking of the corpus less that of the other."""
        if self.ranked is None or self.other_ranked is None:
            return None
        return compared(self.ranked, self.other_ranked)

    @property
    def answers_compared(self) -> dict[str, Difference]:
        """Answers of the corpus less those of the other, over questions that both say it of."""
        if self.answered is None or self.other_answered is None:
            return {}
        found = {}
        for measure in self.answered.shares:
            ours = self.answered.values(measure)
            theirs = self.other_answered.values(measure)
            both = sorted(ours.keys() & theirs.keys())
            if both:
                found[measure] = compare([ours[q] for q in both], [theirs[q] for q in both])
        return found


def as_json(outcome: Outcome, *, per_query: bool = False) -> dict[str, Any]:
    """Return an outcome as JSON can hold it. Ids only: no text of a question or document."""
    made: dict[str, Any] = {}
    if outcome.ranked:
        made |= _ranking(outcome.ranked, per_query)
    if outcome.answered:
        made["answers"] = _answers(outcome.answered, per_query)
    if outcome.budgets:
        made["budgets"] = [
            {"context_tokens": one.context_tokens, **_answers(one, per_query=False)}
            for one in outcome.budgets
        ]
    if outcome.other:
        made["compare"] = _comparison(outcome)
    if outcome.notes:
        made["notes"] = list(outcome.notes)
    return made


def rounded(one: Estimate) -> dict[str, float | int]:
    """Return an estimate as numbers by name."""
    return {"mean": _r(one.mean), "low": _r(one.low), "high": _r(one.high), "n": one.n}


def _ranking(ranked: Ranked, per_query: bool) -> dict[str, Any]:
    scores = ranked.scores
    made: dict[str, Any] = {
        "queries": scores.queries,
        "ndcg@10": scores.ndcg_at_10,
        "recall@100": scores.recall_at_100,
        "mrr@10": scores.mrr_at_10,
        "intervals": {metric: rounded(one) for metric, one in ranked.intervals.items()},
    }
    if ranked.seconds:
        made["latency"] = _latency(ranked.seconds)
    if per_query:
        made["per_query"] = {query: dict(values) for query, values in scores.each.items()}
    return made


def _answers(answered: Answered, per_query: bool) -> dict[str, Any]:
    told = answered.told
    area = answered.answerability
    made: dict[str, Any] = {
        "questions": len(told),
        **{measure: rounded(one) for measure, one in answered.shares.items()},
        "answerability_auc": rounded(area) if area else None,
        "hidden_by_masking": sum(one.hidden for one in told),
        "usd": answered.usd,
        "tokens": sum(one.tokens for one in told),
        "context_tokens_mean": _mean([one.context_tokens for one in told]),
        "latency": _latency([one.seconds for one in told]),
    }
    if per_query:
        from dataclasses import asdict

        made["per_question"] = [asdict(one) for one in told]
    return made


def _comparison(outcome: Outcome) -> dict[str, Any]:
    made: dict[str, Any] = {"with": outcome.other}
    found = outcome.compared
    if found and outcome.other_ranked:
        made |= _ranking(outcome.other_ranked, per_query=False)
        made["differences"] = {metric: _difference(found.differences[metric]) for metric in METRICS}
        made["changed_most"] = [
            {"query": query, "ndcg@10": _r(change)} for query, change in found.changed[:_CHANGED]
        ]
    if outcome.other_answered:
        made["answers"] = _answers(outcome.other_answered, per_query=False)
        made["answer_differences"] = {
            measure: _difference(one) for measure, one in outcome.answers_compared.items()
        }
    return made


def _difference(one: Difference) -> dict[str, float | int | bool]:
    return {
        "mean": _r(one.mean),
        "low": _r(one.low),
        "high": _r(one.high),
        "p": _r(one.p),
        "n": one.n,
        "significant": one.significant,
    }


def _latency(seconds: Sequence[float]) -> Mapping[str, float]:
    return {
        "n": len(seconds),
        "p50_ms": round(1000 * percentile(seconds, 0.5), 1),
        "p99_ms": round(1000 * percentile(seconds, 0.99), 1),
    }


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 1) if values else 0.0


def _r(value: float) -> float:
    return round(value, 5)
