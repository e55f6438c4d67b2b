"""A model that many threads ask at once: its batches are spread over the cores, one a core.

For models that read much for one question. Who embeds documents has processes instead
(`rag.ingest.worker`), each with one thread.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from rag.models import embedded
from rag.threads import cores

if TYPE_CHECKING:
    import numpy

MOST = 8
"""Cores that one process uses."""


class Engine:
    """A model that is compiled when it is first asked, and once more in a forked process.

    Args:
        build: Returns it as OpenVINO reads or builds it; its first output is what is asked for.
    """

    def __init__(self, build: Callable[[], Any]) -> None:
        self._build = build
        self._forget()
        if hasattr(os, "register_at_fork"):  # threads do not come along
            os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        # A fork's copies cannot be taken down there: they are left lying.
        self._left = self.__dict__.copy()
        self._lock, self._own = threading.Lock(), threading.local()
        self._compiled: Any = None

    def _ready(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._compiled is None:
                used = min(MOST, cores())
                self._threads = ThreadPoolExecutor(used, "engine")
                self._compiled = embedded.compile_model(self._build(), used, NUM_STREAMS=used)
        return self._threads

    def outputs(
        self, feeds: Iterable[tuple[list[int], embedded.Feed]]
    ) -> Iterator[tuple[list[int], numpy.ndarray]]:
        """Yield the places of each batch's texts and what the model makes of it, in their order.

        Who stops asking leaves the batches that have not begun undone.

        Args:
            feeds: Batches as `embedded.fed` makes them.
        """
        threads = self._ready()
        under_way = [(places, threads.submit(self._output, feed)) for places, feed in feeds]
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
