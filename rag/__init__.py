"""Sluice: declare a corpus, keep its index equal to its sources, ask it cited questions.

>>> from rag import Corpus
>>> corpus = Corpus.open("handbook")
>>> corpus.sync()
>>> corpus.ask("Who approves overtime?", principals=["group:staff"])
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.budget import Budget, OverBudget
    from rag.corpus import Corpus
    from rag.errors import SluiceError
    from rag.records import Answer, Citation, Cited, Done, Event, Hit, Refusal, Token
    from rag.retrieve.filters import field

__all__ = [
    "Answer",
    "Budget",
    "Citation",
    "Cited",
    "Corpus",
    "Done",
    "Event",
    "Hit",
    "OverBudget",
    "Refusal",
    "SluiceError",
    "Token",
    "field",
]

_HOMES = {
    "Budget": "rag.budget",
    "Corpus": "rag.corpus",
    "OverBudget": "rag.budget",
    "SluiceError": "rag.errors",
    "field": "rag.retrieve.filters",
}


def __getattr__(name: str) -> Any:
    # A room is imported when somebody enters it: the command line and DAG files start at once.
    if name in __all__:
        return getattr(import_module(_HOMES.get(name, "rag.records")), name)
    raise AttributeError(f"module 'rag' has no attribute {name!r}")
