"""Answers by rule, from a YAML or JSON file that is read anew when it changes.

The first rule that fits answers::

    rules:
      - match: "(?i)refund"            # regular expression in the user's last words
        model: "anthropic.*"           # glob over model ids
        reply: "Refunds take ten days. [1]"
      - match: weather
        tool_use: {name: get_weather, input: {city: Ghent}}
      - match: slow
        delay: 0.5                     # seconds before the first word
        reply: one two three
        pause: 0.1                     # seconds between words
        stop_reason: max_tokens
      - model: "meta.*"
        generator: model               # leave it to another generator
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Generator as Running
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from localaws.models.generators import Generator
from localaws.models.prompt import Finish, Piece, Prompt, Said, ToolUse
from localaws.models.tools import new_id
from localaws.operations import AwsError

_FIELDS = frozenset(
    {"match", "model", "reply", "tool_use", "stop_reason", "delay", "pause", "generator"}
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the file; `delay` and `pause` in seconds."""

    match: re.Pattern[str] = field(default=re.compile(""))
    model: str = "*"
    reply: str = ""
    tool_uses: tuple[tuple[str, dict[str, Any]], ...] = ()
    stop_reason: str | None = None
    delay: float = 0.0
    pause: float = 0.0
    generator: str | None = None


_read: dict[Path, tuple[tuple[int, int], tuple[Rule, ...]]] = {}
_reading = threading.Lock()


def matching(script: Path, prompt: Prompt) -> Rule | None:
    """Return the first rule of `script` that fits, or None; also where there is no such file.

    Raises:
        AwsError: The file is not as it should be; the message says where.
    """
    for rule in _rules(script):
        if fnmatchcase(prompt.model.id, rule.model) and rule.match.search(prompt.asked):
            # After a tool's result its rule has had its turn.
            answered = any(part.kind == "tool_result" for part in prompt.turns[-1].parts)
            if not (rule.tool_uses and answered):
                return rule
    return None


def speaker(rule: Rule) -> Generator:
    """Return a generator that says what `rule` says."""

    def speak(prompt: Prompt) -> Running[Piece, None, None]:
        if rule.delay:
            time.sleep(rule.delay)
        for word in re.findall(r"\S+\s*|\s+", rule.reply):
            yield Said(word)
            if rule.pause:
                time.sleep(rule.pause)
        for name, given in rule.tool_uses:
            yield ToolUse(new_id(), name, given)
        if rule.stop_reason is not None:
            yield Finish(rule.stop_reason, 0, 0)  # type: ignore[arg-type]

    return speak


def _rules(script: Path) -> tuple[Rule, ...]:
    try:
        stat = script.stat()
    except OSError:
        return ()
    stamp = (stat.st_mtime_ns, stat.st_size)
    with _reading:
        known = _read.get(script)
        if known is None or known[0] != stamp:
            known = stamp, _parsed(script)
            _read[script] = known
    return known[1]


def _parsed(script: Path) -> tuple[Rule, ...]:
    import yaml

    try:
        loaded = yaml.safe_load(script.read_text())
        return tuple(_rule(entry) for entry in loaded["rules"])
    except (yaml.YAMLError, re.error, TypeError, KeyError, ValueError, AttributeError) as error:
        raise AwsError(
            "InternalServerException",
            f"{script.name} is no script: {type(error).__name__} {error}."
            " See localaws/models/generators/scripted.py.",
        ) from None


def _rule(entry: dict[str, Any]) -> Rule:
    if unknown := set(entry) - _FIELDS:
        raise ValueError(f"a rule has no {', '.join(sorted(unknown))}")
    uses = entry.get("tool_use") or []
    return Rule(
        match=re.compile(entry.get("match", "")),
        model=entry.get("model", "*"),
        reply=entry.get("reply", ""),
        tool_uses=tuple(
            (use["name"], dict(use.get("input", {})))
            for use in ([uses] if isinstance(uses, dict) else uses)
        ),
        stop_reason=entry.get("stop_reason"),
        delay=float(entry.get("delay", 0)),
        pause=float(entry.get("pause", 0)),
        generator=entry.get("generator"),
    )
