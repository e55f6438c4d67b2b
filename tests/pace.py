"""Speed that a test may ask for on any machine: how work grows, and what is slow each time."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

MORE = 4
MOST = 2.5 * MORE
TRIES = 5


def once(in_time: Callable[[], bool]) -> bool:
    """Return whether something was in time at least once: by design it would be late each time."""
    return any(in_time() for _ in range(TRIES))


def linear(work: Callable[[int], object], size: int) -> None:
    """Assert that four times as much work takes about four times as long; squared it takes sixteen.

    A machine that is busy with something else may spoil one comparison, but hardly five.

    Args:
        work: Is called with a size, a quarter of the last one first.
    """
    work(size // MORE)  # loads what is loaded once
    gc.disable()  # how long it walks depends on what other tests have left
    try:
        assert once(lambda: _seconds(work, size) <= MOST * _seconds(work, size // MORE))
    finally:
        gc.enable()


def _seconds(work: Callable[[int], object], size: int) -> float:
    began = time.process_time()
    work(size)
    return max(time.process_time() - began, 1e-4)
