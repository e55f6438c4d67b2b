"""One thread a process: workers run side by side, one for each core."""

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
