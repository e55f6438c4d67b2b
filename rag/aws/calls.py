"""Calls to a service: bounded, patient, and never for longer than they may take."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from rag.aws import forget_clients
from rag.aws.faults import Fault, failed, fault, refused
from rag.aws.limits import Breaker, Limiter
from rag.errors import ServiceFailed

T = TypeVar("T")
R = TypeVar("R")

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
        deadline_seconds: For one call with its waits and retries. It holds: an attempt that has
            not ended by then is left to end by itself, unheard.
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
        return self._call(function, threading.Event())

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Return `function` of each item, in order; as many side by side as the service bears.

        Raises:
            ServiceFailed, ServiceRefused: One of them could not be had; no others are begun.
        """
        todo = list(items)
        if len(todo) <= 1:
            return [self(lambda: function(item)) for item in todo]  # noqa: B023  # called at once
        stopped = threading.Event()

        def one(item: T) -> R:
            return self._call(lambda: function(item), stopped)

        with ThreadPoolExecutor(min(self.concurrency, len(todo))) as pool:
            begun = [pool.submit(one, item) for item in todo]
            try:
                return [done.result() for done in begun]
            except BaseException:
                stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _call(self, function: Callable[[], R], stopped: threading.Event) -> R:
        until = self._clock.now() + self.deadline_seconds
        last: Fault | None = None
        tries = 0
        renewed = False
        while not stopped.is_set():
            self._admit(until, last)
            attempt = self._attempt(function, until)
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
                wait = state.limiter.start(now)
                if wait is not None:
                    break
                state.free.wait(until - now)
            if now + wait >= until:
                state.limiter.leave()
                raise self._late(last)
            state.breaker.started()
        if wait:
            self._clock.sleep(wait)

    def _attempt(self, function: Callable[[], R], until: float) -> _Attempt[R]:
        """Call once, in a thread of its own: the deadline holds whatever the socket does."""
        state = self._state
        attempt = _Attempt(function)

        def run() -> None:
            attempt.run()
            self._learn(state, attempt)

        threading.Thread(target=run, name=f"call {self.name}", daemon=True).start()
        if not attempt.done.wait(max(0.0, until - self._clock.now())):
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
        wait = self._clock.random() * longest
        if self._clock.now() + wait >= until:
            raise self._late(last)
        self._clock.sleep(wait)

    def _late(self, last: Fault | None) -> ServiceFailed:
        what = last or Fault("failed", "no free place", hint="Raise aws.deadline_seconds.")
        return failed(self.name, what, f", for {self.deadline_seconds:g} seconds")


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
