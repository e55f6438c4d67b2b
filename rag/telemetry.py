"""What the program tells of itself: one function writes every log line.

A line is a fixed sentence with numbers, ids and masked text in it, so no line can hold what a
document says or a file is called::

    event(log, WARNING, "{count} documents were refused", count=3, target=configured("opensearch"))

writes ``3 documents were refused target=opensearch``. Attributes of traces, once there are any,
are fields of the same kind and come from `attributes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from logging import ERROR, INFO, WARNING, Logger
from string import Formatter

from rag.masked import Masked, NotMasked, fixed

__all__ = ["ERROR", "INFO", "WARNING", "Field", "attributes", "event"]

Field = float | Enum | Masked | BaseException | None
"""What may be told: numbers and truth values, members of an enumeration, masked text (ids too, by
`rag.masked.identifier`); of an exception the name of its class and nothing else."""


def event(log: Logger, level: int, sentence: str, /, **fields: Field) -> None:
    """Write one line.

    Args:
        sentence: A literal (checked by ``tests/test_telemetry.py``); ``{name}`` is filled in with
            the field of that name. The other fields follow as ``name=value``.

    Raises:
        NotMasked: A field is something that may not be told. Nothing is written.
    """
    told = attributes(fields)
    if not log.isEnabledFor(level):
        return
    named = {name for _, name, _, _ in Formatter().parse(sentence) if name}
    line = fixed(sentence).filled(**told) if named else fixed(sentence)
    rest = [fixed("{}={}", fixed(name), told[name]) for name in told if name not in named]
    log.log(level, "%s", fixed(" ").join([line, *rest]))


def attributes(fields: Mapping[str, Field]) -> dict[str, float | Masked]:
    """Return fields as they may be told.

    Raises:
        NotMasked: One of them may not; its name is said, its value is not.
    """
    return {name: _told(name, value) for name, value in fields.items()}


def _told(name: str, value: Field) -> float | Masked:
    if isinstance(value, int | float | Masked):
        return value
    if value is None:
        return fixed("-")
    if isinstance(value, Enum):
        return fixed(value.name)
    if isinstance(value, BaseException):
        return fixed(type(value).__name__)
    raise NotMasked(f"The log's field {name}")
