"""What somebody asks, and what is known of it on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rag.asking import refusing
from rag.budget import Budget
from rag.masked import EMPTY, Masked
from rag.records import Hit, Principal
from rag.retrieve.pack import Packed

if TYPE_CHECKING:
    from rag.answer import Sentence
    from rag.audit import Trail
    from rag.ingest.context import Context
    from rag.records import Citation, Refusal, RefusalKind
    from rag.retrieve.filters import Filter
    from rag.retrieve.query import Where


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks. Raw: it lives in memory only.

    Attributes:
        question: As it was written.
        principals: Who asks.
        where: Narrows the documents.
        target: Name of the target to search; None: the corpus's first.
        budget: With the corpus file's defaults in it.
    """

    question: str = field(repr=False)
    principals: tuple[Principal, ...]
    where: Where | Filter | str | None = None
    target: str | None = None
    budget: Budget = field(default_factory=Budget)


@dataclass(slots=True)
class Way:
    """What is known of a question so far; also what an answer is made of when it ends early.

    Attributes:
        question: As it left the gate.
        understood: With whole names for those that are meant (`rag.asking.named`).
    """

    context: Context
    asked: Asked
    trail: Trail
    started: float
    question: Masked = EMPTY
    understood: Masked = EMPTY
    where: Filter | None = None
    hits: Sequence[Hit] = ()
    packed: Packed = field(default_factory=lambda: Packed(()))
    context_tokens: int = 0
    text: Masked = EMPTY
    said: list[Sentence] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    support: float = 0.0
    refusal: Refusal | None = None
    partial: str = ""
    cached: str = ""

    def refuse(self, kind: RefusalKind, reason: Masked | None = None) -> None:
        """Decide that nothing is said."""
        self.refusal = refusing.refusal(kind, self.question, self.hits, reason)
