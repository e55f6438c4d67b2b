"""``make demo``: the main job, once, on a laptop: index a messy folder, mask it, ask it.

Works on a copy of ``samples/handbook`` under ``.home/demo`` and begins from nothing each time.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.syntax import Syntax
from rich.table import Table

from rag.corpus import Corpus, Status
from rag.records import Answer
from samples.airflow_home import ROOT, environment, migrate

STEPS = ("plan", "shard", "sync", "verify", "publish")

console = Console(highlight=False)


class Dag:
    """The corpus's DAG, run in Airflow by a process of its own."""

    def __init__(self, env: dict[str, str], log: Path) -> None:
        self._log = log
        self._process = subprocess.Popen(
            [sys.executable, "-m", "samples.dag_runs", str(log)],
            env=env,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self) -> float:
        """Run the DAG once, with a progress display; return seconds by the clock.

        Raises:
            SystemExit: It failed; the log is named.
        """
        assert self._process.stdin is not None
        started = time.perf_counter()
        self._process.stdin.write("run\n")
        self._process.stdin.flush()
        with Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<28}"),
            BarColumn(24),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        ) as progress:
            bar = progress.add_task("Airflow starts", total=len(STEPS))
            shards = 0
            for message in self._messages():
                if "run" in message:
                    if message["state"] != "success":
                        raise SystemExit(
                            f"The DAG run ended as {message['state']}; see {self._log}"
                        )
                    return time.perf_counter() - started
                if "task" not in message:
                    continue
                task = message["task"]
                if message["state"] == "running":
                    shards += task == "shard"
                    label = f"shard {shards}" if task == "shard" else task
                    progress.update(bar, description=f"task {label}")
                elif task != "shard":
                    progress.update(bar, completed=STEPS.index(task) + 1 + (task == "plan") / 2)
        raise SystemExit(f"The DAG run broke off; see {self._log}")

    def _messages(self) -> Iterator[dict[str, str]]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            yield json.loads(line)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)


@contextmanager
def opened(env: dict[str, str], log: Path) -> Iterator[Dag]:
    """Start the DAG's process; end it with the block."""
    dag = Dag(env, log)
    try:
        yield dag
    finally:
        dag.close()


def fresh_project(state: Path) -> Path:
    """Return a project folder with a copy of the handbook; what an earlier demo left is gone."""
    for old in ("project", "sluice"):
        shutil.rmtree(state / old, ignore_errors=True)
    project = state / "project"
    shutil.copytree(ROOT / "samples" / "handbook", project / "samples" / "handbook")
    (project / "corpora").mkdir()
    shutil.copy2(ROOT / "corpora" / "handbook.yaml", project / "corpora")
    return project


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
    console.print()


def show_counts(corpus: Corpus, seconds: float) -> None:
    """Print how many documents the last run touched."""
    counts = corpus.status().last_runs[0].counts
    kinds = ("new", "changed", "moved", "acl", "unchanged", "deleted", "quarantined")
    line = "   ".join(f"{kind} [bold]{counts.get(kind, 0)}[/]" for kind in kinds)
    console.print(f"{line}   [dim]({seconds:.1f} s with Airflow)[/]")


def main() -> None:
    """Run it all; the exit code is 0 when every step did what it shows."""
    state = Path(os.environ.get("STATE", ROOT / ".home")) / "demo"
    project = fresh_project(state)
    env = environment(state, project)
    os.environ.update(env)
    shown = json.loads((ROOT / "samples" / "demo.json").read_text(encoding="utf-8"))
    handbook = project / "samples" / "handbook"
    with console.status("Airflow's database …"):
        migrate(env)
    with opened(env, state / "airflow" / "dag-runs.log") as dag:
        heading(1, "A corpus is declared in one file: corpora/handbook.yaml")
        text = (project / "corpora" / "handbook.yaml").read_text(encoding="utf-8")
        console.print(Syntax(text, "yaml", background_color="default"))

        heading(2, "Its DAG runs in Airflow: plan, shards, sync, verify, publish")
        seconds = dag.run()
        corpus = Corpus.open(project / "corpora" / "handbook.yaml")
        show_indexed(corpus.status(), seconds)
        show_quarantine(corpus.status())

        heading(3, "Nothing personal is stored: a passage before and after masking")
        show_masking(corpus, shown["passage"])

        heading(4, "Questions get cited answers, within the asker's rights, or none")
        for question in shown["questions"]:
            console.print(f"[bold]{escape(question['question'])}[/]   [dim]{question['shows']}[/]")
            for asker in question["askers"]:
                show_answer(corpus.ask(question["question"], principals=asker), asker)

        heading(5, "Run again: nothing is redone")
        show_counts(corpus, dag.run())

        heading(6, "One document changed, one deleted: only those move")
        changed, deleted = handbook / shown["change"]["document"], handbook / shown["delete"]
        changed.write_text(
            changed.read_text(encoding="utf-8") + f"\n\n{shown['change']['adds']}\n",
            encoding="utf-8",
        )
        deleted.unlink()
        console.print(
            f"[dim]changed[/] {shown['change']['document']}   [dim]deleted[/] {shown['delete']}"
        )
        show_counts(corpus, dag.run())
        asker = shown["change"]["asker"]
        console.print(f"\n[bold]{escape(shown['change']['question'])}[/]")
        show_answer(corpus.ask(shown["change"]["question"], principals=asker), asker)
    console.print(
        "[bold]Next:[/] point a corpus at your own folder: "
        ".venv/bin/sluice init notes --url /path/to/folder, then sluice sync notes.\n"
        "      make ui shows the DAG in Airflow."
    )


if __name__ == "__main__":
    main()
