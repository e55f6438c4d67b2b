"""Faults on purpose, by rules that can be changed while the server runs.

A file of rules is YAML or JSON, read anew when it changes; ``PUT /_localaws/faults`` takes the
same as JSON. Each rule says what goes wrong, where, and how often::

    rules:
      - {fault: throttle, probability: 0.3, operation: "Invoke*", seed: 7}
      - {fault: rate, per_second: 5, burst: 10, service: bedrock-agent-runtime}
      - {fault: tokens, per_minute: 20000, model: "anthropic.*"}
      - {fault: latency, ms: 40, jitter_ms: 20}
      - {fault: status, status: 503, probability: 0.02}
      - {fault: error, code: ModelTimeoutException, count: 2}
      - {fault: reset, probability: 0.01}              # before any byte of the response
      - {fault: reset_mid_stream, after: 3}            # events
      - {fault: error_mid_stream, after: 3, code: ModelStreamErrorException}
      - {fault: slow_first_byte, ms: 800}              # headers wait as well
      - {fault: expired_credentials, count: 1}
      - {fault: partial, share: 0.2}                   # of the items of a batch fail
      - {fault: malformed, how: json}                  # or cut: the connection ends half-way

``service``, ``operation`` and ``model`` (or the endpoint's name) are globs and match everything if
left out. ``probability`` is 1 if left out, ``count`` ends a rule after so many faults. Draws come
from ``seed``, one a matching call, so the same calls in the same order meet the same faults. All
rules that match apply in order; the first that ends a call decides how.
"""

from __future__ import annotations

import json
import math
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from localaws.operations import AwsError, Faults

THROTTLED = "Too many requests, please wait before trying again."
OUT_OF_TOKENS = "Too many tokens, please wait before trying again."
_MATCH = ("service", "operation", "model", "probability", "count", "seed")


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


def parse_rules(said: Any) -> list[Rule]:
    """Return the rules of a list, or of an object with ``rules`` and a ``seed`` for all.

    Raises:
        ValueError: Something is not as in the module's example; the message says which rule.
    """
    common: dict[str, Any] = {}
    if isinstance(said, Mapping):
        unknown = set(said) - {"rules", "seed"}
        if unknown:
            raise ValueError(f"Faults have rules and a seed, not {', '.join(sorted(unknown))}.")
        common = {"seed": said["seed"]} if "seed" in said else {}
        said = said.get("rules")
    if said is None:
        return []
    if isinstance(said, str) or not isinstance(said, Sequence):
        raise ValueError("Faults are a list of rules.")
    rules = []
    for number, one in enumerate(said, 1):
        rule = _rule(number, one, common)
        rule.draw.seed(f"{rule.seed}/{number}")
        rules.append(rule)
    return rules


def _rule(number: int, said: Any, common: Mapping[str, Any]) -> Rule:
    if not isinstance(said, Mapping) or said.get("fault") not in FAULTS:
        raise ValueError(f"Rule {number}: fault is one of {', '.join(FAULTS)}.")
    allowed = ("fault", *_MATCH, *FAULTS[said["fault"]].settings)
    for name, value in said.items():
        if name not in allowed:
            raise ValueError(
                f"Rule {number}: {said['fault']} has {', '.join(allowed)}; not {name}."
            )
        if not _fits(name, value):
            raise ValueError(f"Rule {number}: {name} cannot be {value!r}.")
    for name in FAULTS[said["fault"]].needed:
        if name not in said:
            raise ValueError(f"Rule {number}: {said['fault']} needs {name}.")
    return Rule(**{**common, **said})


_TYPES: dict[str, Any] = {one.name: one.type for one in fields(Rule) if one.init}


def _fits(name: str, value: Any) -> bool:
    wanted = str(_TYPES[name])
    if wanted == "str":
        choices = {"how": ("json", "cut")}.get(name)
        return isinstance(value, str) and (choices is None or value in choices)
    if name == "count" and value is None:
        return True
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if "int" in wanted and not isinstance(value, int):
        return False
    most = {"probability": 1.0, "share": 1.0}.get(name, math.inf)
    least = 400 if name == "status" else (-math.inf if name == "seed" else 0)
    return least <= value <= most


def _throttle(rule: Rule, plan: Plan, now: float) -> bool:
    plan.error = AwsError("ThrottlingException", rule.message or THROTTLED)
    return True


def _rate(rule: Rule, plan: Plan, now: float) -> bool:
    most = max(1.0, rule.burst or rule.per_second)
    bucket = rule.buckets.setdefault("", Bucket(rule.per_second, most, now))
    if bucket.level(now) >= 1:
        bucket.take(1)
        return False
    return _throttle(rule, plan, now)


def _tokens(rule: Rule, plan: Plan, now: float) -> bool:
    bucket = rule.buckets.setdefault(plan.model, Bucket(rule.per_minute / 60, rule.per_minute, now))
    if bucket.level(now) <= 0:
        plan.error = AwsError("ThrottlingException", rule.message or OUT_OF_TOKENS)
        return True
    reserved = plan.tokens
    bucket.take(reserved)
    plan.quotas.append(lambda used: bucket.take(used - reserved))
    return False


def _latency(rule: Rule, plan: Plan, now: float) -> bool:
    plan.delay += _seconds(rule)
    return True


def _seconds(rule: Rule) -> float:
    return max(0.0, rule.ms + rule.jitter_ms * rule.draw.uniform(-1, 1)) / 1000


_CODES = {
    500: ("InternalServerException", "An internal server error occurred. Try again later."),
    503: ("ServiceUnavailableException", "The service is temporarily unavailable. Try again."),
}
_SAGEMAKER = {500: "InternalFailure", 503: "ServiceUnavailable"}


def _status(rule: Rule, plan: Plan, now: float) -> bool:
    code, message = _CODES.get(rule.status, ("InternalServerException", "It failed on purpose."))
    if plan.service == "sagemaker-runtime":
        code = _SAGEMAKER.get(rule.status, code)
    plan.error = AwsError(rule.code or code, rule.message or message, status=rule.status)
    return True


def _error(rule: Rule, plan: Plan, now: float) -> bool:
    plan.error = AwsError(rule.code, rule.message or "It failed on purpose.")
    return True


def _reset(rule: Rule, plan: Plan, now: float) -> bool:
    plan.reset = True
    return True


def _reset_mid_stream(rule: Rule, plan: Plan, now: float) -> bool:
    plan.reset_after = rule.after
    return True


def _error_mid_stream(rule: Rule, plan: Plan, now: float) -> bool:
    error = AwsError(
        rule.code or "ModelStreamErrorException", rule.message or "It failed on purpose."
    )
    plan.error_after = (rule.after, error)
    return True


def _slow_first_byte(rule: Rule, plan: Plan, now: float) -> bool:
    plan.first_byte_delay += _seconds(rule)
    return True


def _expired(rule: Rule, plan: Plan, now: float) -> bool:
    plan.error = AwsError(
        "ExpiredTokenException", "The security token included in the request is expired"
    )
    return True


def _partial(rule: Rule, plan: Plan, now: float) -> bool:
    plan.faults = Faults(rule.share, rule.draw.random)
    return True


def _malformed(rule: Rule, plan: Plan, now: float) -> bool:
    plan.malformed = rule.how
    return True


@dataclass(frozen=True, slots=True)
class _Fault:
    """What a kind of fault does; it tells whether it did."""

    apply: Callable[[Rule, Plan, float], bool]
    settings: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()


FAULTS: dict[str, _Fault] = {
    "throttle": _Fault(_throttle, ("message",)),
    "rate": _Fault(_rate, ("per_second", "burst", "message"), ("per_second",)),
    "tokens": _Fault(_tokens, ("per_minute", "message"), ("per_minute",)),
    "latency": _Fault(_latency, ("ms", "jitter_ms"), ("ms",)),
    "status": _Fault(_status, ("status", "code", "message")),
    "error": _Fault(_error, ("code", "message"), ("code",)),
    "reset": _Fault(_reset),
    "reset_mid_stream": _Fault(_reset_mid_stream, ("after",)),
    "error_mid_stream": _Fault(_error_mid_stream, ("after", "code", "message")),
    "slow_first_byte": _Fault(_slow_first_byte, ("ms", "jitter_ms"), ("ms",)),
    "expired_credentials": _Fault(_expired),
    "partial": _Fault(_partial, ("share",)),
    "malformed": _Fault(_malformed, ("how",)),
}


class Injector:
    """The rules in force; threads may share it.

    Args:
        file: Of rules; whatever it says when it changes replaces what was set otherwise.

    Raises:
        ValueError: The file cannot be understood.
        OSError: It cannot be read.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._file = file
        self._read_at: tuple[int, int] | None = None
        self.problem = ""
        """Why the file as it is now was not taken; the rules before it stay."""
        if file is not None:
            self._read(file, _stamp(file))

    def plan(
        self, service: str, operation: str, model: str, tokens: int, now: float | None = None
    ) -> Plan:
        """Return what is to happen to a call.

        Args:
            model: Or endpoint; may be empty.
            tokens: An estimate of what it uses.
            now: Seconds of a clock that never goes back.
        """
        moment = time.monotonic() if now is None else now
        made = Plan(service, operation, model, tokens)
        self._reread()
        with self._lock:
            for rule in self._rules:
                if made.ended:
                    break
                if rule.concerns(made):
                    _apply(rule, made, moment)
        if made.ended:
            made.tokens = 0
            made.settle()
        return made

    def set_rules(self, said: Any) -> None:
        """Replace the rules, see `parse_rules`."""
        rules = parse_rules(said)
        with self._lock:
            self._rules = rules

    def told(self) -> dict[str, Any]:
        """Return the rules as JSON has them, with how often each matched and applied."""
        with self._lock:
            rules = [_told(rule) for rule in self._rules]
        return {"rules": rules, **({"problem": self.problem} if self.problem else {})}

    def _reread(self) -> None:
        if self._file is None:
            return
        try:
            stamp = _stamp(self._file)
            if stamp != self._read_at:
                self._read(self._file, stamp)
        except (OSError, ValueError) as error:
            self.problem = f"{self._file}: {error}"

    def _read(self, file: Path, stamp: tuple[int, int]) -> None:
        self._read_at = stamp
        text = file.read_text()
        if file.suffix == ".json":
            self.set_rules(json.loads(text))
        else:
            import yaml

            try:
                self.set_rules(yaml.safe_load(text))
            except yaml.YAMLError as error:
                raise ValueError(f"It is not YAML: {error}") from None
        self.problem = ""


def _apply(rule: Rule, plan: Plan, now: float) -> None:
    rule.matched += 1
    if rule.count is not None and rule.applied >= rule.count:
        return
    if rule.probability < 1 and rule.draw.random() >= rule.probability:
        return
    if FAULTS[rule.fault].apply(rule, plan, now):
        rule.applied += 1


def _stamp(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_mtime_ns, found.st_size


def _told(rule: Rule) -> dict[str, Any]:
    names = ("fault", *_MATCH, *FAULTS[rule.fault].settings, "matched", "applied")
    return {name: getattr(rule, name) for name in names}
