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
import os
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
    """What a run took.

    Attributes:
        seconds: From start to end.
        after_first: From the first answer.
        cpu: Processor seconds of all processes.
        first_mb: Most memory at one time in the first half of the lines.
        second_mb: And in the second.
    """

    seconds: float
    after_first: float
    cpu: float
    first_mb: int
    second_mb: int


def lines(count: int) -> Iterator[str]:
    """Yield lines of some thirty words, a third of them with identifiers."""
    faker = Faker(["en_US", "en_GB", "de_DE", "es_ES"])
    Faker.seed(7)
    chance = random.Random(7)
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


def cpu(root: int) -> float:
    """Return the processor seconds that a process and all that come from it have had."""
    ticks = 0
    for pid in processes(root):
        with contextlib.suppress(OSError, IndexError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(path: Path, count: int, workers: int) -> Measured:
    """Mask the lines of a file."""
    seen: list[tuple[int, int]] = []  # lines answered, MB
    spent = [0.0]
    answered = [0]
    start = time.perf_counter()
    command = [sys.executable, "-m", "rag.cli", "mask", str(path), "--jsonl"]
    with subprocess.Popen([*command, "--workers", str(workers)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        over = threading.Event()

        def watch() -> None:
            while not over.wait(EVERY):
                seen.append((answered[0], memory(process.pid)))
                spent[0] = max(spent[0], cpu(process.pid))

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
    one, other = (max(half, default=0) for half in halves)
    return Measured(end - start, end - first, spent[0], one, other)


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
        columns = "workers", "seconds", "words/s", "after first", "a CPU s", "MB first", "second"
        print("  ".join(f"{name:>11}" for name in columns))
        for workers in options.workers:
            one = measure(path, options.lines, workers)
            rates = [words / spent for spent in (one.seconds, one.after_first, one.cpu)]
            row = [f"{workers}", f"{one.seconds:.1f}", *(f"{rate:,.0f}" for rate in rates)]
            row += [f"{one.first_mb:,}", f"{one.second_mb:,}"]
            print("  ".join(f"{cell:>11}" for cell in row), flush=True)


if __name__ == "__main__":
    main()
