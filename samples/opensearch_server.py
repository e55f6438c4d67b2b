"""A real OpenSearch on loopback for the demo and the tests: no Docker, only Java and Maven.

OpenSearch with k-NN and neural-search comes from Maven's repository as `packaging/opensearch`
pins it, once, into ``.home/opensearch``. Each node is a Java process of its own, which listens on
free ports of 127.0.0.1, keeps its data in a folder that the caller gives, and ends with the caller.

``python -m samples.opensearch_server`` starts one node and prints its URL.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
RECIPE = ROOT / "packaging" / "opensearch"
HOME = ROOT / ".home" / "opensearch"
PLUGINS = {
    "opensearch-knn": "org.opensearch.knn.plugin.KNNPlugin",
    "neural-search": "org.opensearch.neuralsearch.plugin.NeuralSearch",
}
NEEDED = {"java": "default-jdk-headless", "javac": "default-jdk-headless", "mvn": "maven"}
"""Programs, and the Debian packages that they are in."""
STARTS_WITHIN = 300.0
ENDS_WITHIN = 20.0
MAVEN_WITHIN = 900.0
HEAP = "512m"


class Unprovisioned(RuntimeError):
    """OpenSearch cannot be had here; the message says what is missing and how to get it."""


@dataclass
class Node:
    """One running OpenSearch process."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path = field(repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()
        self._close()

    def _close(self) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()

    def end(self) -> None:
        """Wait for its orderly end, which was asked for."""
        try:
            self.process.wait(timeout=ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._close()


@dataclass
class Cluster:
    """Running nodes; `url` names all of them, with commas, as a corpus file does."""

    nodes: list[Node]

    @property
    def url(self) -> str:
        return ",".join(node.url for node in self.nodes)


def provision(home: Path = HOME) -> Path:
    """Return the folder that holds OpenSearch; fetch it with Maven the first time.

    Raises:
        Unprovisioned: Java or Maven is missing and cannot be installed, or Maven failed.
    """
    recipe = [RECIPE / "pom.xml", RECIPE / "Node.java"]
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in recipe)).hexdigest()
    stamp = home / "made-by"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        _need("java")
        return home
    _need("java", "javac", "mvn")
    home.parent.mkdir(parents=True, exist_ok=True)
    print("Fetching OpenSearch with Maven, once (some 70 MB)…", flush=True)
    # Made beside, then renamed: an interrupted one, or two at once, leave nothing half made.
    with tempfile.TemporaryDirectory(dir=home.parent, prefix="opensearch-") as folder:
        fresh = Path(folder) / "opensearch"
        _done("mvn", "-q", "-B", "-f", str(recipe[0]), "package", f"-Dhome={fresh}")
        _done("javac", "-cp", f"{fresh}/lib/*", "-d", str(fresh / "lib" / "node"), str(recipe[1]))
        (fresh / stamp.name).write_text(wanted, encoding="utf-8")
        if home.exists():
            home.rename(Path(folder) / "old")
        fresh.rename(home)
    return home


def _done(*command: str) -> None:
    """Run a program to its end.

    Raises:
        Unprovisioned: It failed.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=MAVEN_WITHIN)
        said, failed = done.stdout + done.stderr, done.returncode != 0
    except subprocess.TimeoutExpired:
        said, failed = f"no end within {MAVEN_WITHIN:.0f} s", True
    if failed:
        raise Unprovisioned(
            f"{command[0]} failed while OpenSearch was fetched. Is Maven's repository reachable, "
            f"or the mirror that ~/.m2/settings.xml names?\n{said[-2000:]}"
        )


def _need(*programs: str) -> None:
    """See that programs are there; on a Debian where we may, install them.

    Raises:
        Unprovisioned: One is missing.
    """
    missing = [name for name in programs if shutil.which(name) is None]
    packages = [NEEDED[name] for name in missing]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing {' and '.join(packages)}…", flush=True)
        for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
            quiet = {"env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"}}
            subprocess.run(["apt-get", "-qq", *command], capture_output=True, check=False, **quiet)  # type: ignore[call-overload]
        missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        raise Unprovisioned(
            f"OpenSearch needs {' and '.join(missing)}, not found on this machine. Install Java 17 "
            f"or later and Maven, for example: apt-get install {' '.join(packages)}"
        )


@contextmanager
def running(folder: Path, nodes: int = 1, *, home: Path | None = None) -> Iterator[Cluster]:
    """Start a cluster, yield it when it is green, end it.

    Args:
        folder: For data, configuration and logs; made when needed. One that was used before is
            served again as it was, if it had the same number of nodes.
        nodes: 1 or 3.
        home: Where OpenSearch is; by default `provision` sees to that.

    Raises:
        Unprovisioned: OpenSearch cannot be had here.
        RuntimeError: It does not start; the message holds the end of its log.
    """
    libraries = home or provision()
    ports = free_ports(2 * nodes)
    http, transport = ports[:nodes], ports[nodes:]
    started: list[Node] = []
    try:
        for number, port in enumerate(http):
            started.append(_start(libraries, folder / f"node-{number}", number, port, transport))
        wait_until_green(started, nodes)
        yield Cluster(started)
    finally:
        _end(started)


def _start(home: Path, folder: Path, number: int, http: int, transport: Sequence[int]) -> Node:
    folder.mkdir(parents=True, exist_ok=True)
    addresses = [f"127.0.0.1:{port}" for port in transport]
    names = [f"node-{one}" for one in range(len(transport))]
    settings = {
        "cluster.name": "sluice",
        "node.name": names[number],
        "network.host": "127.0.0.1",
        "http.port": str(http),
        "transport.port": str(transport[number]),
        "node.processors": "1",
        # Tests fill one node with many small indexes, on a disk that may be nearly full.
        "cluster.max_shards_per_node": "3000",
        "cluster.routing.allocation.disk.threshold_enabled": "false",
        # In a small heap, what is not collected yet would look like requests that are too large.
        "indices.breaker.total.use_real_memory": "false",
    }
    if len(transport) == 1:
        settings["discovery.type"] = "single-node"
    else:
        settings["discovery.seed_hosts"] = ",".join(addresses)
        settings["cluster.initial_cluster_manager_nodes"] = ",".join(names)
    jars = [home / "lib", *(home / "plugins" / name for name in PLUGINS)]
    command = [
        *("java", f"-Xms{HEAP}", f"-Xmx{HEAP}", "-XX:+UseSerialGC"),
        "-Djava.security.manager=allow",
        *("-cp", ":".join([str(home / "lib" / "node"), *(f"{path}/*" for path in jars)])),
        *("Node", str(folder), ",".join(PLUGINS.values())),
        *(f"{name}={value}" for name, value in settings.items()),
    ]
    log = folder / "output.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.PIPE,  # its end is ours: the node ends with this process
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C ends the demo first, then this by its pid
        )
    return Node(process, http, log)


def wait_until_green(nodes: Sequence[Node], expected: int) -> None:
    """Wait until `expected` nodes are one cluster and every shard is where it should be.

    Raises:
        RuntimeError: One has ended, or it takes too long.
    """
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until:
        if any(node.process.poll() is not None for node in nodes):
            break
        if all(_is_green(node, expected) for node in nodes):
            return
        time.sleep(0.25)
    end = "\n".join(nodes[0].log.read_text(errors="replace").splitlines()[-20:])
    raise RuntimeError(f"OpenSearch did not start; the end of its log:\n{end}")


def _is_green(node: Node, expected: int) -> bool:
    asked = f"{node.url}/_cluster/health?wait_for_nodes={expected}&wait_for_status=green&timeout=1s"
    try:
        with urllib.request.urlopen(asked, timeout=5) as answer:
            health = json.load(answer)
    except (OSError, ValueError):
        return False
    return not health["timed_out"]


def _end(nodes: Sequence[Node]) -> None:
    for node in nodes:
        node.process.terminate()
    for node in nodes:
        node.end()


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that were free just now, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as cluster:
        print(cluster.url, flush=True)
        with suppress(KeyboardInterrupt):
            cluster.nodes[0].process.wait()


if __name__ == "__main__":
    main()
