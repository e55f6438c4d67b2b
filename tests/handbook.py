"""The sample handbook, synced: shared by all tests that look at the whole of it.

Everything that a run may write is under the handbook's own folder: Sluice's home, the user's
home, the folder for temporary files, and what its processes print.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from rag.ingest.killable import scratch
from rag.keys import Sealer

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "samples"
EVERYBODY = ("user:demo", "group:staff", "group:clinicians", "group:hr", "group:board")
SETTLE = 15.0
_DOCUMENTS = (
    "SELECT document_id, name, title, media_type, acl, content_id, digest, chunk_count, masked "
    "FROM documents ORDER BY document_id"
)
_QUARANTINE = (
    "SELECT document_id, name, code, reason, action, content_id FROM quarantine "
    "ORDER BY document_id"
)


@dataclass(frozen=True, slots=True)
class Said:
    """How a process ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Handbook:
    """A project with a copy of the handbook, and the command line that works on it.

    Args:
        root: An empty folder.
        key_from: Another one, whose pseudonym key is used: ids and pseudonyms are the same.
    """

    def __init__(self, root: Path, key_from: Handbook | None = None) -> None:
        self.root = root
        self.project = root / "project"
        self.documents = self.project / "documents"
        self.corpus_file = self.project / "corpora" / "handbook.yaml"
        self.home = root / "home" / "sluice"
        self.airflow = root / "home" / "airflow"
        self.user = root / "user"
        self.temporary = root / "temporary"
        self.output = root / "output"
        self.kept = root / "kept"
        for folder in (self.home.parent, self.user, self.temporary, self.output, self.kept):
            folder.mkdir(parents=True)
        shutil.copytree(SAMPLES / "handbook", self.documents)
        self.settings()
        if key_from is not None:
            shutil.copytree(key_from.home / "keys", self.home / "keys")
        self._numbers = iter(range(1, 10_000))

    def settings(self, **source: Any) -> None:
        """Write the corpus file: the repository's, with this source."""
        told = yaml.safe_load((ROOT / "corpora" / "handbook.yaml").read_text(encoding="utf-8"))
        told["source"] |= {"url": "documents", **source}
        self.corpus_file.parent.mkdir(exist_ok=True)
        self.corpus_file.write_text(yaml.safe_dump(told), encoding="utf-8")

    @property
    def written(self) -> list[Path]:
        """Where everything is that its processes wrote; the sources are not among it."""
        return [self.root / "home", self.user, self.temporary, self.output, self.kept]

    @property
    def environment(self) -> dict[str, str]:
        """With every folder that a library might write to below `root`."""
        temporary = str(self.temporary)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
        return kept | {
            "SLUICE_HOME": str(self.home),
            "AIRFLOW_HOME": str(self.airflow),
            "HOME": str(self.user),
            "TMPDIR": temporary,
            "TEMP": temporary,
            "TMP": temporary,
            "PYTHONPATH": str(ROOT),
        }

    def start(self, *command: str, stdin: bytes = b"") -> Running:
        """Start ``python`` with these arguments in the project; see `Running.end`."""
        stem = f"{next(self._numbers):03}"
        given = self.root / f"{stem}.in"
        given.write_bytes(stdin)
        out, err = self.output / f"{stem}.out", self.output / f"{stem}.err"
        with given.open("rb") as i, out.open("wb") as o, err.open("wb") as e:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=self.project,
                env=self.environment,
                stdin=i,
                stdout=o,
                stderr=e,
            )
        return Running(process, out, err)

    def sluice(self, *arguments: str) -> Said:
        """Run a command of ``sluice`` to its end."""
        with self.watched():
            return self.start("-m", "rag.cli", *arguments).end()

    def python(self, *command: str, stdin: bytes = b"") -> Said:
        """Run Python with these arguments to its end."""
        with self.watched():
            return self.start(*command, stdin=stdin).end()

    def probe(self, requests: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Search and ask in one process; return what the Python API gave, in order."""
        lines = "".join(json.dumps(one) + "\n" for one in requests).encode()
        said = self.python("-m", "tests.probe", "handbook", stdin=lines)
        assert said.code == 0, said.err
        return [json.loads(line) for line in said.out.splitlines()]

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Keep every file that is written meanwhile, also one that is deleted at once."""
        stop = threading.Event()
        places = [self.root / "home", self.user, self.temporary]
        thread = threading.Thread(target=_keep, args=(places, self.kept, stop))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def index(self) -> dict[str, dict[str, Any]]:
        """Return the rows of the index by chunk id, without their vectors."""
        rows = self.table().to_arrow().drop_columns(["vector"]).to_pylist()
        return {row["id"]: row for row in rows}

    def table(self) -> Any:
        """Return the index's table, as LanceDB gives it."""
        import lancedb

        database = lancedb.connect(self.home / "corpora" / "handbook")
        [name] = database.list_tables().tables
        return database.open_table(name)

    def ledger(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return what the ledger says of documents and of quarantine, without times."""
        with closing(sqlite3.connect(self.home / "ledger.sqlite")) as db:
            return {
                "documents": db.execute(_DOCUMENTS).fetchall(),
                "quarantine": db.execute(_QUARANTINE).fetchall(),
            }

    def quarantined(self) -> dict[str, dict[str, str]]:
        """Return code, reason and action of what waits in quarantine, by document id."""
        names = ("code", "reason", "action")
        return {
            str(row[0]): dict(zip(names, row[2:5], strict=True))
            for row in self.ledger()["quarantine"]
        }

    @cached_property
    def names(self) -> dict[str, str]:
        """Real names of the source's documents by document id."""
        key = base64.b64decode((self.home / "keys" / "pseudonym.key").read_bytes())
        found = [path for path in self.documents.rglob("*") if path.is_file()]
        keys = [path.relative_to(self.documents).as_posix() for path in found]
        return {Sealer(key).document_id(one): one for one in keys if not one.endswith(".acl.yaml")}


class Running:
    """A process of a handbook, with all that it started."""

    def __init__(self, process: subprocess.Popen[bytes], out: Path, err: Path) -> None:
        self.process = process
        self._out, self._err = out, err

    def workers(self) -> list[psutil.Process]:
        """Return the processes that do shards."""
        return self._below("rag.ingest.worker")

    def parsers(self) -> list[psutil.Process]:
        """Return the processes that parse: forks of each worker's helper."""
        helpers = [below for worker in self.workers() for below in _children(worker)]
        return [parser for helper in helpers for parser in _children(helper)]

    def _below(self, module: str) -> list[psutil.Process]:
        found = []
        for child in _children(psutil.Process(self.process.pid)):
            with suppress(psutil.Error):
                if module in child.cmdline():
                    found.append(child)
        return found

    def when(self, find: Callable[[], Sequence[psutil.Process]], seconds: float = 120) -> Any:
        """Return the first process that `find` finds, as soon as there is one."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.process.poll() is None:
            if found := find():
                return found[0]
            time.sleep(0.02)
        raise AssertionError("There was no such process before the run ended.")

    def busy_parsers(self) -> list[psutil.Process]:
        """Return parsers that are at work on a document."""
        busy = []
        for parser in self.parsers():
            with suppress(psutil.Error):
                if parser.cpu_times().user > 0.1 and parser.status() == psutil.STATUS_RUNNING:
                    busy.append(parser)
        return busy

    def end(self) -> Said:
        """Wait until it and all below it are gone."""
        code = self.process.wait(timeout=280)
        return Said(
            code,
            self._out.read_text(encoding="utf-8"),
            self._err.read_text(encoding="utf-8", errors="replace"),
        )


def stale_folders(root: str) -> list[Path]:
    """Return parsers' temporary folders whose process is no more."""
    folders = Path(root).glob("sluice-parse-*")
    return [one for one in folders if not psutil.pid_exists(int(one.name.split("-")[2]))]


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children())
    except psutil.Error:
        return []


def _keep(places: Sequence[Path], into: Path, stop: threading.Event) -> None:
    """Link every file that appears, so that its content stays; let go of what stayed by itself."""
    seen: set[int] = {path.stat().st_ino for path in into.iterdir()}
    last = False
    while not last:
        last = stop.wait(0.03)
        for place in places:
            for folder, _, files in os.walk(place):
                for name in files:
                    path = Path(folder, name)
                    with suppress(OSError):
                        inode = path.stat().st_ino
                        if inode not in seen:
                            os.link(path, into / f"{len(seen)}-{time.monotonic_ns()}-{name}")
                            seen.add(inode)
    for kept in list(into.iterdir()):
        if kept.stat().st_nlink > 1:
            kept.unlink()


@pytest.fixture(scope="session")
def handbook(tmp_path_factory: pytest.TempPathFactory) -> Handbook:
    """The handbook after one sync; not to be changed."""
    made = Handbook(tmp_path_factory.mktemp("handbook"))
    said = made.sluice("sync", "handbook", "--json")
    assert said.code == 0, said.err
    return made


@dataclass(frozen=True, slots=True)
class Disturbed:
    """A handbook after a sync in which a parser and then a worker were killed.

    Attributes:
        handbook: May be changed.
        index, ledger: As they were after that sync.
        left: Temporary folders of parsers that it left behind.
    """

    handbook: Handbook
    index: dict[str, dict[str, Any]]
    ledger: dict[str, list[tuple[Any, ...]]]
    left: list[Path]


@pytest.fixture(scope="session")
def disturbed(handbook: Handbook, tmp_path_factory: pytest.TempPathFactory) -> Disturbed:
    """The handbook after a sync in which a parser and then a worker were killed."""
    before = set(stale_folders(scratch()))
    made = Handbook(tmp_path_factory.mktemp("disturbed"), key_from=handbook)
    with made.watched():
        run = made.start("-m", "rag.cli", "sync", "handbook", "--json")
        run.when(run.busy_parsers).kill()
        worker = run.when(run.workers)
        helpers = _children(worker)
        run.when(run.busy_parsers)
        worker.kill()
        said = run.end()
        _, left = psutil.wait_procs(helpers, timeout=SETTLE)
    assert said.code == 0, said.err
    assert left == [], "the parsers of a killed worker end by themselves"
    left_behind = [one for one in stale_folders(scratch()) if one not in before]
    return Disturbed(made, made.index(), made.ledger(), left_behind)
