"""What the AWS demo prints beyond the laptop's: what was called, and what two targets hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from rag.ingest.context import Context
from rag.ingest.verify import compare
from rag.ledger import documents
from samples.aws.servers import Servers
from samples.shown import console

TARGETS = {"opensearch": "OpenSearch", "knowledge_base": "knowledge base"}


@dataclass(frozen=True, slots=True)
class Held:
    """A target compared with the ledger, by document, version, rights and number of passages."""

    target: str
    documents: int
    passages: int
    expected: int
    missing: int
    different: int
    extra: int

    @property
    def equal(self) -> bool:
        """Whether it holds exactly what the ledger says."""
        return not (self.missing or self.different or self.extra)


def held(corpus_file: Path) -> list[Held]:
    """Ask every target what it really holds, and compare with the ledger."""
    context = Context.open(corpus_file)
    with context.ledger.read() as db:
        entries = documents.entries(db, context.corpus)
    expected = {one.document_id: one for one in entries if one.chunk_count}
    found = []
    for name, target in context.targets.items():
        inventory = target.inventory()
        differs = compare(expected, inventory)
        passages = sum(len(one.chunks) for one in inventory.values())
        counts = (len(part) for part in (differs.missing, differs.different, differs.extra))
        found.append(Held(name, len(inventory), passages, len(expected), *counts))
    return found


def show_held(corpus_file: Path) -> None:
    """Print what the targets hold.

    Raises:
        SystemExit: One does not hold what the ledger says.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Target", no_wrap=True)
    for column in ("documents", "passages", "the ledger says", "missing", "different", "extra"):
        table.add_column(column, justify="right")
    all_held = held(corpus_file)
    for one in all_held:
        numbers = (one.documents, one.passages, one.expected, one.missing, one.different, one.extra)
        table.add_row(TARGETS[one.target], *(str(number) for number in numbers))
    console.print(table)
    if not all(one.equal for one in all_held):
        raise SystemExit("A target does not hold what the ledger says.")


def show_calls(calls: Sequence[Mapping[str, Any]], usage: Mapping[str, Any] | None = None) -> None:
    """Print what Bedrock was asked, and what AWS would charge for the models' part of it.

    Args:
        usage: By model: ``calls``, ``input_tokens``, ``output_tokens``, ``usd``.
    """
    grid = Table.grid(padding=(0, 4))
    asked = Table(box=None, pad_edge=False, header_style="bold")
    asked.add_column("Asked of Bedrock", no_wrap=True)
    asked.add_column(justify="right", no_wrap=True)
    counts: dict[str, int] = {}
    for one in calls:
        counts[one["operation"]] = counts.get(one["operation"], 0) + one["count"]
    for operation, count in sorted(counts.items(), key=lambda item: -item[1]):
        asked.add_row(operation, str(count))
    paid = Table(box=None, pad_edge=False, header_style="bold")
    paid.add_column("Model", no_wrap=True)
    for column in ("calls", "tokens in", "out", "US dollars"):
        paid.add_column(column, justify="right", no_wrap=True)
    for model, spent in sorted((usage or {}).items()):
        usd = spent["usd"]
        paid.add_row(
            model,
            str(spent["calls"]),
            f"{spent['input_tokens']:,}",
            f"{spent['output_tokens']:,}",
            "?" if usd is None else f"{usd:.6f}",
        )
    grid.add_row(asked, paid) if usage else grid.add_row(asked)
    console.print(grid)


def show_servers(servers: Servers) -> None:
    """Print what stands where."""
    table = Table.grid(padding=(0, 2))
    table.add_row("S3", servers.s3, "[dim]moto[/]")
    table.add_row("Bedrock", servers.bedrock, "[dim]localaws[/]")
    table.add_row("OpenSearch", servers.opensearch, "[dim]the real one[/]")
    console.print(table)
