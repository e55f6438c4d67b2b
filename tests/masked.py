"""Text as it comes from the gate, for tests of what comes after it."""

from __future__ import annotations

from collections.abc import Iterable

from rag.masked import Masked
from rag.masked.passed import passed as masked

__all__ = ["all_masked", "masked"]


def all_masked(texts: Iterable[str]) -> list[Masked]:
    """Return texts as they come from the gate."""
    return [masked(text) for text in texts]
