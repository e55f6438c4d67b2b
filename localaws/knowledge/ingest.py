"""From a file or a text to passages with vectors."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localaws.knowledge import bases
from localaws.knowledge.chunks import pieces
from localaws.knowledge.index import Chunk, Document
from localaws.knowledge.records import Record
from localaws.knowledge.sidecar import Unusable
from localaws.knowledge.store import Store
from localaws.knowledge.text import EMPTY

TOO_LARGE = "as they exceeded the maximum file size of 50 MB."


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document with its passages, not embedded yet."""

    document: Document
    chunks: tuple[Chunk, ...]


def prepared(document: Document, text: str, source: Record) -> Prepared:
    """Cut a text into passages as its data source says.

    Raises:
        Unusable: There is no text.
    """
    found = pieces(text, _chunking(source))
    if not found:
        raise Unusable(EMPTY)
    chunks = tuple(
        Chunk(_name(document, place), one.text, one.shown) for place, one in enumerate(found)
    )
    return Prepared(document, chunks)


def embed_and_keep(store: Store, base: Record, batch: Sequence[Prepared]) -> None:
    """Embed the passages of a batch in one go; each document is then replaced whole."""
    from localaws.models.embedding import embed

    texts = [
        f"{one.document.embedded}\n{chunk.text}" if one.document.embedded else chunk.text
        for one in batch
        for chunk in one.chunks
    ]
    if not texts:
        return
    model, dimensions = bases.embedding(base)
    vectors = embed(model, texts, dimensions)
    at = 0
    for one in batch:
        store.replace(base["id"], one.document, one.chunks, vectors[at : at + len(one.chunks)])
        at += len(one.chunks)


def fingerprint(*parts: str | bytes) -> str:
    """Return a version of what has none of its own."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def _chunking(source: Record) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = source.get("vectorIngestionConfiguration", {}).get(
        "chunkingConfiguration"
    )
    return found


def _name(document: Document, place: int) -> str:
    """A passage's id: the same for the same document, version and place."""
    digest = fingerprint(document.source, document.name, document.version, str(place))
    return f"1%3A0%3A{digest[:20]}"
