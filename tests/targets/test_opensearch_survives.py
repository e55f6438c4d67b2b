"""Readers, killed writers and killed nodes, with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from rag.retrieve.query import Query
from rag.targets.opensearch import OpenSearchIndex
from samples.opensearch_server import running
from tests.masked import masked
from tests.services.opensearch import OpenSearch
from tests.targets.documents import make, vector
from tests.targets.opensearch_index import STAFF, index_of

WRITER = """
import itertools, sys
from tests.services.opensearch import OpenSearch
from tests.targets.documents import make
from tests.targets.opensearch_index import index_of
index = index_of(OpenSearch(sys.argv[1], sys.argv[2]), bulk_bytes=10_000)
for version in itertools.count(int(sys.argv[3])):
    texts = [f"word part {part} of version {version}" for part in range(5)]
    index.apply([make(f"d{n}", *texts, version=str(version)) for n in range(30)], [])
    print(version, flush=True)
"""


def start_writer(server: OpenSearch, version: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, server.url, server.index, str(version)],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )


def check(index: OpenSearchIndex) -> set[str]:
    """See that each document is there in one whole version; return the versions seen."""
    query = Query(masked("word"), list(vector("w")), STAFF)
    seen: dict[str, set[str]] = {}
    for hits in index.legs(query, 1000).values():
        found: dict[str, list[str]] = {}
        for hit in hits:
            document, version, _ = hit.id.split("-")
            found.setdefault(document, []).append(version)
        for document, versions in found.items():
            assert len(set(versions)) == 1
            seen.setdefault(document, set()).update(versions)
        if len(hits) == 150:
            assert all(len(versions) == 5 for versions in found.values())
    assert set(seen) == {f"d{n}" for n in range(30)}
    assert all(len(versions) == 1 for versions in seen.values())
    return {version for versions in seen.values() for version in versions}


@pytest.mark.parametrize("hybrid", [False, True])
def test_a_reader_sees_one_version_of_each_document_while_another_process_writes(
    opensearch: OpenSearch, hybrid: bool
) -> None:
    index = index_of(opensearch, hybrid=hybrid)
    texts = [f"word part {part} of version 1" for part in range(5)]
    index.apply([make(f"d{n}", *texts) for n in range(30)], [])
    writer = start_writer(opensearch, 2)
    try:
        assert writer.stdout is not None
        writer.stdout.readline()
        versions: set[str] = set()
        until = time.monotonic() + 30
        while len(versions) < 4 and time.monotonic() < until:
            versions |= check(index)
        assert len(versions) >= 4
    finally:
        writer.kill()
        writer.communicate()


def test_what_a_killed_writer_left_is_gone_after_the_next_one(opensearch: OpenSearch) -> None:
    for version in (1, 1000):
        writer = start_writer(opensearch, version)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.02)  # somewhere within the next version
        os.kill(writer.pid, signal.SIGKILL)
        writer.communicate()
    index = index_of(opensearch)
    last = [make(f"d{n}", "word at last", version="last") for n in range(30)]
    index.apply(last, [])
    held = index.inventory()
    assert {name: one.chunks for name, one in held.items()} == {
        f"d{n}": (f"d{n}-last-0",) for n in range(30)
    }


def test_a_node_killed_in_the_middle_of_a_sync_loses_nothing_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    before = [make(f"d{n}", *[f"old {n} part {i}" for i in range(4)]) for n in range(120)]
    after = [
        make(f"d{n}", *[f"new {n} part {i}" for i in range(6)], version="2") for n in range(150)
    ]
    with running(tmp_path, nodes=3) as cluster:
        index = index_of(
            OpenSearch(cluster.url, "survives"), shards=3, replicas=1, bulk_bytes=20_000
        )
        index.apply(before, [])
        manager = index.connection.client.cat.cluster_manager(format="json")[0]["node"]
        victim = cluster.nodes[int(manager.removeprefix("node-"))]
        bulks = threading.Semaphore(0)
        send = index.connection.client.bulk

        def counted(*arguments: object, **named: object) -> object:
            bulks.release()
            return send(*arguments, **named)

        index.connection.client.bulk = counted

        def kill() -> None:
            for _ in range(3):
                bulks.acquire()
            victim.kill()

        killer = threading.Thread(target=kill)
        killer.start()
        index.apply(after[:149], [])
        killer.join()
        index.apply(after[149:], ["d0"])
        held = index.inventory()
    assert held.keys() == {one.id for one in after} - {"d0"}
    expected = {one.id: tuple(chunk.id for chunk in one.chunks) for one in after[1:]}
    assert {name: one.chunks for name, one in held.items()} == expected
