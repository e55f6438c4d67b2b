"""The command that starts localaws."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rag.cli.output import JSON

_FILE = {"exists": True, "dir_okay": False}


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(localaws)


def localaws(
    port: Annotated[int, typer.Option(help="On 127.0.0.1; 0 picks a free one.")] = 8009,
    state: Annotated[
        Path | None, typer.Option("--state", help="Folder of what survives a restart.")
    ] = None,
    faults: Annotated[
        Path | None, typer.Option(help="Rules of faults on purpose.", **_FILE)
    ] = None,
    replies: Annotated[
        Path | None, typer.Option(help="Scripted replies of text models.", **_FILE)
    ] = None,
    generator: Annotated[
        str, typer.Option(help="What texts come from: extractive, model or scripted.")
    ] = "extractive",
    credentials: Annotated[
        Path | None, typer.Option(help="Who may call, if more than one.", **_FILE)
    ] = None,
    as_json: JSON = False,
) -> None:
    """Serve Bedrock and SageMaker's runtime on loopback.

    Until interrupted; first it prints the environment in which any AWS client finds it.
    """
    from localaws.server import GENERATORS, CannotStart, Options, serve
    from rag.errors import ConfigError
    from rag.home import home

    if generator not in GENERATORS:
        raise ConfigError(f"There is no generator {generator}.", f"Use {', '.join(GENERATORS)}.")
    folder = state or home() / "localaws"
    options = Options(port, folder, faults, replies, generator, credentials, as_json)
    try:
        serve(options)
    except CannotStart as error:
        raise ConfigError(str(error)) from None
