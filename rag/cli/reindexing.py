"""Commands that exchange the index that is served: reindex, rollback."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.output import CORPUS, JSON, ShowProgress, show, show_json, show_table

if TYPE_CHECKING:
    from rag.ingest.reindex import ReindexReport


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(reindex)
    app.command()(rollback)


def reindex(
    corpus: CORPUS,
    queries: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Judge by these: BEIR's queries.jsonl."),
    ] = None,
    qrels: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Their judgements: BEIR's qrels.tsv."),
    ] = None,
    gate: Annotated[
        float, typer.Option(min=0, max=1, help="nDCG@10 that may be lost against the old index.")
    ] = 0.02,
    floor: Annotated[
        float | None, typer.Option(min=0, max=1, help="Instead: nDCG@10 that must be reached.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
    as_json: JSON = False,
) -> None:
    """Build the OpenSearch index anew beside the one that is served, then exchange them.

    For another embedding model, chunking, analyzer or engine: change the corpus file, then run
    this. Exits with 1, and goes on serving the old index, if the new one is judged worse.
    """
    from rag.corpus import Corpus
    from rag.errors import ConfigError

    if (queries is None) != (qrels is None):
        raise ConfigError("Judging needs both --queries and --qrels.", "Give both, or neither.")
    with ShowProgress(as_json) as progress:
        report = Corpus.open(corpus).reindex(
            progress, queries=queries, qrels=qrels, tolerance=gate, floor=floor, dry_run=dry_run
        )
    if as_json:
        show_json(report)
    else:
        _show(report, corpus)
    if not report.served and not dry_run:
        raise typer.Exit(1)


def _show(report: ReindexReport, corpus: str) -> None:
    show(f"{report.corpus}, target {report.target}: {report.old_model} → {report.new_model}")
    show(
        f"{report.documents:,} documents in {report.chunks:,} chunks; "
        f"{report.read_again:,} read again from the source."
    )
    if report.old and report.new:
        show_table(
            ["index", "queries", "nDCG@10", "recall@100", "MRR@10"],
            [
                [name, one.queries, *(f"{value:.4f}" for value in _means(one))]
                for name, one in (("old", report.old), ("new", report.new))
            ],
        )
    if report.dry_run:
        show("A dry run; nothing was changed.")
    elif report.served:
        show(f"The new index is served. Back to the old one: sluice rollback {corpus}")
    else:
        show("The new index did not pass the gate. The old one is still served.")


def _means(scores: object) -> list[float]:
    return [getattr(scores, name) for name in ("ndcg_at_10", "recall_at_100", "mrr_at_10")]


def rollback(corpus: CORPUS, as_json: JSON = False) -> None:
    """Serve the index again that the last reindex replaced."""
    from rag.corpus import Corpus

    report = Corpus.open(corpus).rollback()
    if as_json:
        show_json(report)
        return
    show(f"{report.corpus}, target {report.target}: {report.model} is served again.")
    show(f"{report.documents:,} documents; {report.to_redo:,} changed since and wait for a sync.")
    show(f"Put embed.model: {report.model} back into the corpus file, then: sluice sync {corpus}")
