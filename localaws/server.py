"""Starting and ending the server."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import socket
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

HOST = "127.0.0.1"
PORT = 8009
ENDPOINTS = (
    "AWS_ENDPOINT_URL_BEDROCK",
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
    "AWS_ENDPOINT_URL_BEDROCK_AGENT",
    "AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME",
    "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME",
)
GENERATORS = ("extractive", "model", "scripted")
GENERATOR_HELP = (
    "What texts come from: extractive (quotes from the prompt), model (a small language model),"
    " scripted (the file of --replies), or by model: 'meta.*=model,extractive'."
)
HOST_HELP = "Address to listen on; 0.0.0.0 is for containers."
REPLIES_HELP = "Scripted replies of text models, YAML or JSON, asked first."
FAULTS_HELP = "Rules of faults on purpose, YAML or JSON, read anew when it changes."
CREDENTIALS_HELP = "Who may call, JSON, if more than LOCALAWS_ACCESS_KEY_ID."


class CannotStart(Exception):
    """The server cannot start.

    Attributes:
        hint: What to do next.
    """

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Options:
    """How to serve.

    Attributes:
        port: 0 picks a free one.
        host: Address to listen on; others than loopback are for containers.
        state: Folder of what survives a restart.
        faults: File of rules, see `localaws.faults`.
        replies: File of scripted replies.
        generator: What texts come from: one of `GENERATORS`, or one for each glob over model ids;
            None: as ``LOCALAWS_GENERATOR`` says.
        credentials: File of who may call, see `localaws.signature`.
        as_json: Announce as one JSON object, not as lines for a shell.
    """

    port: int
    state: Path
    faults: Path | None = None
    replies: Path | None = None
    generator: str | None = None
    credentials: Path | None = None
    as_json: bool = False
    host: str = HOST


def serve(options: Options) -> None:
    """Serve until SIGINT or SIGTERM.

    As soon as it can be reached, it prints what to set to reach it.

    Raises:
        CannotStart: A package is missing, the port or the state is taken, or a file is wrong.
    """
    try:
        import httptools  # noqa: F401
        import uvicorn
    except ImportError as error:
        raise CannotStart(
            f"{error.name} is not installed.",
            "Install what localaws needs: pip install 'sluice[localaws]'.",
        ) from None
    _tell_operations(options)
    from localaws.app import App, load_operations
    from localaws.faults import Injector
    from localaws.signature import load_credentials
    from localaws.state import State
    from localaws.wire.routes import warm

    try:
        credentials = load_credentials(options.credentials)
        injector = Injector(options.faults)
    except (OSError, ValueError) as error:
        raise CannotStart(str(error), "Mend the file and start again.") from None
    listener = _listener(options.host, options.port)
    alone = _alone(options.state)
    warm()
    try:
        load_operations()
    except ImportError as error:
        raise CannotStart(
            f"A module of operations cannot be imported: {error}.",
            "Mend it, or see what LOCALAWS_MODULES names.",
        ) from error
    app = App(State(options.state), credentials, injector)
    config = uvicorn.Config(
        app,
        http=_protocol(),
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
    )
    first = next(iter(credentials.values()))
    port = listener.getsockname()[1]
    told = _announcement(options, port, first.access_key_id, first.secret_access_key)
    asyncio.run(_until_signalled(uvicorn.Server(config), listener, told))
    if not app.end():
        os._exit(0)  # an operation that does not end would keep the process for ever
    alone.close()


async def _until_signalled(server: Any, listener: socket.socket, told: str) -> None:
    """Announce and serve until SIGINT or SIGTERM, and then end in order, which is a success."""

    def end() -> None:
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    server.capture_signals = nullcontext
    sys.stdout.write(f"{told}\n")  # who comes from now on waits in the listener's queue
    sys.stdout.flush()
    await server.serve(sockets=[listener])


def _tell_operations(options: Options) -> None:
    """Put into the environment what the text models read there."""
    if options.generator is not None:
        names = [one.rpartition("=")[2].strip() for one in options.generator.split(",")]
        unknown = [name for name in names if name not in GENERATORS]
        if unknown:
            raise CannotStart(
                f"There is no generator {unknown[0]}.", f"Use {', '.join(GENERATORS)}."
            )
        if "scripted" in names and options.replies is None:
            raise CannotStart("Nothing is scripted.", "Name a file with --replies.")
        # Scripted replies go first in any case; who they leave is answered by quotes.
        plain = options.generator.replace("scripted", "extractive")
        os.environ["LOCALAWS_GENERATOR"] = plain
    if options.replies is not None:
        os.environ["LOCALAWS_SCRIPT"] = str(options.replies.resolve())


def _listener(host: str, port: int) -> socket.socket:
    # The protocol is named because asyncio switches Nagle's algorithm off only where it is.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError):
        listener.close()
        raise CannotStart(
            f"Port {port} of {host} cannot be had.", "Use another; --port 0 picks a free one."
        ) from None
    listener.listen(512)
    return listener


def _alone(state: Path) -> IO[str]:
    """Return an open file that says, while it is open, that a state has its server."""
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark = (state / "server.lock").open("w")
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotStart(
            f"Another localaws serves the state in {state}.", "End it, or use another --state."
        ) from None
    except OSError as error:
        raise CannotStart(
            f"The state in {state} cannot be written ({type(error).__name__}).",
            "Use another --state.",
        ) from None
    return mark


def _protocol() -> Any:
    """Return uvicorn's HTTP protocol, which lets the application reset its connection."""
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    from localaws.asgi import TRANSPORT

    class Protocol(HttpToolsProtocol):  # type: ignore[misc]
        def on_message_begin(self) -> None:
            super().on_message_begin()
            self.scope["extensions"] = {TRANSPORT: self.transport}

    return Protocol


def _announcement(options: Options, port: int, key: str, secret: str) -> str:
    """Return how to reach the server and what answers there."""
    from localaws.admin import models, supported

    url = f"http://{HOST if options.host == '0.0.0.0' else options.host}:{port}"  # noqa: S104
    variables = {
        **dict.fromkeys(ENDPOINTS, url),
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": os.environ.get("AWS_REGION", "us-east-1"),
    }
    behind = models(os.environ.get("LOCALAWS_GENERATOR", ""), options.replies)
    if options.as_json:
        return json.dumps(
            {
                "url": url,
                "pid": os.getpid(),
                "state": str(options.state),
                "environment": variables,
                "models": behind,
                "operations": {name: len(found) for name, found in supported().items()},
            }
        )
    lines = [f"export {name}={value}" for name, value in variables.items()]
    lines += [f"# {name}: {words}" for name, words in behind.items()]
    return "\n".join([*lines, f"# {url}/_localaws/operations lists what is supported"])
