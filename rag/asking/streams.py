"""The events of a question, as an iterator for threads and for coroutines."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from types import TracebackType
from typing import Self

from rag.asking.stages import Stages, Stopped
from rag.budget import Budget
from rag.records import Event


class Stream:
    """An iterator of events, which may be closed from any thread: then the model's call stops.

    The last event is `rag.records.Done`.

    Args:
        begin: Stages to the events.
        budget: Of the whole.
        leaving: Whether `close` may come from another thread while the next event is waited for.
    """

    def __init__(
        self,
        begin: Callable[[Stages], Iterator[Event]],
        budget: Budget,
        *,
        leaving: bool = False,
    ) -> None:
        self._stages = Stages(budget, leaving=leaving)
        self._events = begin(self._stages)
        self._running = threading.Lock()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        with self._running:
            try:
                return next(self._events)
            except Stopped:
                raise StopIteration from None

    def close(self) -> None:
        """End it where it is; what was shown is recorded."""
        if self._running.acquire(blocking=False):
            try:
                self._events.close()  # type: ignore[attr-defined]  # a generator
            finally:
                self._running.release()
        else:
            self._stages.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


async def as_they_come(make: Callable[[], Stream]) -> AsyncGenerator[Event, None]:
    """Yield the events of a stream, whose work is done in threads.

    A task that is cancelled, or an iterator that is closed, closes the stream.

    Args:
        make: A stream that may be closed while it runs.
    """
    stream = make()
    try:
        while (event := await asyncio.to_thread(next, stream, None)) is not None:
            yield event
    finally:
        await asyncio.shield(asyncio.to_thread(stream.close))
