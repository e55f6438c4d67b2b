"""A corpus's DAG, run in Airflow by a process of its own, with a progress display."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from samples.airflow_home import ROOT, end
from samples.shown import console

STEPS = ("plan", "shard", "sync", "begin", "wait", "settle", "verify", "publish")


class Dag:
    """The corpus's DAG, run in Airflow by a process of its own.

    Attributes:
        result: What the last run's task ``publish`` returned.
    """

    def __init__(self, env: dict[str, str], log: Path) -> None:
        self._log = log
        self.result: dict[str, Any] = {}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "samples.dag_runs", str(log)],
            env=env,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for us to pass on, once
        )
        self._running = False

    def run(self) -> float:
        """Run the DAG once, with a progress display; return seconds by the clock.

        Raises:
            SystemExit: It failed; the log is named.
        """
        assert self._process.stdin is not None
        started = time.perf_counter()
        self._running = True
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
                    self._running = False
                    if message["state"] != "success":
                        raise SystemExit(
                            f"The DAG run ended as {message['state']}; see {self._log}"
                        )
                    self.result = message.get("result") or {}
                    return time.perf_counter() - started
                if "task" not in message:
                    continue
                task = message["task"]
                if message["state"] == "running":
                    shards += task == "shard"
                    label = f"shard {shards}" if task == "shard" else task
                    progress.update(bar, description=f"task {label}")
                elif task in STEPS and task != "shard":
                    progress.update(bar, completed=STEPS.index(task) + 1 + (task == "plan") / 2)
        raise SystemExit(f"The DAG run broke off; see {self._log}")

    def _messages(self) -> Iterator[dict[str, Any]]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            yield json.loads(line)

    def close(self) -> None:
        """End the process, with all that it started; a run that is under way is broken off."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        if self._running:
            end([self._process])
        else:
            self._process.wait(timeout=30)


@contextmanager
def opened(env: dict[str, str], log: Path) -> Iterator[Dag]:
    """Start the DAG's process; end it with the block."""
    dag = Dag(env, log)
    try:
        yield dag
    finally:
        dag.close()
