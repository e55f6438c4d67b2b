"""Commands that declare a corpus and keep it: init, sync, status, quarantine, unlock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.cli.output import (
    CORPUS,
    JSON,
    ShowProgress,
    cost_rows,
    most_first,
    show,
    show_json,
    show_table,
)

if TYPE_CHECKING:
    from rag.corpus import Corpus
    from rag.ingest.report import SyncReport
    from rag.ledger import QuarantineEntry

TEMPLATE = """\
# yaml-language-server: $schema=corpus.schema.json
corpus: {name}
source:
  url: {url}  # a folder, s3://bucket/prefix, sftp://host/path
  include: ["**/*"]
  # Who may read: FILE.acl.yaml beside a document ({{allow: ["group:hr"]}}), else the default.
  acl: {{from: sidecar, default: ["group:staff"]}}
schedule: "@hourly"
privacy:
  profile: default
  actions: {{PERSON: pseudonym, CREDIT_CARD: redact, US_SSN: block}}
chunk: {{strategy: by_title, max_tokens: 256, overlap_tokens: 32}}
embed: {{model: embedded/minilm}}
targets: [{{kind: embedded}}]
answer: {{model: embedded/extractive, context_tokens: 1500, min_support: 0.6}}
"""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for command in (init, sync, status, quarantine, unlock):
        app.command()(command)


def init(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the new corpus.")],
    url: Annotated[
        str, typer.Option(help="Folder or URL of its documents; a folder starts from here.")
    ] = "documents",
    as_json: JSON = False,
) -> None:
    """Write corpora/NAME.yaml to start from."""
    import json

    from rag.config import json_schema
    from rag.corpus_file import parse
    from rag.errors import ConfigError

    path = Path("corpora") / f"{name}.yaml"
    text = TEMPLATE.format(name=name, url=json.dumps(url, ensure_ascii=False))
    parse(text, path)  # a wrong name or URL is an error before anything is written
    path.parent.mkdir(exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(f"{path} is there already.", "Edit it, or choose another name.") from None
    schema = path.with_name("corpus.schema.json")
    if not schema.exists():
        schema.write_text(json.dumps(json_schema(), indent=2) + "\n", encoding="utf-8")
    if as_json:
        show_json({"corpus": name, "path": path})
        return
    show(f"Wrote {path}.")
    if "://" not in url and not Path(url).expanduser().is_dir():
        show(f"Put documents into {url}, then: sluice sync {name}")
    else:
        show(f"Next: sluice sync {name}")


def sync(
    corpus: CORPUS,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Do every document anew.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
    allow_mass_delete: Annotated[
        bool,
        typer.Option("--allow-mass-delete", help="Let this run delete more than max_delete."),
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 if documents are in quarantine.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; by default one a core.")
    ] = None,
    as_json: JSON = False,
) -> None:
    """Make the index of a corpus equal to its source."""
    from rag.corpus import Corpus

    opened = Corpus.open(corpus)
    with ShowProgress(as_json) as progress:
        report = opened.sync(
            progress,
            full_refresh=full_refresh,
            dry_run=dry_run,
            allow_mass_delete=allow_mass_delete,
            workers=workers,
        )
    if as_json:
        show_json(report.as_counts())
    else:
        _show_report(report, corpus)
    if strict and report.documents["quarantined"]:
        raise typer.Exit(1)


def _show_report(report: SyncReport, corpus: str) -> None:
    title = f"{report.corpus}: a dry run; nothing was changed" if report.dry_run else report.corpus
    show(title)
    show_table(list(report.documents), [list(report.documents.values())])
    show(
        f"{report.chunks:,} chunks in the index; {report.parsed:,} documents parsed and "
        f"{report.embedded:,} chunks embedded in {report.elapsed:.1f} s."
    )
    if report.masked:
        show("\nMasked")
        show_table(["kind", "times"], most_first(report.masked))
    if report.parsed:
        show("\nWorking seconds, over all processes")
        show_table(["step", "seconds"], list(report.seconds.items()))
    if report.usage:
        show("\nPaid calls, by list price")
        show_table(["model", "calls", "tokens in", "tokens out", "USD"], cost_rows(report.usage))
    if report.warnings:
        show("\nTo be mended in the source")
        show_table(["file", "what"], list(report.warnings.items()))
    if any(report.repaired.values()):
        show("\nRepaired in the index")
        show_table(["what", "times"], list(report.repaired.items()))
    if report.documents["quarantined"]:
        show(f"\nWhat waits in quarantine, and why: sluice quarantine {corpus}")


def status(corpus: CORPUS, as_json: JSON = False) -> None:
    """Show what is indexed and what waits.

    With the last runs, and what is in quarantine and why.
    """
    from rag.corpus import Corpus

    found = Corpus.open(corpus).status()
    indexed = found.indexed
    if as_json:
        show_json(
            {
                "corpus": found.corpus,
                "path": found.path,
                "documents": indexed.documents,
                "attachments": indexed.attachments,
                "chunks": indexed.chunks,
                "bytes": indexed.bytes,
                "quarantined": indexed.quarantined,
                "types": indexed.media_types,
                "masked": indexed.masked,
                "last_success": found.last_success,
                "runs": list(found.last_runs),
                "quarantine": [_quarantined(one) for one in found.quarantine],
                "erased": found.kept_out,
            }
        )
        return
    show(f"{found.corpus} ({found.path})")
    show_table(
        ["documents", "attachments", "chunks", "quarantined", "last success"],
        [
            [
                indexed.documents,
                indexed.attachments,
                indexed.chunks,
                indexed.quarantined,
                found.last_success or "never",
            ]
        ],
    )
    if indexed.media_types:
        show()
        show_table(["type", "documents"], sorted(indexed.media_types.items()))
    if indexed.masked:
        show()
        show_table(["masked", "times"], most_first(indexed.masked))
    if found.last_runs:
        show()
        show_table(
            ["run", "status", "started", "why it failed"],
            [
                [one.mode, one.status, one.started_at, one.error_code or ""]
                for one in found.last_runs
            ],
        )
    if found.kept_out.persons:
        show()
        show_table(
            ["persons erased", "documents kept out", "of these still in the source"],
            [[found.kept_out.persons, found.kept_out.documents, found.kept_out.listed]],
        )
    if found.quarantine:
        show()
        _show_quarantine(found.quarantine)
    elif not found.last_runs:
        show(f"\nNever synced. Next: sluice sync {corpus}")


def quarantine(
    corpus: CORPUS,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show real file names; needs --as and --purpose.")
    ] = False,
    asker: Annotated[
        list[str] | None,
        typer.Option("--as", metavar="PRINCIPALS", help="Who asks: user:NAME,group:NAME"),
    ] = None,
    purpose: Annotated[
        str, typer.Option(metavar="TEXT", help="Why; it goes into the audit, masked.")
    ] = "",
    as_json: JSON = False,
) -> None:
    """Show what could not be indexed, and why.

    With what to do about each document.
    """
    from rag.corpus import Corpus

    opened = Corpus.open(corpus)
    waiting = opened.quarantine()
    names = _real_names(opened, waiting, asker or [], purpose) if reveal else {}
    if as_json:
        show_json([_quarantined(one, names.get(one.document_id)) for one in waiting])
    elif waiting:
        _show_quarantine(waiting, names)
    else:
        show("Nothing waits in quarantine.")


def unlock(corpus: CORPUS, as_json: JSON = False) -> None:
    """End a dead run's hold on a corpus."""
    from rag.corpus import Corpus

    freed = Corpus.open(corpus).unlock()
    if as_json:
        show_json({"unlocked": freed})
    else:
        show("Unlocked." if freed else "No run holds it.")


def _real_names(
    corpus: Corpus, waiting: list[QuarantineEntry], asker: list[str], purpose: str
) -> dict[str, str]:
    from rag.cli.asking import principals_of

    if not waiting:
        return {}
    found = corpus.reveal(
        documents=[one.document_id for one in waiting],
        principals=principals_of(asker),
        purpose=purpose,
    )
    return {
        one.document_id: " ".join(known.originals) + (" (an attachment)" if one.parent_id else "")
        for one, known in zip(waiting, found, strict=True)
    }


def _show_quarantine(waiting: Any, names: dict[str, str] | None = None) -> None:
    show_table(
        ["document", "reason", "what to do", "old version served"],
        [
            [
                (names or {}).get(one.document_id, one.name),
                one.reason,
                one.action,
                "yes" if one.served else "no",
            ]
            for one in waiting
        ],
    )


def _quarantined(one: QuarantineEntry, source: str | None = None) -> dict[str, Any]:
    said: dict[str, Any] = {
        "document": one.name,
        "step": one.step,
        "code": one.code,
        "reason": one.reason,
        "action": one.action,
        "transient": one.transient,
        "attempts": one.attempts,
        "served": one.served,
        "attachment": one.parent_id is not None,
        "first_seen": one.first_seen,
        "last_seen": one.last_seen,
    }
    return {"source": source, **said} if source is not None else said
