"""Shards on all cores: worker processes that take shard ids and give back reports.

``python -m rag.ingest.worker CORPUS RUN`` reads a shard id a line and writes a JSON object a
line: ``{"done": n}`` for documents finished, ``{"report": {…}}`` for a shard, ``{"error": …}``.
A program of its own rather than a fork: it starts with nothing of its parent's memory, and a
script that calls `Corpus.sync` needs no main guard.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rag.errors import SluiceError
from rag.ingest.shard import ShardReport, run_shard
from rag.threads import ONE_THREAD

TRIES = 3
"""How often a shard is given to a worker before the run stops."""


class WorkerDied(SluiceError):
    """A worker process ended several times over the same shard; what is served did not change."""

    transient = True


def run_shards(
    corpus: str,
    run_id: str,
    shards: Sequence[str],
    workers: int,
    progress: Callable[[int], None] | None = None,
) -> Iterator[tuple[str, ShardReport]]:
    """Run shards in `workers` processes; yield each shard's id and report as it finishes.

    Args:
        corpus: Path of the corpus file.
        progress: Called in this thread's stead from the workers' threads with documents done.

    Raises:
        WorkerDied: A shard's worker was killed `TRIES` times.
        SluiceError: A worker met an error that is not one document's.
    """
    todo: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[str, ShardReport] | SluiceError] = queue.SimpleQueue()
    for shard in shards:
        todo.put((shard, 1))
    stop = threading.Event()
    threads = [
        threading.Thread(
            target=_tend, args=(corpus, run_id, todo, done, stop, progress), daemon=True
        )
        for _ in range(min(workers, len(shards)))
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in shards:
            outcome = done.get()
            if isinstance(outcome, SluiceError):
                raise outcome
            yield outcome
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=10)


def _tend(
    corpus: str,
    run_id: str,
    todo: queue.SimpleQueue[tuple[str, int]],
    done: queue.SimpleQueue[tuple[str, ShardReport] | SluiceError],
    stop: threading.Event,
    progress: Callable[[int], None] | None,
) -> None:
    """Feed one worker process; start another when it dies."""
    process: subprocess.Popen[str] | None = None
    try:
        while not stop.is_set():
            try:
                shard, tries = todo.get(timeout=0.1)
            except queue.Empty:
                continue
            if process is not None and process.poll() is not None:
                _end(process)
                process = None
            process = process or _start(corpus, run_id)
            answer = _ask(process, shard, progress, stop)
            if answer is not None:
                done.put(answer if isinstance(answer, SluiceError) else (shard, answer))
                continue
            if stop.is_set():
                break
            # Its pipes close before it can be waited for: until then it would look alive.
            _end(process)
            process = None
            if tries < TRIES:
                todo.put((shard, tries + 1))
            else:
                done.put(
                    WorkerDied(
                        f"The process that worked on shard {shard} ended {TRIES} times.",
                        "Look for memory pressure (dmesg), lower shard_documents, and sync again: "
                        "finished documents are kept.",
                    )
                )
    finally:
        if process is not None:
            _end(process)


def _start(corpus: str, run_id: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "rag.ingest.worker", corpus, run_id],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | ONE_THREAD,
    )


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    with process:  # closes its pipes and waits
        pass


def _ask(
    process: subprocess.Popen[str],
    shard: str,
    progress: Callable[[int], None] | None,
    stop: threading.Event,
) -> ShardReport | SluiceError | None:
    """Give a worker a shard; return its report, its error, or None if it died."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(shard + "\n")
        process.stdin.flush()
    except BrokenPipeError:
        return None
    for line in process.stdout:
        if stop.is_set():
            return None
        message = json.loads(line)
        if "done" in message and progress:
            progress(message["done"])
        if "report" in message:
            return _report(message["report"])
        if "error" in message:
            return SluiceError(message["error"], message["hint"])
    return None


def _report(counts: dict[str, Any]) -> ShardReport:
    report = ShardReport(**counts)
    for name in ("outcomes", "types", "masked", "failures"):
        setattr(report, name, Counter(counts[name]))
    return report


def serve(corpus: str, run_id: str) -> None:
    """Be a worker: shard ids in, JSON lines out, until standard input ends."""
    from rag.ingest.context import Context

    # Libraries print; what they print may be a document's. The protocol keeps a pipe of its own.
    out = os.fdopen(os.dup(1), "w", buffering=1)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)

    def say(message: dict[str, Any]) -> None:
        out.write(json.dumps(message) + "\n")

    context = Context.open(corpus)
    for line in sys.stdin:
        try:
            report = run_shard(context, run_id, line.strip(), lambda n: say({"done": n}))
            say({"report": report.as_counts()})
        except SluiceError as error:
            say({"error": error.message, "hint": error.hint})
        except Exception as error:  # its message may quote a document: only its type is told
            name = type(error).__name__
            say(
                {
                    "error": f"A worker failed on shard {line.strip()} ({name}).",
                    "hint": "Sync again: finished documents are kept. If it fails in the "
                    "same way, it is a defect of Sluice.",
                }
            )


if __name__ == "__main__":
    serve(*sys.argv[1:])
