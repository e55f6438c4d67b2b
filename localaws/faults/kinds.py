"""Each kind of fault: a function of a rule, a plan and a moment that tells whether it did it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from localaws.faults.plan import Bucket, Plan, Rule
from localaws.operations import AwsError, Faults

THROTTLED = "Too many requests, please wait before trying again."
OUT_OF_TOKENS = "Too many tokens, please wait before trying again."


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
