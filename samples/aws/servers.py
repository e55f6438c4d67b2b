"""What stands in AWS's place on loopback: an S3 server, localaws, and a real OpenSearch."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from samples.airflow_home import ROOT
from samples.opensearch_server import running as opensearch

ENDS_WITHIN = 10.0
REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Servers:
    """Where they listen, and the environment in which any AWS client finds them."""

    s3: str
    bedrock: str
    opensearch: str
    environment: Mapping[str, str]

    def calls(self) -> list[dict[str, Any]]:
        """Return what localaws was asked since the last time, counted by operation and model."""
        calls = f"{self.bedrock}/_localaws/calls"
        with urllib.request.urlopen(calls, timeout=10) as answer:
            counted: list[dict[str, Any]] = json.load(answer)
        urllib.request.urlopen(urllib.request.Request(calls, method="DELETE"), timeout=10).close()
        return counted


@contextmanager
def running(folder: Path, env: Mapping[str, str]) -> Iterator[Servers]:
    """Start all three, yield when all answer, end all.

    Args:
        folder: For their data and logs.
        env: Of their processes.

    Raises:
        SystemExit: One does not start; its log is named.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        s3_log, aws_log = folder / "s3.log", folder / "localaws.log"
        s3 = stack.enter_context(
            _process([sys.executable, "-m", "samples.aws.s3_server"], env, s3_log)
        )
        s3_url = _first_line(s3, s3_log)
        state = folder / "localaws"
        command = [sys.executable, "-m", "localaws", "--port", "0", "--state", str(state), "--json"]
        local = stack.enter_context(
            _process(command, {**env, "AWS_ENDPOINT_URL_S3": s3_url}, aws_log)
        )
        cluster = stack.enter_context(opensearch(folder / "opensearch"))
        told = json.loads(_first_line(local, aws_log))
        environment = {
            **told["environment"],
            "AWS_ENDPOINT_URL_S3": s3_url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }
        yield Servers(s3_url, told["url"], cluster.url, environment)


@contextmanager
def _process(
    command: Sequence[str], env: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[str]]:
    """Run a program in a session of its own: Ctrl-C is for us to pass on, once."""
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _first_line(process: subprocess.Popen[str], log: Path) -> str:
    out: IO[str] | None = process.stdout
    assert out is not None
    line = out.readline()
    if not line:
        raise SystemExit(f"A server did not start; see {log}")
    return line.strip()
