"""One thread a process: workers run side by side, one for each core. How many those are."""

from __future__ import annotations

import os
import sys

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Environment of a process whose matrices are multiplied on one thread."""


def one_thread() -> None:
    """Have numpy use one thread in this process, unless it is loaded or told otherwise.

    The matrices of the model that reads names are small: threads mostly wait for each other
    (twelve times the processor time on two busy cores).
    """
    if "numpy" not in sys.modules:
        for variable, value in ONE_THREAD.items():
            os.environ.setdefault(variable, value)


def bind(first: int, count: int = 1) -> None:
    """Bind this process to so many of its cores from that one on, if there are and it can be done.

    Args:
        first: From 0.
    """
    if hasattr(os, "sched_setaffinity"):
        every = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, every[first : first + count] or every)


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
