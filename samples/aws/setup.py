"""What docker-compose.yml needs before it runs; done again, it changes nothing that is there.

Airflow's tables and the password of its admin, the ledger's database, the sample documents on S3,
and, the first time, a guardrail and a knowledge base with a corpus file that names them.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from samples.airflow_home import ROOT
from samples.aws.account import DOCUMENTS, KNOWLEDGE, create, make_bucket, upload


def airflow() -> None:
    """Make Airflow's tables, and its admin's password as ``AIRFLOW_ADMIN_PASSWORD`` says."""
    subprocess.run(["airflow", "db", "migrate"], check=True)
    file = Path(os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
    file.touch(mode=0o600)
    file.write_text(json.dumps({"admin": os.environ["AIRFLOW_ADMIN_PASSWORD"]}), encoding="utf-8")


def ledger() -> None:
    """Make the ledger's database beside Airflow's; its tables are made on first use."""
    import psycopg
    from psycopg import sql

    server, _, name = os.environ["SLUICE_LEDGER_URL"].rpartition("/")
    with psycopg.connect(f"{server}/airflow", autocommit=True) as db:
        if not db.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            db.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def corpus() -> None:
    """Put the documents on S3; make what the corpus file names, if there is no corpus file."""
    for bucket in (DOCUMENTS, KNOWLEDGE):
        make_bucket(bucket)
    upload(ROOT / "samples" / "handbook")
    file = Path(os.environ["SLUICE_CORPORA"]) / "handbook.yaml"
    if not file.exists():
        sample = (ROOT / "samples" / "aws" / "handbook.yaml").read_text(encoding="utf-8")
        file.write_text(create().corpus(sample, os.environ["OPENSEARCH_URL"]), encoding="utf-8")


if __name__ == "__main__":
    airflow()
    ledger()
    corpus()
