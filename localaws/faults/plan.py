"""What is to happen to one call, and what a rule says and remembers."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from localaws.operations import AwsError, Faults


@dataclass(slots=True)
class Plan:
    """What is to happen to one call.

    Attributes:
        delay: Seconds before the operation.
        first_byte_delay: Seconds between the operation and its answer.
        error: Is answered in place of the operation's result.
        reset: The connection is reset in place of an answer.
        reset_after: After so many events the connection is reset.
        error_after: After so many events this error ends the stream.
        malformed: ``json`` or ``cut``, or nothing.
        tokens: What it is charged to token quotas; an estimate until the operation tells.
    """

    service: str
    operation: str
    model: str
    tokens: int
    delay: float = 0.0
    first_byte_delay: float = 0.0
    error: AwsError | None = None
    reset: bool = False
    reset_after: int | None = None
    error_after: tuple[int, AwsError] | None = None
    malformed: str = ""
    faults: Faults = field(default_factory=Faults)
    quotas: list[Callable[[int], None]] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        """The operation is not run."""
        return self.reset or self.error is not None

    def settle(self) -> None:
        """Charge the tokens really used, in place of the estimate."""
        for charge in self.quotas:
            charge(self.tokens)
        self.quotas.clear()


@dataclass(slots=True)
class Rule:
    """One rule, and how it has done so far; what a fault does not use is left as it is."""

    fault: str
    service: str = "*"
    operation: str = "*"
    model: str = "*"
    probability: float = 1.0
    count: int | None = None
    seed: int = 0
    per_second: float = 0.0
    burst: float = 0.0
    per_minute: float = 0.0
    ms: float = 0.0
    jitter_ms: float = 0.0
    status: int = 503
    code: str = ""
    message: str = ""
    after: int = 1
    share: float = 0.5
    how: str = "json"
    matched: int = field(default=0, init=False)
    applied: int = field(default=0, init=False)
    draw: random.Random = field(default_factory=random.Random, init=False, repr=False)
    buckets: dict[str, Bucket] = field(default_factory=dict, init=False, repr=False)

    def concerns(self, plan: Plan) -> bool:
        """Tell whether a call is one of those that the rule is for."""
        return (
            fnmatchcase(plan.service, self.service)
            and fnmatchcase(plan.operation, self.operation)
            and fnmatchcase(plan.model, self.model)
        )


class Bucket:
    """A token bucket, full at first.

    Args:
        per_second: What flows in.
        most: What it holds.
    """

    def __init__(self, per_second: float, most: float, now: float) -> None:
        self._per_second = per_second
        self._most = most
        self._level = most
        self._at = now

    def level(self, now: float) -> float:
        """Return what is in it; less than nothing if more was taken."""
        self._level = min(self._most, self._level + (now - self._at) * self._per_second)
        self._at = now
        return self._level

    def take(self, amount: float) -> None:
        """Take out, even what is not there; give back with a negative amount."""
        self._level -= amount
