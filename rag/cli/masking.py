"""``sluice mask``: a text, a file, lines of JSON; and why it is masked as it is."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from rag.cli.output import JSON, ShowProgress, show, show_json, show_table

if TYPE_CHECKING:
    from rag.config import Privacy
    from rag.privacy.explain import Explanation, Reason


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(mask)


def mask(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="Text in UTF-8; - or nothing: standard input."),
    ] = None,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Lines of {id, text} in, with findings out.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show what found each place, why, and what lost.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Processes for --jsonl; else one for each core."),
    ] = None,
    corpus: Annotated[
        str | None,
        typer.Option("--corpus", help="Use this corpus's settings; else the defaults."),
    ] = None,
    as_json: JSON = False,
) -> None:
    """Mask personal data in text.

    A whole file, or line by line as JSON. Findings are offsets (in characters) into the text given.
    """
    from rag.cli.mask_lines import findings
    from rag.privacy import masker

    if jsonl and explain:
        raise typer.BadParameter("--explain is for one text; leave out --jsonl.")
    privacy = _settings(corpus)
    with _opened(file) as source:
        if jsonl:
            _mask_lines(source, privacy, workers)
            return
        text = source.read()
    if explain:
        _show_explanation(masker(privacy).explain(text), text, as_json)
        return
    masked = masker(privacy).mask_text(text)
    if as_json:
        show_json({"text": masked.text, "findings": findings(masked)})
    else:
        sys.stdout.write(masked.text)


def _settings(corpus: str | None) -> Privacy:
    from rag.config import Privacy

    if corpus is None:
        return Privacy()
    from rag.corpus_file import load

    return load(corpus).config.privacy


def _opened(file: Path | None) -> AbstractContextManager[TextIO]:
    """Open the input as text; standard input is not closed, for it may be waited for.

    A byte that is no UTF-8 is replaced, not refused: the rest still has to be masked. Line ends
    stay as they are: offsets are into the text as it was given.
    """
    from rag.errors import ConfigError

    if file is None or str(file) == "-":
        sys.stdin.reconfigure(encoding="utf-8", errors="replace", newline="")  # type: ignore[union-attr]
        return nullcontext(sys.stdin)
    try:
        return file.open(encoding="utf-8", errors="replace", newline="")
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be read ({type(error).__name__}).", "Check its path."
        ) from None


def _mask_lines(source: TextIO, privacy: Privacy, workers: int | None) -> None:
    from rag.cli.mask_lines import masked_lines
    from rag.ingest.local import Progress
    from rag.threads import cores

    # On a terminal that shows the answers, they are progress enough.
    shown = sys.stderr.isatty() and not sys.stdout.isatty()
    done = 0
    with ShowProgress(as_json=True) as tell:
        for answered in masked_lines(source, privacy, workers or cores()):
            for line, said in answered:
                show_json({"id": line.id, **said}, indent=None)
            sys.stdout.flush()
            done += len(answered)
            if shown:
                tell(Progress("masking lines", done))


def _show_explanation(explanation: Explanation, text: str, as_json: bool) -> None:
    """Show it with the text's own words: they go to whoever gave the text, and nowhere else."""
    if as_json:
        show_json(explanation)
        return
    rows: list[tuple[object, ...]] = []
    for one in explanation.findings:
        for place, reason in enumerate(one.reasons):
            first = (f"{one.start}-{one.end}", text[one.start : one.end], one.action)
            rows.append((*(first if place == 0 else ("", "", "")), *_cells(reason, text)))
    rows += [
        (f"{one.start}-{one.end}", text[one.start : one.end], "left", *_cells(one, text))
        for one in explanation.dropped
    ]
    columns = ("place", "text", "action", "kind", "score", "recognizer", "why", "outcome")
    if rows:
        show_table(columns, rows)
    else:
        show("Nothing was found.")


def _cells(reason: Reason, text: str) -> tuple[object, ...]:
    outcome = reason.outcome
    if outcome == "joined":
        outcome = f'joined: "{text[reason.start : reason.end]}"'
    return (reason.entity, reason.score, reason.recognizer, reason.why, outcome)
