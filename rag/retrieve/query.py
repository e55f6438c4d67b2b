"""A search as targets understand it: what, by whom, among which documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.masked import Masked
from rag.records import Principal
from rag.retrieve.filters.tree import EVERYTHING, All, Among, Filter

if TYPE_CHECKING:
    from rag.config import Embedding


@dataclass(frozen=True, slots=True)
class Where:
    """Only passages whose value is among those given; an empty field does not restrict.

    A simple way to a filter: see `rag.retrieve.filters` for all that there is.
    """

    documents: tuple[str, ...] = ()
    """Document ids."""
    names: tuple[str, ...] = ()
    """Masked document names."""
    media_types: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    """``text``, ``table``."""

    @property
    def filter(self) -> Filter:
        """The same as a filter."""
        among = {
            "id": self.documents,
            "name": self.names,
            "type": self.media_types,
            "kind": self.kinds,
        }
        return All(tuple(Among(field, values) for field, values in among.items() if values))


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
        vectors: Whether hits bring their vectors (`Candidate.vector`), where the target has them.
    """

    text: Masked
    vector: Sequence[float] | None
    principals: tuple[Principal, ...]
    where: Where | Filter = EVERYTHING
    embedding: Embedding | None = None
    weighted: tuple[tuple[Masked, float], ...] = ()
    vectors: bool = False

    @property
    def filter(self) -> Filter:
        """What passages must be, besides readable."""
        return self.where.filter if isinstance(self.where, Where) else self.where
