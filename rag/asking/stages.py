"""The blocking steps of one question, each within what is left of its time."""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import Generic, TypeVar

from rag.budget import Budget, Limits, enter

T = TypeVar("T")

_SHARE, _LEAST, _MOST = 0.05, 0.03, 0.2
"""Of the time, what is kept for composing and recording what there is when the rest is over: so
much of it, but seconds enough to write, unless that is most of a short time."""


class TimeUp(Exception):
    """The budget's time is over, and the stage was given up."""


class Stopped(Exception):
    """Whoever asked does not listen any more."""


@dataclass(frozen=True, slots=True)
class _Outcome(Generic[T]):
    value: T | None = None
    error: BaseException | None = None


class Stages:
    """Runs stages under a budget.

    A stage that hangs cannot be ended from outside: it is left to its thread, unheard, and its
    calls to AWS end by the same limits. Without a limit of time, and where nobody may leave, a
    stage runs in the thread that asks.

    Args:
        budget: Limits what all stages spend; see `rag.budget.limits` inside them.
        leaving: Whether `stop` may be called while a stage runs.

    Attributes:
        limits: What is left.
        stopped: Whether whoever asked has left.
    """

    def __init__(self, budget: Budget, *, leaving: bool = False) -> None:
        # One context for all stages, so that a generator of one may go on in the next.
        self._context: Context = copy_context()
        self.limits: Limits = self._context.run(enter, budget)
        self._threads = leaving or self.limits.seconds_left() < math.inf
        seconds = budget.seconds or 0.0
        self._reserve = max(_SHARE * seconds, min(_LEAST, _MOST * seconds))
        self._outcomes: queue.SimpleQueue[_Outcome[object] | None] | None = None
        self.stopped = False

    def run(
        self,
        function: Callable[[], T],
        late: Callable[[], object] | None = None,
        *,
        seconds: float | None = None,
    ) -> T:
        """Return what `function` returns.

        Args:
            late: Called in the stage's thread when it ends after it was given up.
            seconds: That this stage may take, instead of what is left.

        Raises:
            TimeUp: It took too long.
            Stopped: `stop` was called.
        """
        if self.stopped and seconds is None:
            raise Stopped
        if not self._threads:
            return self._context.run(function)
        left = self.limits.seconds_left() - self._reserve if seconds is None else seconds
        if left <= 0:
            raise TimeUp
        outcomes: queue.SimpleQueue[_Outcome[T] | None] = queue.SimpleQueue()
        given_up = threading.Event()
        context = self._context

        def stage() -> None:
            try:
                outcome = _Outcome(context.run(function))
            except BaseException as error:
                outcome = _Outcome(error=error)
            outcomes.put(outcome)
            if given_up.is_set() and late is not None:
                late()

        self._outcomes = outcomes  # type: ignore[assignment]  # `stop` only puts None
        threading.Thread(target=stage, name="asking", daemon=True).start()
        try:
            found = outcomes.get(timeout=None if left == math.inf else left)
        except queue.Empty:
            found = None
        self._outcomes = None
        if found is None:
            given_up.set()
            self._context = context.copy()  # the stage may still stand in the other
            raise Stopped if self.stopped and seconds is None else TimeUp
        if found.error is not None:
            raise found.error
        return found.value  # type: ignore[return-value]  # there, as no error is

    def stop(self) -> None:
        """Give up on what runs, from any thread: no further stage begins."""
        self.stopped = True
        self.limits.stop()
        running = self._outcomes
        if running is not None:
            running.put(None)
