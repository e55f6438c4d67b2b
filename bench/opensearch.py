"""The OpenSearch target beside the bare client, on one real node and side by side.

    python -m bench.opensearch [--rows 6000] [--queries 400] [--rounds 3] [--url http://…]

Search: `OpenSearchIndex.legs` and fusion, against the same request sent with opensearch-py alone,
turn by turn; p50 and p99 in ms. Bulk: `OpenSearchIndex.apply`, which also looks for old rows and
refreshes, against opensearch-py's ``helpers.bulk`` and ``helpers.parallel_bulk`` with a refresh,
into indexes of the same shape. Ratios are medians over rounds.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bench.sync import cpu, texts
from rag import config
from rag.masked.passed import passed as masked
from rag.records import Chunk, IndexedDocument
from rag.retrieve.fuse import by_rank
from rag.retrieve.query import Query
from rag.targets.opensearch import OpenSearchIndex, mapping, rows, search

DIMENSIONS = 384
CHUNKS = 8
DEPTH = 50
STAFF = ("group:staff",)


def documents(count: int) -> list[IndexedDocument]:
    """Return documents of `CHUNKS` passages each, with drawn embeddings: `count` passages."""
    drawn = np.random.default_rng(7).standard_normal((count, DIMENSIONS), np.float32)
    vectors = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    written = list(texts(None, count))
    made = []
    for number, start in enumerate(range(0, count, CHUNKS)):
        chunks = tuple(
            Chunk(
                id=f"{number}-{place}",
                document_id=str(number),
                position=place,
                heading=masked(f"Note {number}"),
                text=masked(text),
                tokens=200,
            )
            for place, text in enumerate(written[start : start + CHUNKS])
        )
        made.append(
            IndexedDocument(
                id=str(number),
                name=masked(f"note-{number}.txt"),
                title=masked(f"Note {number}"),
                media_type="text/plain",
                digest="1",
                acl=STAFF if number % 10 else ("group:hr",),
                chunks=chunks,
                vectors=vectors[start : start + CHUNKS],
            )
        )
    return made


def open_index(url: str, name: str, *, hybrid: bool = True) -> OpenSearchIndex:
    target = config.OpenSearchTarget(kind="opensearch", url=url, index=name, replicas=0)
    corpus = config.CorpusConfig(corpus="bench", source=config.Source(url="nowhere"))
    return OpenSearchIndex(target, corpus, DIMENSIONS, hybrid=hybrid)


# Bulk


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def bulk_rounds(url: str, made: list[IndexedDocument], rounds: int) -> dict[str, list[float]]:
    """Return passages a second of each way, round by round."""
    client = open_index(url, "bench").connection.client
    count = sum(len(one.chunks) for one in made)
    shape = mapping.body(open_index(url, "bench")._target, DIMENSIONS, serverless=False)

    def actions(index: str) -> Iterator[dict[str, Any]]:
        for one in made:
            for row in rows.rows(one, 1, mapping.LAYOUT):
                vector = row["vector"].tolist()
                yield {
                    "_index": index,
                    "_id": row["chunk_id"],
                    "routing": row["document_id"],
                    "_source": row | {"vector": vector},
                }

    def theirs(parallel: bool) -> None:
        from opensearchpy import helpers

        client.indices.create(index="bench-theirs", body=shape)
        if parallel:
            deque(helpers.parallel_bulk(client, actions("bench-theirs")), maxlen=0)
        else:
            helpers.bulk(client, actions("bench-theirs"))
        client.indices.refresh(index="bench-theirs")

    ways: dict[str, Callable[[], object]] = {
        "helpers.bulk": lambda: theirs(False),
        "helpers.parallel_bulk": lambda: theirs(True),
        "target": lambda: open_index(url, "bench").apply(made, []),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, work in ways.items():
            spent = timed(work)
            if number:  # the first round warms the node up
                seconds[name].append(count / spent)
            client.indices.delete(index="bench-*")
    return seconds


# Search


def search_rounds(url: str, count: int) -> dict[str, tuple[list[float], list[float]]]:
    """Return seconds of each search by way: through the target, and raw."""
    chance = np.random.default_rng(8)
    words = list(texts(None, count))
    found: dict[str, tuple[list[float], list[float]]] = {}
    for way, hybrid in (("hybrid in the cluster", True), ("two legs, fused here", False)):
        index = open_index(url, "bench", hybrid=hybrid)
        client = index.connection.client
        ours: list[float] = []
        raw: list[float] = []
        for number in range(count + 20):
            vector = chance.standard_normal(DIMENSIONS)
            text = masked(" ".join(words[number % count].split()[2:10]))
            query = Query(text, (vector / np.linalg.norm(vector)).tolist(), STAFF)
            asked = _raw(client, index, query, hybrid)
            both = [(ours, lambda q=query, i=index: by_rank(i.legs(q, DEPTH))), (raw, asked)]
            for spent, work in both if number % 2 else reversed(both):
                taken = timed(work)
                if number >= 20:
                    spent.append(taken)
        found[way] = (ours, raw)
    return found


def _raw(client: Any, index: OpenSearchIndex, query: Query, hybrid: bool) -> Callable[[], object]:
    """Return the request that the target sends, to be sent with the client alone."""
    clauses = search.legs(query, DEPTH, index._target, mapping.LAYOUT)
    if hybrid:
        body = search.hybrid(clauses, DEPTH, rows.COLUMNS)
        how = {"search_pipeline": mapping.PIPELINE}
        return lambda: client.search(index="bench", body=body, params=how)
    lines = [
        part for one in clauses.values() for part in ({}, search.request(one, DEPTH, rows.COLUMNS))
    ]
    return lambda: client.msearch(index="bench", body=lines)


def percentile(seconds: list[float], share: float) -> float:
    """Return milliseconds within which so many searches are done."""
    return float(np.quantile(seconds, share) * 1000)


@contextmanager
def node(url: str | None) -> Iterator[str]:
    if url:
        yield url
        return
    from samples.opensearch_server import running

    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as cluster:
        yield cluster.url


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=6000, help="passages")
    parser.add_argument("--queries", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--url", help="a node that runs already")
    chosen = parser.parse_args()
    made = documents(chosen.rows)
    print(f"{cpu()}; {platform.system()}, Python {platform.python_version()}")
    with node(chosen.url) as url:
        print(f"\nBulk: {chosen.rows:,} passages of 384 dimensions, {chosen.rounds} rounds")
        rates = bulk_rounds(url, made, chosen.rounds)
        ours = statistics.median(rates["target"])
        for name, every in rates.items():
            middle = statistics.median(every)
            print(f"  {name:22} {middle:8,.0f} passages/s   target is {ours / middle:.2f}×")
        index = open_index(url, "bench")
        index.apply(made, [])
        index.connection.client.indices.forcemerge(index="bench", max_num_segments=1)
        print(f"\nSearch: {chosen.queries} questions over {chosen.rows:,} passages, depth {DEPTH}")
        for way, (target, raw) in search_rounds(url, chosen.queries).items():
            for name, share in (("p50", 0.5), ("p99", 0.99)):
                mine, bare = percentile(target, share), percentile(raw, share)
                print(
                    f"  {way:22} {name}  target {mine:7.2f} ms   raw {bare:7.2f} ms   "
                    f"{mine / bare:.2f}×"
                )
        index.connection.client.indices.delete(index="bench-*")


if __name__ == "__main__":
    main()
