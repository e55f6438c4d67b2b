"""Starting and ending the server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GENERATORS = ("extractive", "model", "scripted")
VARIABLES = (
    "AWS_ENDPOINT_URL_BEDROCK",
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
    "AWS_ENDPOINT_URL_BEDROCK_AGENT",
    "AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME",
    "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME",
)
HOST = "127.0.0.1"


class CannotStart(Exception):
    """The server cannot start; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to serve.

    Attributes:
        port: 0 picks a free one.
        state: Folder of what survives a restart.
        faults: File of rules, see `localaws.faults`.
        replies: File of scripted replies.
        generator: What texts come from, one of `GENERATORS`.
        credentials: File of who may call; None: one pair, see `localaws.signature`.
    """

    port: int
    state: Path
    faults: Path | None = None
    replies: Path | None = None
    generator: str = "extractive"
    credentials: Path | None = None
    as_json: bool = False


def serve(options: Options) -> None:
    """Serve until SIGINT or SIGTERM.

    Prints what to set to reach it, once it can be reached.

    Raises:
        CannotStart: A package is missing, or the port is taken, or a file is wrong.
    """
    try:
        import httptools  # noqa: F401
        import uvicorn
    except ImportError as error:
        raise CannotStart(
            f"{error.name} is not installed; install the extra: pip install 'sluice[localaws]'"
        ) from None
    _for_operations(options)
    from localaws.app import App, load_operations
    from localaws.faults import Injector
    from localaws.signature import load_credentials
    from localaws.state import State
    from localaws.wire.routes import warm

    try:
        credentials = load_credentials(options.credentials)
        injector = Injector(options.faults)
    except (OSError, ValueError) as error:
        raise CannotStart(str(error)) from None
    listener = _listener(options.port)
    warm()
    load_operations()
    state = State(options.state)
    app = App(state, credentials, injector)
    config = uvicorn.Config(
        app,
        http=_protocol(),
        ws="none",
        loop="auto",
        lifespan="on",
        log_level="warning",
        access_log=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
        server_header=False,
    )
    _announce(options, listener.getsockname()[1], credentials)
    asyncio.run(_until_signalled(uvicorn.Server(config), listener))
    app.close()
    state.close()


async def _until_signalled(server: Any, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM, and then end in order, which is a success."""

    def end() -> None:
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    server.capture_signals = nullcontext
    await server.serve(sockets=[listener])


def _for_operations(options: Options) -> None:
    """Tell the operations what they cannot be told by a call."""
    os.environ["LOCALAWS_GENERATOR"] = options.generator
    if options.replies is not None:
        os.environ["LOCALAWS_SCRIPT"] = str(options.replies)


def _listener(port: int) -> socket.socket:
    # The protocol is named because asyncio switches Nagle's algorithm off only where it is.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError:
        listener.close()
        raise CannotStart(f"Port {port} of {HOST} is taken; --port 0 picks a free one.") from None
    listener.listen(256)
    return listener


def _protocol() -> Any:
    """Return uvicorn's HTTP protocol, which lets the application reset its connection."""
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    from localaws.asgi import TRANSPORT

    class Protocol(HttpToolsProtocol):  # type: ignore[misc]
        def on_message_begin(self) -> None:
            super().on_message_begin()
            self.scope["extensions"] = {TRANSPORT: self.transport}

    return Protocol


def environment(port: int, key: str, secret: str) -> dict[str, str]:
    """Return the variables with which any AWS client finds the server."""
    url = f"http://{HOST}:{port}"
    return {
        **dict.fromkeys(VARIABLES, url),
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def _announce(options: Options, port: int, credentials: Any) -> None:
    first = next(iter(credentials.values()))
    variables = environment(port, first.access_key_id, first.secret_access_key)
    if options.as_json:
        told = json.dumps(
            {
                "url": f"http://{HOST}:{port}",
                "pid": os.getpid(),
                "state": str(options.state),
                "generator": options.generator,
                "environment": variables,
            }
        )
    else:
        told = "\n".join(f"export {name}={value}" for name, value in variables.items())
    sys.stdout.write(told + "\n")
    sys.stdout.flush()
