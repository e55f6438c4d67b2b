"""What docker-compose.yml needs before it runs; done again, it changes nothing that is there.

Airflow's tables and the password of its admin, the ledger's database, the sample documents on S3,
and, the first time, a guardrail and a knowledge base with a corpus file that names them.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

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
    url = make_url(os.environ["SLUICE_LEDGER_URL"]).set(drivername="postgresql+psycopg")
    server = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with server.connect() as db:
        known = text("SELECT 1 FROM pg_database WHERE datname = :name")
        if db.execute(known, {"name": url.database}).first() is None:
            quoted = server.dialect.identifier_preparer.quote(str(url.database))
            db.execute(text(f"CREATE DATABASE {quoted}"))
    server.dispose()


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
