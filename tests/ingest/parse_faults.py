"""Functions that misbehave, for the tests of killable processes."""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path

from rag.ingest import zygote

_kept: list[bytearray] = []


def act(head: bytes, body: bytes) -> bytes:  # noqa: C901
    """Do what the head says."""
    what = head.decode()
    if what == "sleep":
        time.sleep(60)
    elif what == "spin":
        while True:
            pass
    elif what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "eat":
        _kept.append(bytearray(400 * 2**20))
    elif what == "raise":
        raise ValueError(body.decode())
    elif what == "connect":
        socket.create_connection(("127.0.0.1", 9), 1)
    elif what == "write":
        Path(body.decode()).write_text("raw")
    elif what == "temporary":
        with tempfile.NamedTemporaryFile(delete=False) as file:
            file.write(body)
        return file.name.encode()
    elif what == "print":
        sys.stdout.write(body.decode())
        os.write(2, body)
    elif what == "needs":
        if "wave" not in sys.modules:
            raise zygote.Needs("wave")
        return str(os.getpid()).encode()
    elif what == "grandchild":
        import subprocess

        child = subprocess.Popen(["sleep", "60"])
        Path(tempfile.gettempdir(), "child").write_text(str(child.pid))
        time.sleep(60)
    return f"{os.getpid()} {len(body)}".encode()
