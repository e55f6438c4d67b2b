"""What a service calls vectors, checked and made unit length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.errors import ServiceFailed, ServiceRefused

if TYPE_CHECKING:
    import numpy


def normalised(
    rows: Sequence[Sequence[float]], texts: int, dimensions: int, name: str
) -> numpy.ndarray:
    """Return `rows` as float32 of shape (texts, dimensions), each of length 1.

    Args:
        name: Of the service, for its errors.

    Raises:
        ServiceFailed: There are too few or too many, or one is no vector at all.
        ServiceRefused: They have another number of dimensions.
    """
    import numpy

    if not rows and not texts:
        return numpy.zeros((0, dimensions), numpy.float32)
    sizes = {len(row) for row in rows}
    if len(rows) == texts and len(sizes) == 1 and sizes != {dimensions}:
        raise ServiceRefused(
            f"{name} gives vectors of {sizes.pop()} dimensions, not {dimensions}.",
            "Set embed.dimensions to what the model gives.",
        )
    if len(rows) != texts or len(sizes) != 1:
        raise ServiceFailed(f"{name} gave {len(rows)} vectors for {texts} texts.", "Try again.")
    try:
        wide = numpy.asarray(rows, numpy.float64)
    except (TypeError, ValueError):
        wide = numpy.full((texts, dimensions), numpy.nan)
    lengths = numpy.linalg.norm(wide, axis=1, keepdims=True)
    if not numpy.isfinite(lengths).all() or not (lengths > 0).all():
        raise ServiceFailed(f"{name} gave something that is no vector.", "Try again.")
    unit: numpy.ndarray = (wide / lengths).astype(numpy.float32)
    return unit
