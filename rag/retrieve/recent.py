"""Passages of newer documents rise: what was written lately is likelier to hold still.

A bonus halves with a document's age (exponential decay: Li, Croft, CIKM 2003, on language models
with a prior by time). It is told in standard deviations of the scores, so that it means the same
whatever made them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime
from statistics import pstdev
from typing import TYPE_CHECKING

from rag import days
from rag.retrieve.candidates import Candidate
from rag.retrieve.fuse import in_order

if TYPE_CHECKING:
    from rag.config import Recency

_SPREAD = 100
"""Of so many first hits the scores are looked at: further ones lie close together."""


def recent(
    hits: Sequence[Candidate], recency: Recency, today: date | None = None
) -> list[Candidate]:
    """Return the hits in their new order, best first.

    Args:
        hits: Best first. One whose day is not known gets no bonus, one from the future a whole one.
        today: In UTC; by default as the clock has it.
    """
    if len(hits) < 2:
        return list(hits)
    now = today or datetime.now(UTC).date()
    most = recency.weight * pstdev(hit.score for hit in hits[:_SPREAD])

    def bonus(hit: Candidate) -> float:
        if hit.modified is None:
            return 0.0
        age = max(0, (now - days.day(hit.modified)).days)
        return most * math.exp2(-age / recency.half_life_days)

    return in_order(hit.scored(hit.score + bonus(hit)) for hit in hits)
