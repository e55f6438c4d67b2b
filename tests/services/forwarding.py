"""A server on loopback that stands before another one: it may refuse, spoil or pass on."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Request:
    """A request as it came.

    Attributes:
        path: With the query.
        headers: Names in lower case.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    media_type: str = "application/json"


class Reset(Exception):
    """Raised to close the connection without an answer."""


Forward = Callable[[Request], Answer]
Deal = Callable[[Request, Forward], Answer]


@contextmanager
def before(url: str, deal: Deal) -> Iterator[str]:
    """Serve on a free port until the block ends; the URL.

    Args:
        url: The server that stands behind.
        deal: Answers a request, with what is behind or without it.
    """
    behind = urlsplit(url)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            self._behind = http.client.HTTPConnection(behind.hostname or "", behind.port)

        def finish(self) -> None:
            self._behind.close()
            super().finish()

        def _forward(self, request: Request) -> Answer:
            headers = {"Content-Type": request.headers.get("content-type", "application/json")}
            self._behind.request(request.method, request.path, request.body, headers)
            answer = self._behind.getresponse()
            return Answer(answer.status, answer.read(), answer.getheader("content-type") or "")

        def _deal(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(length)
            request = Request(self.command, self.path, headers, body)
            try:
                answer = deal(request, self._forward)
            except Reset:
                self.close_connection = True
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.media_type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _deal  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
