"""What a target does before anything else: see that nothing raw came here."""

from __future__ import annotations

from collections.abc import Iterable

from rag.masked import require
from rag.records import IndexedDocument
from rag.retrieve.query import Query

_TARGET = "A target"


def documents(upserts: Iterable[IndexedDocument]) -> None:
    """See that every text of the documents has passed the gate.

    Raises:
        NotMasked: One has not; nothing may be written.
    """
    for document in upserts:
        require(document.name, _TARGET)
        require(document.title, _TARGET)
        for chunk in document.chunks:
            for text in (chunk.heading, chunk.text, chunk.html, *chunk.section):
                require(text, _TARGET)


def question(query: Query) -> None:
    """See that a question has passed the gate.

    Raises:
        NotMasked: It has not; nothing may be sent.
    """
    require(query.text, _TARGET)
