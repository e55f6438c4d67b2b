"""A corpus that is asked in several processes, so that askers side by side have all cores.

In one process they wait for each other, though hardly for Python's lock: an index searches with
many threads that work for microseconds and then wait for a core which others of them have. A
process that is bound to a core of its own has that core's threads only (`bench/latency.py`).
"""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from rag.corpus import Corpus
from rag.threads import bind, cores

if TYPE_CHECKING:
    from rag.records import Answer, Hit

T = TypeVar("T")

_corpus: Corpus


class Askers:
    """Processes that answer questions of one corpus, one at a time each.

    Each loads models and opens the index when it starts, once; the index lies in memory once for
    all. What a call returns is a `concurrent.futures.Future`; coroutines await it by
    `asyncio.wrap_future`. To show an answer while it is made, stream it in the process itself.

    Example::

        with Askers("handbook") as askers:
            answers = [askers.ask(one, principals=["group:staff"]) for one in questions]
            print([answer.result().text for answer in answers])

    Args:
        corpus: Its name in ``corpora/`` or the path of its file, as for `Corpus.open`.
        processes: How many; by default one a core. More where a model elsewhere writes the
            answers, which is waited for: only the first so many are bound to a core.

    Raises:
        ConfigError: There is no such corpus, or its file is wrong.
    """

    def __init__(self, corpus: str | Path, processes: int | None = None) -> None:
        self._path = Corpus.open(corpus).loaded.path
        self._processes = processes or cores()
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = self._started()

    def search(self, question: str, **how: Any) -> Future[list[Hit]]:
        """See `Corpus.search`."""
        return self._submitted(_search, question, how)

    def ask(self, question: str, **how: Any) -> Future[Answer]:
        """See `Corpus.ask`."""
        return self._submitted(_ask, question, how)

    def close(self) -> None:
        """End the processes, when what they were asked is done."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool:
            pool.shutdown()

    def __enter__(self) -> Askers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _submitted(
        self, work: Callable[[str, dict[str, Any]], T], question: str, how: dict[str, Any]
    ) -> Future[T]:
        """Have a process do it.

        A process that was killed takes what all of them were doing with it (`BrokenProcessPool`);
        the next question starts new ones.
        """
        with self._lock:
            if self._pool is None:
                raise RuntimeError("the askers are closed")
            try:
                return self._pool.submit(work, question, how)
            except BrokenProcessPool:
                self._pool = self._started()
                return self._pool.submit(work, question, how)

    def _started(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")  # an index does not survive a fork
        numbers = context.Value("i", 0)
        return ProcessPoolExecutor(self._processes, context, _open, (str(self._path), numbers))


def _open(path: str, numbers: Any) -> None:
    global _corpus
    with numbers.get_lock():
        number, numbers.value = numbers.value, numbers.value + 1
    bind(number)
    _corpus = Corpus.open(Path(path))
    _corpus.warm(freeze=True)


def _search(question: str, how: dict[str, Any]) -> list[Hit]:
    return _corpus.search(question, **how)


def _ask(question: str, how: dict[str, Any]) -> Answer:
    return _corpus.ask(question, **how)
