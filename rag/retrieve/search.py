"""Hybrid search within the asker's rights: by meaning and by words, as the corpus file says.

The legs are asked, their scores joined, what was found asks again (`rag.retrieve.feedback`), and
the order is made good: what a question names exactly first, nothing twice, as a reranker reads it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rag.masked import Masked
from rag.records import Hit, Principal
from rag.retrieve import spread as spreads
from rag.retrieve.candidates import Candidate, Legs
from rag.retrieve.diverse import collapsed, spread_out
from rag.retrieve.exact import preferred
from rag.retrieve.feedback import PASSAGES, moved, words
from rag.retrieve.fuse import by_rank, by_score
from rag.retrieve.neighbours import joined
from rag.retrieve.query import Query, Where
from rag.retrieve.recent import recent
from rag.retrieve.related import FIRST, smoothed
from rag.retrieve.words import about
from rag.telemetry import ERROR, event

if TYPE_CHECKING:
    import numpy

    from rag.config import Embedding, Search
    from rag.retrieve.filters import Filter
    from rag.targets import Target

_DEPTH = 100
"""Hits of a leg at least: feedback and fusion want more than is shown."""

Reranked = Callable[[Sequence[Candidate]], list[Candidate]]
"""Candidates, best first, to all of them in a better order."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question as the legs are asked it, and what its answers are weighed by."""

    query: Query
    depth: int
    settings: Search
    vector: numpy.ndarray | None
    spread: spreads.Spread | None

    @property
    def again(self) -> bool:
        """Whether what is found asks again."""
        return bool(self.settings.feedback) and self.settings.fusion == "scores"

    def fused(
        self,
        legs: Legs,
        others: Sequence[Candidate] = (),
        best: int | None = None,
    ) -> list[Candidate]:
        if self.settings.fusion == "ranks" or not {"vector", "text"} >= legs.keys():
            return by_rank(legs)
        weights = {str(leg): weight for leg, weight in self.settings.weights.items()}
        return by_score(legs, weights, self.vector, self.spread, others, best)


def search(
    target: Target,
    question: Masked,
    vector: Sequence[float] | None,
    principals: Sequence[Principal],
    k: int = 10,
    where: Where | Filter | None = None,
    embedding: Embedding | None = None,
    settings: Search | None = None,
    reranked: Reranked | None = None,
) -> list[Hit]:
    """The `k` best passages that the asker may read, best first.

    Args:
        target: Where to search.
        question: Masked.
        vector: Its embedding, shape (dimensions,); None: by words only.
        principals: Who asks; nobody finds nothing.
        k: How many at most, without the neighbours that `settings` may add.
        where: Narrows what is searched.
        embedding: The model that made `vector`, as the target named it.
        settings: The corpus file's section; None: its defaults. Who is named there as a reranker
            is not called: that is `reranked`.
        reranked: Puts the first hits in a better order; None: the search's stands.

    Raises:
        ModelChanged: the target serves an index of another model by now.
        TargetFailed: the target did not answer.
    """
    if settings is None:
        from rag.config import Search

        settings = Search()
    query = Query(question, vector, tuple(principals), where or Where(), embedding)
    read = settings.reranked if reranked else 0
    asked = _asked(target, query, max(_DEPTH, 3 * k, read), settings)
    legs = target.legs(asked.query, asked.depth)
    hits = readable(asked.fused(legs, best=PASSAGES if asked.again else None), principals)

    def whole(some: Sequence[Candidate]) -> list[Candidate]:
        return readable(target.read(some, principals), principals)

    def newer(some: Sequence[Candidate]) -> list[Candidate]:
        return recent(some, settings.recency) if settings.recency else list(some)

    if asked.again and hits:
        hits = readable(_again(target, asked, legs, whole(hits)), principals)
    hits = newer(hits)
    if settings.related and k > FIRST and settings.fusion == "scores":
        hits = smoothed(hits, settings.related)
    if settings.exact:
        hits = preferred(question, hits, whole)
    if reranked is not None:
        if settings.collapse:
            hits = collapsed(hits, read, whole)
        hits = reranked([*whole(hits[:read]), *hits[read:]])
        # A reranker knows nothing of time, and its scores may be of another kind than the rest's.
        hits = [*newer(hits[:read]), *hits[read:]]
    if settings.diversity:
        hits = spread_out(hits, settings.diversity)
    if settings.collapse:
        hits = collapsed(hits, k, whole)
    hits = whole(hits[:k])
    if settings.neighbours:
        hits = readable(joined(target, asked.query, hits, settings.neighbours), principals)
    return [one.hit for one in hits]


def _asked(target: Target, query: Query, depth: int, settings: Search) -> _Asked:
    if target.embeds:  # its service reads the question itself
        return _Asked(query, depth, settings, None, None)
    query = replace(query, text=about(query.text, settings.language), vectors=True)
    if query.vector is None:
        return _Asked(query, depth, settings, None, None)
    vector = spreads.as_vector(query.vector)
    spread = spreads.of(target) if settings.centred else None
    if spread and spread.mean.shape == vector.shape:
        vector = spread.centred(vector)
    else:
        spread = None
    return _Asked(replace(query, vector=vector.tolist()), depth, settings, vector, spread)


def _again(target: Target, asked: _Asked, legs: Legs, hits: Sequence[Candidate]) -> list[Candidate]:
    """Return the hits after the best of them, which were read, have had their say.

    The text leg is asked again with more words. The vector leg is not, which would take as long as
    before: its new question weighs what the legs have found.
    """
    settings = asked.settings
    found = dict(legs)
    if "text" in legs:
        added = words(asked.query.text, hits, settings.feedback, settings.language)
        again = replace(asked.query, vector=None, weighted=added)
        found["text"] = target.legs(again, asked.depth).get("text", legs["text"])
    vector = asked.vector
    if vector is not None:
        vector = moved(vector, hits, settings.feedback, asked.spread)
        found["vector"] = _weighed(legs.get("vector", ()), vector)
    # What only the first text leg found is still a candidate, by its vector.
    fused = replace(asked, vector=vector).fused(found, legs.get("text", ()))
    known = {hit.id: hit.read for hit in hits}
    return [hit._replace(read=known.get(hit.id, hit.read)) for hit in fused]


def _weighed(hits: Sequence[Candidate], vector: numpy.ndarray) -> list[Candidate]:
    """Return hits in their order, each with its product with a vector, if it has one of its own."""
    import numpy

    known = [hit.vector for hit in hits if hit.vector is not None]
    products = iter((numpy.asarray(known, numpy.float32) @ vector).tolist() if known else ())
    return [hit if hit.vector is None else hit.scored(next(products)) for hit in hits]


def readable(hits: Sequence[Candidate], principals: Sequence[Principal]) -> list[Candidate]:
    """Only the hits whose ACL names one of `principals`.

    The target has checked already: whatever is dropped here is a defect, and logged as one.
    """
    asker = frozenset(principals)
    kept = [hit for hit in hits if not asker.isdisjoint(hit.acl)]
    if len(kept) < len(hits):
        event(
            log,
            ERROR,
            "search: {dropped} hits beyond the asker's rights were dropped",
            dropped=len(hits) - len(kept),
        )
    return kept
