"""How an index's vectors lie, so that a question is compared by what tells passages apart.

Vectors of one subject share a direction that says only what the subject is, and a few more that
most of them vary along. Taken out of the question, the rest decides: all-but-the-top (Mu,
Viswanath, ICLR 2018), here on the question's side alone, so that the index stays as it is and any
target's vector search can be asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    import numpy

    from rag.targets import Target

SAMPLE = 2000
"""Vectors that are looked at, evenly over the index."""
LEAST = 200
"""Vectors from which there is a spread: of fewer, what they share may be what is asked for."""
AXES = 2


@dataclass(frozen=True, slots=True)
class Spread:
    """Where the vectors of an index lie.

    Attributes:
        mean: float32 (dimensions,).
        axes: The directions along which they vary most, orthonormal, (`AXES`, dimensions).
        covariance: (dimensions, dimensions).
    """

    mean: numpy.ndarray
    axes: numpy.ndarray
    covariance: numpy.ndarray

    def centred(self, vectors: numpy.ndarray) -> numpy.ndarray:
        """Return vectors (…, dimensions) without what all share, L2-normalised again."""
        import numpy

        own = vectors - self.mean
        own = own - (own @ self.axes.T) @ self.axes
        lengths = numpy.linalg.norm(own, axis=-1, keepdims=True)
        return own / numpy.maximum(lengths, 1e-9)  # type: ignore[no-any-return]

    def standard(self, question: numpy.ndarray, products: numpy.ndarray) -> numpy.ndarray:
        """Return dot products with a question as standard deviations over the whole index's mean.

        Args:
            question: (dimensions,).
            products: Of passages' vectors with it, any shape.
        """
        import numpy

        deviation = numpy.sqrt(max(float(question @ self.covariance @ question), 1e-12))
        return (products - self.mean @ question) / deviation  # type: ignore[no-any-return]


def fit(vectors: numpy.ndarray) -> Spread | None:
    """Return how vectors (passages, dimensions) lie; None where they are too few to say.

    Theirs is the whole index, beyond what one asker may read, as the frequencies of words are.
    """
    import numpy

    if len(vectors) < LEAST:
        return None
    given = numpy.asarray(vectors, numpy.float32)
    mean = given.mean(axis=0)
    own = given - mean
    covariance = own.T @ own / len(own)
    _, directions = numpy.linalg.eigh(covariance)  # the largest last
    return Spread(mean, directions[:, -AXES:].T.copy(), covariance)


_kept: WeakKeyDictionary[Target, tuple[object, Spread | None]] = WeakKeyDictionary()


def of(target: Target) -> Spread | None:
    """Return how the vectors of a target lie now; fitted anew when it gives another sample."""
    sample = target.sample(SAMPLE)
    if sample is None:
        return None
    kept = _kept.get(target)
    if kept is None or kept[0] is not sample:
        kept = _kept[target] = (sample, fit(sample))
    return kept[1]


def as_vector(vector: Sequence[float]) -> numpy.ndarray:
    """Return an embedding as float32 (dimensions,)."""
    import numpy

    return numpy.asarray(vector, numpy.float32)
