"""``make ui``: Airflow with the corpora's DAGs, in the foreground; Ctrl-C ends it."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from samples.airflow_home import ROOT, environment, free_port, migrate, password, served

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def stop(*_: object) -> NoReturn:
    """End as Ctrl-C does; a second one must not interrupt the ending."""
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> None:
    """Start, say where it is, and stay until told to stop."""
    console = Console()
    for ending in ENDINGS:
        signal.signal(ending, stop)
    port = free_port(int(os.environ.get("PORT", "8080")))
    env = environment(Path(os.environ.get("STATE", ROOT / ".home"))) | {
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    }
    try:
        with console.status("Making Airflow's database …"):
            migrate(env)
        starting = console.status("Starting Airflow; this takes about 40 seconds …")
        starting.start()
        with served(env, port) as address:
            starting.stop()
            console.print(f"\n  Airflow   [bold]{address}/dags/sluice_handbook[/bold]")
            console.print(
                f"  log in    user [bold]admin[/bold], password [bold]{password(env)}[/bold]",
                highlight=False,
            )
            console.print(f"  logs      {env['AIRFLOW_HOME']}/airflow.log", soft_wrap=True)
            console.print(
                "\n  Its first run starts by itself; [bold]Trigger[/bold] starts another."
            )
            console.print("  Ctrl-C here ends Airflow.\n")
            signal.pause()
    except KeyboardInterrupt:
        console.print("Airflow has ended.")


if __name__ == "__main__":
    main()
