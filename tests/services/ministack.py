"""MiniStack 1.5.33: another project's local AWS, which we did not write.

It pins a botocore of its own, so it lives in a virtual environment of its own:
``.home/ministack-VERSION``, made by uv on first use and used again by the next run. A test that
wants it takes the fixture::

    def test_target(ministack: Ministack, monkeypatch): ...
        ministack.use(monkeypatch)            # AWS_ENDPOINT_URL and credentials: our own clients
        client = ministack.client("bedrock")  # boto3, to make what the test needs

The server holds everything that it holds for the whole session; give things names of their own.
One endpoint speaks for all services (S3 with path-style addresses).
"""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3
import pytest

VERSION = "1.5.33"
KEY, SECRET, REGION = "loopback", "loopback-secret", "us-east-1"
ENVIRONMENT = Path(__file__).parents[2] / ".home" / f"ministack-{VERSION}"
START_SECONDS = 60


@dataclass(frozen=True)
class Ministack:
    """A running server."""

    endpoint: str

    def client(self, service: str) -> Any:
        """Return a boto3 client of one of its services."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
        )

    def use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let every client that is made from now on in this process talk to it."""
        from rag.aws import forget_clients

        for name in os.environ:
            if name.startswith("AWS_"):
                monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_ENDPOINT_URL", self.endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
        forget_clients()


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    folder = tmp_path_factory.mktemp("ministack")
    python = _environment()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "S3_DATA_DIR": str(folder / "s3"),
        "LOG_LEVEL": "WARNING",
    }
    log = folder / "log.txt"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [python, "-m", "hypercorn", "ministack.app:app", "--bind", f"127.0.0.1:{port}"],
            cwd=folder,
            env=settings,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        endpoint = f"http://127.0.0.1:{port}"
        _await(endpoint, server, log)
        yield Ministack(endpoint)
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _environment() -> Path:
    """Return the Python of the server's environment, made if it is not there; one at a time."""
    python = ENVIRONMENT / "bin" / "python"
    ENVIRONMENT.parent.mkdir(parents=True, exist_ok=True)
    with (ENVIRONMENT.parent / "ministack.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (ENVIRONMENT / "bin" / "ministack").exists():
            uv = Path(sys.executable).parent / "uv"
            asked: list[list[str | Path]] = [
                [uv, "venv", "--quiet", "--clear", "--python", sys.executable, ENVIRONMENT],
                [uv, "pip", "install", "--quiet", "--python", python, f"ministack=={VERSION}"],
            ]
            for command in asked:
                subprocess.run(command, check=True)
    return python


def _await(endpoint: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        try:
            with urlopen(f"{endpoint}/_ministack/health", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"MiniStack did not start:\n{log.read_text(errors='replace')[-2000:]}")
