"""Byte strings over a socket: eight bytes of length, then the bytes."""

from __future__ import annotations

import socket
import struct
import time

_LENGTH = struct.Struct("!Q")


def send(to: socket.socket, data: bytes, deadline: float | None = None) -> None:
    """Send a length and the data.

    Raises:
        TimeoutError: The deadline (monotonic seconds) passed.
        OSError: The other side is gone.
    """
    to.settimeout(_left(deadline))
    to.sendall(_LENGTH.pack(len(data)))
    to.settimeout(_left(deadline))
    to.sendall(data)


def receive(source: socket.socket, limit: int, deadline: float | None = None) -> bytes:
    """Return what `send` sent.

    Raises:
        EOFError: The other side is gone.
        OSError: The same, or it sends more than `limit` bytes.
        TimeoutError: The deadline passed.
    """
    (length,) = _LENGTH.unpack(_exactly(source, _LENGTH.size, deadline))
    if length > limit:
        raise OSError("The answer is larger than allowed.")
    return bytes(_exactly(source, length, deadline))


def _exactly(source: socket.socket, count: int, deadline: float | None) -> bytearray:
    buffer = bytearray(count)
    view = memoryview(buffer)
    got = 0
    while got < count:
        source.settimeout(_left(deadline))
        read = source.recv_into(view[got:])
        if not read:
            raise EOFError
        got += read
    return buffer


def _left(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
