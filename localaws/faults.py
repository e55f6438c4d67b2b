"""Faults on purpose, and the count of calls."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from localaws.operations import AwsError, Faults


@dataclass(slots=True)
class Plan:
    """What is to happen to one call."""

    service: str
    operation: str
    model: str
    delay: float = 0.0
    error: AwsError | None = None
    reset: bool = False
    reset_after: int | None = None
    first_byte_delay: float = 0.0
    malformed: str = ""
    faults: Faults = field(default_factory=Faults)
    usage: int = 0

    def damaged_frame(self, frame: bytes) -> bytes:
        return frame


class Injector:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[tuple[str, str, str, str]] = Counter()
        self._rules: list[Any] = []

    def plan(self, service: str, operation: str, model: str, size: int) -> Plan:
        return Plan(service, operation, model)

    def count(
        self, plan: Plan, status: str, headers: Iterable[tuple[str, str]], body: bytes = b""
    ) -> None:
        with self._lock:
            self._calls[plan.service, plan.operation, plan.model, status] += 1

    def refused(self, code: str) -> None:
        with self._lock:
            self._calls["", "", "", code] += 1

    def rules_json(self) -> Any:
        return self._rules

    def set_rules(self, rules: Any) -> None:
        self._rules = rules

    def calls_json(self) -> Any:
        with self._lock:
            return [
                dict(
                    zip(
                        ("service", "operation", "model", "status", "count"), (*key, n), strict=True
                    )
                )
                for key, n in sorted(self._calls.items())
            ]

    def forget_calls(self) -> None:
        with self._lock:
            self._calls.clear()
