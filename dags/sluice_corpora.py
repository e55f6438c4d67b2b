"""One DAG a corpus: ``plan → shard (mapped) → sync → verify → publish``.

Only orchestration: every task calls one function of `rag.ingest.pipeline`. What passes between
tasks is a run's id, its shards' ids and counts; documents never do.

Corpus files are looked for in ``SLUICE_CORPORA`` (a folder), else in ``corpora/`` beside this
folder. The pool ``SLUICE_POOL`` (default ``default_pool``) bounds how many shards run at once.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Asset, Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException
from rag.corpus_file import load

from rag.errors import MassDeletion, SluiceError

CORPORA = Path(os.environ.get("SLUICE_CORPORA") or Path(__file__).parent.parent / "corpora")
RUN = "{{ run_id }}"
POOL = os.environ.get("SLUICE_POOL", "default_pool")


def stop_or_retry(error: SluiceError) -> Exception:
    """Turn an error into what Airflow should do: a wrong setting or a refusal is not retried."""
    lines = [error.message, error.hint]
    if isinstance(error, MassDeletion):
        lines += [f"  {name}" for name in error.documents]
    text = "\n".join(line for line in lines if line)
    return RuntimeError(text) if error.transient else AirflowFailException(text)


def release(context: Any) -> None:
    """Let go of the corpus when its DAG run failed, so that the next run need not wait."""
    from rag.ingest.pipeline import Pipeline

    owner = f"airflow:{context['dag'].dag_id}"
    Pipeline.open(context["params"]["corpus"], owner).abandon(context["run_id"])


def corpus_dag(path: Path) -> DAG:
    """Return the DAG that keeps one corpus.

    Raises:
        ConfigError: The corpus file is wrong.
    """
    loaded = load(path)
    name = loaded.config.corpus
    dag_id = f"sluice_{name}"
    owner = f"airflow:{dag_id}"

    @dag(
        dag_id=dag_id,
        schedule=loaded.config.schedule,
        start_date=datetime(2024, 1, 1),
        catchup=False,
        max_active_runs=1,
        tags=["sluice", name],
        description=f"Keeps the index of corpus {name} equal to its source",
        on_failure_callback=release,
        params={
            "corpus": Param(str(path), type="string", description="Corpus file", const=str(path)),
            "full_refresh": Param(False, type="boolean", description="Redo every document"),
            "dry_run": Param(False, type="boolean", description="Plan only, write nothing"),
            "allow_mass_delete": Param(
                False, type="boolean", description="Let this run delete more than max_delete"
            ),
        },
        default_args={
            "retries": 2,
            "retry_delay": timedelta(seconds=20),
            "retry_exponential_backoff": True,
            "max_retry_delay": timedelta(minutes=10),
        },
    )
    def keep() -> None:
        @task
        def plan(run: str) -> list[str]:
            """Compare the source with the ledger; return the ids of the shards to do."""
            from rag.ingest.pipeline import Options, Pipeline

            params = get_current_context()["params"]
            options = Options(
                full_refresh=params["full_refresh"],
                dry_run=params["dry_run"],
                allow_mass_delete=params["allow_mass_delete"],
            )
            try:
                return list(Pipeline.open(path, owner).plan(run, options).shards)
            except SluiceError as error:
                raise stop_or_retry(error) from None

        @task(pool=POOL)
        def shard(run: str, shard: str) -> dict[str, Any]:
            """Extract, parse, mask, chunk and embed the documents of one shard."""
            from rag.ingest.pipeline import Pipeline

            try:
                return Pipeline.open(path).shard(run, shard).as_counts()
            except SluiceError as error:
                raise stop_or_retry(error) from None

        @task(trigger_rule="none_failed")
        def sync(run: str) -> dict[str, int]:
            """Make every target hold the new versions, and no longer the deleted documents."""
            from rag.ingest.pipeline import Pipeline

            try:
                return dict(Pipeline.open(path).sync(run))
            except SluiceError as error:
                raise stop_or_retry(error) from None

        @task
        def verify(run: str) -> dict[str, int]:
            """Compare each target with the ledger; repair what can be repaired."""
            from rag.ingest.pipeline import Pipeline

            try:
                return dict(Pipeline.open(path).verify(run))
            except SluiceError as error:
                raise stop_or_retry(error) from None

        @task(outlets=[Asset(name=dag_id, uri=f"sluice://corpus/{name}")])
        def publish(run: str) -> dict[str, Any]:
            """Close the run and tell whoever waits for this corpus."""
            from rag.ingest.pipeline import Pipeline

            try:
                return Pipeline.open(path, owner).publish(run).as_counts()
            except SluiceError as error:
                raise stop_or_retry(error) from None

        shards = shard.partial(run=RUN).expand(shard=plan(RUN))
        shards >> sync(RUN) >> verify(RUN) >> publish(RUN)

    return keep()


def broken_dag(path: Path, error: SluiceError) -> DAG:
    """Return a DAG that only says what is wrong with its corpus file.

    One wrong file must not take the other corpora's DAGs away.
    """

    @dag(
        dag_id=f"sluice_{path.stem}",
        schedule=None,
        tags=["sluice", "broken"],
        description="This corpus file is wrong; see the documentation of this DAG",
        doc_md=f"```\n{error.message}\n{error.hint}\n```",
    )
    def say() -> None:
        @task(retries=0)
        def corpus_file() -> None:
            raise AirflowFailException(f"{error.message}\n{error.hint}")

        corpus_file()

    return say()


for corpus_path in sorted(CORPORA.glob("*.y*ml")):
    try:
        found = corpus_dag(corpus_path)
    except SluiceError as problem:
        found = broken_dag(corpus_path, problem)
    globals()[found.dag_id] = found
