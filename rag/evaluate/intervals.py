"""How sure a figure is: intervals by bootstrap, tests of two configurations on the same queries.

Efron, Tibshirani: An Introduction to the Bootstrap, 1993 (percentile interval). Smucker, Allan,
Carterette: A Comparison of Statistical Significance Tests for Information Retrieval Evaluation,
CIKM 2007 (paired randomisation). All is seeded: the same values give the same figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy

    Numbers = Sequence[float] | numpy.ndarray

RESAMPLES = 10_000
LEVEL = 0.95
SIGNIFICANT = 0.05
"""A p value from here on says nothing against chance."""

_SEED = 8
_CELLS = 4_000_000
"""Numbers drawn at a time: some 32 MB."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95 % interval, over `n` values; without values all is 0."""

    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Ours less theirs over the same `n` queries, with the 95 % interval of the mean.

    Attributes:
        p: Of the two-sided paired randomisation test: how often chance alone, swapping the two
            query by query, gives a difference so large. Never 0, at least 1 / (resamples + 1).
    """

    mean: float
    low: float
    high: float
    p: float
    n: int

    @property
    def significant(self) -> bool:
        """Whether chance is an unlikely reason (p under 0.05)."""
        return self.p < SIGNIFICANT

    @property
    def none(self) -> bool:
        """Whether no query went otherwise."""
        return self.mean == self.low == self.high == 0


def estimate(values: Numbers, *, resamples: int = RESAMPLES, seed: int = _SEED) -> Estimate:
    """Return the mean and its percentile bootstrap interval.

    Args:
        values: One a query, (queries,).
    """
    import numpy

    given = numpy.asarray(values, numpy.float64)
    if not given.size:
        return Estimate(0.0, 0.0, 0.0, 0)
    means = numpy.concatenate(list(_resampled(given, resamples, seed)))
    low, high = _percentiles(means)
    return Estimate(float(given.mean()), low, high, given.size)


def compare(
    ours: Numbers, theirs: Numbers, *, resamples: int = RESAMPLES, seed: int = _SEED
) -> Difference:
    """Test two configurations on the same queries.

    Args:
        ours, theirs: One value a query, in the same order, (queries,).

    Raises:
        ValueError: They are not equally many.
    """
    import numpy

    first = numpy.asarray(ours, numpy.float64)
    second = numpy.asarray(theirs, numpy.float64)
    if first.shape != second.shape:
        raise ValueError("two configurations are compared on the same queries")
    change = first - second
    if not change.size:
        return Difference(0.0, 0.0, 0.0, 1.0, 0)
    interval = estimate(change, resamples=resamples, seed=seed)
    # What did not change has no sign to swap. The tolerance is of sums in another order.
    moved = change[change != 0]
    seen = abs(float(moved.sum())) * (1 - 1e-9)
    as_large = sum(
        int((numpy.abs(sums) >= seen).sum()) for sums in _swapped(moved, resamples, seed)
    )
    p = (1 + as_large) / (1 + resamples)
    return Difference(interval.mean, interval.low, interval.high, min(1.0, p), change.size)


def auc(positive: Numbers, negative: Numbers, *, resamples: int = 2_000) -> Estimate:
    """Return the area under the ROC curve: how often a positive's score is over a negative's.

    Ties count half (Mann-Whitney). Both sides are drawn anew for the interval.

    Args:
        positive, negative: Scores, (positives,) and (negatives,); of an empty side the area is
            0.5, and nothing is known.
    """
    import numpy

    over, under = numpy.asarray(positive), numpy.asarray(negative)
    if not (over.size and under.size):
        return Estimate(0.5, 0.0, 1.0, 0)
    won = (over[:, None] > under) + 0.5 * (over[:, None] == under)
    won = won.astype(numpy.float32)
    draw = numpy.random.default_rng(_SEED)
    areas = []
    for rows in _parts(resamples, max(over.size, under.size)):
        first = draw.multinomial(over.size, numpy.full(over.size, 1 / over.size), rows)
        second = draw.multinomial(under.size, numpy.full(under.size, 1 / under.size), rows)
        found = ((first.astype(numpy.float32) @ won) * second).sum(axis=1)
        areas.append(found / (over.size * under.size))
    low, high = _percentiles(numpy.concatenate(areas))
    return Estimate(float(won.mean(dtype=numpy.float64)), low, high, over.size + under.size)


def _resampled(values: numpy.ndarray, resamples: int, seed: int) -> Iterator[numpy.ndarray]:
    """Yield means of values drawn with replacement."""
    import numpy

    draw = numpy.random.default_rng(seed)
    for rows in _parts(resamples, values.size):
        places = draw.integers(0, values.size, (rows, values.size), dtype=numpy.int32)
        yield values[places].mean(axis=1)


def _swapped(change: numpy.ndarray, resamples: int, seed: int) -> Iterator[numpy.ndarray]:
    """Yield sums of the changes with signs by chance."""
    import numpy

    draw = numpy.random.default_rng(seed)
    for rows in _parts(resamples, max(change.size, 1)):
        kept = draw.integers(0, 2, (rows, change.size), dtype=numpy.int8)
        yield 2 * (kept @ change) - change.sum()


def _parts(resamples: int, size: int) -> Iterator[int]:
    rows = max(1, _CELLS // size)
    for start in range(0, resamples, rows):
        yield min(rows, resamples - start)


def _percentiles(found: numpy.ndarray) -> tuple[float, float]:
    import numpy

    tail = 100 * (1 - LEVEL) / 2
    low, high = numpy.percentile(found, [tail, 100 - tail])
    return float(low), float(high)
