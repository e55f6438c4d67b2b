"""End to end: words a second of ``sluice sync`` over a folder of short texts, step by step.

    python -m bench.sync [--documents 1400] [--corpus corpus.jsonl] [--keep FOLDER]

`--corpus` takes texts in the BEIR layout ({"_id", "title", "text"} a line); without it, sentences
of the sample handbook are shuffled into texts of about 170 words. The first sync starts from an
empty state folder; the second one finds nothing to do.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rag.sentences import split

WORDS = 170


def texts(corpus: Path | None, count: int) -> Iterator[str]:
    """Yield `count` texts."""
    if corpus:
        with corpus.open(encoding="utf-8") as lines:
            for _, line in zip(range(count), lines, strict=False):
                one = json.loads(line)
                yield f"{one.get('title', '')}\n\n{one['text']}".strip()
        return
    chance = random.Random(7)
    handbook = Path(__file__).parent.parent / "samples" / "handbook"
    pages = [page.read_text(encoding="utf-8") for page in sorted(handbook.rglob("*.md"))]
    sentences = [page[start:end] for page in pages for start, end in split(page)]
    for number in range(count):
        words: list[str] = [f"Note {number}."]
        while len(words) < WORDS:
            words += chance.choice(sentences).split()
        yield " ".join(words)


def cpu() -> str:
    """Return what the machine says of itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor()
    return f"{name}, {os.cpu_count()} cores"


def timed_sync(corpus: Path, state: Path) -> tuple[float, dict]:
    """Run ``sluice sync`` as a user does; return seconds by the clock and its report."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "rag.cli", "sync", str(corpus), "--json"],
        env=os.environ | {"SLUICE_HOME": str(state)},
        check=True,
        stdout=subprocess.PIPE,
    )
    return time.perf_counter() - started, json.loads(done.stdout)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--documents", type=int, default=1400)
    options.add_argument("--corpus", type=Path)
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        root = Path(folder)
        source = root / "source"
        source.mkdir()
        words = 0
        for number, text in enumerate(texts(chosen.corpus, chosen.documents)):
            (source / f"{number:05}.txt").write_text(text, encoding="utf-8")
            words += len(text.split())
        corpus = root / "bench.yaml"
        corpus.write_text(
            f"corpus: bench\nsource: {{url: {source}, acl: {{default: ['group:all']}}}}\n"
        )
        seconds, first = timed_sync(corpus, root / "state")
        again, second = timed_sync(corpus, root / "state")
    rate = words / seconds
    if chosen.json:
        print(json.dumps({"words": words, "seconds": seconds, "rate": rate, "again": again,
                          "first": first, "second": second}))  # fmt: skip
        return
    print(f"machine        {cpu()}")
    print(f"documents      {chosen.documents}, {words:,} words")
    print(f"first sync     {seconds:.1f} s by the clock: {rate:,.0f} words/s")
    total = sum(first["seconds"].values())
    busy = total / (seconds * (os.cpu_count() or 1))
    print(f"working time   {total:.1f} s over all processes: cores {busy:.0%} busy")
    for step, spent in sorted(first["seconds"].items(), key=lambda one: -one[1]):
        print(f"  {step:<12} {spent:6.1f} s  {spent / total:5.1%}")
    print(f"second sync    {again:.2f} s; parsed {second['parsed']}, embedded {second['embedded']}")
    print(f"ratio          {seconds / again:.0f} to 1")


if __name__ == "__main__":
    main()
