"""A real SFTP server (asyncssh) on loopback, with a password, that can be told to fail."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh
import pytest

USER, PASSWORD = "reader", "correct horse"


@dataclass
class Server:
    """The server: its address, its folder, and its faults.

    Attributes:
        host_key: Public key, ``TYPE BASE64``.
        folder: What a client sees as ``/``.
        drops: Folder listings that still end in a broken connection.
        logins: Passwords tried so far.
    """

    port: int
    host_key: str
    folder: Path
    drops: int = 0
    logins: int = 0

    @property
    def url(self) -> str:
        return f"sftp://{USER}@127.0.0.1:{self.port}"


class _Login(asyncssh.SSHServer):
    def __init__(self, server: Server, open_now: set[Any]) -> None:
        self._server = server
        self._open_now = open_now
        self._connection: Any = None

    def connection_made(self, connection: Any) -> None:
        self._connection = connection
        self._open_now.add(connection)

    def connection_lost(self, error: Exception | None) -> None:
        self._open_now.discard(self._connection)

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        self._server.logins += 1
        return (username, password) == (USER, PASSWORD)


class _Files(asyncssh.SFTPServer):
    server: Server

    def __init__(self, channel: Any) -> None:
        super().__init__(channel, chroot=str(self.server.folder).encode())
        self._channel = channel

    async def scandir(self, path: bytes) -> Any:
        if self.server.drops:
            self.server.drops -= 1
            self._channel.get_connection().abort()
        async for one in super().scandir(path):
            yield one


@pytest.fixture
def sftp_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("TEST_SFTP_PASSWORD", PASSWORD)
    folder = tmp_path / "sftp"
    folder.mkdir()
    key = asyncssh.generate_private_key("ssh-ed25519")
    public = " ".join(key.export_public_key().decode().split()[:2])
    server = Server(0, public, folder)
    files = type("Files", (_Files,), {"server": server})
    open_now: set[Any] = set()
    loop = asyncio.new_event_loop()

    async def start() -> Any:
        return await asyncssh.create_server(
            lambda: _Login(server, open_now),
            "127.0.0.1",
            0,
            server_host_keys=[key],
            sftp_factory=files,
        )

    acceptor = loop.run_until_complete(start())
    server.port = acceptor.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield server

    async def stop() -> None:
        acceptor.close()
        for connection in tuple(open_now):
            connection.abort()
            await connection.wait_closed()
        await acceptor.wait_closed()
        await asyncio.sleep(0.01)  # the transports' own farewells

    asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()
