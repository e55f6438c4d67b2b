"""The rules in force."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

from localaws.faults.kinds import FAULTS
from localaws.faults.plan import Plan, Rule
from localaws.faults.rules import MATCH, parse_rules


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
    names = ("fault", *MATCH, *FAULTS[rule.fault].settings, "matched", "applied")
    return {name: getattr(rule, name) for name in names}
