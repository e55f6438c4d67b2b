"""A filter evaluated on hits, for what a target cannot do itself; the meaning that all share."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import ge, gt, le, lt

from rag.masked import configured, fixed
from rag.records import Hit
from rag.retrieve.candidates import Candidate, Legs
from rag.retrieve.filters.tree import (
    ANY,
    EVERYTHING,
    All,
    Among,
    AnyOf,
    Filter,
    Not,
    fields,
    pattern,
)
from rag.telemetry import INFO, event

log = logging.getLogger(__name__)

MORE = 4
"""Times as many hits as are wanted are asked for, and as many as that where they do not do."""

_COMPARED: Mapping[str, Callable[[int, int], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


def matches(filter: Filter, hit: Hit) -> bool:  # noqa: A002
    """Whether a hit is what the filter asks for."""
    if isinstance(filter, All):
        return all(matches(part, hit) for part in filter.parts)
    if isinstance(filter, AnyOf):
        return any(matches(part, hit) for part in filter.parts)
    if isinstance(filter, Not):
        return not matches(filter.inner, hit)
    values = _values(filter.field, hit)
    if isinstance(filter, Among):
        return any(value in filter.values for value in values)
    if filter.operator == "=":
        return any(value == filter.value for value in values)
    if filter.operator == "~":
        like = matcher(str(filter.value))
        return any(like(str(value)) for value in values)
    compared = _COMPARED[filter.operator]
    return any(compared(int(value), int(filter.value)) for value in values)


def _values(name: str, hit: Hit) -> tuple[str | int, ...]:
    chunk = hit.chunk
    if name == "section":
        return chunk.section
    found: dict[str, str | int | None] = {
        "id": chunk.document_id,
        "chunk": chunk.id,
        "name": hit.document,
        "title": hit.title,
        "type": hit.media_type,
        "kind": chunk.kind,
        "page": chunk.page,
        "position": chunk.position,
        "tokens": chunk.tokens,
        "modified": hit.modified,
    }
    value = found[name]
    return () if value is None else (value,)


@lru_cache(maxsize=256)
def matcher(text: str) -> Callable[[str], bool]:
    """Return the test that a pattern is, in time linear in stars and length.

    Each part between two stars is taken where it first stands (an atomic group), as no later
    place could do better.
    """
    runs: list[str] = [""]
    for part in pattern(text):
        if part is ANY:
            runs.append("")
        else:
            runs[-1] += re.escape(part) if isinstance(part, str) else "."
    if len(runs) == 1:
        found = re.compile(runs[0], re.DOTALL)
    else:
        middle = "".join(f"(?>.*?{run})" for run in runs[1:-1] if run)
        found = re.compile(f"{runs[0]}{middle}.*{runs[-1]}", re.DOTALL)
    return lambda value: found.fullmatch(value) is not None


def sifted(
    ask: Callable[[int], Legs],
    left: Filter,
    depth: int,
    most: int,
    target: str,
) -> dict[str, Sequence[Candidate]]:
    """Return the best hits of each leg that match what the target could not check.

    More than wanted are asked for, and more again, until every leg has `depth` that match, has
    no more, or `most` were asked for: what lies deeper is not found, which the log says.

    Args:
        ask: Gives each leg's best hits, of so many.
        left: What is left to check; nothing: the target is asked once, for `depth`.
        target: Its kind, for the log.
    """
    if left == EVERYTHING:
        return dict(ask(depth))
    asked = min(most, MORE * depth)
    while True:
        legs = ask(asked)
        kept = {
            leg: [one for one in found if matches(left, one.hit)] for leg, found in legs.items()
        }
        short = [
            leg for leg, found in kept.items() if len(found) < depth <= asked <= len(legs[leg])
        ]
        if not short or asked >= most:
            event(
                log,
                INFO,
                "search: {target} cannot filter by {fields}; {asked} hits were asked for, "
                "and filtered here{cut}",
                target=configured(target),
                fields=fixed(", ").join(configured(one) for one in sorted(fields(left))),
                asked=asked,
                cut=fixed("; there may be more") if short else fixed(""),
            )
            return {leg: found[:depth] for leg, found in kept.items()}
        asked = min(most, MORE * asked)
