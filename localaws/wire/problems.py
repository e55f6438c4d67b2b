"""What is wrong with a request or a result, by the member's path, as AWS phrases it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from localaws.wire.shapes import Shape, compiled

LONGEST_SHOWN = 1000
"""Characters of a value."""
SHOWN = 10
"""Problems that a message tells; AWS stops there too."""


@dataclass(slots=True)
class Problems:
    """Collected in one walk.

    Attributes:
        found: ``Value … at 'path' failed to satisfy constraint: …``, without the value if the
            model calls it sensitive.
        paths: The same without any value, for logs.
        extraneous: Members that the model does not know.
    """

    found: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    extraneous: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.found or self.extraneous)

    def add(
        self, path: str, constraint: str, shape: Shape | None = None, value: Any = None
    ) -> None:
        """Note that the value at `path` breaks a constraint."""
        told = "" if shape is None or shape.sensitive else f" '{_shown(value)}'"
        self.found.append(
            f"Value{told} at '{path}' failed to satisfy constraint: Member {constraint}"
        )
        self.paths.append(f"{path}: {constraint}")

    def unknown(self, path: str, name: str) -> None:
        """Note a member that the structure at `path` does not have."""
        where = "/".join(["#", *(path.replace(".member", "").split(".") if path else ())])
        self.extraneous.append(f"{where}: extraneous key [{name}] is not permitted")
        self.paths.append(f"{path}: unknown member {name}")

    def message(self) -> str:
        """Return the text of a ``ValidationException``."""
        if self.extraneous:
            return (
                f"Malformed input request: {', '.join(self.extraneous[:SHOWN])}, please reformat"
                " your input and try again."
            )
        count = len(self.found)
        errors = "error" if count == 1 else "errors"
        return f"{count} validation {errors} detected: {'; '.join(self.found[:SHOWN])}"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        text = str(value)
        return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
    if isinstance(value, Sequence):
        return f"[{', '.join(_shown(one) for one in value[:20])}]"
    return type(value).__name__


def check(shape: Shape, value: Any, path: str, problems: Problems) -> None:
    """Check a value of the right type against its shape's limits, pattern and enumeration."""
    kind = shape.kind
    if kind == "string":
        _check_size(shape, value, len(value), path, problems)
        if shape.pattern is not None and compiled(shape.pattern).fullmatch(value) is None:
            problems.add(
                path,
                f"must satisfy regular expression pattern: {shape.pattern}",
                shape,
                value,
            )
        if shape.enum and value not in shape.enum:
            allowed = ", ".join(shape.enum)
            problems.add(path, f"must satisfy enum value set: [{allowed}]", shape, value)
    elif kind in ("list", "map", "blob"):
        _check_size(shape, None, len(value), path, problems)
    elif kind in ("integer", "long", "float", "double"):
        if shape.minimum is not None and value < shape.minimum:
            limit = f"must have value greater than or equal to {shape.minimum}"
            problems.add(path, limit, shape, value)
        if shape.maximum is not None and value > shape.maximum:
            limit = f"must have value less than or equal to {shape.maximum}"
            problems.add(path, limit, shape, value)


def _check_size(shape: Shape, value: Any, size: int, path: str, problems: Problems) -> None:
    told = None if value is None else shape
    if shape.minimum is not None and size < shape.minimum:
        problems.add(
            path, f"must have length greater than or equal to {shape.minimum}", told, value
        )
    if shape.maximum is not None and size > shape.maximum:
        problems.add(path, f"must have length less than or equal to {shape.maximum}", told, value)
