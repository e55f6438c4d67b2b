"""Search, judged: every question asked of the product's own search."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.evaluate.files import Judgements
from rag.evaluate.intervals import Difference, Estimate, compare, estimate
from rag.evaluate.metrics import METRICS, Scores, by_document, score
from rag.evaluate.subject import Subject

if TYPE_CHECKING:
    from rag.records import Hit
    from rag.targets import Target

JUDGED_HITS = 300
"""Passages a query when search is scored: enough for 100 documents of several passages each."""
SHOWN_HITS = 10
"""Passages a query when it is timed: what people ask for."""
TIMED = 200
"""Queries that are timed at most, evenly over all of them."""

Tell = Callable[[str, int, int], object]
"""Takes a step's name, how many are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """How search did.

    Attributes:
        seconds: Of some of the queries, from the raw question to 10 hits.
    """

    scores: Scores
    seconds: tuple[float, ...] = ()

    @property
    def intervals(self) -> dict[str, Estimate]:
        """Each metric's mean with its interval."""
        return {metric: estimate(self.scores.values(metric)) for metric in METRICS}


@dataclass(frozen=True, slots=True)
class Compared:
    """Two configurations on the same queries.

    Attributes:
        differences: By metric: the first less the second.
        changed: Queries by how much their nDCG@10 differs, the most first: id and difference.
    """

    differences: Mapping[str, Difference]
    changed: tuple[tuple[str, float], ...]


def rank(
    subject: Subject,
    queries: Mapping[str, str],
    judgements: Judgements,
    *,
    target: Target | None = None,
    timed: int = 0,
    tell: Tell = lambda *_: None,
) -> Ranked:
    """Ask all judged queries and score what comes.

    A query that the policy blocks finds nothing, as in the product.

    Args:
        queries: Raw text by query id; a judged one that is not among them is left out.
        target: Whose searches are judged; None: the corpus's first.
        timed: Time so many of them besides.

    Raises:
        NotIndexed, TargetFailed: As they say.
    """
    from rag.asking.searching import chosen

    asked = [query for query in judgements if query in queries]
    where = target or chosen(subject.context, None)
    seconds = _timed(subject, [queries[query] for query in asked], where, timed)
    rankings: dict[str, list[str]] = {}
    for done, query in enumerate(asked, start=1):
        hits = found(subject, queries[query], JUDGED_HITS, where)
        rankings[query] = by_document(
            hits, lambda hit: subject.names.get(hit.chunk.document_id, "")
        )
        tell("search", done, len(asked))
    return Ranked(score(rankings, {query: judgements[query] for query in asked}), seconds)


def compared(ours: Ranked, theirs: Ranked) -> Compared:
    """Compare two configurations on the queries that both have."""
    first, second = ours.scores.each, theirs.scores.each
    both = sorted(first.keys() & second.keys())
    differences = {
        metric: compare(
            [first[query][metric] for query in both], [second[query][metric] for query in both]
        )
        for metric in METRICS
    }
    changes = [(query, first[query]["ndcg@10"] - second[query]["ndcg@10"]) for query in both]
    changed = sorted((one for one in changes if one[1]), key=lambda one: (-abs(one[1]), one[0]))
    return Compared(differences, tuple(changed))


def percentile(seconds: Sequence[float], share: float) -> float:
    """Return the time that such a share of them stays within, in seconds; 0 for none."""
    if not seconds:
        return 0.0
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def found(subject: Subject, question: str, k: int, target: Target | None = None) -> list[Hit]:
    """Return the best passages for a raw question; none for one that the policy blocks."""
    from rag.asking.gate import masked
    from rag.asking.searching import chosen, search
    from rag.privacy import Blocked

    try:
        text = masked(subject.context, question).text
    except Blocked:
        return []
    where = target or chosen(subject.context, None)
    return search(subject.context, where, text, subject.principals, k)


def _timed(
    subject: Subject, questions: Sequence[str], target: Target, most: int
) -> tuple[float, ...]:
    if not most or not questions:
        return ()
    found(subject, questions[0], SHOWN_HITS, target)  # models load with the first one
    seconds = []
    step = max(1.0, len(questions) / most)
    places = dict.fromkeys(int(place * step) for place in range(min(most, len(questions))))
    for place in places:
        began = time.perf_counter()
        found(subject, questions[place], SHOWN_HITS, target)
        seconds.append(time.perf_counter() - began)
    return tuple(seconds)
