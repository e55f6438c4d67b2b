"""A corpus as a LangChain retriever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

from rag.records import Hit, Principal


class CorpusRetriever(BaseRetriever):  # type: ignore[misc]  # langchain is not checked
    """Passages that an asker may read, best first.

    Example::

        retriever = Corpus.open("handbook").as_retriever(principals=["group:staff"], k=5)
        documents = retriever.invoke("Who may approve overtime?")
    """

    corpus: Any
    principals: Sequence[Principal] = ()
    k: int = 10

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        hits = self.corpus.search(query, principals=self.principals, k=self.k)
        return [as_document(hit) for hit in hits]


def as_document(hit: Hit) -> Document:
    """Return a hit as a LangChain document; what cites it is in the metadata."""
    return Document(
        id=hit.chunk.id,
        page_content=hit.chunk.text,
        metadata={
            "document": hit.document,
            "document_id": hit.chunk.document_id,
            "title": hit.title,
            "page": hit.chunk.page,
            "section": list(hit.chunk.section),
            "score": hit.score,
        },
    )
