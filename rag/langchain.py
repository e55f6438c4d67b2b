"""A corpus as LangChain has things: a retriever, and a runnable that answers and streams."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import (
    AsyncCallbackManagerForRetrieverRun,
    CallbackManagerForRetrieverRun,
)
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableConfig

from rag import days
from rag.records import Answer, Cited, Done, Event, Hit, Principal, Refusal, Token

if TYPE_CHECKING:
    from rag.budget import Budget


class CorpusRetriever(BaseRetriever):  # type: ignore[misc]  # langchain is not checked
    """Passages that an asker may read, best first.

    Example::

        retriever = Corpus.open("handbook").as_retriever(principals=["group:staff"], k=5)
        documents = retriever.invoke("Who may approve overtime?")  # or: await retriever.ainvoke(…)
    """

    corpus: Any
    principals: Sequence[Principal] = ()
    k: int = 10
    where: Any = None
    budget: Any = None

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        hits = self.corpus.search(
            query, principals=self.principals, k=self.k, where=self.where, budget=self.budget
        )
        return [as_document(hit) for hit in hits]

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun
    ) -> list[Document]:
        hits = await self.corpus.asearch(
            query, principals=self.principals, k=self.k, where=self.where, budget=self.budget
        )
        return [as_document(hit) for hit in hits]


class CorpusRunnable(Runnable[str, AIMessage]):  # type: ignore[misc]  # langchain is not checked
    """Cited answers to questions, as messages; streamed sentence by sentence.

    A message's text is the answer, or the refusal. What it rests on is in its
    ``response_metadata``: ``answer_id``, ``abstained``, ``reason``, ``citations``. Chunks of a
    stream add up to the message.

    Example::

        answer = Corpus.open("handbook").as_runnable(principals=["group:staff"])
        (answer | StrOutputParser()).invoke("Who may approve overtime?")
        for chunk in answer.stream("Who may approve overtime?"):
            print(chunk.content, end="")
    """

    def __init__(
        self,
        corpus: Any,
        principals: Sequence[Principal],
        where: Any = None,
        target: str | None = None,
        budget: Budget | None = None,
    ) -> None:
        self._corpus = corpus
        self._told = {
            "principals": tuple(principals),
            "where": where,
            "target": target,
            "budget": budget,
        }

    def invoke(self, input: str, config: RunnableConfig | None = None, **_: Any) -> AIMessage:  # noqa: A002
        """Answer a question; see `rag.corpus.Corpus.ask`."""

        def ask(question: str) -> AIMessage:
            return as_message(self._corpus.ask(question, **self._told))

        return self._call_with_config(ask, input, config)

    async def ainvoke(
        self,
        input: str,  # noqa: A002
        config: RunnableConfig | None = None,
        **_: Any,
    ) -> AIMessage:
        """Answer a question; cancelling the task stops the model's call."""

        async def ask(question: str) -> AIMessage:
            return as_message(await self._corpus.aask(question, **self._told))

        return await self._acall_with_config(ask, input, config)

    def stream(
        self,
        input: str,  # noqa: A002
        config: RunnableConfig | None = None,
        **_: Any,
    ) -> Iterator[AIMessageChunk]:
        """Yield the answer in pieces."""

        def pieces(questions: Iterator[str]) -> Iterator[AIMessageChunk]:
            for question in questions:
                with self._corpus.stream(question, **self._told) as events:
                    yield from filter(None, map(_chunk, events))

        yield from self._transform_stream_with_config(iter([input]), pieces, config)

    async def astream(
        self,
        input: str,  # noqa: A002
        config: RunnableConfig | None = None,
        **_: Any,
    ) -> AsyncIterator[AIMessageChunk]:
        """Yield the answer in pieces; closing the iterator stops the model's call."""

        async def questions() -> AsyncIterator[str]:
            yield input

        async def pieces(asked: AsyncIterator[str]) -> AsyncIterator[AIMessageChunk]:
            async for question in asked:
                async for event in self._corpus.astream(question, **self._told):
                    if (chunk := _chunk(event)) is not None:
                        yield chunk

        async for chunk in self._atransform_stream_with_config(questions(), pieces, config):
            yield chunk


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
            "modified": days.told(hit.modified),
            "score": hit.score,
        },
    )


def as_message(answer: Answer) -> AIMessage:
    """Return an answer as a LangChain message."""
    return AIMessage(
        content=str(answer.text), response_metadata=_metadata(answer), id=answer.answer_id
    )


def _chunk(event: Event) -> AIMessageChunk | None:
    """What an event adds to the message; a citation comes with `Done`, among all of them."""
    match event:
        case Token(text):
            return AIMessageChunk(content=str(text))
        case Done(answer):
            # A refusal's text stands for the answer where nothing was said before it.
            return AIMessageChunk(content="", response_metadata=_metadata(answer))
        case Refusal():
            from rag.asking.refusing import told

            return AIMessageChunk(content=str(told(event)))
        case Cited():
            return None


def _metadata(answer: Answer) -> dict[str, Any]:
    usage = answer.usage
    return {
        "answer_id": answer.answer_id,
        "abstained": answer.abstained,
        "reason": answer.refusal.kind if answer.refusal else "",
        "partial": answer.partial,
        "support": answer.support,
        "citations": [
            {
                "document": str(one.document),
                "document_id": one.document_id,
                "chunk": one.chunk,
                "quote": str(one.quote),
                "page": one.page,
                "section": [str(part) for part in one.section],
            }
            for one in answer.citations
        ],
        "model": usage.model,
        "usd": usage.usd,
        "seconds": usage.seconds,
    }
