"""``sluice mask --jsonl`` over many lines: words a second and memory, by processes.

    python -m bench.mask_lines [--lines 100000] [--workers 1 2]

Memory is the most that all processes together held at one time: what each has alone, and its
share of what it has in common with others (Pss of ``/proc/PID/smaps_rollup``). Flat means that
the second half of the lines needs no more than the first.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from faker import Faker

EVERY = 0.5


class Measured(NamedTuple):
    """What a run took: seconds with and without start, MB in its first and second half."""

    seconds: float
    started: float
    first_mb: int
    second_mb: int
    lines: int


def lines(count: int) -> Iterator[str]:
    """Yield lines of some thirty words, a third of them with identifiers."""
    faker = Faker(["en_US", "en_GB", "de_DE", "es_ES"])
    Faker.seed(7)
    chance = random.Random(7)  # noqa: S311
    known = [
        f"{faker.name()} of {faker.street_address()} called from {faker.phone_number()}."
        for _ in range(2000)
    ]
    said = [faker.paragraph(nb_sentences=4) for _ in range(2000)]
    for number in range(count):
        text = chance.choice(said)
        if number % 3 == 0:
            text = f"{chance.choice(known)} {text}"
        yield json.dumps({"id": number, "text": text})


def processes(root: int) -> list[int]:
    """Return a process and all that come from it."""
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
    return found


def memory(root: int) -> int:
    """Return the MB that a process and all that come from it hold."""
    total = 0
    for pid in processes(root):
        with contextlib.suppress(OSError, IndexError):
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += int(rollup.split("\nPss:")[1].split()[0])
    return total // 1024


def measure(path: Path, count: int, workers: int) -> Measured:
    """Mask the lines of a file."""
    seen: list[tuple[int, int]] = []  # lines answered, MB
    answered = [0]
    start = time.perf_counter()
    command = [sys.executable, "-m", "rag.cli", "mask", str(path), "--jsonl"]
    with subprocess.Popen([*command, "--workers", str(workers)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        over = threading.Event()

        def watch() -> None:
            while not over.wait(EVERY):
                seen.append((answered[0], memory(process.pid)))

        watcher = threading.Thread(target=watch)
        watcher.start()
        first = 0.0
        for line in process.stdout:
            if not answered[0]:
                first = time.perf_counter()
            assert json.loads(line)["id"] == answered[0]
            answered[0] += 1
        over.set()
        watcher.join()
    assert process.returncode == 0
    end = time.perf_counter()
    halves = [[mb for done, mb in seen if (done > count / 2) == half] for half in (False, True)]
    peaks = [max(half, default=0) for half in halves]
    return Measured(end - start, end - first, *peaks, answered[0])


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lines.jsonl"
        words = 0
        with path.open("w") as file:
            for line in lines(options.lines):
                words += len(json.loads(line)["text"].split())
                file.write(line + "\n")
        print(f"{options.lines:,} lines, {words:,} words, {path.stat().st_size / 2**20:.1f} MB")
        print(
            "workers  seconds  words/s  words/s from the first answer  MB first half  second half"
        )
        for workers in options.workers:
            one = measure(path, options.lines, workers)
            print(
                f"{workers:7}  {one.seconds:7.1f}  {words / one.seconds:7,.0f}  "
                f"{words / one.started:29,.0f}  {one.first_mb:13,}  {one.second_mb:11,}",
                flush=True,
            )


if __name__ == "__main__":
    main()
