"""``make demo``: the main job, once, on a laptop: index a messy folder, mask it, ask it.

Works on a copy of ``samples/handbook`` under ``.home/demo`` and begins from nothing each time.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from rich.markup import escape
from rich.syntax import Syntax

from rag.corpus import Corpus
from samples.airflow_home import ROOT, environment, migrate
from samples.dag_process import opened
from samples.shown import (
    console,
    heading,
    show_answer,
    show_counts,
    show_indexed,
    show_masking,
    show_quarantine,
)


def fresh_project(state: Path) -> Path:
    """Return a project folder with a copy of the handbook; what an earlier demo left is gone."""
    for old in ("project", "sluice"):
        shutil.rmtree(state / old, ignore_errors=True)
    project = state / "project"
    shutil.copytree(ROOT / "samples" / "handbook", project / "samples" / "handbook")
    (project / "corpora").mkdir()
    shutil.copy2(ROOT / "corpora" / "handbook.yaml", project / "corpora")
    return project


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
