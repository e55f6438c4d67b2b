"""Small documents to index."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rag.records import Chunk, Hit, IndexedDocument, Principal
from rag.retrieve.candidates import Candidate
from rag.targets import Target
from tests.masked import masked

DIMENSIONS = 8


def make(
    name: str,
    *texts: str,
    acl: tuple[str, ...] = ("group:staff",),
    version: str = "1",
    media_type: str = "text/plain",
    kind: str = "text",
    modified: int | None = None,
) -> IndexedDocument:
    """A document of one chunk a text; its embeddings depend on the texts alone."""
    chunks = tuple(
        Chunk(
            id=f"{name}-{version}-{position}",
            document_id=name,
            position=position,
            heading=masked("Heading"),
            text=masked(text),
            tokens=len(text.split()),
            page=position + 1,
            section=(masked("Heading"),),
            kind=kind,  # type: ignore[arg-type]
        )
        for position, text in enumerate(texts)
    )
    vectors = np.stack([vector(text) for text in texts]) if texts else np.zeros((0, DIMENSIONS))
    return IndexedDocument(
        id=name,
        name=masked(f"{name}.txt"),
        title=masked("Title"),
        media_type=media_type,
        digest=version,
        acl=acl,
        chunks=chunks,
        vectors=vectors.astype(np.float32),
        modified=modified,
    )


def vector(text: str) -> np.ndarray:
    seed = int.from_bytes(text.encode()[:8].ljust(8, b"\0"), "little")
    drawn = np.random.default_rng(seed).standard_normal(DIMENSIONS)
    return drawn / np.linalg.norm(drawn)


def told(target: Target, found: Sequence[Candidate], *asker: Principal) -> list[Hit]:
    """What was found, read."""
    return [one.hit for one in target.read(found, asker or ("group:staff",))]
