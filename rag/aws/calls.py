"""Calls to a service: bounded, patient, and never for longer than they may take."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from rag.aws import forget_clients
from rag.aws.faults import Fault, failed, fault, refused
from rag.aws.limits import Breaker, Limiter
from rag.budget import limits
from rag.errors import ServiceFailed

T = TypeVar("T")
R = TypeVar("R")

_STOPPED: ContextVar[threading.Event | None] = ContextVar("stopped", default=None)
"""Set when the calls side by side with this one are given up."""

FIRST_WAIT = 0.1
"""Seconds that the first retry waits at most; doubled with each, up to `LONGEST_WAIT`."""
LONGEST_WAIT = 10.0


@dataclass(frozen=True, slots=True)
class Clock:
    """Where time and chance come from.

    Attributes:
        now: Seconds, never going back.
        sleep: Waits so many seconds.
        random: 0 to 1.
    """

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random


@dataclass(slots=True)
class _Shared:
    """What the threads of one process share."""

    limiter: Limiter
    breaker: Breaker
    free: threading.Condition = field(default_factory=threading.Condition)
    process: int = field(default_factory=os.getpid)


class Calls:
    """All calls to one model or service from this process.

    Throttled calls, faults of the service and broken connections are tried again: after a random
    wait (full jitter, as in AWS's "Exponential backoff and jitter"), within the deadline. A
    refusal is not. A service that keeps failing is left alone for a while, and calls fail at once.

    Example::

        calls = Calls("Bedrock cohere.embed-english-v3", concurrency=8, deadline_seconds=120)
        vectors = calls.map(embed, batches)

    Args:
        name: Of the service and what is called there, for error messages.
        concurrency: Most calls under way; fewer while the service throttles.
        deadline_seconds: For one call with its waits and retries, where the running budget leaves
            so much. It holds: an attempt that has not ended by then is left to end by itself,
            unheard.
        clock: For tests.
    """

    def __init__(
        self,
        name: str,
        concurrency: int = 8,
        deadline_seconds: float = 120.0,
        *,
        clock: Clock | None = None,
    ) -> None:
        self.name = name
        self.concurrency = concurrency
        self.deadline_seconds = deadline_seconds
        self._clock = clock or Clock()
        self._shared = self._fresh()

    def __call__(self, function: Callable[[], R]) -> R:
        """Return what `function` returns, called as often as it takes.

        Args:
            function: Makes one call with a client that it gets anew each time from
                `rag.aws.client` (expired credentials are renewed by dropping the clients).

        Raises:
            ServiceFailed: The service did not answer within the deadline, or is known to be down.
            ServiceRefused: It will not do this.
        """
        until = self._clock.now() + min(self.deadline_seconds, limits().seconds_left())
        stopped = _STOPPED.get()
        last: Fault | None = None
        tries = 0
        renewed = False
        while not (stopped and stopped.is_set()):
            self._admit(until, last)
            attempt = self._attempt(function, until, last)
            if attempt.error is None:
                return attempt.value  # type: ignore[return-value]  # there, as no error is
            if attempt.fault is None:
                raise attempt.error
            last = attempt.fault
            tries += 1
            if last.kind == "expired" and not renewed:
                forget_clients()
                renewed = True
            elif last.kind in ("expired", "refused"):
                raise refused(self.name, last) from None
            else:
                self._wait(tries, until, last)
        raise failed(self.name, last or Fault("failed", "stopped", hint="Try again."))

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Return `function` of each item, in order; as many side by side as the service bears.

        Raises:
            ServiceFailed, ServiceRefused: One of them could not be had; no others are begun.
        """
        return side_by_side(lambda item: self(lambda: function(item)), items, self.concurrency)

    @property
    def _state(self) -> _Shared:
        """This process's; a forked child starts anew, for its parent's locks may be held."""
        if self._shared.process != os.getpid():
            self._shared = self._fresh()
        return self._shared

    def _fresh(self) -> _Shared:
        return _Shared(Limiter(self.concurrency), Breaker())

    def _admit(self, until: float, last: Fault | None) -> None:
        """Wait until a call may start; the place taken is given back by `_attempt`."""
        state = self._state
        with state.free:
            while True:
                now = self._clock.now()
                if now >= until:
                    raise self._late(last)
                if state.breaker.rests(now):
                    down = last or Fault("failed", "no answer", hint="Try again in a minute.")
                    raise failed(self.name, down, ", several times in a row")
                pause = state.limiter.start(now)
                if pause is not None:
                    break
                state.free.wait(until - now)
            if now + pause >= until:
                state.limiter.leave()
                raise self._late(last)
            state.breaker.started()
        if pause:
            self._clock.sleep(pause)

    def _attempt(self, function: Callable[[], R], until: float, last: Fault | None) -> _Attempt[R]:
        """Call once, in a thread of its own: the deadline holds whatever the socket does.

        Where it does not end in time, what the attempt before it failed of says more than that.
        """
        state = self._state
        attempt = _Attempt(function)

        def run() -> None:
            attempt.run()
            self._learn(state, attempt)

        threading.Thread(
            target=copy_context().run, args=(run,), name=f"call {self.name}", daemon=True
        ).start()
        if not attempt.done.wait(max(0.0, until - self._clock.now())):
            if last is not None:
                raise self._late(last)
            raise failed(self.name, Fault("failed", "no answer in time", hint="Try again later."))
        return attempt

    def _learn(self, state: _Shared, attempt: _Attempt[R]) -> None:
        now = self._clock.now()
        kind = attempt.fault.kind if attempt.fault else ""
        with state.free:
            state.limiter.end(now, throttled=kind == "throttled")
            if kind == "failed":
                state.breaker.failed(now)
            else:
                state.breaker.succeeded()
            state.free.notify_all()
        attempt.done.set()

    def _wait(self, tries: int, until: float, last: Fault) -> None:
        longest = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(tries - 1, 20))
        pause = self._clock.random() * longest
        if self._clock.now() + pause >= until:
            raise self._late(last)
        self._clock.sleep(pause)

    def _late(self, last: Fault | None) -> ServiceFailed:
        what = last or Fault("failed", "no free place", hint="Raise aws.deadline_seconds.")
        return failed(self.name, what, f", for {self.deadline_seconds:g} seconds")


def side_by_side(function: Callable[[T], R], items: Iterable[T], most: int) -> list[R]:
    """Return `function` of each item, in order, from up to `most` threads.

    When one raises, no others are begun, calls to services in those under way are not tried again,
    and its error is raised.
    """
    todo = list(items)
    if len(todo) <= 1 or most == 1:
        return [function(item) for item in todo]
    stopped = threading.Event()

    def one(item: T) -> R:
        _STOPPED.set(stopped)
        return function(item)

    with ThreadPoolExecutor(min(most, len(todo))) as pool:
        begun = [pool.submit(copy_context().run, one, item) for item in todo]
        try:
            ended, _ = wait(begun, return_when=FIRST_EXCEPTION)
            for done in begun:
                if done in ended:
                    done.result()  # raises, if this is the one
            return [done.result() for done in begun]
        except BaseException:
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@dataclass(slots=True)
class _Attempt(Generic[R]):
    function: Callable[[], R]
    value: R | None = None
    error: BaseException | None = None
    fault: Fault | None = None
    done: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        try:
            self.value = self.function()
        except BaseException as error:
            self.error = error
            self.fault = fault(error)
