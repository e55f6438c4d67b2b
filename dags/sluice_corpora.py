"""One DAG a corpus: ``plan → shard (mapped) → sync → verify → publish``.

Where a target is a knowledge base of Amazon Bedrock, ``begin → wait → settle`` come after sync: its
ingestion jobs are waited for in the triggerer, by the amazon provider's sensor.

Only orchestration: every task calls one function of `rag.ingest.pipeline`. What passes between
tasks is a run's id, its shards' ids and counts; documents never do.

Environment, read where DAG files are parsed and where tasks run:

- ``SLUICE_CORPORA``: folder of corpus files; else ``corpora/`` beside this folder.
- ``SLUICE_POOL``: pool that bounds how many shards run at once; else ``default_pool``.
- ``SLUICE_POLL_SECONDS``: pause between two looks at an ingestion job; 30.
- ``SLUICE_RETRY_SECONDS``: pause before a task's first retry, doubled at each further one; 20.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, Asset, Param, dag, get_current_context, task
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from rag.corpus_file import ENDINGS, load
from rag.errors import ConfigError, MassDeletion, SluiceError
from rag.masked import configured
from rag.telemetry import INFO, event

if TYPE_CHECKING:
    from rag.config import Aws

CORPORA = Path(os.environ.get("SLUICE_CORPORA") or Path(__file__).parent.parent / "corpora")
POOL = os.environ.get("SLUICE_POOL") or "default_pool"
RETRY_SECONDS = float(os.environ.get("SLUICE_RETRY_SECONDS") or 20)
POLL_SECONDS = int(os.environ.get("SLUICE_POLL_SECONDS") or 30)
INGESTION_SECONDS = 5 * 3600
"""For an ingestion job, which is less than a run may hold its corpus without a sign of life."""
RUN = "{{ run_id }}"

log = logging.getLogger("sluice")

DOC = """
Keeps the index of corpus **{name}** equal to its source. Declared in `{file}`.

- **plan** lists the source and compares it with the ledger: what is new, changed, moved, deleted.
  A listing that fails or comes back empty deletes nothing.
- **shard** reads, parses, masks, chunks and embeds some of the documents; there is one task a
  shard, and none when nothing is to be done.
- **sync** puts new versions into the index and takes deleted documents out.
{waiting}- **verify** compares the index with the ledger and repairs what differs.
- **publish** closes the run and emits the asset `{asset}`.

A document that cannot be read does not fail the run: it waits in quarantine, with the reason and
what to do about it. See it with

    sluice quarantine {name}
    sluice status {name}

A run that would delete more than the corpus's `max_delete` stops in `plan` and lists the documents
in its log. If they are really gone, trigger a run with *allow_mass_delete*.
"""
WAITING = """\
- **begin** starts the knowledge base's ingestion job, **wait** defers until it is over, and
  **settle** notes what the service refused: it waits in quarantine, with the service's reason.
"""


@contextmanager
def told() -> Iterator[None]:
    """Turn an error into what Airflow should do: a wrong setting or a refusal is not retried.

    An unexpected error keeps its type and traceback but not its message, which could quote a
    document and would be written to the task's log.
    """
    try:
        yield
    except SluiceError as error:
        lines = [error.message, error.hint]
        if isinstance(error, MassDeletion):
            lines += [f"  {name}" for name in error.documents]
        text = "\n".join(line for line in lines if line)
        raise (RuntimeError(text) if error.transient else AirflowFailException(text)) from None
    except Exception as error:
        unexpected = RuntimeError(f"{type(error).__name__}; the traceback shows where.")
        raise unexpected.with_traceback(error.__traceback__) from None


def switch(title: str, description: str) -> Param:
    """Return a run's parameter that is off."""
    return Param(False, type="boolean", title=title, description=description)


def taken_in(path: Path, owner: str, aws: Aws) -> tuple[Any, Any]:
    """Make the tasks that wait for a knowledge base; return the first and the last of them."""
    # Only for corpora that have such a target: it brings boto3 along.
    from airflow.providers.amazon.aws.sensors.bedrock import BedrockIngestionJobSensor

    @task(doc_md="Starts the knowledge base's ingestion job, if one is owed; names it.")
    def begin(run: str) -> list[dict[str, str]]:
        from rag.ingest.pipeline import Pipeline

        with told():
            return Pipeline.open(path, owner).begin(run)

    @task(
        trigger_rule="none_failed",
        doc_md="Notes what the knowledge base refused, and takes the rest of it out.",
    )
    def settle(run: str) -> None:
        from rag.ingest.pipeline import Pipeline

        with told():
            Pipeline.open(path, owner).settle(run)

    begun, settled = begin(RUN), settle(RUN)
    waiting = BedrockIngestionJobSensor.partial(
        task_id="wait",
        aws_conn_id=aws.connection,
        region_name=aws.region,
        deferrable=True,
        poke_interval=POLL_SECONDS,
        max_retries=max(1, INGESTION_SECONDS // POLL_SECONDS),
        doc_md="Defers until the knowledge base's ingestion job is over; one task a job.",
    )
    waiting.expand_kwargs(begun) >> settled
    return begun, settled


def corpus_dag(path: Path) -> DAG:
    """Return the DAG that keeps one corpus.

    Raises:
        ConfigError: The corpus file is wrong.
    """
    loaded = load(path)
    name = loaded.config.corpus
    if name != path.stem:
        raise ConfigError(
            f"{path.name} declares the corpus {name}.", "Give the file and its corpus one name."
        )
    dag_id = f"sluice_{name}"
    owner = f"airflow:{dag_id}"
    asset = Asset(name=dag_id, uri=f"sluice://corpus/{name}")
    waits = any(target.kind == "knowledge_base" for target in loaded.config.targets)

    def release(context: Any) -> None:
        """Let go of the corpus when its run failed, so that the next one need not wait."""
        from rag.ingest.pipeline import Pipeline

        with told():
            Pipeline.open(path, owner).abandon(context["run_id"])

    @dag(
        dag_id=dag_id,
        schedule=loaded.config.schedule,
        start_date=datetime(2024, 1, 1),
        catchup=False,
        max_active_runs=1,
        tags=["sluice", name],
        description=f"Keeps the index of corpus {name} equal to its source",
        doc_md=DOC.format(
            name=name, file=path.name, asset=asset.uri, waiting=WAITING if waits else ""
        ),
        on_failure_callback=release,
        params={
            "full_refresh": switch("Full refresh", "Redo every document."),
            "dry_run": switch("Dry run", "Plan only: count what would be done, change nothing."),
            "allow_mass_delete": switch(
                "Allow mass delete", "Let this run delete more than the corpus's max_delete."
            ),
        },
        default_args={
            "owner": "sluice",
            "retries": 2,
            "retry_delay": timedelta(seconds=RETRY_SECONDS),
            "retry_exponential_backoff": True,
            "max_retry_delay": timedelta(minutes=10),
        },
    )
    def keep() -> None:
        @task(doc_md="Compares the source with the ledger; returns the ids of the shards to do.")
        def plan(run: str) -> list[str]:
            from rag.ingest.pipeline import Options, Pipeline

            params = get_current_context()["params"]
            options = Options(
                full_refresh=params["full_refresh"],
                dry_run=params["dry_run"],
                allow_mass_delete=params["allow_mass_delete"],
                most_shards=conf.getint("core", "max_map_length"),
            )
            with told():
                made = Pipeline.open(path, owner).plan(run, options)
            event(log, INFO, "documents", **nonzero(made.counts))
            return list(made.shards)

        @task(
            pool=POOL,
            multiple_outputs=False,
            map_index_template="{{ shard_label }}",
            doc_md="Reads, parses, masks, chunks and embeds the documents of one shard. "
            "Raw text stays in this task's memory.",
        )
        def shard(run: str, shard: str) -> dict[str, Any]:
            from rag.ingest.pipeline import Pipeline

            context: Any = get_current_context()
            context["shard_label"] = f"shard {context['ti'].map_index + 1}"
            with told():
                counts = Pipeline.open(path, owner).shard(run, shard).as_counts()
            done = f"documents {counts['documents']}, chunks {counts['chunks']}"
            context["shard_label"] += f": {done}"
            return counts

        @task(
            trigger_rule="none_failed",
            multiple_outputs=False,
            doc_md="Makes every target hold the new versions, and no longer what was deleted.",
        )
        def sync(run: str) -> dict[str, int]:
            from rag.ingest.pipeline import Pipeline

            with told():
                return dict(Pipeline.open(path, owner).sync(run))

        @task(
            multiple_outputs=False,
            doc_md="Compares each target with the ledger; repairs what can be repaired.",
        )
        def verify(run: str) -> dict[str, int]:
            from rag.ingest.pipeline import Pipeline

            with told():
                return dict(Pipeline.open(path, owner).verify(run))

        @task(
            outlets=[asset],
            multiple_outputs=False,
            doc_md="Closes the run and tells whoever waits for this corpus.",
        )
        def publish(run: str) -> dict[str, Any]:
            from rag.ingest.pipeline import Pipeline

            with told():
                report = Pipeline.open(path, owner).publish(run)
            counts = report.as_counts()
            event(log, INFO, "documents", **nonzero(report.documents))
            if report.documents["quarantined"]:
                event(
                    log,
                    INFO,
                    "why, and what to do: sluice quarantine {corpus}",
                    corpus=configured(name),
                )
            context: Any = get_current_context()
            if report.dry_run:
                context["ti"].xcom_push("return_value", counts)
                raise AirflowSkipException("A dry run changes nothing, so nothing is published.")
            context["outlet_events"][asset].extra = {
                "documents": dict(report.documents), "chunks": report.chunks
            }  # fmt: skip
            return counts

        shards = shard.partial(run=RUN).expand(shard=plan(RUN))
        synced, verified = sync(RUN), verify(RUN)
        shards >> synced
        if waits:
            begun, settled = taken_in(path, owner, loaded.config.aws)
            synced >> begun
            settled >> verified
        else:
            synced >> verified
        verified >> publish(RUN)

    return keep()


def broken_dag(path: Path, said: str) -> DAG:
    """Return a DAG that only says what is wrong with its corpus file.

    One wrong file must not take the other corpora's DAGs away.
    """

    @dag(
        dag_id=f"sluice_{re.sub(r'[^A-Za-z0-9_.-]', '_', path.stem)}",
        schedule=None,
        tags=["sluice", "broken"],
        description=said.splitlines()[0],
        doc_md=f"This corpus file is wrong:\n\n```\n{said}\n```\n",
    )
    def say() -> None:
        @task(retries=0)
        def corpus_file() -> None:
            raise AirflowFailException(said)

        corpus_file()

    return say()


def either(path: Path) -> DAG:
    """Return a corpus's DAG, or one that says why there is none."""
    try:
        return corpus_dag(path)
    except SluiceError as error:
        return broken_dag(path, f"{error.message}\n{error.hint}".strip())


def nonzero(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the counts of what there was."""
    return {kind: number for kind, number in counts.items() if number}


for corpus_path in sorted(CORPORA.iterdir()) if CORPORA.is_dir() else ():
    if corpus_path.suffix in ENDINGS:
        found = either(corpus_path)
        globals()[found.dag_id] = found
