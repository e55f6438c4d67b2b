"""An Airflow of its own for the demo, ``make ui`` and the tests: SQLite, loopback, nothing else."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent
STARTS_WITHIN = 180.0
ENDS_WITHIN = 8.0
COMPONENTS = {
    "api-server": (),
    # Their servers for logs would listen on all addresses; the pages read logs from the folder.
    "scheduler": ("--skip-serve-logs",),
    "dag-processor": (),
    "triggerer": ("--skip-serve-logs",),
}


def environment(state: Path, project: Path = ROOT) -> dict[str, str]:
    """Return the environment in which Airflow and Sluice keep everything under `state`.

    Args:
        state: Folder for Airflow's home and Sluice's.
        project: Folder whose ``corpora/`` is served.
    """
    return os.environ | {
        "AIRFLOW_HOME": str(state / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": str(os.cpu_count() or 2),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "SLUICE_HOME": str(state / "sluice"),
        "SLUICE_CORPORA": str(project / "corpora"),
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
    }


def migrate(env: dict[str, str]) -> None:
    """Make Airflow's database, once.

    Raises:
        SystemExit: It failed; the log is named.
    """
    home = Path(env["AIRFLOW_HOME"])
    if (home / "airflow.db").exists():
        return
    home.mkdir(parents=True, exist_ok=True)
    log = home / "migrate.log"
    with log.open("wb") as out:
        done = subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            env=env,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    if done.returncode:
        raise SystemExit(f"Airflow's database could not be made; see {log}")


def free_port(wanted: int) -> int:
    """Return `wanted`, or the next port that nobody listens on."""
    for port in range(wanted, wanted + 50):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise SystemExit(f"No free port from {wanted} on; set PORT to another one.")


@contextmanager
def served(
    env: dict[str, str], port: int, components: Collection[str] = tuple(COMPONENTS)
) -> Iterator[str]:
    """Run Airflow on loopback for as long as the block lasts; yield its address.

    Everything that it started is gone when the block ends, running tasks too. Its output goes to
    ``airflow.log`` in its home.

    Raises:
        SystemExit: A component ended, or time was up, before all were healthy; the log is named.
    """
    address = f"http://127.0.0.1:{port}"
    log = Path(env["AIRFLOW_HOME"]) / "airflow.log"
    env = env | {
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
    }
    started: list[subprocess.Popen[bytes]] = []
    try:
        with log.open("ab") as out:
            for name in components:
                command = [sys.executable, "-m", "airflow", name, *COMPONENTS[name]]
                # A session of its own: Ctrl-C is for us to pass on, once.
                started.append(
                    subprocess.Popen(
                        command,
                        env=env,
                        stdin=subprocess.DEVNULL,
                        stdout=out,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                    )
                )
        if not _healthy(address, started):
            raise SystemExit(f"Airflow did not start; see {log}")
        yield address
    finally:
        end(started)


def password(env: dict[str, str]) -> str:
    """Return what Airflow chose for the user ``admin`` when its server first started."""
    chosen = Path(env["AIRFLOW_HOME"]) / "simple_auth_manager_passwords.json.generated"
    return str(json.loads(chosen.read_text())["admin"])


def _healthy(address: str, started: Sequence[subprocess.Popen[bytes]]) -> bool:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and all(one.poll() is None for one in started):
        try:
            with urllib.request.urlopen(f"{address}/api/v2/monitor/health", timeout=5) as answer:
                health = json.load(answer)
            if all(health[part]["status"] == "healthy" for part in ("scheduler", "dag_processor")):
                return True
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.5)
    return False


def end(started: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ask all to end, then make them. Tasks are in process groups of their own."""
    all_of_them: list[psutil.Process] = []
    for process in started:
        try:
            top = psutil.Process(process.pid)
            all_of_them += [top, *top.children(recursive=True)]
        except psutil.NoSuchProcess:
            continue
    for process in started:
        process.send_signal(signal.SIGTERM)
    _, left = psutil.wait_procs(all_of_them, timeout=ENDS_WITHIN)
    for one in left:
        for late in (*_children(one), one):
            late.kill()
    psutil.wait_procs(left, timeout=ENDS_WITHIN)
    for process in started:
        process.wait()


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.NoSuchProcess:
        return []
