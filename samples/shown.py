"""What the demos print: figures of a run, quarantine, masking, answers with their citations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table

from rag.corpus import Corpus, Status
from rag.records import Answer

console = Console(highlight=False)


def heading(number: int, text: str) -> None:
    console.print()
    console.rule(f"[bold]{number}. {text}", align="left")


def pairs(title: str, counts: Sequence[tuple[str, str]]) -> Table:
    """Return a table of names and figures under a title."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(title, no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    for name, value in counts:
        table.add_row(escape(name), value)
    return table


SHORT_TYPES = {
    "application/epub+zip": "epub",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.oasis.opendocument.text": "odt",
    "message/rfc822": "eml",
    "text/markdown": "md",
    "text/plain": "txt",
}


def show_indexed(status: Status, seconds: float) -> None:
    """Print what a run left: documents by type, identifiers by kind, seconds by step."""
    indexed = status.indexed
    grid = Table.grid(padding=(0, 3))
    types = Counter(
        {
            SHORT_TYPES.get(kind, kind.rpartition("/")[2]): n
            for kind, n in indexed.media_types.items()
        }
    )
    grid.add_row(
        pairs("Documents by type", [(kind, str(n)) for kind, n in types.most_common()]),
        pairs(
            "Identifiers masked",
            [(kind, str(n)) for kind, n in Counter(indexed.masked).most_common()],
        ),
        pairs(
            "Seconds by step",
            [(step, f"{value:.1f}") for step, value in status.last_runs[0].seconds.items()]
            + [("by the clock", f"{seconds:.1f}")],
        ),
    )
    console.print(grid)
    console.print(
        f"\n[bold]{indexed.documents}[/] documents and [bold]{indexed.attachments}[/] attachments "
        f"in [bold]{indexed.chunks}[/] chunks; [bold]{indexed.quarantined}[/] in quarantine."
    )


def show_quarantine(status: Status) -> None:
    """Print what was not indexed, why, and what to do."""
    console.print("\n[bold]Quarantine[/]: what was not indexed, why, and what to do")
    for entry in status.quarantine:
        console.print(f"[yellow]{escape(entry.name)}[/]")
        console.print(Padding(escape(f"{entry.reason} {entry.action}"), (0, 0, 0, 2)))


def show_masking(corpus: Corpus, passage: str) -> None:
    """Print a passage before and after the gate."""
    console.print(Panel(escape(passage), title="before: only here, in memory", title_align="left"))
    console.print(
        Panel(escape(corpus.mask(passage).text), title="after: what is stored", title_align="left")
    )


def show_answer(answer: Answer, asker: Sequence[str]) -> None:
    """Print an answer with where each part of it comes from."""
    console.print(
        f"[dim]asked by[/] {', '.join(asker)}   [dim]seen as[/] {escape(answer.question)}"
    )
    show_said(answer)
    console.print()


def show_said(answer: Answer) -> None:
    """Print what an answer says, and its citations."""
    style = "yellow" if answer.abstained else "green"
    console.print(f"[{style}]{escape(answer.text)}[/]")
    for citation in answer.citations:
        place = f"page {citation.page}" if citation.page else ""
        section = " › ".join(citation.section)
        where = ", ".join(part for part in (place, section) if part)
        console.print(
            f"  [dim]{escape(citation.document)}{', ' if where else ''}{escape(where)}[/]"
        )
        console.print(f"  [dim]“{escape(' '.join(citation.quote.split()))}”[/]")


def show_counts(corpus: Corpus, seconds: float) -> None:
    """Print how many documents the last run touched."""
    counts = corpus.status().last_runs[0].counts
    kinds = ("new", "changed", "moved", "acl", "unchanged", "deleted", "quarantined")
    line = "   ".join(f"{kind} [bold]{counts.get(kind, 0)}[/]" for kind in kinds)
    console.print(f"{line}   [dim]({seconds:.1f} s with Airflow)[/]")
