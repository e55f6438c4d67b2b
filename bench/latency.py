"""How long each stage of a question takes over many passages, and how askers side by side scale.

    nice -n 10 python -m bench.latency [--passages 100000] [--questions 200] [--recall]
        [--folder DIR] [--url http://… --index ALIAS]

Generated passages (`bench.passages`) in the embedded index, which is kept in DIR where one is
given, and in a real OpenSearch: a node of its own, or the one at URL, whose ALIAS is used if it is
filled. p50 and p99 in ms over the questions, each asked once, by one asker who may read a third of
the passages and by one who may read a twentieth; then 1, 2, 4 and 8 askers in threads; then other
questions as the first, of a target that has answered a thousand by then; then askers in threads,
two a core of a process that has one core or more, and one in each of some processes.

Search is all of `rag.retrieve.search.search` without a reranker, which is told apart: both legs,
their fusion, and the text leg again with feedback. CPU is the time that this process's threads
worked, which other work on the machine makes hardly longer; an OpenSearch works elsewhere.
``--recall``: what the vector leg finds of the exact best.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import platform
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.opensearch import node, open_index
from bench.passages import DIMENSIONS, Maker
from bench.sync import cpu
from bench.targets import reranked
from rag import config, threads
from rag.masked import Masked
from rag.masked.passed import passed as masked
from rag.models import relevance
from rag.retrieve.candidates import Candidate, Legs
from rag.retrieve.filters import EVERYTHING
from rag.retrieve.query import Query
from rag.retrieve.search import search
from rag.targets import Target
from rag.targets.embedded import EmbeddedIndex, conditions

ASKERS = {"a third": ("group:all",), "a twentieth": ("group:3", "user:ana")}
SIDE_BY_SIDE = (1, 2, 4, 8)
HITS = 12
WARM = 50
RERANKED = 60
"""Questions whose hits are reranked side by side."""
Question = tuple[Masked, np.ndarray]


@dataclass
class Times:
    """Seconds by stage, by the clock and of the CPU, question by question."""

    stages: dict[str, list[np.ndarray]] = field(default_factory=dict)

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        started = now()
        yield
        self.add(stage, now() - started)

    def add(self, stage: str, seconds: np.ndarray) -> None:
        self.stages.setdefault(stage, []).append(seconds)

    def show(self) -> None:
        for stage, every in self.stages.items():
            clock, worked = 1000 * np.asarray(every).T
            p50, p90, p99 = np.quantile(clock, (0.5, 0.9, 0.99))
            print(
                f"    {stage:34} p50 {p50:8.1f}   p90 {p90:8.1f}   p99 {p99:8.1f} ms"
                f"   CPU p50 {np.median(worked):7.1f}",
                flush=True,
            )


def now() -> np.ndarray:
    """Return seconds by the clock, and those that all threads of this process worked."""
    return np.array([time.perf_counter(), time.process_time()])


class Watched:
    """A target whose searches are timed: the first of a question, and those after it."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.seconds: list[np.ndarray] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)

    def legs(self, query: Query, depth: int) -> Legs:
        started = now()
        found = self._target.legs(query, depth)
        self.seconds.append(now() - started)
        return found


def questions(count: int) -> list[Question]:
    maker = Maker(seed=11)
    drawn = (maker.question() for _ in range(count))
    return [(masked(text), vector) for text, vector in drawn]


def searched(target: Target, asked: Sequence[Question], asker: Sequence[str]) -> Times:
    """Search once for each question; the first few only warm up, as `Corpus.warm` does."""
    times = Times()
    ready(target, asked[0], asker)
    watched = Watched(target)
    for number, (text, vector) in enumerate([*asked[:WARM], *asked]):
        watched.seconds.clear()
        started = now()
        search(watched, text, vector.tolist(), asker, HITS)  # type: ignore[arg-type]
        whole = now() - started
        if number < WARM:
            continue
        first, *again = watched.seconds
        times.add("both legs", first)
        times.add("text leg again, with feedback", sum(again, np.zeros(2)))
        times.add("fuse, weigh, order", whole - sum(watched.seconds, np.zeros(2)))
        times.add("search", whole)
    return times


def ready(target: Target, question: Question, asker: Sequence[str]) -> None:
    """What `Corpus.warm` does with ``freeze``, for a target without a corpus."""
    search(target, question[0], question[1].tolist(), asker, HITS)
    gc.collect()
    gc.freeze()


def answered(target: Target, asked: Sequence[Question]) -> Times:
    """Time what comes before search and after it, on one corpus's own parts."""
    from rag.answer import answerer, counter
    from rag.models import embedder as open_embedder
    from rag.privacy import masker as open_masker
    from rag.retrieve.pack import pack

    times, settings = Times(), config.Search()
    embedder = open_embedder(config.Embedding().model, threads=os.cpu_count() or 1)
    masker = open_masker(config.Privacy())
    by = answerer("embedded/extractive", embedder.embed)
    count = counter("embedded/extractive", embedder)
    for number, (text, vector) in enumerate([*asked[:WARM], *asked]):
        kept = times if number >= WARM else Times()
        with kept.of("mask"):
            masker.mask_text(text)
        with kept.of("embed the question"):
            embedder.embed_query(text)
        hits = search(target, text, vector.tolist(), ASKERS["a third"], settings.reranked)
        better = reranked(settings, text)
        assert better is not None  # by default
        candidates = [Candidate.of(hit) for hit in hits]
        with kept.of("rerank"):
            hits = [one.hit for one in better(candidates)[:HITS]]
        with kept.of("pack"):
            packed = pack(hits, 1500, count, text)
        with kept.of("extract"):
            list(by.sentences(text, packed.passages, 0.6))
    return times


def side_by_side(
    target: Target, asked: Sequence[Question], askers: int, *, reranks: bool = False
) -> tuple[float, float]:
    """Return searches a second by so many askers in threads, and the p99 of one in ms."""
    with ThreadPoolExecutor(askers) as pool:
        started = time.perf_counter()
        seconds = list(pool.map(lambda question: timed(target, question, reranks), asked))
        whole = time.perf_counter() - started
    return len(asked) / whole, 1000 * float(np.quantile(seconds, 0.99))


def timed(target: Target, question: Question, reranks: bool = False) -> float:
    """Return the seconds of a search."""
    text, vector = question
    better = reranked(config.Search(), text) if reranks else None
    started = time.perf_counter()
    search(target, text, vector.tolist(), ASKERS["a third"], HITS, reranked=better)
    return time.perf_counter() - started


def in_processes(folder: Path, count: int, processes: int) -> tuple[float, float]:
    """Return searches a second by one asker in each of some processes, and the p99 of one in ms.

    Each process is bound to a core of its own, as those of `rag.askers` are: else the threads of
    one wander to the other's core, and wait there.

    Args:
        folder: Of the embedded index, which they share.
        count: Questions of each.
    """
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(processes)
    with ProcessPoolExecutor(processes, context, _together, (together,)) as pool:
        told = list(pool.map(_asks, [folder] * processes, [count] * processes, range(processes)))
    whole = max(end for _, end, _ in told) - min(start for start, _, _ in told)
    seconds = [one for _, _, each in told for one in each]
    return len(seconds) / whole, 1000 * float(np.quantile(seconds, 0.99))


def on_cores(folder: Path, count: int, cores: int) -> tuple[float, float]:
    """Return searches a second by twice as many askers in threads of a process that has so many
    cores, and the p99 of one in ms. Where cores cannot be taken away, it has all.

    Args:
        folder: Of the embedded index.
        count: Questions of all.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, threads.bind, (0, cores)) as pool:
        return pool.submit(_asked_by, folder, count, 2 * cores).result()


def _asked_by(folder: Path, count: int, askers: int) -> tuple[float, float]:
    index, asked = embedded(folder, 0), questions(count)
    ready(index, asked[0], ASKERS["a third"])
    side_by_side(index, asked[:WARM], askers)
    return side_by_side(index, asked, askers)


def _together(barrier: Any) -> None:
    global _barrier
    _barrier = barrier


def _asks(folder: Path, count: int, core: int) -> tuple[float, float, list[float]]:
    """Ask in this process, when all are ready; return start, end, and the seconds of each."""
    threads.bind(core)
    index, asked = embedded(folder, 0), questions(count)
    ready(index, asked[0], ASKERS["a third"])
    _barrier.wait(60)
    start = time.time()
    seconds = [timed(index, question) for question in asked]
    return start, time.time(), seconds


def measure(
    name: str, target: Target, asked: Sequence[Question], later: Sequence[Question]
) -> None:
    """Print the times of a target as it was opened, and as it is after all that.

    Args:
        later: As many other questions.
    """

    def alone(questions: Sequence[Question], when: str) -> None:
        for share, asker in ASKERS.items():
            print(f"\n{name}{when}: an asker who may read {share} of the passages")
            searched(target, questions, asker).show()

    alone(asked, "")
    for askers in SIDE_BY_SIDE:
        rate, p99 = side_by_side(target, asked, askers)
        print(f"    {askers} askers: {rate:6.1f} searches/s, p99 {p99:7.1f} ms")
    for askers in SIDE_BY_SIDE[:3]:
        relevance.forget()
        rate, p99 = side_by_side(target, asked[:RERANKED], askers, reranks=True)
        print(f"    {askers} askers, reranked: {rate:6.1f} searches/s, p99 {p99:7.1f} ms")
    alone(later, ", later")


# Targets, filled


def embedded(folder: Path, passages: int) -> EmbeddedIndex:
    index = EmbeddedIndex(folder, DIMENSIONS)
    if not folder.exists():
        fill(index, passages, 2000)
        index.compact()
    return index


def fill(target: Target, passages: int, together: int) -> None:
    started = time.perf_counter()
    batch = []
    for document in Maker().documents(passages):
        batch.append(document)
        if len(batch) == together:
            target.apply(batch, [])
            batch = []
    target.apply(batch, [])
    print(f"  {passages:,} passages written in {time.perf_counter() - started:.0f} s", flush=True)


def recall(index: EmbeddedIndex, asked: Sequence[Question], depth: int = 100) -> None:
    """Print what the vector leg finds of the exact best ten and hundred, and in what time."""
    import lancedb

    table = lancedb.connect(index.folder).open_table(f"chunks_{DIMENSIONS}")

    def exactly(vector: np.ndarray, condition: str) -> list[str]:
        query = table.search(vector, vector_column_name="vector", query_type="vector")
        query = query.distance_type("dot").bypass_vector_index()
        rows = query.where(condition, prefilter=True).select(["id", "_distance"]).limit(depth)
        found: list[str] = rows.to_arrow().column("id").to_pylist()
        return found

    for share, asker in ASKERS.items():
        condition = conditions.within(asker, EVERYTHING, table.schema.names)
        times = Times()
        ten, hundred = [], []
        for _, vector in asked:
            with times.of("exact"):
                best = exactly(vector, condition)
            with times.of("vector leg"):
                legs = index.legs(Query(masked(""), vector.tolist(), asker), depth)
            found = [hit.id for hit in legs["vector"]]
            ten.append(len({*found[:10]} & {*best[:10]}) / 10)
            hundred.append(len({*found} & {*best}) / depth)
        print(f"\nRecall of the vector leg, an asker who may read {share}")
        times.show()
        print(f"        of the best 10: {np.mean(ten):.4f}, of 100: {np.mean(hundred):.4f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--folder", type=Path, help="keeps the embedded index")
    parser.add_argument("--url", help="an OpenSearch that runs already")
    parser.add_argument("--index", default="latency", help="alias there")
    parser.add_argument("--recall", action="store_true", help="of the vector index")
    parser.add_argument("--only", choices=["embedded", "opensearch"])
    chosen = parser.parse_args()
    every = questions(2 * chosen.questions)
    asked, later = every[: chosen.questions], every[chosen.questions :]
    load = os.getloadavg()[0]
    print(f"{cpu()}; {platform.system()}, Python {platform.python_version()}; load {load:.1f}")
    print(f"{chosen.passages:,} passages of {DIMENSIONS} dimensions; {len(asked)} questions")
    with tempfile.TemporaryDirectory() as scratch:
        if chosen.only != "opensearch":
            index = embedded(chosen.folder or Path(scratch) / "index", chosen.passages)
            print("\nBefore search and after it")
            answered(index, asked).show()
            measure("Embedded", index, asked, later)
            for cores in range(1, threads.cores() + 1):
                rate, p99 = on_cores(index.folder, len(asked), cores)
                print(f"    {cores} cores, {2 * cores} askers: {rate:6.1f} searches/s, "
                      f"p99 {p99:7.1f} ms")  # fmt: skip
            for processes in SIDE_BY_SIDE[:2]:
                rate, p99 = in_processes(index.folder, len(asked), processes)
                print(f"    {processes} processes, bound to a core each: {rate:6.1f} searches/s, "
                      f"p99 {p99:7.1f} ms")  # fmt: skip
            if chosen.recall:
                recall(index, asked[:40])
    if chosen.only != "embedded":
        with node(chosen.url) as url:
            served = open_index(url, chosen.index, hybrid=False)
            if not served.inventory():
                fill(served, chosen.passages, 500)
                served.compact()
            measure("OpenSearch", served, asked, later)


if __name__ == "__main__":
    main()
