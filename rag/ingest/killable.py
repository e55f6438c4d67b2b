"""A function in a process that can be killed: limits on time and memory that hold.

One *zygote* process imports the function's modules once and then only forks and kills. Each
`Slot` runs calls one after the other in a *worker* that the zygote forks for it; a worker that
is stuck, too large or dead costs one fork (milliseconds), not the imports (seconds).

    parent ──control socket──▶ zygote ──fork──▶ worker
       └──────────── socket: request, answer ─────┘

- The function takes two byte strings and returns one. Nothing is pickled and nothing is written:
  requests and answers are in memory and in the sockets between the processes.
- The zygote is a new interpreter (`subprocess`), so the caller's ``__main__``, threads and
  process kind (an Airflow task, a daemonic worker) do not matter.
- When the parent dies, the zygote reads end-of-file, kills the workers and removes their
  temporary folders. When the zygote dies, Linux kills the workers (``PR_SET_PDEATHSIG``).
- Temporary files that libraries insist on go to a folder in memory (``/dev/shm``) where there
  is one, emptied after every call.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import SluiceError
from rag.ingest.frames import receive, send
from rag.threads import ONE_THREAD

_MEGABYTE = 2**20
_FOLDER = "sluice-parse-"
_KEEP_ENVIRONMENT = (
    "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "PYTHONDONTWRITEBYTECODE",
    "PYTHONPYCACHEPREFIX", "SYSTEMROOT", "TZ", "VIRTUAL_ENV",
)  # fmt: skip
_ENVIRONMENT = {
    # One thread a worker: the caller decides how many run side by side.
    **ONE_THREAD,
    "NUMEXPR_NUM_THREADS": "1",
    "PYTHONUTF8": "1",
    # glibc gives each thread an arena of its own otherwise, which counts against the limit.
    "MALLOC_ARENA_MAX": "2",
}
_BOOT = (
    "import json, sys; told = json.loads(sys.argv[1]); sys.path[:] = told['path']; "
    "from rag.ingest.zygote import serve; serve(told)"
)


class Ended(Exception):
    """A worker ended before it answered."""


class TimedOut(Ended):
    """It took too long and was killed."""


class OutOfMemory(Ended):
    """It asked for more memory than it may have."""


class Died(Ended):
    """It crashed, or somebody killed it."""


class NoHelper(SluiceError):
    """The zygote does not start: a fault of the installation or the machine."""


class Raised(Exception):
    """The function raised. `kind` is the exception's type name; its message stays behind."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a call may cost: seconds, and megabytes of data over what an idle worker has.

    A longer answer than `answer_bytes` is not taken: it would cost the caller's memory.
    """

    seconds: float
    memory_mb: int
    answer_bytes: int = 2**30


class Zygote:
    """The process that forks workers. Starts at once; `close` ends it and all its workers.

    Args:
        function: ``package.module:name`` of a ``(bytes, bytes) -> bytes``, importable in a new
            interpreter with the caller's ``sys.path``.
        environment: Set for it, over a small set kept from the caller's (no credentials).
    """

    def __init__(
        self, function: str, bounds: Bounds, environment: dict[str, str] | None = None
    ) -> None:
        self.bounds = bounds
        self._function = function
        self._environment = environment or {}
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._modules: list[str] = []
        self._closed = False
        remove_stale_folders()
        with self._lock:
            self._start()

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        environment = {name: os.environ[name] for name in _KEEP_ENVIRONMENT if name in os.environ}
        root = str(Path(__file__).resolve().parents[2])
        told = {
            "path": [root, *(entry for entry in sys.path if entry and entry != root)],
            "control": theirs.fileno(),
            "parent": os.getpid(),
            "function": self._function,
            "memory_mb": self.bounds.memory_mb,
        }
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _BOOT, json.dumps(told)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={**environment, **_ENVIRONMENT, **self._environment},
                start_new_session=True,  # Ctrl-C is for the caller, who then closes
            )
        self._control = ours
        if self._modules:
            self._ask("import", self._modules)

    def _ask(self, *request: object) -> object:
        if self._control is None:
            raise EOFError
        send(self._control, json.dumps(request).encode())
        return json.loads(receive(self._control, limit=_MEGABYTE))

    @property
    def pid(self) -> int:
        """Of the helper process; 0 after `close`."""
        return self._process.pid if self._process is not None else 0

    def fork(self, folder: str) -> tuple[socket.socket, int]:
        """Start a worker whose temporary files go to `folder`; return its socket and its pid.

        Raises:
            NoHelper: The zygote cannot be started. No fault of a call.
            Died: It was closed.
        """
        with self._lock:
            for attempt in (1, 2):
                if self._closed:
                    raise Died
                ours, theirs = socket.socketpair()
                try:
                    with theirs:
                        if self._control is None:
                            raise EOFError
                        send(self._control, json.dumps(["fork", folder]).encode())
                        socket.send_fds(self._control, [b"."], [theirs.fileno()])
                        pid = json.loads(receive(self._control, limit=_MEGABYTE))
                    return ours, int(pid)
                except (OSError, EOFError):
                    ours.close()
                    self._stop()
                    if attempt == 1:
                        self._start()
        raise NoHelper(
            "The helper process that parses documents does not start.",
            "Run `python -c 'import rag.ingest.parsing'` with the same interpreter to see why.",
        )

    def end(self, pid: int) -> int:
        """Kill a worker and what it started; return the most memory it took for calls, in MB."""
        with self._lock:
            try:
                return int(str(self._ask("end", pid)))
            except (OSError, EOFError):
                return 0  # the zygote is gone, and its workers with it

    def load(self, modules: Sequence[str]) -> bool:
        """Import modules once, so that workers forked from now on have them.

        Returns:
            False when they were imported before, so that asking again would not help.
        """
        with self._lock:
            new = [name for name in modules if name not in self._modules]
            self._modules += new
            if new and not self._closed:
                with contextlib.suppress(OSError, EOFError):
                    self._ask("import", new)
            return bool(new)

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def close(self) -> None:
        """End the zygote and its workers. May be called twice."""
        with self._lock:
            self._closed = True
            self._stop()


class Slot:
    """Runs calls one after the other in a worker, which is replaced when it ends.

    Not for several threads at once: take a slot for each.
    """

    def __init__(self, zygote: Zygote) -> None:
        self._zygote = zygote
        self._socket: socket.socket | None = None
        self._pid = 0
        self._folder = ""
        self._calls = 0

    @property
    def calls(self) -> int:
        """That the worker has had; 0 when the next call gets a fresh one."""
        return self._calls

    @property
    def pid(self) -> int:
        """Of the worker; 0 when there is none now."""
        return self._pid

    @property
    def folder(self) -> str:
        """Where the worker's temporary files go; empty when there is no worker."""
        return self._folder

    def call(self, head: bytes, body: bytes) -> bytes:
        """Run the function in the worker.

        Raises:
            TimedOut, OutOfMemory, Died: The worker ended; the next call gets a fresh one.
            Raised: The function raised.
        """
        while True:
            kind, answer = self._attempt(head, body)
            if kind == b"=":
                return answer
            if kind == b"+":  # it asks for modules: imported once by the zygote, for all workers
                self.end()
                if not self._zygote.load(answer.decode().split()):
                    raise Raised("ImportError")
            elif kind == b"m":
                self.end()
                raise OutOfMemory
            else:
                raise Raised(answer.decode("ascii", "replace"))

    def _attempt(self, head: bytes, body: bytes) -> tuple[bytes, bytes]:
        if self._socket is None:
            self._begin()
        assert self._socket is not None
        self._calls += 1
        deadline = time.monotonic() + self._zygote.bounds.seconds
        try:
            send(self._socket, head, deadline)
            send(self._socket, body, deadline)
            answer = receive(self._socket, self._zygote.bounds.answer_bytes, deadline)
        except TimeoutError:
            self.end()
            raise TimedOut from None
        except (OSError, EOFError):
            peak = self.end()
            # A C library that gets no memory aborts; the kernel kills whoever has the most.
            if peak > 0.85 * self._zygote.bounds.memory_mb:
                raise OutOfMemory from None
            raise Died from None
        return answer[:1], answer[1:]

    def _begin(self) -> None:
        self._folder = make_folder()
        self._calls = 0
        try:
            self._socket, self._pid = self._zygote.fork(self._folder)
        except BaseException:
            self.end()
            raise

    def end(self) -> int:
        """Kill the worker, if there is one, and remove its temporary folder; see `Zygote.end`."""
        peak = 0
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._pid:
            peak = self._zygote.end(self._pid)
            self._pid = 0
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = ""
        self._calls = 0
        return peak


def scratch() -> str:
    """Return the folder for temporary folders: in memory where the system has that."""
    shared = "/dev/shm"  # noqa: S108  # the folders made in it are private (0700)
    usable = Path(shared).is_dir() and os.access(shared, os.W_OK | os.X_OK)
    return shared if usable else tempfile.gettempdir()


def make_folder() -> str:
    """Make a private temporary folder whose name tells which process it belongs to."""
    return tempfile.mkdtemp(prefix=f"{_FOLDER}{os.getpid()}-", dir=scratch())


def remove_stale_folders() -> None:
    """Remove folders of processes that are no more (a machine that lost power mid-call)."""
    for folder in Path(scratch()).glob(f"{_FOLDER}*"):
        owner = folder.name.removeprefix(_FOLDER).split("-")[0]
        with contextlib.suppress(OSError, ValueError):
            if folder.stat().st_uid == os.getuid() and not _alive(int(owner)):
                shutil.rmtree(folder, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def kill(pid: int) -> None:
    """Kill a worker and its process group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
