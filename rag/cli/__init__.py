"""The command line: ``sluice``. Each command calls the Python API and shows what comes back.

Results go to standard output, progress and errors to standard error. Nothing heavy is imported
before a command runs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from rag.cli import (
    asking,
    auditing,
    evaluating,
    files,
    keeping,
    localaws,
    masking,
    privacy,
    reindexing,
)
from rag.cli.output import show_error
from rag.errors import SluiceError

app = typer.Typer(
    name="sluice",
    help="Keep masked indexes equal to their sources, and get cited answers from them.",
    add_completion=False,
    pretty_exceptions_enable=False,  # it shows local variables, and those may hold documents
    rich_markup_mode=None,  # without rich, --help is there in a fraction of the time
)
for _module in (
    keeping,
    reindexing,
    asking,
    evaluating,
    auditing,
    files,
    masking,
    privacy,
    localaws,
):
    _module.register(app)


def main() -> None:
    """Run ``sluice`` with this process's arguments and exit."""
    _only_our_words("--json" in sys.argv)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command; return its exit code.

    0: done. 1: done, but not all of it (see ``--strict``). 2: a mistake in the command or the
    corpus file, or the work could not be done. 130: interrupted.
    """
    as_json = "--json" in arguments
    try:
        code = app(list(arguments) or ["--help"], prog_name="sluice", standalone_mode=False)
        sys.stdout.flush()
    except SluiceError as error:
        show_error(error, as_json)
        return error.exit_code
    except typer.TyperException as error:  # a wrong option or argument
        hint = "sluice --help"
        context = getattr(error, "ctx", None)
        if context is not None:
            hint = f"{context.command_path} --help"
        show_error(SluiceError(error.format_message(), hint), as_json)
        return 2
    except (KeyboardInterrupt, typer.Abort):
        show_error(SluiceError("Interrupted.", "Run it again; what is done is kept."), as_json)
        return 130
    except BrokenPipeError:  # whoever read our output, such as head, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("SLUICE_DEBUG"):
            raise
        # Not the message: other libraries' messages quote what documents say.
        unexpected = SluiceError(
            f"An unexpected error: {type(error).__name__}.",
            "Set SLUICE_DEBUG=1 to see where; that output may show what documents say.",
        )
        show_error(unexpected, as_json)
        return 2
    return code if isinstance(code, int) else 0


def _only_our_words(as_json: bool) -> None:
    """Keep libraries' warnings off the terminal: they may quote documents."""
    import logging
    import warnings

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    if os.environ.get("SLUICE_DEBUG"):
        return
    warnings.simplefilter("ignore")
    logging.getLogger().addHandler(logging.NullHandler())
    if not as_json:
        ours = logging.StreamHandler()
        ours.setLevel(logging.WARNING)
        for name in ("connectors", "rag"):
            logging.getLogger(name).addHandler(ours)
