"""Readers, killed writers and deleted text: with real processes and real bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from rag.retrieve.query import Query
from rag.targets.embedded import EmbeddedIndex
from tests.masked import masked
from tests.targets.documents import DIMENSIONS, make, vector

STAFF = ("group:staff",)

WRITER = """
import itertools, sys
from pathlib import Path
from rag.targets.embedded import EmbeddedIndex
from tests.targets.documents import DIMENSIONS, make
index = EmbeddedIndex(Path(sys.argv[1]), DIMENSIONS)
for version in itertools.count(2):
    texts = [f"word part {part} of version {version}" for part in range(5)]
    index.apply([make(f"d{n}", *texts, version=str(version)) for n in range(30)], [])
    if version % 3 == 0 and sys.argv[2] == "compact":
        index.compact()
    print(version, flush=True)
"""


def start_writer(folder: Path, mode: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), mode],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )


def seen(index: EmbeddedIndex) -> dict[str, dict[str, list[str]]]:
    """By leg and document: the versions of the chunks found."""
    query = Query(masked("word"), list(vector("w")), STAFF)
    versions: dict[str, dict[str, list[str]]] = {}
    for leg, hits in index.legs(query, 1000).items():
        for hit in hits:
            document, version, _ = hit.id.split("-")
            versions.setdefault(leg, {}).setdefault(document, []).append(version)
    return versions


def check(index: EmbeddedIndex) -> set[str]:
    versions = seen(index)
    assert set(versions) == {"vector", "text"}
    for leg in versions.values():
        assert set(leg) == {f"d{n}" for n in range(30)}
        for found in leg.values():
            assert len(found) == 5
            assert len(set(found)) == 1
    by_leg = [{key: set(found) for key, found in leg.items()} for leg in versions.values()]
    assert by_leg[0] == by_leg[1]
    return {found[0] for found in versions["text"].values()}


def first_version(index: EmbeddedIndex) -> None:
    texts = [f"word part {part} of version 1" for part in range(5)]
    index.apply([make(f"d{n}", *texts) for n in range(30)], [])


def test_a_reader_sees_one_whole_version_of_each_document_while_another_process_writes(
    index: EmbeddedIndex,
) -> None:
    first_version(index)
    writer = start_writer(index.folder, "compact")
    try:
        assert writer.stdout is not None
        writer.stdout.readline()
        versions: set[str] = set()
        until = time.monotonic() + 4
        while time.monotonic() < until:
            versions |= check(index)
        assert len(versions) > 3
    finally:
        writer.kill()
        writer.communicate()


def test_a_killed_writer_leaves_a_whole_version_and_the_next_writer_goes_on(
    index: EmbeddedIndex,
) -> None:
    first_version(index)
    for delay in (0.0, 0.017):
        writer = start_writer(index.folder, "no")
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(delay)
        os.kill(writer.pid, signal.SIGKILL)
        writer.communicate()
        assert len(check(EmbeddedIndex(index.folder, DIMENSIONS))) == 1
    index.apply([make("d0", "last word", version="last")], [])
    index.compact()
    assert index.inventory()["d0"].chunks == ("d0-last-0",)
    assert len(index.inventory()) == 30


def holding(folder: Path, word: str) -> list[str]:
    return [
        str(path)
        for path in folder.rglob("*")
        if path.is_file() and word.encode() in path.read_bytes().lower()
    ]


def test_deleted_and_replaced_text_leaves_the_disk(index: EmbeddedIndex) -> None:
    others = [make(f"d{n}", f"something else number {n}") for n in range(40)]
    index.apply([*others, make("gone", "the zyxwvut word"), make("new", "old qponmlk word")], [])
    index.compact()
    assert holding(index.folder, "zyxwvut")
    assert holding(index.folder, "qponmlk")
    index.apply([make("new", "fresh word", version="2")], ["gone"])
    index.compact()
    assert holding(index.folder, "zyxwvut") == []
    assert holding(index.folder, "qponmlk") == []
    assert holding(index.folder, "something")
    assert index.stats().documents == 41


def test_text_that_was_deleted_after_a_change_of_rights_leaves_the_disk(
    index: EmbeddedIndex,
) -> None:
    index.apply([*[make(f"d{n}", f"else {n}") for n in range(40)], make("a", "zyxwvut")], [])
    index.compact()
    index.set_acl({"a": ("user:x",)})
    index.compact()
    index.apply([], ["a"])
    index.compact()
    assert holding(index.folder, "zyxwvut") == []


def test_text_deleted_by_a_run_that_was_killed_leaves_the_disk_with_the_next(
    index: EmbeddedIndex,
) -> None:
    index.apply([*[make(f"d{n}", f"else {n}") for n in range(40)], make("a", "zyxwvut")], [])
    index.compact()
    index.apply([], ["a"])  # and then no compact
    again = EmbeddedIndex(index.folder, DIMENSIONS)
    orphan = index.folder / f"chunks_{DIMENSIONS}.lance" / "data" / "half-written.lance"
    orphan.write_bytes(b"zyxwvut")
    again.compact()
    assert holding(index.folder, "zyxwvut") == []


def test_compacting_what_did_not_change_keeps_the_same_files(index: EmbeddedIndex) -> None:
    index.apply([make("a", "one")], [])
    index.compact()

    def data() -> set[str]:
        return {path.name for path in index.folder.rglob("data/*")}

    before = data()
    index.compact()
    assert data() == before
