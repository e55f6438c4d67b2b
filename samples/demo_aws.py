"""``make demo-aws``: the main job on a local AWS, with the corpus file that an account would get.

Documents on S3, masked and then read by a Bedrock guardrail, embedded by Bedrock, kept equal in
OpenSearch and in a knowledge base, answered by a Bedrock model. An S3 server, localaws and a real
OpenSearch stand on loopback for it; the product knows only their addresses. The exit code is 0
when everything that is shown is true.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import boto3
from rich.markup import escape
from rich.syntax import Syntax

from rag.corpus import Corpus
from rag.privacy.guardrail import GuardrailBlocked
from samples.airflow_home import ROOT, environment, migrate
from samples.aws.account import DOCUMENTS, PREFIX, create, upload
from samples.aws.leaks import found
from samples.aws.servers import Servers, running
from samples.aws.shown import TARGETS, show_answers, show_calls, show_held, show_servers
from samples.dag_process import Dag, opened
from samples.shown import console, heading, show_counts, show_indexed

LOG = Path("airflow", "dag-runs.log")
BLOCKED_QUESTION = "What is Project Halcyon about?"


def fresh_project(state: Path) -> Path:
    """Return a project folder without anything that an earlier demo left."""
    for old in ("project", "sluice", "servers"):
        shutil.rmtree(state / old, ignore_errors=True)
    (state / LOG).unlink(missing_ok=True)
    project = state / "project"
    (project / "corpora").mkdir(parents=True)
    return project


def declared(servers: Servers, project: Path) -> Path:
    """Make what the corpus needs in the account; return the corpus file that names it."""
    heading(1, "An account on loopback, and a corpus file that differs in five values")
    sample = (ROOT / "samples" / "aws" / "handbook.yaml").read_text(encoding="utf-8")
    account = create()
    files = upload(ROOT / "samples" / "handbook")
    corpus_file = project / "corpora" / "handbook.yaml"
    corpus_file.write_text(account.corpus(sample, servers.opensearch), encoding="utf-8")
    show_servers(servers)
    console.print(
        f"\nMade by plain boto3: guardrail [bold]{account.guardrail}[/] version "
        f"{account.guardrail_version}, knowledge base [bold]{account.knowledge_base}[/], data "
        f"source [bold]{account.data_source}[/]; {files} files in the bucket."
    )
    text = corpus_file.read_text(encoding="utf-8").partition("\n")[2]
    console.print(Syntax(text, "yaml", background_color="default", word_wrap=True))
    return corpus_file


def ask(corpus: Corpus, question: str, asker: Sequence[str], said: str | None) -> None:
    """Ask each target and print; see that the answer holds `said`, or abstains where None.

    Raises:
        SystemExit: It does not.
    """
    answers = {target: corpus.ask(question, principals=asker, target=target) for target in TARGETS}
    show_answers(answers, asker)
    for target, answer in answers.items():
        if said is None and not answer.abstained:
            raise SystemExit(f"{TARGETS[target]} answered what no document says.")
        if said is not None and said not in answer.text:
            raise SystemExit(f"{TARGETS[target]} did not answer with {said!r}.")


def refused(corpus: Corpus) -> None:
    """Ask what the guardrail blocks.

    Raises:
        SystemExit: It was answered.
    """
    console.print(f"\n[bold]{escape(BLOCKED_QUESTION)}[/]   [dim]a word of the guardrail's list[/]")
    try:
        corpus.ask(BLOCKED_QUESTION, principals=["user:demo", "group:staff"])
    except GuardrailBlocked as blocked:
        console.print(f"[yellow]{escape(blocked.message)}[/] [dim]{escape(blocked.hint)}[/]")
        return
    raise SystemExit("The guardrail let a blocked question through.")


def see(corpus: Corpus, shown: Mapping[str, Any], *, there: bool) -> None:
    """See that every target finds the document that is to be deleted, or none does any more.

    Raises:
        SystemExit: It is otherwise.
    """
    question, asker = shown["deleted_question"], shown["change"]["asker"]
    for target, name in TARGETS.items():
        hits = corpus.search(question, principals=asker, k=20, target=target)
        if any(hit.document == shown["delete"] for hit in hits) != there:
            raise SystemExit(f"{name} {'misses' if there else 'still finds'} {shown['delete']}.")
    console.print(f"{escape(shown['delete'])} is found in {'both' if there else 'neither'}.")


def change(shown: dict[str, Any]) -> None:
    """Change one document in the bucket and delete another."""
    s3 = boto3.client("s3")
    changed, deleted = (f"{PREFIX}/{shown['change']['document']}", f"{PREFIX}/{shown['delete']}")
    before = s3.get_object(Bucket=DOCUMENTS, Key=changed)["Body"].read()
    s3.put_object(
        Bucket=DOCUMENTS, Key=changed, Body=before + f"\n\n{shown['change']['adds']}\n".encode()
    )
    s3.delete_object(Bucket=DOCUMENTS, Key=deleted)
    console.print(
        f"[dim]changed[/] {shown['change']['document']}   [dim]deleted[/] {shown['delete']}"
    )


def second_net(corpus: Corpus, shown: Mapping[str, Any]) -> None:
    """Show what only the guardrail masks, in both targets.

    Raises:
        SystemExit: It did not.
    """
    for target, name in TARGETS.items():
        hits = corpus.search(shown["question"], principals=shown["asker"], k=3, target=target)
        lines = [line for hit in hits for line in hit.chunk.text.splitlines()]
        masked = [line for line in lines if shown["masked"] in line]
        if not masked or any(re.search(shown["pattern"], line) for line in lines):
            raise SystemExit(f"The guardrail did not mask device numbers in {name}.")
        console.print(f"[bold cyan]{name}[/]: {escape(masked[0])}")


def no_identifier(opensearch: str) -> None:
    """Look for every planted identifier in what the services hold.

    Raises:
        SystemExit: One is there.
    """
    texts, wanted, leaked = found(opensearch)
    if leaked:
        raise SystemExit(f"{len(leaked)} planted identifiers are in a target.")
    console.print(
        f"[green]None of {wanted} planted identifiers[/] is in the {texts} keys, objects and "
        "documents that the bucket and OpenSearch hold."
    )


def run(dag: Dag, servers: Servers) -> tuple[float, list[dict[str, Any]]]:
    """Run the DAG; return seconds by the clock and what it asked of Bedrock."""
    servers.calls()
    seconds = dag.run()
    return seconds, servers.calls()


def show(servers: Servers, dag: Dag, corpus_file: Path) -> None:
    """Go through the runs and the questions."""
    shown = json.loads((ROOT / "samples" / "demo.json").read_text(encoding="utf-8"))
    heading(2, "The DAG runs in Airflow: S3, mask, guardrail, Bedrock, two targets")
    seconds, calls = run(dag, servers)
    corpus = Corpus.open(corpus_file)
    show_indexed(corpus.status(), seconds)
    console.print()
    show_calls(calls, dag.result.get("usage", {}))
    console.print()
    show_held(corpus_file)

    heading(3, "Nothing personal is there; what only the company knows, the guardrail masks")
    no_identifier(servers.opensearch)
    second_net(corpus, shown["second_net"])

    heading(4, "The same questions of both targets, answered by a Bedrock model")
    for question in shown["questions"]:
        console.print(f"[bold]{escape(question['question'])}[/]   [dim]{question['shows']}[/]")
        for asker, said in zip(question["askers"], question["says"], strict=True):
            ask(corpus, question["question"], asker, said)
    refused(corpus)

    heading(5, "One document changed in the bucket, one deleted: both targets follow")
    see(corpus, shown, there=True)
    change(shown)
    seconds, calls = run(dag, servers)
    show_counts(corpus, seconds)
    show_calls(calls, dag.result.get("usage", {}))
    console.print()
    show_held(corpus_file)
    changed = shown["change"]
    console.print(f"\n[bold]{escape(changed['question'])}[/]")
    ask(corpus, changed["question"], changed["asker"], changed["says"])
    see(corpus, shown, there=False)


def stop(*_: object) -> NoReturn:
    """End as Ctrl-C does; a second one must not interrupt the ending."""
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> None:
    """Run it all; the exit code is 0 when everything shown is true."""
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, stop)
    started = time.monotonic()
    state = Path(os.environ.get("STATE", ROOT / ".home")) / "demo-aws"
    project = fresh_project(state)
    inherited = {name for name in os.environ if name.startswith("AWS_")}
    for name in inherited:  # nobody's own account is meant
        del os.environ[name]
    env = environment(state, project) | {"SLUICE_POLL_SECONDS": "2"}  # its jobs take seconds
    try:
        with console.status("Starting the S3 server, localaws and OpenSearch …"):
            migrate(env)
        with running(state / "servers", env) as servers:
            env |= servers.environment
            os.environ.update(env)
            corpus_file = declared(servers, project)
            with opened(env, state / LOG) as dag:
                show(servers, dag, corpus_file)
    except KeyboardInterrupt:
        console.print("Ended; nothing is left running.")
        raise SystemExit(130) from None
    console.print(
        f"\nAll shown was checked, in {time.monotonic() - started:.0f} s; the servers have ended.\n"
        "[bold]Next:[/] docs/aws.md: the same in an account. docs/localaws.md: a local Bedrock "
        "for what you build."
    )


if __name__ == "__main__":
    main()
