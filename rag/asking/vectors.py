"""Vectors of questions that were asked lately: the same words need no model twice."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.masked import Masked
    from rag.models import Embedder

MOST = 2048
"""Questions kept in a process: some 25 MB as lists of 384 numbers."""

_kept: OrderedDict[tuple[str, Masked], list[float]] = OrderedDict()
_lock = threading.Lock()


def of_question(model: Embedder, question: Masked) -> list[float]:
    """Return a masked question's embedding, shape (dimensions,), L2-normalised."""
    key = (model.fingerprint, question)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    vector = list(model.embed_query(question))
    with _lock:
        _kept[key] = vector
        while len(_kept) > MOST:
            _kept.popitem(last=False)
    return vector


def forget() -> None:
    """Forget all of them, as an erasure wants it."""
    with _lock:
        _kept.clear()
