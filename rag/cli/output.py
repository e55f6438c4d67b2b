"""How results, progress and errors are shown: tables and lines for people, JSON for programs."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.errors import SluiceError

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import Progress as Bar

    from rag.ingest.local import Progress

JSON = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
CORPUS = Annotated[
    str, typer.Argument(metavar="CORPUS", help="A name in corpora/, or the path of a YAML file.")
]

LINES_EVERY = 3.0
"""Seconds between two lines of progress where there is no terminal."""


def show(text: str = "") -> None:
    """Print a line of the result. Control characters, which a terminal would obey, are shown."""
    sys.stdout.write(visible(text) + "\n")


def visible(text: str) -> str:
    """Return a text as a terminal may show it: documents may hold escape sequences."""
    return re.sub(
        r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]",
        "\N{REPLACEMENT CHARACTER}",
        text,
    )


def show_json(value: Any, *, indent: int | None = 2) -> None:
    """Print a value as JSON; frozen records become objects."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=indent, default=plain)
    sys.stdout.write("\n")


def plain(value: Any) -> Any:
    """Return what JSON can hold for a record, a date, a path or a sequence."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Iterable):
        return list(value)
    raise TypeError(type(value).__name__)


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under headings; numbers stand to the right."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    cells = [list(row) for row in rows]
    for place, name in enumerate(columns):
        numeric = bool(cells) and all(isinstance(row[place], int | float) for row in cells)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in cells:
        table.add_row(*(Text(_cell(value)) for value in row))
    # A pipe has no width: let whoever reads it have whole lines.
    width = None if sys.stdout.isatty() else 250
    Console(file=sys.stdout, width=width, highlight=False).print(table)


def most_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return counts as rows, the largest first."""
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))


def cost_rows(usage: Mapping[str, Mapping[str, Any]]) -> list[Sequence[object]]:
    """Return what calls to models cost as rows; a price that is not known says so."""
    return [
        (
            model,
            one["calls"],
            one["input_tokens"],
            one["output_tokens"],
            "unknown" if one["usd"] is None else f"{one['usd']:.6f}",
        )
        for model, one in usage.items()
    ]


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, datetime):
        return f"{value.astimezone():%Y-%m-%d %H:%M}"
    return visible(str(value))


def show_error(error: SluiceError, as_json: bool) -> None:
    """Print an error to standard error: what is wrong, and the next step."""
    if as_json:
        said: dict[str, Any] = {
            "error": error.message,
            "hint": error.hint,
            "kind": type(error).__name__,
        }
        for name in ("problems", "documents"):
            if hasattr(error, name):
                said[name] = getattr(error, name)
        sys.stderr.write(json.dumps(said, ensure_ascii=False, default=plain) + "\n")
        return
    lines = [f"Error: {error.message}"]
    named: Sequence[str] = getattr(error, "documents", ())
    lines += [f"  {name}" for name in named[:20]]
    if len(named) > 20:
        lines.append(f"  and {len(named) - 20:,} more (all with --json)")
    if error.hint:
        lines.append(f"Next step: {error.hint}")
    sys.stderr.write("\n".join(visible(line) for line in lines) + "\n")


class ShowProgress:
    """Shows how far a sync is: a bar on a terminal, else a line every few seconds.

    Without a terminal nothing is shown with ``--json``: standard error then holds JSON or
    nothing.
    """

    def __init__(self, as_json: bool) -> None:
        self._terminal = sys.stderr.isatty()
        self._silent = as_json and not self._terminal
        self._bar: Bar | None = None
        self._task: Any = None
        self._lock = threading.Lock()
        self._shown = 0.0

    def __enter__(self) -> ShowProgress:
        return self

    def __call__(self, progress: Progress) -> None:
        """Take a step's progress, from any thread."""
        if self._silent:
            return
        with self._lock:
            if self._terminal:
                self._draw(progress)
            elif time.monotonic() - self._shown >= LINES_EVERY:
                self._shown = time.monotonic()
                of = f" {progress.done:,} of {progress.total:,}" if progress.total else ""
                sys.stderr.write(f"{progress.step}{of}\n")
                sys.stderr.flush()

    def _draw(self, progress: Progress) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                MofNCompleteColumn,
                Progress,
                SpinnerColumn,
                TextColumn,
                TimeElapsedColumn,
            )

            self._bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task(progress.step, total=None)
            self._bar.start()
        self._bar.update(
            self._task,
            description=progress.step,
            completed=progress.done,
            total=progress.total or None,
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
