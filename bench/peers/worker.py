"""LangChain's and LlamaIndex's default hybrid retrieval; runs in an environment of their own.

    python worker.py FOLDER

Reads ``chunks.jsonl`` ({id, document, text}), ``queries.jsonl`` ({id, text}) and ``vectors.npz``
(chunks, queries: float32, one row each); writes ``LIBRARY.json``: query id to document ids.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

DEPTH = 100


def lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def langchain(chunks: list[Any], queries: list[Any], known: dict[str, list[float]]) -> Any:
    from langchain_classic.retrievers import EnsembleRetriever
    from langchain_community.retrievers import BM25Retriever
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings
    from langchain_core.vectorstores import InMemoryVectorStore

    class Known(Embeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [known[text] for text in texts]

        def embed_query(self, text: str) -> list[float]:
            return known[text]

    documents = [
        Document(page_content=one["text"], id=one["id"], metadata={"document": one["document"]})
        for one in chunks
    ]
    words = BM25Retriever.from_documents(documents)
    words.k = DEPTH
    store = InMemoryVectorStore.from_documents(documents, Known())
    vectors = store.as_retriever(search_kwargs={"k": DEPTH})
    both = EnsembleRetriever(retrievers=[words, vectors], weights=[0.5, 0.5])
    return lambda text: [one.metadata["document"] for one in both.invoke(text)]


def llamaindex(chunks: list[Any], queries: list[Any], known: dict[str, list[float]]) -> Any:
    from llama_index.core import VectorStoreIndex
    from llama_index.core.embeddings import BaseEmbedding
    from llama_index.core.llms import MockLLM
    from llama_index.core.retrievers import QueryFusionRetriever
    from llama_index.core.schema import TextNode
    from llama_index.retrievers.bm25 import BM25Retriever

    class Known(BaseEmbedding):
        def _get_query_embedding(self, query: str) -> list[float]:
            return known[query]

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return known[query]

        def _get_text_embedding(self, text: str) -> list[float]:
            return known[text]

    nodes = [
        TextNode(
            id_=one["id"],
            text=one["text"],
            embedding=known[one["text"]],
            metadata={"document": one["document"]},
            excluded_embed_metadata_keys=["document"],
            excluded_llm_metadata_keys=["document"],
        )
        for one in chunks
    ]
    index = VectorStoreIndex(nodes, embed_model=Known())
    legs = [
        index.as_retriever(similarity_top_k=DEPTH),
        BM25Retriever.from_defaults(nodes=nodes, similarity_top_k=min(DEPTH, len(nodes))),
    ]
    both = QueryFusionRetriever(
        legs,
        llm=MockLLM(),
        mode="reciprocal_rerank",
        num_queries=1,
        similarity_top_k=2 * DEPTH,
        use_async=False,
    )
    return lambda text: [one.node.metadata["document"] for one in both.retrieve(text)]


def main() -> None:
    folder = Path(sys.argv[1])
    chunks, queries = lines(folder / "chunks.jsonl"), lines(folder / "queries.jsonl")
    vectors = np.load(folder / "vectors.npz")
    known = {
        one["text"]: row.tolist()
        for some, rows in ((chunks, vectors["chunks"]), (queries, vectors["queries"]))
        for one, row in zip(some, rows, strict=True)
    }
    for make in (langchain, llamaindex):
        ask = make(chunks, queries, known)
        began = time.perf_counter()
        found = {one["id"]: list(dict.fromkeys(ask(one["text"]))) for one in queries}
        seconds = (time.perf_counter() - began) / max(1, len(queries))
        told = {"rankings": found, "seconds": seconds}
        (folder / f"{make.__name__}.json").write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
