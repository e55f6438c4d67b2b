"""Run DAGs by ``dag.test()``, one for each line on standard input.

One process for several runs, so that Airflow is imported once. A line is JSON,
``{"dag": "sluice_handbook", "params": {"full_refresh": true}}``; anything else runs the handbook's
DAG. Tells on its own pipe, a JSON object a line, which task starts and ends and how the run
ended; Airflow's log goes to a file.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def main(log: str) -> None:
    """Run a DAG for each line; `log` takes all that Airflow and its tasks print."""
    out = os.fdopen(os.dup(1), "w", buffering=1)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(file, 1)
    os.dup2(file, 2)

    def tell(**message: Any) -> None:
        out.write(json.dumps(message) + "\n")

    from airflow.listeners import hookimpl
    from airflow.sdk.listener import get_listener_manager

    class Listener:
        @hookimpl
        def on_task_instance_running(self, previous_state: Any, task_instance: Any) -> None:
            tell(task=task_instance.task_id, state="running")

        @hookimpl
        def on_task_instance_success(self, previous_state: Any, task_instance: Any) -> None:
            tell(task=task_instance.task_id, state="success")

        @hookimpl
        def on_task_instance_failed(
            self, previous_state: Any, task_instance: Any, error: Any
        ) -> None:
            tell(task=task_instance.task_id, state="failed")

    import dags.sluice_corpora

    get_listener_manager().add_listener(Listener())
    tell(ready=True)
    for line in sys.stdin:
        wanted = json.loads(line) if line.startswith("{") else {}
        dag = getattr(dags.sluice_corpora, wanted.get("dag", "sluice_handbook"))
        run = dag.test(run_conf=wanted.get("params"))
        published = run.get_task_instance("publish")
        result = published.xcom_pull(task_ids="publish") if published else None
        tell(run=run.run_id, state=str(run.state), result=result)


if __name__ == "__main__":
    main(*sys.argv[1:])
