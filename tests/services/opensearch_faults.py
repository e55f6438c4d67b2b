"""A cluster that is too busy, before a real one: 429 for single items, 503, lost answers."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.services.forwarding import Answer, Forward, Request, Reset, before


@dataclass
class Busy:
    """How busy it is; each share is 0 to 1.

    Attributes:
        items: Of a bulk's items, refused with 429.
        requests: Refused whole, with 503.
        resets: Connections closed before the request is done; as many once it is.
        largest: Bytes of a request; a larger one gets 413.
        refused: Document ids whose rows are refused for good.
        calls: That came, by the last part of their path.
    """

    url: str = ""
    items: float = 0.0
    requests: float = 0.0
    resets: float = 0.0
    largest: int = 10**9
    refused: tuple[str, ...] = ()
    calls: dict[str, int] = field(default_factory=dict)
    chance: random.Random = field(default_factory=lambda: random.Random(7))

    def deal(self, request: Request, forward: Forward) -> Answer:
        name = request.path.partition("?")[0].rpartition("/")[2]
        self.calls[name] = self.calls.get(name, 0) + 1
        if len(request.body) > self.largest:
            return Answer(413, b"")
        if self.chance.random() < self.requests:
            return Answer(503, b'{"error": {"type": "busy"}, "status": 503}')
        if self.chance.random() < self.resets:
            raise Reset
        answer = self._bulk(request, forward) if name == "_bulk" else forward(request)
        if self.chance.random() < self.resets:
            raise Reset
        return answer

    def _bulk(self, request: Request, forward: Forward) -> Answer:
        passed: list[bytes] = []
        outcomes: list[dict[str, Any] | None] = []
        for action, lines in _actions(request.body):
            status = self._refusal(lines)
            outcomes.append(status and {action: {"status": status, "error": {"type": "refused"}}})
            passed += [] if status else lines
        said: dict[str, Any] = {"errors": False, "items": []}
        if passed:
            body = b"\n".join(passed) + b"\n"
            whole = Request(request.method, request.path, request.headers, body)
            said = json.loads(forward(whole).body)
        done = iter(said["items"])
        said["items"] = [next(done) if outcome is None else outcome for outcome in outcomes]
        said["errors"] = said["errors"] or any(outcomes)
        return Answer(200, json.dumps(said).encode())

    def _refusal(self, lines: list[bytes]) -> Any:
        if len(lines) == 2 and json.loads(lines[1]).get("document_id") in self.refused:
            return 400
        return 429 if self.chance.random() < self.items else None


def _actions(body: bytes) -> Iterator[tuple[str, list[bytes]]]:
    lines = iter(body.splitlines())
    for line in lines:
        (action,) = json.loads(line)
        yield action, [line] if action == "delete" else [line, next(lines)]


@contextmanager
def busy(url: str, **how: Any) -> Iterator[Busy]:
    """Serve a busy cluster before a node until the block ends."""
    made = Busy(**how)
    with before(url, made.deal) as made.url:
        yield made
