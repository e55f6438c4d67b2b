"""``make ui``: Airflow with the corpora's DAGs, in the foreground; Ctrl-C ends it."""

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
from pathlib import Path

from rich.console import Console

from samples.airflow_home import ROOT, environment, migrate

STARTS_WITHIN = 180.0


def free_port(wanted: int) -> int:
    """Return `wanted`, or the next port that nobody listens on."""
    for port in range(wanted, wanted + 50):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise SystemExit(f"No free port from {wanted} on; set PORT to another one.")


def wait_for(url: str, process: subprocess.Popen[bytes]) -> bool:
    """Return whether the page answered before the process ended or time was up."""
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(1)
    return False


def main() -> None:
    """Start, say where it is, and stay until told to stop."""
    console = Console()
    port = free_port(int(os.environ.get("PORT", "8080")))
    state = Path(os.environ.get("STATE", ROOT / ".home"))
    env = environment(state) | {
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
    }
    log = Path(env["AIRFLOW_HOME"]) / "standalone.log"
    address = f"http://127.0.0.1:{port}"
    with console.status("Making Airflow's database …"):
        migrate(env)
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "airflow", "standalone"],
            env=env,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        with console.status("Starting Airflow; this takes about 40 seconds …"):
            up = wait_for(f"{address}/api/v2/version", process)
        if not up:
            raise SystemExit(f"Airflow did not start; see {log}")
        passwords = Path(env["AIRFLOW_HOME"]) / "simple_auth_manager_passwords.json.generated"
        password = json.loads(passwords.read_text())["admin"]
        console.print(f"\n  Airflow   [bold]{address}/dags/sluice_handbook[/bold]")
        console.print(f"  log in    user [bold]admin[/bold], password [bold]{password}[/bold]")
        console.print(f"  logs      {log}", soft_wrap=True)
        console.print("\n  Switch the DAG on and press ▶ to run it. Ctrl-C here ends Airflow.\n")
        process.wait()
    except KeyboardInterrupt:
        console.print("Ending Airflow.")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
