"""Passages as rows of a table, and rows as hits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from rag.masked.stored import stored
from rag.privacy.pseudonym import MASK
from rag.records import Chunk, Hit, IndexedDocument

if TYPE_CHECKING:
    import numpy
    import pyarrow as pa

COLUMNS = (
    *("id", "document_id", "position", "document", "title", "acl", "heading", "text"),
    *("tokens", "page", "section", "html", "kind", "media_type", "modified"),
)
"""What a hit is made of."""


def searchable(text: str) -> str:
    """`text` as it is indexed and asked for: a pseudonym becomes one word.

    The tokenizer would cut ``PERSON_yafx2q4g`` at the underscore and match every person. The
    digit at the end keeps the stemmer off.
    """
    return MASK.sub(lambda m: m[0] if m[0][0] == "<" else m[0].replace("_", "") + "0", text)


def schema(dimensions: int) -> pa.Schema:
    import pyarrow as pa

    text = pa.string()
    return pa.schema(
        {
            "id": text,
            "document_id": text,
            "digest": text,
            "position": pa.int32(),
            "document": text,
            "title": text,
            "media_type": text,
            "acl": pa.list_(text),
            "heading": text,
            "text": text,
            "words": text,
            "tokens": pa.int32(),
            "page": pa.int32(),
            "section": pa.list_(text),
            "html": text,
            "kind": text,
            "modified": pa.int32(),
            "vector": pa.list_(pa.float32(), dimensions),
        }
    )


def as_rows(documents: Sequence[IndexedDocument], dimensions: int) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    pairs = [(document, chunk) for document in documents for chunk in document.chunks]
    vectors = np.concatenate([np.asarray(d.vectors, np.float32) for d in documents])
    columns: dict[str, Any] = {
        "id": [c.id for _, c in pairs],
        "document_id": [d.id for d, _ in pairs],
        "digest": [d.digest for d, _ in pairs],
        "position": [c.position for _, c in pairs],
        "document": [d.name for d, _ in pairs],
        "title": [d.title for d, _ in pairs],
        "media_type": [d.media_type for d, _ in pairs],
        "acl": [list(d.acl) for d, _ in pairs],
        "heading": [c.heading for _, c in pairs],
        "text": [c.text for _, c in pairs],
        "words": [searchable(c.embedded_text) for _, c in pairs],
        "tokens": [c.tokens for _, c in pairs],
        "page": [c.page for _, c in pairs],
        "section": [list(c.section) for _, c in pairs],
        "html": [c.html for _, c in pairs],
        "kind": [c.kind for _, c in pairs],
        "modified": [d.modified for d, _ in pairs],
        "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), dimensions),
    }
    return pa.table(columns, schema=schema(dimensions))


def replaced(rows: pa.Table, column: str, values: Sequence[object]) -> pa.Table:
    import pyarrow as pa

    field = rows.schema.field(column)
    place = rows.schema.get_field_index(column)
    return rows.set_column(place, field, pa.array(values, field.type))


def as_hits(rows: pa.Table | pa.RecordBatch) -> list[Hit]:
    """Rows with the columns that a hit is made of as hits, without scores.

    A table that was made before there were days has none.
    """
    there = rows.schema.names
    columns = [
        rows.column(name).to_pylist() if name in there else [None] * rows.num_rows
        for name in COLUMNS
    ]
    return [as_hit(*values) for values in zip(*columns, strict=True)]


def written(rows: pa.RecordBatch) -> list[str]:
    """Rows as one text each: a JSON list of what a hit is made of."""
    columns = [rows.column(name).to_pylist() for name in COLUMNS]
    return [json.dumps(values, ensure_ascii=False) for values in zip(*columns, strict=True)]


def read(text: str) -> Hit:
    """A text of `written` as a hit, without a score."""
    return as_hit(*json.loads(text))


def vectors(rows: pa.Table) -> numpy.ndarray:
    """The vectors of rows, float32 (rows, dimensions)."""
    import numpy

    column = rows.column("vector")
    flat = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks]
    joined = numpy.concatenate(flat) if flat else numpy.zeros(0, numpy.float32)
    return joined.reshape(-1, column.type.list_size)


def as_hit(
    id: str,  # noqa: A002
    document_id: str,
    position: int,
    document: str,
    title: str,
    acl: Sequence[str],
    heading: str,
    text: str,
    tokens: int,
    page: int | None,
    section: Sequence[str],
    html: str,
    kind: Literal["text", "table"],
    media_type: str,
    modified: int | None,
) -> Hit:
    """Values in the order of `COLUMNS` as a hit, without a score."""
    return Hit(
        Chunk(
            id,
            document_id,
            position,
            stored(heading),
            stored(text),
            tokens,
            page,
            tuple(stored(part) for part in section),
            stored(html),
            kind,
        ),
        stored(document),
        0.0,
        stored(title),
        tuple(acl),
        {},
        media_type,
        modified,
    )
