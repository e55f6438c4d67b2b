"""A real OpenSearch, one node, started once for all tests; indexes of its own for each test.

Who runs tests often leaves one running (``python -m samples.opensearch_server``) and names it in
``SLUICE_TEST_OPENSEARCH``.
"""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from samples.opensearch_server import running

_numbers = itertools.count(1)


@dataclass(frozen=True)
class OpenSearch:
    """Where the node is, and an alias (`target.index`) that nobody else uses."""

    url: str
    index: str

    def client(self) -> Any:
        from opensearchpy import OpenSearch as Client

        return Client(hosts=[self.url], timeout=60)


@cache
def _node() -> str:
    """Start the node; one a process, however many conftests import the fixture."""
    if running_already := os.environ.get("SLUICE_TEST_OPENSEARCH"):
        return running_already
    folder, until_exit = tempfile.mkdtemp(prefix="opensearch-"), ExitStack()
    until_exit.callback(shutil.rmtree, folder, ignore_errors=True)
    cluster = until_exit.enter_context(running(Path(folder)))
    atexit.register(until_exit.close)
    return cluster.url


@pytest.fixture(scope="session")
def opensearch_url() -> str:
    return _node()


@pytest.fixture
def opensearch(opensearch_url: str) -> Iterator[OpenSearch]:
    """Yield the node and a name; what was made under that name is deleted afterwards."""
    own = OpenSearch(opensearch_url, f"test-{os.getpid()}-{next(_numbers)}")
    yield own
    client = own.client()
    client.indices.delete(index=f"{own.index}-*", ignore_unavailable=True)
    client.indices.delete_index_template(name=f"{own.index}*", ignore=404)
    client.transport.close()
