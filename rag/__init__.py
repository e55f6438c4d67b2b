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
    from rag.corpus import Corpus
    from rag.errors import SluiceError
    from rag.records import Answer, Citation, Hit

__all__ = ["Answer", "Citation", "Corpus", "Hit", "SluiceError"]

_HOMES = {
    "Answer": "rag.records",
    "Citation": "rag.records",
    "Corpus": "rag.corpus",
    "Hit": "rag.records",
    "SluiceError": "rag.errors",
}


def __getattr__(name: str) -> Any:
    # A room is imported when somebody enters it: the command line and DAG files start at once.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'rag' has no attribute {name!r}")
