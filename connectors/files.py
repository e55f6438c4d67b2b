"""Documents in files: a folder, or anything that fsspec reaches by URL.

What a corpus selects, who may read it and which version it has is decided here, the same for
all systems; `connectors.local` and `connectors.remote` only list and read.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from connectors import Warned, acl
from connectors.entries import Entry, System, content_version, hidden
from connectors.globs import matcher
from connectors.local import LocalFolder
from rag.errors import (
    ChangedWhileReading,
    ConfigError,
    ListingFailed,
    SluiceError,
    SourceUnavailable,
    TooLarge,
)
from rag.masked import Masked
from rag.records import DocumentRef, Principal
from rag.telemetry import WARNING, event

if TYPE_CHECKING:
    from rag.config import Source

DELAYS = (0.5, 1.0, 2.0)
"""Seconds before each further try, when a remote system fails in a way that may pass."""

FINAL = {
    # Trying again gives the same, or locks an account.
    "FileNotFoundError", "PermissionError", "NotADirectoryError", "IsADirectoryError",
    "AuthenticationException", "BadHostKeyException", "NoCredentialsError",
    "PartialCredentialsError", "ImportError", "TypeError", "ValueError",
}  # fmt: skip
REFUSED = {
    "PermissionError",
    "AuthenticationException",
    "NoCredentialsError",
    "PartialCredentialsError",
}

logger = logging.getLogger(__name__)
Result = TypeVar("Result")
Rights = dict[str, tuple[Principal, ...]]
Warnings = list[Warned]  # named here: within the class, `list` is its method


class Files:
    """The connector ``files``."""

    def __init__(self, source: Source, base: Path, delays: Sequence[float] = DELAYS) -> None:
        self._system = system_of(source, base)
        self._delays = delays if self._system.remote else ()
        self._included = matcher(source.include)
        self._excluded = matcher(source.exclude)
        self._rights = acl.rights(source.acl)
        self._endings = acl.suffixes(source.acl.sidecar_suffix)
        self._reads_sidecars = source.acl.origin == "sidecar"
        self._warnings: tuple[Warned, ...] = ()

    @property
    def warnings(self) -> Sequence[Warned]:
        """What the last listing found wrong, in the order of keys."""
        return self._warnings

    def list(self) -> Iterator[DocumentRef]:
        """Yield the selected documents in the order of their keys; see `Connector.list`.

        Hidden files and folders (``.name``) and sidecars are never documents. The listing is
        complete before the first reference comes out.
        """
        warnings: Warnings = []
        try:
            yield from self._list(warnings)
        except SluiceError:
            raise
        except Exception as error:
            raise self._listing_failed(error) from None
        finally:
            self._warnings = tuple(sorted(warnings, key=lambda one: (one.key, one.code)))
            for (_, reason, action), count in _counted(warnings):
                event(
                    logger,
                    WARNING,
                    "{count} times in the source: {reason} {action}",
                    count=count,
                    reason=reason,
                    action=action,
                )

    def _list(self, warnings: Warnings) -> Iterator[DocumentRef]:
        started = len(warnings)

        def entries() -> Sequence[Entry]:
            del warnings[started:]
            return self._system.entries(warnings)

        found = self._patiently(entries)
        documents, sidecars = [], []
        for entry in found:
            subject = acl.subject_of(entry.key, self._endings)
            if subject is not None:
                sidecars.append((subject, entry))
            elif self._selected(entry):
                documents.append(entry)
        documents.sort(key=lambda one: one.key)
        allowed: Rights = {}
        if self._reads_sidecars and sidecars:
            keys = {entry.key for entry in found}
            allowed = self._sidecars(sidecars, documents, keys, warnings)
        for refused in warnings[started:]:
            # A sidecar behind a link that is not followed must not mean the default's rights.
            subject = acl.subject_of(refused.key, self._endings)
            if subject is not None and refused.code == "link_refused":
                allowed[subject] = ()
        for one in documents:
            size, version = one.size, one.version
            if not version:
                data = self._patiently(partial(self._system.read, one.uri, None, ""))[0]
                size, version = len(data), content_version(data)
            may_read = self._rights(one.real, allowed)
            yield DocumentRef(one.key, one.uri, version, size, may_read, one.modified)

    def _selected(self, entry: Entry) -> bool:
        """Whether it is a document of this corpus. A link's target must be one that may be."""
        for key in {entry.key, entry.real}:
            if hidden(key) or self._excluded(key):
                return False
        return self._included(entry.key)

    def _sidecars(
        self,
        sidecars: Iterable[tuple[str, Entry]],
        documents: Sequence[Entry],
        keys: set[str],
        warnings: Warnings,
    ) -> Rights:
        """Return whom each sidecar allows, by what it is about; reads those that matter."""
        wanted = {subject for one in documents for subject in acl.subjects(one.real)}
        by_subject: dict[str, list[Entry]] = {}
        for subject, entry in sidecars:
            if subject in wanted:
                by_subject.setdefault(subject, []).append(entry)
            elif not subject.endswith("/") and subject not in keys and not hidden(subject):
                warnings.append(acl.orphaned(entry.key))
        allowed: Rights = {}
        parsed: dict[bytes | None, tuple[Principal, ...] | None] = {None: None}
        order = sorted(by_subject)
        contents = self._contents([by_subject[subject][0] for subject in order])
        for subject, data in zip(order, contents, strict=True):
            named = sorted(by_subject[subject], key=lambda one: one.key)
            if data not in parsed:
                try:
                    parsed[data] = acl.read_sidecar(data or b"")
                except ValueError:
                    parsed[data] = None
            if len(named) > 1:
                warnings.append(acl.ambiguous(named[0].key))
            elif parsed[data] is None:
                warnings.append(acl.malformed(named[0].key))
            allowed[subject] = () if len(named) > 1 else parsed[data] or ()
        return allowed

    def _contents(self, entries: Sequence[Entry]) -> Sequence[bytes | None]:
        """Return what sidecars hold; None for one that cannot be read, for its own reason."""
        at_once = min(self._system.at_once, len(entries))
        if at_once < 2:
            return [self._small(entry) for entry in entries]
        with ThreadPoolExecutor(at_once) as threads:
            return [*threads.map(self._small, entries)]

    def _small(self, entry: Entry) -> bytes | None:
        def read() -> bytes:
            return self._system.read(entry.uri, acl.MOST_BYTES, "")[0]

        try:
            return self._patiently(read, reconnect=False)
        except (TooLarge, ChangedWhileReading, FileNotFoundError, PermissionError):
            return None

    def open(self, ref: DocumentRef, limit: int | None = None) -> bytes:
        """Return a document's bytes; see `Connector.open`."""
        if limit is not None and ref.size > limit:
            raise TooLarge("The document is larger than the limit.")
        try:
            data, version = self._patiently(lambda: self._system.read(ref.uri, limit, ref.version))
        except SluiceError:
            raise
        except FileNotFoundError:
            raise ChangedWhileReading("The document is gone since it was listed.") from None
        except Exception as error:
            raise SourceUnavailable(
                f"The document could not be read ({type(error).__name__}).",
                "Check that the source's account may read it; it is tried again at the next sync.",
            ) from None
        if limit is not None and len(data) > limit:
            raise TooLarge("The document is larger than the limit.")
        if (version or content_version(data)) != ref.version:
            raise ChangedWhileReading("The document changed since it was listed.")
        return data

    def _patiently(self, act: Callable[[], Result], *, reconnect: bool = True) -> Result:
        """Do it; after a failure that may pass, wait, connect anew and do it again."""
        for delay in self._delays:
            try:
                return act()
            except SluiceError:
                raise
            except Exception as error:
                if _is(error, FINAL):
                    raise
            time.sleep(delay)
            if reconnect:
                self._system.reconnect()
        return act()

    def _listing_failed(self, error: Exception) -> ListingFailed:
        place, kind = self._system.place, type(error).__name__
        if isinstance(error, FileNotFoundError):
            return ListingFailed(
                f"There is no folder {place}.", "Create it, or correct source.url."
            )
        if isinstance(error, NotADirectoryError):
            return ListingFailed(
                f"{place} is not a folder.",
                "Give its folder as source.url, and its name under source.include.",
            )
        if _is(error, REFUSED):
            return ListingFailed(
                f"Access to {place}, or to a folder in it, was refused ({kind}).",
                "Check source.options, and that the account may list every folder; nothing was "
                "changed.",
            )
        return ListingFailed(
            f"{place} could not be listed whole ({kind}).",
            "See that it can be reached, then run the sync again; nothing was changed.",
        )


def system_of(source: Source, base: Path) -> System:
    """Return the file system behind a URL, not yet contacted.

    Raises:
        ConfigError: The URL or its options cannot work.
    """
    protocol, separator, rest = source.url.partition("://")
    if separator and protocol not in ("file", "local"):
        from connectors.remote import RemoteFolder

        return RemoteFolder(source)
    if source.options:
        raise ConfigError("A local folder takes no source.options.", "Leave them out.")
    return LocalFolder((base / Path(rest if separator else source.url).expanduser()).absolute())


def _counted(warnings: Iterable[Warned]) -> Iterable[tuple[tuple[str, Masked, Masked], int]]:
    return sorted(Counter((one.code, one.reason, one.action) for one in warnings).items())


def _is(error: Exception, names: set[str]) -> bool:
    return any(kind.__name__ in names for kind in type(error).__mro__)
