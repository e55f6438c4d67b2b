"""docker-compose.yml by Docker Compose's own parser, and that our rules see what they should."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT / "packaging"))

from check_compose import Refused, broken_rules, parsed, settings  # noqa: E402
from new_env import filled  # noqa: E402

FILE = ROOT / "docker-compose.yml"
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")


def rules_with(tmp_path: Path, old: str, new: str) -> list[str]:
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    changed = tmp_path / "docker-compose.yml"
    changed.write_text(text.replace(old, new, 1), encoding="utf-8")
    return list(broken_rules(changed, EXAMPLE))


def test_docker_compose_reads_the_file_and_every_rule_is_kept() -> None:
    assert list(broken_rules(FILE, EXAMPLE)) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("postgres:17.6-bookworm", "postgres:latest", "postgres: its image names no version"),
        ('user: "10001:10001"', 'user: "0:0"', "api-server: runs as root"),
        ("127.0.0.1:${AIRFLOW_PORT", "${AIRFLOW_PORT", "api-server: port 8080 is open beyond"),
        ("    mem_limit: 256m\n", "", "broker: may take all memory"),
        ("  read_only: true\n", "", "localaws: its file system is writable"),
        (
            "s3: {condition: service_healthy}",
            "s3: {condition: service_started}",
            "worker: waits for s3 by service_started",
        ),
        ("${BROKER_PASSWORD:?run make env}", "${BROKER_PASSWORD:-broker}", "BROKER_PASSWORD is a"),
        ("${AWS_REGION:-eu-central-1}", "${AWS_REGION:-us-east-1}${NEW}", "NEW is not in .env"),
    ],
)
def test_a_broken_rule_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert any(sentence.startswith(said) for sentence in rules_with(tmp_path, old, new))


def test_what_docker_compose_does_not_know_is_refused_in_its_words(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="comand"):
        rules_with(tmp_path, "command: airflow scheduler", "comand: airflow scheduler")


def test_a_secret_left_empty_stops_docker_compose() -> None:
    with pytest.raises(Refused, match="run make env"):
        parsed(FILE, EXAMPLE)


def test_new_secrets_differ_each_time_and_fit_a_fernet_key() -> None:
    from cryptography.fernet import Fernet

    first, second = settings(filled(EXAMPLE)), settings(filled(EXAMPLE))
    secrets = [name for name, value in settings(EXAMPLE).items() if not value]
    assert len({one[name] for one in (first, second) for name in secrets}) == 2 * len(secrets)
    Fernet(first["AIRFLOW_FERNET_KEY"])


def test_make_env_writes_a_file_that_only_its_owner_reads_and_keeps_an_old_one(
    tmp_path: Path,
) -> None:
    for name in ("Makefile", ".env.example", "packaging/new_env.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    make = ["make", "--no-print-directory", "env"]
    subprocess.run(make, cwd=tmp_path, check=True, capture_output=True)
    made = tmp_path / ".env"
    assert made.stat().st_mode & 0o077 == 0
    before = made.read_bytes()
    assert subprocess.run(make, cwd=tmp_path, capture_output=True).returncode != 0
    assert made.read_bytes() == before


def test_the_executor_that_the_workers_run_with_can_be_loaded(tmp_path: Path) -> None:
    worker = parsed(FILE, filled(EXAMPLE))["services"]["worker"]
    environment = worker["environment"] | {
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/airflow.db",
        "PATH": "/usr/bin:/bin",
    }
    program = (
        "from airflow.executors.executor_loader import ExecutorLoader;"
        "print(ExecutorLoader.import_default_executor_cls()[0].__name__);"
        "from airflow.providers.celery.executors.celery_executor import app; print(app.main)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "CeleryExecutor" in done.stdout
