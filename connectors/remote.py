"""Any file system that fsspec knows, by URL: S3, SFTP, Azure, Google Cloud, SMB and others."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from connectors import Warned
from connectors.entries import Entry, hidden, link_refused
from connectors.options import resolved
from rag.days import of_moment
from rag.errors import ChangedWhileReading, ConfigError, TooLarge

if TYPE_CHECKING:
    from rag.config import Source

FLAT = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "oci", "r2"}
"""Stores without folders: one listing of a prefix costs less than one a folder."""

WRITES_COPIES = {"simplecache", "filecache", "blockcache", "cached", "dask"}
"""They keep raw documents on this machine's disk."""

ETAGS = ("ETag", "etag", "e_tag", "sha", "md5Hash", "content_md5")
TIMES = ("mtime", "LastModified", "last_modified", "modified", "updated", "modifiedTime")


class RemoteFolder:
    """Files under a URL, by fsspec.

    Raises:
        ConfigError: fsspec does not know the URL's protocol, or a package for it is missing.
    """

    remote = True

    def __init__(self, source: Source) -> None:
        protocol = source.url.partition("://")[0]
        if "::" in source.url or protocol in WRITES_COPIES:
            raise ConfigError(
                "source.url chains file systems, which may keep copies of documents on disk.",
                "Give the URL of the folder itself.",
            )
        self.place = source.url.rstrip("/")
        self._protocol = protocol
        self._source = source
        self._class = _file_system(protocol)
        self._path: str = self._class._strip_protocol(source.url).rstrip("/")
        self._connected: Any = None

    @property
    def at_once(self) -> int:
        """How many threads may read: those file systems that work asynchronously take many."""
        if self._protocol in ("sftp", "ssh"):
            from connectors.sftp import AT_ONCE

            return AT_ONCE
        return 16 if self._class.async_impl else 1

    @property
    def system(self) -> Any:
        """The connected file system; connects at first use.

        It is not shared with other users in this process: a broken one can be thrown away.
        """
        if self._connected is None:
            given = {
                name: value
                for name, value in self._class._get_kwargs_from_urls(self._source.url).items()
                if value not in (None, "") and name != "url_query"
            }
            options = resolved(self._source.options, self._protocol, given)
            if self._protocol in ("sftp", "ssh"):
                from connectors.sftp import connected

                self._connected = connected(options)
            else:
                if self._protocol in ("s3", "s3a"):
                    # `Files` tries again itself; both at once would wait for minutes.
                    options.setdefault("config_kwargs", {"retries": {"max_attempts": 1}})
                try:
                    self._connected = self._class(
                        **options, skip_instance_cache=True, use_listings_cache=False
                    )
                except TypeError:
                    raise ConfigError(
                        f"source.options has a name that {self._protocol}:// does not take.",
                        "See the storage options of that fsspec file system.",
                    ) from None
                if hasattr(self._connected, "retries"):
                    self._connected.retries = 1
        return self._connected

    def reconnect(self) -> None:
        broken, self._connected = self._connected, None
        close = getattr(getattr(broken, "client", None), "close", None)
        if close is not None:
            close()

    def entries(self, warnings: list[Warned]) -> Sequence[Entry]:
        system = self.system
        system.invalidate_cache()
        found: list[Entry] = []
        for info in self._flat() if self._protocol in FLAT else self._tree():
            key = self._key(info["name"])
            kind = info.get("type")
            if not key or kind == "directory":
                continue
            if kind == "link" or info.get("islink"):
                entry = self._link(key, info)
                if entry is None:
                    warnings.append(link_refused(key))
                else:
                    found.append(entry)
            elif kind == "file":
                found.append(self._entry(key, key, info))
        return found

    def _flat(self) -> Iterator[Mapping[str, Any]]:
        found = self.system.find(self._path, detail=True)
        return (info for name, info in found.items() if not name.endswith("/"))

    def _tree(self) -> Iterator[Mapping[str, Any]]:
        waiting = [self._path]
        seen = set(waiting)
        while waiting:
            above = waiting.pop()
            infos = self.system.ls(above or "/", detail=True)
            if len(infos) == 1 and infos[0]["name"].rstrip("/") == above and _is_file(infos[0]):
                raise NotADirectoryError
            for info in infos:
                name = info["name"].rstrip("/")
                if info.get("type") == "directory":
                    key = self._key(name)
                    if key and name not in seen and not hidden(key):
                        seen.add(name)
                        waiting.append(name)
                else:
                    yield info

    def _key(self, name: str) -> str:
        """Return a listed path relative to the root, or nothing if it is not below it."""
        root, name = self._path.lstrip("/"), name.lstrip("/")
        if not root:
            return name.rstrip("/")
        return name[len(root) + 1 :] if name.startswith(root + "/") else ""

    def _entry(self, key: str, real: str, info: Mapping[str, Any]) -> Entry:
        size = info.get("size")
        return Entry(
            key,
            f"{self.place}/{key}",
            version(info),
            -1 if size is None else int(size),
            real,
            next((day for name in TIMES if (day := of_moment(info.get(name)))), None),
        )

    def _link(self, key: str, info: Mapping[str, Any]) -> Entry | None:
        """Return a link to a file below the root as that file, None for any other link."""
        if not hasattr(self.system, "ftp"):
            return None
        from connectors.sftp import target

        real = target(self.system, self._path, info["name"])
        if real is None:
            return None
        path, facts = real
        return self._entry(key, path, facts) if _is_file(facts) else None

    def read(self, uri: str, limit: int | None, version: str) -> tuple[bytes, str]:
        key = uri.removeprefix(self.place + "/")
        if key == uri or (self._protocol not in FLAT and ".." in key.split("/")):
            raise PermissionError
        path = f"{self._path}/{key}"
        if self._protocol in ("s3", "s3a"):
            from connectors.s3 import read

            return read(self.system, path, limit, version.removeprefix("etag:"))
        return self._read(path, key, limit)

    def _read(self, path: str, key: str, limit: int | None) -> tuple[bytes, str]:
        system = self.system
        before = system.info(path)
        if hasattr(system, "ftp"):
            from connectors.sftp import target

            if target(system, self._path, path) is None:
                raise PermissionError
        size = before.get("size")
        if limit is not None and size is not None and size > limit:
            raise TooLarge("The document is larger than the limit.")
        with system.open(path, "rb") as file:
            if size and hasattr(file, "prefetch"):
                file.prefetch(size)  # SFTP: many requests under way instead of one at a time
            data: bytes = file.read(-1 if limit is None else limit + 1)
        if limit is not None and len(data) > limit:
            raise TooLarge("The document is larger than the limit.")
        system.invalidate_cache()
        now = version(system.info(path))
        if version(before) != now:
            raise ChangedWhileReading("The document changed while it was read.")
        return data, now


def version(info: Mapping[str, Any]) -> str:
    """Return what a listing tells of a file's version, or nothing."""
    for name in ETAGS:
        if info.get(name):
            tag = str(info[name]).removeprefix("W/").strip('"')
            return f"etag:{tag}"
    for name in TIMES:
        moment = info.get(name)
        if moment is not None and info.get("size") is not None:
            seconds = moment.timestamp() if hasattr(moment, "timestamp") else moment
            told = round(seconds * 1e9) if isinstance(seconds, int | float) else seconds
            return f"time:{told}-{info['size']}"
    return ""


def _is_file(info: Mapping[str, Any]) -> bool:
    return info.get("type") == "file"


def _file_system(protocol: str) -> Any:
    from fsspec import available_protocols, get_filesystem_class

    try:
        return get_filesystem_class(protocol)
    except ValueError:
        near = difflib.get_close_matches(protocol, available_protocols(), n=1)
        meant = f"Did you mean {near[0]}://?" if near else "Use a folder, s3:// or sftp://."
        raise ConfigError(f"source.url: {protocol}:// is not known.", meant) from None
    except ImportError:
        raise ConfigError(
            f"source.url: a Python package for {protocol}:// is missing.",
            "Install the fsspec file system for it (for example gcsfs for gs://, adlfs for az://).",
        ) from None
