"""A search as targets understand it: what, by whom, among which documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.masked import Masked
from rag.records import Principal

if TYPE_CHECKING:
    from rag.config import Embedding


@dataclass(frozen=True, slots=True)
class Where:
    """Only passages whose value is among those given; an empty field does not restrict."""

    documents: tuple[str, ...] = ()
    """Document ids."""
    names: tuple[str, ...] = ()
    """Masked document names."""
    media_types: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    """``text``, ``table``."""


@dataclass(frozen=True, slots=True)
class Query:
    """One search.

    Attributes:
        text: The masked question, for full text; empty: no such leg.
        vector: Its embedding, L2-normalised, shape (dimensions,); None: no such leg.
        principals: The asker; hits are readable by one of them at least. Empty: no hits.
        embedding: The model that made `vector`, for a target that says which one it needs
            (`rag.targets.Target.model`); None: it need not check.
        weighted: Further words for the text leg, each with its weight beside the question's
            words, which have 1: query expansion. Already words as the index has them or not: the
            target analyses them as it does the question.
        vectors: Whether hits bring their vectors (`Hit.vector`), where the target has them.
    """

    text: Masked
    vector: Sequence[float] | None
    principals: tuple[Principal, ...]
    where: Where = Where()
    embedding: Embedding | None = None
    weighted: tuple[tuple[Masked, float], ...] = ()
    vectors: bool = False
