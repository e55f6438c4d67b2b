"""A call that misbehaves costs its process, and nothing else."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.ingest.killable import (
    Bounds,
    Died,
    OutOfMemory,
    Raised,
    Slot,
    TimedOut,
    Zygote,
    remove_stale_folders,
    scratch,
)
from tests.pace import once

ROOT = str(Path(__file__).parents[2])
FUNCTION = "tests.ingest.parse_faults:act"


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    zygote = Zygote(FUNCTION, Bounds(seconds=2, memory_mb=256))
    yield zygote
    zygote.close()


@pytest.fixture
def slot(zygote: Zygote) -> Iterator[Slot]:
    slot = Slot(zygote)
    yield slot
    slot.end()


def alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
    return "State:\tZ" not in status


def gone(pid: int, seconds: float = 5) -> bool:
    end = time.monotonic() + seconds
    while alive(pid):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def folders(owner: int | None = None) -> set[str]:
    return {each.name for each in Path(scratch()).glob(f"sluice-parse-{owner or os.getpid()}-*")}


def test_calls_share_a_worker_and_large_bodies_pass(slot: Slot) -> None:
    first = slot.call(b"", b"x").split()[0]
    assert slot.call(b"", bytes(40_000_000)).split() == [first, b"40000000"]


@pytest.mark.parametrize("what", [b"sleep", b"spin"])
def test_a_stuck_call_is_killed_in_time_and_the_next_one_is_quick(slot: Slot, what: bytes) -> None:
    def quick() -> bool:
        started = time.monotonic()
        with pytest.raises(TimedOut):
            slot.call(what, b"")
        stuck = time.monotonic()
        slot.call(b"", b"")
        assert stuck - started > 1.9
        return stuck - started < 4 and time.monotonic() - stuck < 0.5

    assert once(quick)


def test_memory_is_limited(slot: Slot) -> None:
    with pytest.raises(OutOfMemory):
        slot.call(b"eat", b"")
    assert slot.call(b"", b"")


def test_a_killed_worker_is_replaced(slot: Slot) -> None:
    with pytest.raises(Died):
        slot.call(b"die", b"")
    assert slot.call(b"", b"")


def test_a_killed_zygote_is_replaced_and_takes_its_workers_along() -> None:
    zygote = Zygote(FUNCTION, Bounds(5, 256))
    try:
        slot = Slot(zygote)
        slot.call(b"", b"")
        worker = slot.pid
        assert zygote.pid
        os.kill(zygote.pid, signal.SIGKILL)
        assert gone(worker)
        with pytest.raises(Died):
            slot.call(b"", b"")
        assert slot.call(b"", b"")
        slot.end()
    finally:
        zygote.close()
    assert not folders() & {slot.folder}


def test_an_exception_says_its_type_only(slot: Slot) -> None:
    with pytest.raises(Raised) as caught:
        slot.call(b"raise", b"Maria Keller")
    assert str(caught.value) == "ValueError"


def test_there_is_no_network_and_no_writing_elsewhere(slot: Slot, tmp_path: Path) -> None:
    for what, body in ((b"connect", b""), (b"write", str(tmp_path / "raw").encode())):
        with pytest.raises(Raised) as caught:
            slot.call(what, body)
        assert caught.value.kind == "PermissionError"
    assert not list(tmp_path.iterdir())


def test_temporary_files_are_private_in_memory_and_gone_after_the_call(slot: Slot) -> None:
    name = Path(slot.call(b"temporary", b"raw").decode())
    folder = name.parent
    assert str(folder).startswith(scratch())
    assert folder.stat().st_mode & 0o777 == 0o700
    assert not list(folder.iterdir())
    slot.end()
    assert not folder.exists()


def test_temporary_files_of_a_killed_call_are_gone(slot: Slot) -> None:
    before = folders()  # of the parser that this process keeps
    with pytest.raises(TimedOut):
        slot.call(b"grandchild", b"")
    assert not slot.folder
    assert folders() <= before


def test_what_a_worker_started_ends_with_it(slot: Slot) -> None:
    slot.call(b"", b"")
    note = Path(slot.folder) / "child"
    pids: list[int] = []

    def watch() -> None:
        while not pids:
            with contextlib.suppress(FileNotFoundError, ValueError):
                pids.append(int(note.read_text()))
            time.sleep(0.02)

    thread = threading.Thread(target=watch)
    thread.start()
    with pytest.raises(TimedOut):
        slot.call(b"grandchild", b"")
    thread.join()
    assert gone(pids[0])


def test_nothing_is_printed(slot: Slot, capfd: pytest.CaptureFixture[str]) -> None:
    slot.call(b"print", b"Maria Keller")
    assert capfd.readouterr() == ("", "")


def test_modules_are_imported_once_for_all_workers(zygote: Zygote, slot: Slot) -> None:
    slot.call(b"needs", b"")
    other = Slot(zygote)
    other.call(b"", b"")
    pid = other.pid
    assert other.call(b"needs", b"") == str(pid).encode()  # it had the module when it started
    other.end()


def test_a_script_without_main_guard_is_not_run_again(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "print('once')\n"
        "from rag.ingest.killable import *\n"
        f"zygote = Zygote({FUNCTION!r}, Bounds(5, 256))\n"
        "slot = Slot(zygote)\n"
        "slot.call(b'', b'')\n"
        "slot.end()\n"
        "zygote.close()\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        env=os.environ | {"PYTHONPATH": ROOT},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("once\n", "", 0)


def _inside(results: multiprocessing.Queue[bytes]) -> None:
    zygote = Zygote(FUNCTION, Bounds(5, 256))
    slot = Slot(zygote)
    results.put(slot.call(b"", b"abc"))
    slot.end()
    zygote.close()


@pytest.mark.parametrize("daemon", [False, True])
@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_it_works_inside_child_processes(method: str, daemon: bool) -> None:
    context = multiprocessing.get_context(method)
    results: multiprocessing.Queue[bytes] = context.Queue()
    process = context.Process(target=_inside, args=(results,), daemon=daemon)
    process.start()
    assert results.get(timeout=30).endswith(b" 3")
    process.join(10)


def test_workers_and_folders_end_with_a_killed_parent(tmp_path: Path) -> None:
    script = (
        "from rag.ingest.killable import *\n"
        f"zygote = Zygote({FUNCTION!r}, Bounds(60, 256))\n"
        "slot = Slot(zygote)\n"
        "slot.call(b'', b'')\n"
        "print(zygote.pid, slot.pid, flush=True)\n"
        "slot.call(b'sleep', b'')\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": ROOT},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    time.sleep(0.2)
    assert folders(parent.pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert all(gone(pid) for pid in pids)
    assert not folders(parent.pid)


def test_folders_of_processes_that_are_no_more_are_removed() -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    stale = Path(scratch()) / f"sluice-parse-{ended.pid}-x"
    stale.mkdir()
    remove_stale_folders()
    assert not stale.exists()
