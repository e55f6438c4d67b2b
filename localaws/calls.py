"""How many calls came, so that a test can compare those made with those needed."""

from __future__ import annotations

import threading
from collections import Counter


class Calls:
    """Counts by service, operation, model (or endpoint) and status; threads may share it.

    A status is the HTTP status of a result (``200``), an error's code, ``reset`` where the
    connection was reset, or ``disconnected`` where the client went away.

    Attributes:
        era: How often all was forgotten: a call is counted in the era in which it came, however
            late it ends.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str, str, str]] = Counter()
        self.era = 0

    def add(self, service: str, operation: str, model: str, status: str, era: int) -> None:
        """Count one; what was refused before it was known has an empty service and operation.

        Args:
            era: In which it came; one that is over counts no more.
        """
        with self._lock:
            if era != self.era:
                return
            self._counts[service, operation, model, status] += 1

    def told(self) -> list[dict[str, str | int]]:
        """Return ``{service, operation, model, status, count}`` for each that came."""
        with self._lock:
            counts = sorted(self._counts.items())
        return [
            {
                "service": service,
                "operation": operation,
                "model": model,
                "status": status,
                "count": count,
            }
            for (service, operation, model, status), count in counts
        ]

    def forget(self) -> None:
        """Count from zero, without what is being answered."""
        with self._lock:
            self._counts.clear()
            self.era += 1
