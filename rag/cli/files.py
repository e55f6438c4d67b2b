"""Commands without a corpus's index: parse, mask, schema."""

from __future__ import annotations

import json
import queue
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from rag.cli.output import JSON, show, show_json

if TYPE_CHECKING:
    from rag.config import Parse, Privacy
    from rag.privacy import Masker
    from rag.records import Failure, MaskedText, ParsedDocument

BATCH_LINES = 256
BATCH_CHARACTERS = 256 * 1024
"""Lines are masked together, as many as wait already: a batch is much faster than one by one."""

OF_CORPUS = Annotated[
    str | None, typer.Option("--corpus", help="Use this corpus's settings; else the defaults.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for command in (parse, mask, schema):
        app.command()(command)


def parse(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False)],
    corpus: OF_CORPUS = None,
    as_json: JSON = False,
) -> None:
    """Show what is read from a file.

    Before masking; nothing of it is stored.
    """
    from rag.errors import ConfigError
    from rag.ingest.parse import parse_bytes
    from rag.records import Failure

    config, _ = _settings(corpus)
    try:
        data = file.read_bytes() if file.stat().st_size <= config.limits.bytes else None
    except OSError as error:
        raise ConfigError(f"{file} cannot be read ({type(error).__name__}).") from None
    if data is None:
        from rag.ingest.failures import failure

        outcome: ParsedDocument | Failure = failure("too_large", limit=config.limits.bytes)
    else:
        outcome = parse_bytes(data, file.name, config)
    if as_json:
        show_json({"failure": outcome} if isinstance(outcome, Failure) else outcome)
    elif isinstance(outcome, Failure):
        show(f"{outcome.reason} {outcome.action}")
    else:
        _show_parsed(outcome)
    if isinstance(outcome, Failure):
        raise typer.Exit(1)


def _show_parsed(document: ParsedDocument, depth: int = 0) -> None:
    from rag.records import Failure

    indent = "  " * depth
    show(f"{indent}{document.name or document.title or 'untitled'} ({document.media_type})")
    for element in document.elements:
        page = f"p{element.page} " if element.page else ""
        label = f"{element.label}: " if element.label else ""
        lines = element.text.replace("\n", f"\n{indent}  ")
        show(f"{indent}{page}{element.kind}: {label}{lines}")
    for attached in document.attachments:
        if isinstance(attached, Failure):
            show(f"{indent}  {attached.name}: {attached.reason} {attached.action}")
        else:
            _show_parsed(attached, depth + 1)


def mask(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="Text in UTF-8; - or nothing: standard input."),
    ] = None,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Lines of {id, text} in, with findings out.")
    ] = False,
    corpus: OF_CORPUS = None,
    as_json: JSON = False,
) -> None:
    """Mask personal data in text.

    A whole file, or line by line as JSON. Findings are offsets (in characters) into the text given.
    """
    from rag.errors import ConfigError
    from rag.privacy import masker

    _, privacy = _settings(corpus)
    # A byte that is no UTF-8 is replaced, not refused: the rest still has to be masked. Line
    # ends stay as they are: offsets are into the text as it was given.
    if file is None or str(file) == "-":
        source: TextIO = sys.stdin
        source.reconfigure(encoding="utf-8", errors="replace", newline="")  # type: ignore[attr-defined]
    else:
        try:
            source = file.open(encoding="utf-8", errors="replace", newline="")
        except OSError as error:
            raise ConfigError(
                f"{file} cannot be read ({type(error).__name__}).", "Check its path."
            ) from None
    with source:
        if jsonl:
            _mask_lines(source, masker(privacy))
            return
        masked = masker(privacy).mask_text(source.read())
    if as_json:
        show_json({"text": masked.text, "findings": _findings(masked)})
    else:
        sys.stdout.write(masked.text)


@dataclass(frozen=True, slots=True)
class _Line:
    id: Any
    text: str


def _mask_lines(source: TextIO, masker: Masker) -> None:
    """Mask a stream with bounded memory; each answer is out before more input is waited for."""
    from rag.records import MaskedText

    for batch in _batches(source):
        results = masker.mask_texts([line.text for line in batch])
        for line, result in zip(batch, results, strict=True):
            said: dict[str, Any] = {"id": line.id, "text": None, "findings": []}
            if isinstance(result, MaskedText):
                said |= {"text": result.text, "findings": _findings(result)}
            else:
                said["blocked"] = list(result.entities)
            show_json(said, indent=None)
        sys.stdout.flush()


def _findings(masked: MaskedText) -> list[dict[str, Any]]:
    return [
        {"start": one.start, "end": one.end, "entity": one.entity, "score": round(one.score, 4)}
        for one in masked.findings
    ]


def _batches(source: TextIO) -> Iterator[list[_Line]]:
    """Yield the lines that have come so far, up to a batch; wait only for the first of them."""
    lines: queue.Queue[_Line | Exception | None] = queue.Queue(2 * BATCH_LINES)
    threading.Thread(target=_read_lines, args=(source, lines), daemon=True).start()
    ended: Exception | None = None
    more = True
    while more:
        batch: list[_Line] = []
        size = 0
        while len(batch) < BATCH_LINES and size < BATCH_CHARACTERS:
            try:
                one = lines.get(block=not batch)
            except queue.Empty:
                break
            if not isinstance(one, _Line):
                ended, more = one, False
                break
            batch.append(one)
            size += len(one.text)
        if batch:
            yield batch
    if ended is not None:
        raise ended


def _read_lines(source: TextIO, lines: queue.Queue[_Line | Exception | None]) -> None:
    from rag.errors import ConfigError

    end: Exception | None = None
    number = 0
    try:
        for number, text in enumerate(source, start=1):  # noqa: B007  # counted for the error
            if text.strip():
                said = json.loads(text)
                lines.put(_Line(said["id"], _text(said["text"])))
    except (ValueError, KeyError, TypeError, RecursionError):
        end = ConfigError(
            f"Line {number} is not an object with id and text; the lines before it are done.",
            'Give one JSON object a line: {"id": 1, "text": "…"}.',
        )
    except OSError as error:
        end = ConfigError(f"The input cannot be read ({type(error).__name__}).")
    lines.put(end)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    # Half of a surrogate pair is no character: it cannot be written as UTF-8.
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def schema(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; else standard output.")
    ] = None,
    as_json: JSON = False,
) -> None:
    """Write the JSON Schema of corpus files."""
    from rag.config import json_schema
    from rag.errors import ConfigError

    if output is None:
        show_json(json_schema())
        return
    try:
        output.write_text(json.dumps(json_schema(), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{output} cannot be written ({type(error).__name__}).", "Choose another --output."
        ) from None
    if as_json:
        show_json({"path": output})
    else:
        show(f"Wrote {output}.")


def _settings(corpus: str | None) -> tuple[Parse, Privacy]:
    from rag.config import Parse, Privacy

    if corpus is None:
        return Parse(), Privacy()
    from rag.corpus_file import load

    config = load(corpus).config
    return config.parse, config.privacy
