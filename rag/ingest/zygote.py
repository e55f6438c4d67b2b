"""The other side of `killable`: runs in the helper process, which forks and kills workers."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import logging
import os
import resource
import select
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from rag.ingest.frames import receive, send
from rag.ingest.killable import kill

_REQUEST_LIMIT = 2**20
_BODY_LIMIT = 2**40
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4


working = False
"""Whether this process is a worker."""


class Needs(Exception):
    """Raised by the function: modules that are dear to import, to be imported by the zygote.

    The call is then repeated in a worker that has them. Raise it before any work is done, and
    only for modules that are not in ``sys.modules``.
    """

    def __init__(self, *modules: str) -> None:
        super().__init__(*modules)
        self.modules = modules


def serve(told: dict[str, Any]) -> None:
    """Answer the parent's requests until it is gone, then kill the workers and exit."""
    control = socket.socket(fileno=told["control"])
    logging.disable(logging.CRITICAL)  # libraries log what documents say
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    module, _, name = str(told["function"]).partition(":")
    function = getattr(importlib.import_module(module), name)
    gc.freeze()
    base_mb = _resident_mb(os.getpid())
    workers: dict[int, str] = {}
    try:
        while _asked(control, told["parent"]):
            request = json.loads(receive(control, _REQUEST_LIMIT))
            if request[0] == "fork":
                _, fds, _, _ = socket.recv_fds(control, 1, 1)
                pid = os.fork()
                if pid == 0:
                    control.close()
                    _work(function, socket.socket(fileno=fds[0]), request[1], told["memory_mb"])
                os.close(fds[0])
                with contextlib.suppress(OSError):
                    os.setpgid(pid, pid)
                workers[pid] = request[1]
                send(control, json.dumps(pid).encode())
            elif request[0] == "end":
                workers.pop(request[1], None)
                send(control, json.dumps(_end(request[1], base_mb)).encode())
            else:
                _import(request[1])
                base_mb = _resident_mb(os.getpid())
                send(control, b"true")
    except (EOFError, OSError):
        pass  # the parent is gone
    finally:
        for pid, folder in workers.items():
            kill(pid)
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)


def _asked(control: socket.socket, parent: int) -> bool:
    """Wait for a request; False when the parent died though its socket lives on in a child."""
    while not select.select([control], [], [], 1.0)[0]:
        if os.getppid() != parent:
            return False
    return True


def _import(modules: list[str]) -> None:
    for name in modules:
        # A worker that needs it then fails by itself, and says so.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()


def _work(
    function: Callable[[bytes, bytes], bytes], calls: socket.socket, folder: str, memory_mb: int
) -> NoReturn:
    """Answer calls in this newly forked process until the caller is gone."""
    try:
        _confine(folder, memory_mb)
        while True:
            head = receive(calls, _REQUEST_LIMIT)
            body = receive(calls, _BODY_LIMIT)
            try:
                answer = b"=" + function(head, body)
            except Needs as error:
                answer = b"+" + " ".join(error.modules).encode()
            except MemoryError:
                answer = b"m"
            except Exception as error:  # its message may quote the document
                answer = b"!" + type(error).__name__.encode()
            del head, body
            empty(folder)
            send(calls, answer)
            del answer
    except (EOFError, OSError):
        pass
    finally:
        os._exit(0)


def _confine(folder: str, memory_mb: int) -> None:
    """Give this process its limits: own group, memory, temporary folder, no network, no core."""
    global working
    working = True
    zygote = os.getppid()
    with contextlib.suppress(OSError):
        os.setpgid(0, 0)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)  # no core file: it would hold the document
    if os.getppid() != zygote:  # it died between fork and prctl
        os._exit(0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limit = _data_bytes() + memory_mb * 2**20
    with contextlib.suppress(ValueError, OSError):  # macOS has the name but not the limit
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    os.environ.update(TMPDIR=folder, TEMP=folder, TMP=folder)
    tempfile.tempdir = folder
    os.chdir(folder)
    sys.addaudithook(_guard(folder))


def _data_bytes() -> int:
    """Memory that this process has for data now; its limit counts from there."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmData:")[1].split()[0]) * 1024
    return 0


def _resident_mb(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        status = Path(f"/proc/{pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) // 1024
    return 0


_NETWORK = frozenset(
    ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.bind")
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC


def _guard(folder: str) -> Callable[[str, tuple[Any, ...]], None]:
    """Return an audit hook under which Python code has no network and writes to `folder` only.

    Bytecode caches are let through, else a module that is first needed here never gets one.
    """

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = args
            if not isinstance(flags, int) or not flags & _WRITES or isinstance(path, int):
                return
            name = os.path.abspath(os.fsdecode(path))  # noqa: PTH100  # pathlib is too slow here
            if not (name.startswith((folder, "/dev/null")) or "__pycache__" in name):
                raise PermissionError("Only temporary files may be written here.")
        elif event in _NETWORK:
            raise PermissionError("There is no network here.")

    return hook


def empty(folder: str) -> None:
    """Remove what is in a folder."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                Path(entry.path).unlink()


def _end(pid: int, base_mb: int) -> int:
    """Kill a worker; return the most memory it ever had over `base_mb`, in MB."""
    kill(pid)
    try:
        _, _, usage = os.wait4(pid, 0)
    except ChildProcessError:
        return 0
    # Kilobytes on Linux, bytes on macOS.
    return max(0, usage.ru_maxrss // (1024 if sys.platform != "darwin" else 2**20) - base_mb)
