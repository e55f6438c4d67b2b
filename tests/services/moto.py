"""A moto server on loopback."""

from __future__ import annotations

from collections.abc import Iterator

from moto.moto_server.threaded_moto_server import ThreadedMotoServer


def endpoint() -> Iterator[str]:
    """Start a server, yield its URL, end it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()
