"""Vectors for every embedding model of the catalogue, from the one embedded model.

Real meanings, so that search over them behaves. Each family turns the 384 dimensions into those
asked for with a rotation of its own: vectors of two models do not compare, as in Bedrock. Into
more dimensions the rotation keeps every cosine; into fewer it is a projection, and cosines are
near those of the whole.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy

    from rag.masked import Masked
    from rag.models.embedded import MiniLM


_making = threading.Lock()


def embedded() -> MiniLM:
    """Return the embedded model, one for the process; it loads with the first text it embeds."""
    with _making:
        return _made()


@lru_cache(maxsize=1)
def _made() -> MiniLM:
    from rag.models.embedded import MiniLM

    return MiniLM(threads=2)


def count(texts: Sequence[str]) -> list[int]:
    """Return the tokens of each text, by the WordPiece tokenizer of the embedded model."""
    return embedded().count(texts)


def embed(model_id: str, texts: Sequence[str], dimensions: int | None = None) -> numpy.ndarray:
    """Return L2-normalised embeddings, float32, shape (texts, dimensions), in order.

    A text longer than the embedded model reads is read in windows, and gets their mean.

    Args:
        model_id: Of the catalogue; vectors of different models lie in different spaces.
        dimensions: By default the model's own default; 384 for a model that has none.
    """
    import numpy

    from localaws.models.catalogue import MODELS

    if dimensions is None:
        model = MODELS.get(model_id)
        dimensions = model.dimensions[0] if model and model.dimensions else 384
    if not texts:
        return numpy.zeros((0, dimensions), numpy.float32)
    own = meanings(texts)
    turned: numpy.ndarray = own @ _rotation(model_id, own.shape[1], dimensions)
    turned /= numpy.maximum(numpy.linalg.norm(turned, axis=1, keepdims=True), 1e-12)
    return turned


def meanings(texts: Sequence[str]) -> numpy.ndarray:
    """Return the embedded model's own vectors, with long texts read to their end."""
    import numpy

    from rag.masked.received import received

    model = embedded()
    windows: list[Masked] = []
    owners: list[int] = []
    for place, text in enumerate(texts):
        for window in _windows(text):
            windows.append(received(window))
            owners.append(place)
    vectors = model.embed(windows)
    if len(windows) == len(texts):
        return vectors
    summed = numpy.zeros((len(texts), vectors.shape[1]), numpy.float32)
    numpy.add.at(summed, owners, vectors)
    summed /= numpy.maximum(numpy.linalg.norm(summed, axis=1, keepdims=True), 1e-12)
    return summed


def _windows(text: str) -> list[str]:
    model = embedded()
    if len(text) <= model.max_tokens:  # a token has a character at least
        return [text]
    spans = model.offsets(text)
    size = model.max_tokens
    if len(spans) <= size:
        return [text]
    return [
        text[spans[at][0] : spans[min(at + size, len(spans)) - 1][1]]
        for at in range(0, len(spans), size)
    ]


@lru_cache(maxsize=16)
def _rotation(model_id: str, own: int, dimensions: int) -> numpy.ndarray:
    """A fixed matrix of shape (own, dimensions) with orthonormal rows, or columns where fewer."""
    import numpy

    seeded = numpy.random.default_rng(zlib.crc32(f"{model_id} {dimensions}".encode()))
    large, small = max(own, dimensions), min(own, dimensions)
    basis, _ = numpy.linalg.qr(seeded.standard_normal((large, small)))
    turned = basis.T if dimensions >= own else basis
    return numpy.ascontiguousarray(turned, numpy.float32)
