"""What calls to models cost: metered where they are made, priced by AWS's list.

Example::

    with metered() as meter:
        answer_something()
    meter.usage()  # {"cohere.embed-english-v3": Spent(calls=2, input_tokens=310, …)}

Whoever calls a model says `record`. It reaches every meter that the caller stands in, through
threads that `rag.aws.calls` starts too.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_METERS: ContextVar[tuple[Meter, ...]] = ContextVar("meters", default=())

_REGIONS = re.compile(r"^(?:[a-z]{2,6}|us-gov)\.(?=[a-z0-9]+\.)")


@dataclass(frozen=True, slots=True)
class Price:
    """USD.

    Attributes:
        input, output: For 1,000 tokens.
        call: For a call.
    """

    input: float = 0.0
    output: float = 0.0
    call: float = 0.0


@dataclass(frozen=True, slots=True)
class Spent:
    """Calls to one model, summed.

    Attributes:
        usd: By list price; None where no price is known.
        seconds: From call to answer with all retries, summed over calls side by side.
    """

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float | None = 0.0
    seconds: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        unknown = self.usd is None or other.usd is None
        return Spent(
            self.calls + other.calls,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            None if unknown else (self.usd or 0.0) + (other.usd or 0.0),
            self.seconds + other.seconds,
        )


class Meter:
    """Adds up what is recorded; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spent: dict[str, Spent] = {}

    def add(self, model: str, spent: Spent) -> None:
        """Add to a model's sum."""
        with self._lock:
            self._spent[model] = self._spent.get(model, Spent()) + spent

    def usage(self) -> dict[str, Spent]:
        """Return the sums by model, or by model and operation where one is named."""
        with self._lock:
            return dict(self._spent)

    def total(self) -> Spent:
        """Return the sum over all models; its price is None when one of theirs is."""
        return sum(self.usage().values(), Spent())

    def as_counts(self) -> dict[str, dict[str, Any]]:
        """Return the sums as plain numbers, for reports."""
        return {
            model: {
                "calls": one.calls,
                "input_tokens": one.input_tokens,
                "output_tokens": one.output_tokens,
                "usd": None if one.usd is None else round(one.usd, 8),
                "seconds": round(one.seconds, 3),
            }
            for model, one in self.usage().items()
        }


@contextmanager
def metered() -> Iterator[Meter]:
    """Give a meter that hears of every call made inside, also of those that an inner one hears."""
    meter = Meter()
    token = _METERS.set((*_METERS.get(), meter))
    try:
        yield meter
    finally:
        _METERS.reset(token)


def listen() -> Meter:
    """Return a meter that hears of every call made in the rest of this context."""
    meter = Meter()
    _METERS.set((*_METERS.get(), meter))
    return meter


def record(
    model: str,
    *,
    input_tokens: int = 0,
    output_tokens: int = 0,
    seconds: float = 0.0,
    queries: int = 1,
    usd: float | None = None,
) -> None:
    """Tell the meters of one call.

    Args:
        model: Model id, endpoint, or whatever is paid for.
        queries: That the call counts for, where those are what is paid.
        usd: Its price where the caller knows it; else by `price_of`.
    """
    if usd is None:
        usd = price_of(model, input_tokens, output_tokens, queries)
    spent = Spent(1, input_tokens, output_tokens, usd, seconds)
    for meter in _METERS.get():
        meter.add(model, spent)


def price_of(
    model: str, input_tokens: int, output_tokens: int = 0, queries: int = 1
) -> float | None:
    """Return the list price in USD of one call, or None where none is known."""
    known = price(model)
    if known is None:
        return None
    return known.call * queries + (input_tokens * known.input + output_tokens * known.output) / 1000


def price(model: str) -> Price | None:
    """Return a model's list price (``rag/prices.json``), or None where it is not known.

    Args:
        model: Model id, inference profile (``us.…``), or ARN of either.
    """
    plain = _REGIONS.sub("", model.rpartition("/")[2])
    fitting = [name for name in _prices() if plain.startswith(name)]
    return _prices()[max(fitting, key=len)] if fitting else None


@cache
def _prices() -> dict[str, Price]:
    listed = json.loads((files("rag") / "prices.json").read_text("utf-8"))["models"]
    return {name: Price(**entry) for name, entry in listed.items()}
