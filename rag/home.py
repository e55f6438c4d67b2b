"""Where state lives: ledger, embedded index, working store, caches, keys."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """Return the state folder, made on first use and readable by its owner only.

    ``SLUICE_HOME``, else the platform's user data folder.
    """
    configured = os.environ.get("SLUICE_HOME")
    if configured:
        folder = Path(configured).expanduser().resolve()
    else:
        from platformdirs import user_data_path

        folder = user_data_path("sluice", appauthor=False)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
