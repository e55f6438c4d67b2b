"""Commands without a corpus's index: parse, schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.output import JSON, show, show_json

if TYPE_CHECKING:
    from rag.config import Parse
    from rag.records import Failure, ParsedDocument

OF_CORPUS = Annotated[
    str | None, typer.Option("--corpus", help="Use this corpus's settings; else the defaults.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for command in (parse, schema):
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

    config = _settings(corpus)
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


def _settings(corpus: str | None) -> Parse:
    from rag.config import Parse

    if corpus is None:
        return Parse()
    from rag.corpus_file import load

    return load(corpus).config.parse
