"""Which operation a method and path mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from urllib.parse import unquote

from localaws.wire.shapes import SERVICES, OperationModel, service_model


@dataclass(frozen=True, slots=True)
class Route:
    """An operation, and what stands in its path's labels, decoded."""

    operation: OperationModel
    labels: dict[str, str]


@dataclass(slots=True)
class _Node:
    """What may follow a part of a path. No operation of these services has a greedy label."""

    literals: dict[str, _Node] = field(default_factory=dict)
    label: _Node | None = None
    ends: dict[str, list[OperationModel]] = field(default_factory=dict)


def routes(method: str, path: str) -> list[Route]:
    """Return what a request may mean, best first: more literal segments, then `SERVICES`' order.

    Args:
        path: As it came, percent-encoded: an encoded slash belongs to a label.
    """
    segments = path.split("/")[1:]
    other = segments[:-1] if segments[-1] == "" else [*segments, ""]
    for spelling in (segments, other):
        found = [
            Route(operation, _labels(operation.path, spelling))
            for end in _ends(_tree(), spelling, 0)
            for operation in end.ends.get(method, ())
        ]
        if found:
            return found
    return []


def warm() -> None:
    """Read all models now, so that the first request need not wait for them."""
    _tree()


def _ends(node: _Node, segments: list[str], at: int) -> Iterator[_Node]:
    if at == len(segments):
        yield node
        return
    literal = node.literals.get(unquote(segments[at]))
    if literal is not None:
        yield from _ends(literal, segments, at + 1)
    if node.label is not None and segments[at]:
        yield from _ends(node.label, segments, at + 1)


def _labels(template: str, segments: list[str]) -> dict[str, str]:
    return {
        part[1:-1]: unquote(segment)
        for part, segment in zip(_parts(template), segments, strict=True)
        if part.startswith("{")
    }


@cache
def _parts(template: str) -> tuple[str, ...]:
    return tuple(template.split("?")[0].split("/")[1:])


@lru_cache(maxsize=1)
def _tree() -> _Node:
    root = _Node()
    for service in SERVICES:
        for operation in service_model(service).operations.values():
            node = root
            for part in _parts(operation.path):
                if part.startswith("{"):
                    node.label = node.label or _Node()
                    node = node.label
                else:
                    node = node.literals.setdefault(part, _Node())
            node.ends.setdefault(operation.method, []).append(operation)
    return root
