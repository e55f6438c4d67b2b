"""What ASGI needs around an answer: reading a request, sending, resetting a connection."""

from __future__ import annotations

import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from localaws.operations import AwsError
from localaws.wire.response import Answer

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

LARGEST_BODY = 64 * 1024 * 1024
TRANSPORT = "localaws.transport"
"""In a request's ASGI extensions: the connection's transport, to reset it."""


class Gone(Exception):
    """The client went away, or the connection is to end on purpose."""

    def __init__(self, *, reset: bool = False) -> None:
        super().__init__()
        self.reset = reset


async def read_body(receive: Receive) -> bytes:
    """Return a request's body.

    Raises:
        AwsError: It is larger than `LARGEST_BODY`; it was read to its end.
        Gone: The client went away.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        part = message.get("body", b"")
        size += len(part)
        if size <= LARGEST_BODY:
            parts.append(part)
        if not message.get("more_body"):
            break
    if size > LARGEST_BODY:
        raise AwsError("RequestEntityTooLargeException", f"The body is over {LARGEST_BODY} bytes.")
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def until_gone(receive: Receive) -> None:
    """Return when the client has gone away."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def lifespan(receive: Receive, send: Send) -> None:
    """Answer the server's start and end."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def send_start(made: Answer, identifier: str, send: Send) -> None:
    """Send status and headers."""
    headers = [(b"x-amzn-requestid", identifier.encode())]
    headers += [
        (name.encode("latin-1"), value.encode("latin-1", "replace"))
        for name, value in made.headers.items()
    ]
    await send({"type": "http.response.start", "status": made.status, "headers": headers})


async def send_answer(made: Answer, identifier: str, send: Send, malformed: str = "") -> None:
    """Send an answer whole, or with a fault.

    Args:
        malformed: ``json``: half of the body as if it were all; ``cut``: the connection ends
            after half of it.

    Raises:
        Gone: The connection is to end.
    """
    body = made.body
    half = body[: len(body) // 2]
    sent = half if malformed == "json" else body
    made.headers["content-length"] = str(len(sent))
    await send_start(made, identifier, send)
    if malformed == "cut":
        await send({"type": "http.response.body", "body": half, "more_body": True})
        raise Gone
    await send({"type": "http.response.body", "body": sent, "more_body": False})


async def end_connection(scope: Scope, receive: Receive, *, reset: bool) -> None:
    """End a connection in the middle.

    Args:
        reset: The client's socket says that it was reset, and nothing that is under way arrives;
            else what was sent arrives, and then the end.
    """
    transport = scope.get("extensions", {}).get(TRANSPORT)
    if transport is None:
        return
    if reset:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    else:
        transport.close()
    await until_gone(receive)
