"""A folder of this machine, or one mounted on it."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from connectors import Warned
from connectors.entries import Entry, link_refused
from rag.days import of_moment
from rag.errors import ChangedWhileReading, TooLarge

FLAGS = os.O_RDONLY | sum(
    # No link in the last segment, no waiting for a pipe's writer, none of it in child processes.
    getattr(os, name, 0)
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY", "O_NOCTTY")
)


class LocalFolder:
    """Files under a folder. Links to files are followed inside the folder only.

    Links to folders are not: what is inside the folder is listed where it is.
    """

    remote = False
    at_once = 1

    def __init__(self, folder: Path) -> None:
        self.place = str(folder)
        self._folder = folder

    def entries(self, warnings: list[Warned]) -> Sequence[Entry]:
        root = os.path.realpath(self._folder)
        found: list[Entry] = []
        waiting = [""]
        while waiting:
            above = waiting.pop()
            with os.scandir(os.path.join(root, above)) as names:  # noqa: PTH118
                for one in names:
                    path = above + one.name
                    if one.is_symlink():
                        self._link(root, path, found, warnings)
                    elif one.is_dir(follow_symlinks=False):
                        if not one.name.startswith("."):
                            waiting.append(path + "/")
                    elif one.is_file(follow_symlinks=False):
                        try:
                            facts = one.stat(follow_symlinks=False)
                        except FileNotFoundError:
                            continue  # deleted since the folder was read
                        found.append(_entry(root, path, path, facts))
        return found

    def _link(self, root: str, path: str, found: list[Entry], warnings: list[Warned]) -> None:
        target = os.path.realpath(f"{root}/{path}")
        try:
            facts = os.lstat(target)
        except FileNotFoundError:
            facts = None
        if facts is None or not stat.S_ISREG(facts.st_mode) or not _inside(root, target):
            warnings.append(link_refused(_text(path)))
        else:
            found.append(_entry(root, path, os.path.relpath(target, root), facts))

    def read(self, uri: str, limit: int | None, version: str) -> tuple[bytes, str]:
        root = os.path.realpath(self._folder)
        path = os.path.realpath(_path(uri))
        if not _inside(root, path):
            raise PermissionError
        descriptor = os.open(path, FLAGS)
        with open(descriptor, "rb") as file:  # noqa: PTH123
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                raise ChangedWhileReading("The document is not a file any more.")
            if limit is not None and before.st_size > limit:
                raise TooLarge("The document is larger than the limit.")
            data = file.read(-1 if limit is None else limit + 1)
            after = os.fstat(descriptor)
        if _version(before) != _version(after) or len(data) != after.st_size:
            raise ChangedWhileReading("The document changed while it was read.")
        return data, _version(after)

    def reconnect(self) -> None:
        """Nothing to do: a folder has no connection."""


def _entry(root: str, path: str, real: str, facts: os.stat_result) -> Entry:
    uri = "file://" + quote(os.fsencode(f"{root}/{path}"))
    written = of_moment(facts.st_mtime)
    return Entry(_text(path), uri, _version(facts), facts.st_size, _text(real), written)


def _version(facts: os.stat_result) -> str:
    return f"time:{facts.st_mtime_ns}-{facts.st_size}"


def _path(uri: str) -> str:
    return os.fsdecode(unquote_to_bytes(uri.removeprefix("file://")))


def _text(path: str) -> str:
    """Return a path as clean text: bytes that are no UTF-8 become ``\\xff``; segments join by /."""
    if not path.isascii():
        path = os.fsencode(path).decode("utf-8", "backslashreplace")
    return path.replace(os.sep, "/") if os.sep != "/" else path


def _inside(root: str, path: str) -> bool:
    return path.startswith(root.rstrip(os.sep) + os.sep)
