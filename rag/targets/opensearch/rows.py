"""Passages as OpenSearch documents ("rows", to tell them from the corpus's), and rows as hits."""

from __future__ import annotations

from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rag.records import Chunk, Hit, IndexedDocument
from rag.retrieve.candidates import Candidate
from rag.targets import rows as passages
from rag.targets.rows import searchable

if TYPE_CHECKING:
    import numpy

COLUMNS = (
    *("chunk_id", "document_id", "position", "name", "title", "acl", "heading", "text", "tokens"),
    *("page", "section", "html", "kind", "media_type", "modified", "written"),
)
"""What a hit is made of: all but the vector and the words."""

FEW = ("chunk_id", "document_id", "acl", "modified", "written")
"""What a candidate is made of. A leg's hundred texts take twice as long as all else in it."""


def wanted(layout: int, *, vectors: bool, texts: bool) -> dict[str, Any]:
    """Return what a search asks for of each passage, to make a candidate of it.

    Without texts that is columns, for which no stored document is unpacked.

    Args:
        layout: Of the index; it says where the vector is.
        vectors: Whether the candidate has its own.
        texts: Whether it is read at once.
    """
    own = [vector_column(layout)] if vectors else []
    if texts:
        return {"_source": [*COLUMNS, *own]}
    return {"_source": [*FEW, *own]} if layout < 4 else valued([*FEW, *own])


def valued(columns: Sequence[str], *, ids: bool = False) -> dict[str, Any]:
    """Return the request for columns, which cost less than stored documents with their vectors.

    Args:
        ids: OpenSearch's ids too. They are stored with the documents, each of which is unpacked
            for its id: a leg of 100 passages takes 4 ms longer then.
    """
    stored = {} if ids else {"stored_fields": "_none_"}
    return {"_source": False, "docvalue_fields": list(columns), **stored}


def row_of(hit: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a search told of a passage, in whichever way it was asked for."""
    if "_source" in hit:
        return hit["_source"]  # type: ignore[no-any-return]
    fields = hit["fields"]
    return {**{name: values[0] for name, values in fields.items()}, "acl": fields.get("acl", ())}


def vector_column(layout: int) -> str:
    """Return where a row has its vector to be read."""
    return "vector" if layout < 3 else "packed"


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
            **({"modified": document.modified} if layout >= 4 else {}),
            **_words(document, chunk, layout),
            "vector": vector,
            **({"packed": b64encode(vector.tobytes()).decode()} if layout >= 3 else {}),
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

    return np.ascontiguousarray(document.vectors, "<f4")


def candidate(row: Mapping[str, Any], score: float) -> Candidate:
    """Return a stored passage as a candidate, read if the row has its text."""
    read = as_hit(row) if "text" in row else None
    own = (row["chunk_id"], tuple(row["acl"]), vector_of(row), score)
    return Candidate(*own, modified=row.get("modified"), read=read)


def as_hit(row: Mapping[str, Any]) -> Hit:
    """Return a stored passage as a hit: only two columns have other names than elsewhere."""
    named = {"modified": None, **row, "id": row["chunk_id"], "document": row["name"]}
    return passages.as_hit(*(named[column] for column in passages.COLUMNS))


def vector_of(row: Mapping[str, Any]) -> numpy.ndarray | None:
    """Return a row's vector, float32 of shape (dimensions,), if it was read with one."""
    import numpy as np

    if "packed" in row:
        packed = row["packed"]
        padded = packed + "=" * (-len(packed) % 4)  # a column gives base64 without its padding
        return np.frombuffer(a2b_base64(padded), "<f4")
    return np.asarray(row["vector"], np.float32) if "vector" in row else None
