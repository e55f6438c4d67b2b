"""SFTP as it should be: the server is known, waiting ends, links stay inside."""

from __future__ import annotations

import posixpath
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem

from rag.errors import ConfigError

SECONDS = 30.0
"""For connecting, for logging in, and for each answer of the server."""


AT_ONCE = 8
"""Channels of one connection; OpenSSH allows 10."""


class Sftp(SFTPFileSystem):  # type: ignore[misc]
    """fsspec's file system, with a channel for each thread.

    Paramiko's client takes one thread's answer for another's when they share one.
    """

    def _connect(self) -> None:
        self._channels = threading.local()
        super()._connect()

    @property
    def ftp(self) -> paramiko.SFTPClient:
        if not hasattr(self._channels, "one"):
            self.ftp = self.client.open_sftp()
        found: paramiko.SFTPClient = self._channels.one
        return found

    @ftp.setter
    def ftp(self, channel: paramiko.SFTPClient) -> None:
        opened = channel.get_channel()
        if opened is not None:
            opened.settimeout(SECONDS)
        self._channels.one = channel


class KnownServer(paramiko.MissingHostKeyPolicy):
    """Accept a server only by its key; whoever answers in its place would get the password."""

    def __init__(self, host_key: str | None, known_hosts: Path, port: int) -> None:
        self._host_key = host_key
        self._known_hosts = known_hosts
        self._port = port

    def missing_host_key(
        self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey
    ) -> None:
        """Return if the server's key is the one expected.

        Raises:
            ConfigError: It is another one, or none is known.
        """
        if self._host_key is not None:
            if self._host_key.split()[:2] == [key.get_name(), key.get_base64()]:
                return
            raise ConfigError(
                "The SFTP server does not have the key that source.options.host_key names.",
                "Ask the server's operator whether the key was changed; do not just accept it.",
            )
        known = paramiko.HostKeys()
        if self._known_hosts.is_file():
            known.load(str(self._known_hosts))
        if known.check(hostname, key):
            return
        raise ConfigError(
            "The SFTP server's key is not known.",
            f"Get the key from the server's operator and add it to {self._known_hosts}, or to "
            "the corpus file as source.options.host_key.",
        )


def connected(options: Mapping[str, Any]) -> Sftp:
    """Return a connected file system.

    Args:
        options: ``host``, ``port``, ``username``, ``password``, ``key_filename``; ``host_key``
            (``TYPE BASE64``) or ``known_hosts`` (a file, by default ``~/.ssh/known_hosts``) for
            the server's key; anything else that paramiko's ``connect`` takes.

    Raises:
        ConfigError: The server is not known, an option is, or the host is not said.
    """
    given = dict(options)
    host = given.pop("host", None)
    if not host:
        raise ConfigError(
            "source.url names no SFTP host.",
            "Write sftp://HOST/FOLDER, or give an Airflow connection that has a host.",
        )
    port = int(given.setdefault("port", 22))
    known_hosts = Path(given.pop("known_hosts", "~/.ssh/known_hosts")).expanduser()
    policy = KnownServer(given.pop("host_key", None), known_hosts, port)
    given.setdefault("host_key_policy", policy)
    if given.get("password"):
        # The account's own password is meant, not whatever keys this machine's user has.
        given.setdefault("look_for_keys", False)
        given.setdefault("allow_agent", False)
    for name in ("timeout", "banner_timeout", "auth_timeout", "channel_timeout"):
        given.setdefault(name, SECONDS)
    try:
        return Sftp(host, **given, skip_instance_cache=True)
    except TypeError:
        raise ConfigError(
            "source.options has a name that sftp:// does not take.",
            "It takes username, password, port, key_filename, passphrase, host_key, known_hosts.",
        ) from None


def target(system: Sftp, root: str, path: str) -> tuple[str, dict[str, Any]] | None:
    """Return key and facts of the file that a path leads to, None if it leads out of the root."""
    try:
        inside = system.ftp.normalize(root or "/")
        real = system.ftp.normalize(path)
        facts = system.info(real)
    except FileNotFoundError:
        return None
    inside = inside.rstrip("/") + "/"
    if not real.startswith(inside):
        return None
    return posixpath.relpath(real, inside), facts
