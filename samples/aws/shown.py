"""What the AWS demo prints beyond the laptop's: what was called, and what two targets hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from rag.ingest.context import Context
from rag.ingest.verify import compare
from rag.ledger import documents
from rag.records import Answer
from samples.aws.servers import Servers
from samples.shown import console, show_said

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


def show_calls(calls: Sequence[Mapping[str, Any]], usage: Mapping[str, Any]) -> None:
    """Print what Bedrock was asked, and what AWS would charge for it.

    Args:
        usage: By model: ``calls``, ``input_tokens``, ``output_tokens``, ``usd``.
    """
    counts: Counter[str] = Counter()
    for one in calls:
        counts[one["operation"]] += one["count"]
    asked = ", ".join(f"{operation} [bold]{count}[/]" for operation, count in counts.most_common())
    console.print(f"Asked of Bedrock: {asked or 'nothing'}.")
    for model, spent in sorted(usage.items()):
        usd = spent["usd"]
        price = "price unknown" if usd is None else f"{usd:.6f} US dollars on AWS"
        tokens = spent["input_tokens"] + spent["output_tokens"]
        times = "1 call" if spent["calls"] == 1 else f"{spent['calls']:,} calls"
        read = f", {tokens:,} tokens" if tokens else ""
        console.print(f"  [dim]{model}[/]  {times}{read}, {price}")


def show_answers(answers: Mapping[str, Answer], asker: Sequence[str]) -> None:
    """Print each target's answer; one that says the same as the one before only says so."""
    before: Answer | None = None
    for target, answer in answers.items():
        if before is None:
            console.print(
                f"[dim]asked by[/] {', '.join(asker)}   [dim]seen as[/] {escape(answer.question)}"
            )
        console.print(f"[bold cyan]{TARGETS[target]}[/]", end=": ")
        if before is not None and _said(before) == _said(answer):
            console.print("the same, word for word", end="")
        else:
            show_said(answer)
        usage = answer.usage
        price = "" if usage.usd is None else f", {usage.usd:.6f} US dollars"
        tokens = f"{usage.input_tokens:,} tokens in, {usage.output_tokens} out"
        console.print(f"  [dim]({tokens}{price})[/]")
        before = answer
    console.print()


def _said(answer: Answer) -> tuple[Any, ...]:
    return answer.text, [(one.chunk, one.quote) for one in answer.citations]


def show_servers(servers: Servers) -> None:
    """Print what stands where."""
    table = Table.grid(padding=(0, 2))
    table.add_row("S3", servers.s3, "[dim]moto[/]")
    table.add_row("Bedrock", servers.bedrock, "[dim]localaws[/]")
    table.add_row("OpenSearch", servers.opensearch, "[dim]the real one[/]")
    console.print(table)
