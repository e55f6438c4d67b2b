"""The command that starts localaws."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rag.cli.output import JSON

FILE = {"exists": True, "dir_okay": False, "metavar": "FILE"}


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(localaws)


def localaws(
    port: Annotated[int, typer.Option(help="0 picks a free one.")] = 8009,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 is for containers.")
    ] = "127.0.0.1",
    state: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Folder of what survives a restart."),
    ] = None,
    faults: Annotated[
        Path | None,
        typer.Option(help="Rules of faults on purpose, read anew when the file changes.", **FILE),
    ] = None,
    replies: Annotated[
        Path | None, typer.Option(help="Scripted replies of text models, asked first.", **FILE)
    ] = None,
    generator: Annotated[
        str | None,
        typer.Option(
            help="What texts come from: extractive, model or scripted; or by model id:"
            " 'meta.*=model,extractive'."
        ),
    ] = None,
    credentials: Annotated[
        Path | None, typer.Option(help="Who may call, if more than one.", **FILE)
    ] = None,
    as_json: JSON = False,
) -> None:
    """Serve Bedrock and SageMaker's runtime on loopback.

    Until interrupted. It prints the environment in which any AWS client finds it.
    """
    from localaws.server import CannotStart, Options, serve
    from rag.errors import ConfigError
    from rag.home import home

    folder = state or home() / "localaws"
    try:
        serve(Options(port, folder, faults, replies, generator, credentials, as_json, host))
    except CannotStart as error:
        raise ConfigError(str(error), error.hint) from None
