"""What one call may cost: tokens, money and time. Hard: nothing is begun that may exceed it.

Example::

    corpus.ask("Who approves overtime?", principals=[…], budget=Budget(tokens=2000, seconds=1.5))

Whoever spends asks the running limits first::

    if not limits().affords(worst_case_usd):
        …make it smaller, or leave it
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass

from rag.cost import Meter, listen, metered
from rag.errors import ConfigError, SluiceError


class OverBudget(SluiceError):
    """A call's time or money is used up, and there is nothing that it could return."""

    transient = True

    def __init__(self, message: str) -> None:
        super().__init__(message, "Give it a larger budget, or try again when less is going on.")


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one call; None: no limit.

    Attributes:
        tokens: Of context and answer together, as the answering model counts.
        usd: List price of all calls to paid models. A model whose price nobody knows is not
            called under such a limit.
        seconds: From the call to its last event.

    Raises:
        ConfigError: A limit is not a positive number (usd may be 0: free models only).
    """

    tokens: int | None = None
    usd: float | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        for name in ("tokens", "usd", "seconds"):
            value = getattr(self, name)
            if value is not None and not (value > 0 or (name == "usd" and value == 0)):
                raise ConfigError(
                    f"A budget's {name} must be more than nothing.",
                    "For example: Budget(tokens=2000, usd=0.01, seconds=2).",
                )

    def under(self, other: Budget) -> Budget:
        """Return this budget, with the other's limits where this one has none."""
        return Budget(
            other.tokens if self.tokens is None else self.tokens,
            other.usd if self.usd is None else self.usd,
            other.seconds if self.seconds is None else self.seconds,
        )

    @contextmanager
    def running(self) -> Iterator[Limits]:
        """Let the limits hold for what is done inside, and in the threads begun from there.

        Within another running budget, the tighter limits hold.
        """
        with metered() as meter:
            own = Limits(self, meter, _RUNNING.get())
            token = _RUNNING.set(own)
            try:
                yield own
            finally:
                _RUNNING.reset(token)


class Limits:
    """What is left of a running budget. Threads may share it.

    Args:
        budget: What was given.
        meter: Hears what is spent.
        outer: The limits that hold around these.
    """

    def __init__(self, budget: Budget, meter: Meter, outer: Limits | None = None) -> None:
        self.budget = budget
        self.meter = meter
        self._outer = outer
        self._begun = time.monotonic()
        self._lock = threading.Lock()
        self._held = 0.0
        self._stopped = False

    def seconds_left(self) -> float:
        """Return how long from now; 0 when it is over or stopped, ``inf`` where it has no limit."""
        if self._stopped:
            return 0.0
        left = math.inf
        if self.budget.seconds is not None:
            left = max(0.0, self._begun + self.budget.seconds - time.monotonic())
        return min(left, self._outer.seconds_left()) if self._outer else left

    def usd_left(self) -> float:
        """Return what may still be spent, in USD; ``inf`` where there is no limit.

        What is held for calls under way is not left; nothing is after a call of unknown price.
        """
        left = self._own_usd_left()
        return min(left, self._outer.usd_left()) if self._outer else left

    def _own_usd_left(self) -> float:
        if self.budget.usd is None:
            return math.inf
        spent = self.meter.total().usd
        return 0.0 if spent is None else max(0.0, self.budget.usd - spent - self._held)

    @property
    def expired(self) -> bool:
        """Whether the time is over."""
        return self.seconds_left() <= 0

    def affords(self, usd: float | None) -> bool:
        """Return whether a call may be made that costs so much at worst.

        Args:
            usd: None: nobody knows, which only a budget without that limit affords.
        """
        return _pays(self.usd_left(), usd)

    def stop(self) -> None:
        """Have nothing left, for whoever asked has gone."""
        self._stopped = True

    @contextmanager
    def holding(self, usd: float | None) -> Iterator[bool]:
        """Set a call's worst price aside while it is under way; give whether it may be made.

        So calls side by side cannot spend the same money twice. The price must have been recorded
        (`rag.cost.record`) when this ends.
        """
        around = self._outer.holding(usd) if self._outer else nullcontext(True)
        with around as allowed:
            with self._lock:
                may = allowed and _pays(self._own_usd_left(), usd)
                held = (usd or 0.0) if may else 0.0
                self._held += held
            try:
                yield may
            finally:
                with self._lock:
                    self._held -= held


def _pays(left: float, usd: float | None) -> bool:
    return left == math.inf if usd is None else usd <= left


_RUNNING: ContextVar[Limits | None] = ContextVar("budget", default=None)


def enter(budget: Budget) -> Limits:
    """Let a budget hold for the rest of this context: of a thread, or of a `Context.run`."""
    own = Limits(budget, listen(), _RUNNING.get())
    _RUNNING.set(own)
    return own


_UNLIMITED = Limits(Budget(), Meter())


def limits() -> Limits:
    """Return the limits that hold here; unlimited where no budget runs."""
    return _RUNNING.get() or _UNLIMITED
