"""A model that many threads ask at once: its batches are spread over the cores, one a core.

For models that read much for one question. Who embeds documents has processes instead
(`rag.ingest.worker`), each with one thread.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from rag.models import embedded

if TYPE_CHECKING:
    import numpy

MOST = 8
"""Cores that one process uses."""


class Engine:
    """A compiled model.

    Args:
        model: As OpenVINO reads or builds it; its first output is what is asked for.
    """

    def __init__(self, model: Any) -> None:
        cores = min(MOST, _cores())
        self._compiled = embedded.compile_model(model, cores, NUM_STREAMS=cores)
        self._threads = ThreadPoolExecutor(cores, "engine")
        self._own = threading.local()

    def outputs(
        self, feeds: Iterable[tuple[list[int], embedded.Feed]]
    ) -> Iterator[tuple[list[int], numpy.ndarray]]:
        """Yield the places of each batch's texts and what the model makes of it, in their order.

        Who stops asking leaves the batches that have not begun undone.

        Args:
            feeds: Batches as `embedded.fed` makes them.
        """
        under_way = [(places, self._threads.submit(self._output, feed)) for places, feed in feeds]
        try:
            for places, one in under_way:
                yield places, one.result()
        finally:
            for _, one in under_way:
                one.cancel()

    def _output(self, feed: embedded.Feed) -> numpy.ndarray:
        if not hasattr(self._own, "request"):
            self._own.request = self._compiled.create_infer_request()
        found: numpy.ndarray = self._own.request.infer(feed, share_inputs=True)[0].copy()
        return found


def _cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
