"""A real localaws on loopback, started as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

ROOT = Path(__file__).parents[2]


@dataclass
class LocalAws:
    """A running server.

    Attributes:
        environment: With these variables any AWS client finds it.
        state: Its folder; another server may be started on it when this one has ended.
    """

    url: str
    environment: Mapping[str, str]
    state: Path
    process: subprocess.Popen[str] = field(repr=False)
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)

    def client(self, service: str, **options: Any) -> Any:
        """Return a boto3 client that does not retry; options go to botocore's `Config`."""
        options = {"retries": {"total_max_attempts": 1}, **options}
        name = f"{service} {options}"  # making one takes a fifth of a second
        if name not in self._clients:
            self._clients[name] = boto3.session.Session(
                aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
                region_name="us-east-1",
            ).client(service, endpoint_url=self.url, config=Config(**options))
        return self._clients[name]

    @contextmanager
    def faults(self, *rules: Mapping[str, Any]) -> Iterator[None]:
        """Have these faults (see `localaws.faults`) inside of the block."""
        self.admin("faults", "PUT", rules)
        try:
            yield
        finally:
            self.admin("faults", "DELETE")

    def calls(self, operation: str | None = None, status: str | None = None) -> int:
        """Return how many calls came since they were forgotten.

        Args:
            status: An HTTP status as a text, or an error's code.
        """
        return sum(
            one["count"]
            for one in self.call_counts()
            if operation in (None, one["operation"]) and status in (None, one["status"])
        )

    def call_counts(self) -> list[dict[str, Any]]:
        """Return {service, operation, model, status, count} for each that came."""
        return list(self.admin("calls"))

    def forget_calls(self) -> None:
        """Count from zero again."""
        self.admin("calls", "DELETE")

    def admin(self, name: str, method: str = "GET", body: Any = None) -> Any:
        """Ask at ``/_localaws/``."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_localaws/{name}", data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def stop(self) -> int:
        """End it in order; return its exit code."""
        self.process.terminate()
        try:
            return self.process.wait(15)
        finally:
            self.kill()

    def kill(self) -> None:
        """End it in the middle of whatever it does."""
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def start(
    state: Path, arguments: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> LocalAws:
    """Start a server on a free port; whoever starts it stops it.

    Args:
        environment: More variables of the process, for example ``AWS_ENDPOINT_URL_S3``.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    command = [sys.executable, "-m", "localaws", "--port", "0", "--state", str(state), "--json"]
    process = subprocess.Popen(
        [*command, *arguments],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
        env={**inherited, **(environment or {})},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.wait(10)
        raise RuntimeError(f"localaws did not start: exit code {process.returncode}")
    told = json.loads(line)
    return LocalAws(told["url"], told["environment"], state, process)


@pytest.fixture(scope="session")
def localaws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """One server for all tests, without an S3 server behind it."""
    server = start(tmp_path_factory.mktemp("localaws"))
    yield server
    server.stop()


@pytest.fixture
def start_localaws(tmp_path: Path) -> Iterator[Callable[..., LocalAws]]:
    """A function like `start`, whose servers end with the test; the state is the test's own."""
    started: list[LocalAws] = []

    def begin(state: Path | None = None, *arguments: str, **environment: str) -> LocalAws:
        server = start(state or tmp_path / f"localaws-{len(started)}", arguments, environment)
        started.append(server)
        return server

    yield begin
    for server in started:
        if server.process.poll() is None:
            server.stop()


@pytest.fixture
def aws(localaws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    """The session's server, with the environment in which any AWS client finds it."""
    for name, value in localaws.environment.items():
        monkeypatch.setenv(name, value)
    return localaws
