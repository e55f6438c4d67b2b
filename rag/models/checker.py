"""Reads a claim and some sentences together, and says whether they say so.

Its upper layers (`rag.models.upper`) were trained by ``packaging/reader/check.py``, as FactCC was:
on true sentences and on such that were made false by rule (Kryściński et al., EMNLP 2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rag.masked import Masked, require
from rag.models import upper
from rag.models.engine import Engine
from rag.models.reader import Window, feeds, windows

CLAIM = 96
"""Tokens of a claim that are read."""

WEIGHTS = Path(__file__).with_name("checker.npz")


def odds(claims: Sequence[Masked], told: Sequence[Sequence[Masked]]) -> list[float]:
    """Return, for each claim, the log-odds that its sentences say so.

    Args:
        claims: Sentences.
        told: For each, sentences of one passage in their order; of many that do not fit into one
            window (`rag.models.reader.WINDOW`) the window counts that says so most.

    Raises:
        NotMasked: Something may not be sent to a model.
    """
    fed: list[tuple[int, Window]] = []
    for place, (claim, sentences) in enumerate(zip(claims, told, strict=True)):
        for text in (claim, *sentences):
            require(text, "The checker")
        fed += [(place, window) for window in windows(claim, sentences, CLAIM)]
    found: list[list[float]] = [[] for _ in claims]
    for batch, logits in _engine.outputs(feeds([window for _, window in fed])):
        for row, at in enumerate(batch):
            found[fed[at][0]].append(float(logits[row, 0]))
    return [max(own, default=-_NOTHING) for own in found]


_NOTHING = 20.0
"""Log-odds against a claim of which nothing is told."""

_engine = Engine(lambda: upper.model(WEIGHTS, first=True))
