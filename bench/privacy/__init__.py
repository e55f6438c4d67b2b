"""Measures detection of personal data on one thread: see `docs/privacy.md`."""

import os

# Before numpy is loaded: its threads wait for each other where cores are busy, and "a core" is one.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
