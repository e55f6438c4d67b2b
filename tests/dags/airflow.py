"""A real Airflow in a temporary home, and what the tests read from its database."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from samples.airflow_home import ROOT, environment

STAFF = ["group:staff"]


def text(number: int) -> str:
    return (
        f"Procedure {number}. The pump in room {number} is checked by the night shift. "
        f"Filters of type F{number} are changed every {number + 2} weeks without exception.\n"
    )


@dataclass(frozen=True)
class Rig:
    """An Airflow home, a Sluice home and a folder of corpora.

    Attributes:
        env: What processes of this Airflow need.
    """

    state: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        return environment(self.state, self.state) | {
            # No colours and no dots: what a pytest run sets must not change what Airflow does.
            "SLUICE_RETRY_SECONDS": "1",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            **self.settings,
        }

    @property
    def home(self) -> Path:
        return self.state / "sluice"

    def corpus(self, name: str, documents: int, settings: str = "", source: str = "") -> Path:
        """Declare a corpus over a folder with so many documents; return the folder."""
        folder = self.state / "documents" / name
        folder.mkdir(parents=True)
        for number in range(documents):
            (folder / f"p{number}.txt").write_text(text(number))
        declared = self.state / "corpora" / f"{name}.yaml"
        declared.parent.mkdir(exist_ok=True)
        extra = f", {source}" if source else ""
        declared.write_text(
            f"corpus: {name}\n"
            f"source: {{url: '{folder}', acl: {{default: ['group:staff']}}{extra}}}\n{settings}\n"
        )
        return folder

    def airflow(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return _read(self.state / "airflow" / "airflow.db", query, values)

    def ledger(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return _read(self.home / "ledger.sqlite", query, values)

    def tasks(self, dag: str, run: str) -> dict[str, tuple[str, int]]:
        """State and tries of each task; of mapped ones, the last in the order of their states."""
        rows = self.airflow(
            "select task_id, state, try_number from task_instance where dag_id=? and run_id=? "
            "order by state, try_number",
            dag,
            run,
        )
        return {task: (state, tries) for task, state, tries in rows}

    def xcoms(self, dag: str, run: str) -> list[tuple[str, str, Any]]:
        """Task, key and value of all that tasks handed on."""
        rows = self.airflow(
            "select task_id, key, value from xcom where dag_id=? and run_id=?", dag, run
        )
        return [(task, key, _plain(value)) for task, key, value in rows]

    def index(self, name: str) -> dict[str, tuple[Any, ...]]:
        """All passages of the index: id → document, position, digest, rights, text."""
        import lancedb

        database = lancedb.connect(self.home / "corpora" / name)
        [table] = database.list_tables().tables
        columns = ("document_id", "position", "digest", "acl", "document", "text")
        rows = database.open_table(table).to_arrow().to_pylist()
        return {row["id"]: tuple(_plain(row[column]) for column in columns) for row in rows}

    def leases(self, name: str) -> int:
        return int(self.ledger("select count(*) from leases where corpus=?", name)[0][0])

    def log(self) -> str:
        """What runs of ``dag.test()`` logged, all of them."""
        return (self.state / "dag-runs.log").read_text()


def descendants() -> set[psutil.Process]:
    """All processes that this one started, and theirs."""
    return set(psutil.Process().children(recursive=True))


def copy(rig: Rig, state: Path, **settings: str) -> Rig:
    """Return another rig with the same migrated database and the same key, else empty."""
    made = Rig(state, settings)
    (state / "airflow").mkdir(parents=True)
    for name in ("airflow.db", "airflow.cfg"):
        if (rig.state / "airflow" / name).exists():
            shutil.copy2(rig.state / "airflow" / name, state / "airflow")
    cfg = state / "airflow" / "airflow.cfg"
    if cfg.exists():
        cfg.write_text(cfg.read_text().replace(str(rig.state), str(state)))
    if (rig.home / "keys").exists():
        shutil.copytree(rig.home / "keys", made.home / "keys")
    return made


class Runner:
    """A process that runs DAGs by ``dag.test()``."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self._process = subprocess.Popen(
            [sys.executable, "-m", "samples.dag_runs", str(rig.state / "dag-runs.log")],
            env=rig.env,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, dag: str, **params: Any) -> tuple[str, str]:
        """Return the run's id and how it ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"dag": dag, "params": params}) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            told = json.loads(line)
            if "run" in told:
                return told["run"], told["state"]
        raise AssertionError(self.rig.log()[-4000:])

    def close(self) -> None:
        with self._process:  # closes its pipes: end of input ends it
            pass


@contextmanager
def runner(rig: Rig) -> Iterator[Runner]:
    process = Runner(rig)
    try:
        yield process
    finally:
        process.close()


@dataclass(frozen=True)
class Api:
    """Airflow's REST API, logged in.

    Attributes:
        processes: Those that serve it and run its DAGs.
    """

    address: str
    token: str
    processes: frozenset[psutil.Process]

    def call(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return _call(f"{self.address}/api/v2/{path}", body, {"Authorization": self.token})

    def trigger(self, dag: str, **params: Any) -> str:
        """Start a run, as soon as the DAG is known; return its id."""
        body = {"logical_date": None, "conf": params}
        return str(_until(lambda: self.call(f"dags/{dag}/dagRuns", body), 60)["dag_run_id"])

    def ended(self, dag: str, run: str, within: float = 120) -> str:
        """Wait for a run to end; return how."""

        def state() -> str | None:
            now = str(self.call(f"dags/{dag}/dagRuns/{run}")["state"])
            return now if now in ("success", "failed") else None

        return str(_until(state, within))


def log_in(address: str, password: str, processes: Iterable[psutil.Process] = ()) -> Api:
    answer = _call(f"{address}/auth/token", {"username": "admin", "password": password}, {})
    return Api(address, f"Bearer {answer['access_token']}", frozenset(processes))


def _until(ask: Any, within: float) -> Any:
    deadline = time.monotonic() + within
    while True:
        try:
            if answer := ask():
                return answer
        except OSError:
            if time.monotonic() > deadline:
                raise
        assert time.monotonic() < deadline, "took too long"
        time.sleep(0.5)


def _call(url: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def _read(path: Path, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as db:
        return db.execute(query, values).fetchall()


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
