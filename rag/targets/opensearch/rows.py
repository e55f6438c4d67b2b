"""Passages as OpenSearch documents ("rows", to tell them from the corpus's), and rows as hits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rag.records import Chunk, Hit, IndexedDocument
from rag.targets import rows as passages
from rag.targets.rows import searchable

COLUMNS = (
    *("chunk_id", "document_id", "position", "name", "title", "acl", "heading", "text", "tokens"),
    *("page", "section", "html", "kind", "media_type", "written"),
)
"""What a hit is made of: all but the vector and the words."""


def rows(document: IndexedDocument, written: int, layout: int) -> Iterator[dict[str, Any]]:
    """Yield a document's passages as they are stored.

    Args:
        written: When, in microseconds; all rows of one version have the same.
        layout: Of the index: see `mapping.LAYOUT`.
    """
    for chunk, vector in zip(document.chunks, _vectors(document), strict=True):
        yield {
            "chunk_id": chunk.id,
            "document_id": document.id,
            "digest": document.digest,
            "written": written,
            "name": document.name,
            "media_type": document.media_type,
            "kind": chunk.kind,
            "acl": document.acl,
            "position": chunk.position,
            "page": chunk.page,
            "tokens": chunk.tokens,
            "title": document.title,
            "heading": chunk.heading,
            "text": chunk.text,
            "section": chunk.section,
            "html": chunk.html,
            **_words(document, chunk, layout),
            "vector": vector,
        }


def _words(document: IndexedDocument, chunk: Chunk, layout: int) -> dict[str, str]:
    if layout == 1:
        return {"words": searchable(chunk.embedded_text)}
    return {
        "title_words": searchable(document.title),
        "heading_words": searchable(chunk.heading),
        "text_words": searchable(chunk.text),
    }


def _vectors(document: IndexedDocument) -> Any:
    import numpy as np

    return np.ascontiguousarray(document.vectors, np.float32)


def as_hit(row: Mapping[str, Any], score: float) -> Hit:
    """Return a stored passage as a hit: only two columns have other names than elsewhere."""
    named = {**row, "id": row["chunk_id"], "document": row["name"]}
    vector = None
    if "vector" in row:
        import numpy as np

        vector = np.asarray(row["vector"], np.float32)
    values = [named[column] for column in passages.COLUMNS]
    return passages.as_hit(*values, score=score, vector=vector)
