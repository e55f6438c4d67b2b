"""What a file system tells of its files, before selection and rights."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from connectors import Warned
from rag.masked import fixed


@dataclass(frozen=True, slots=True)
class Entry:
    """One file. Raw: its names may be personal.

    Attributes:
        key: Path relative to the root, segments joined by ``/``.
        uri: Where it is, whole.
        version: From ETag, or time and size; empty where the system tells neither.
        size: Bytes, or -1 if unknown.
        real: Key of the file that a link points to; its own key for anything but a link.
        modified: Day when it was last written (`rag.days`), where the system tells it.
    """

    key: str
    uri: str
    version: str
    size: int
    real: str
    modified: int | None = None


class System(Protocol):
    """A file system with a root folder, read only.

    Its methods raise what the system raises (`OSError` and its kin, a library's errors): who
    calls them turns that into words.
    """

    @property
    def place(self) -> str:
        """The root, for messages."""
        ...

    @property
    def remote(self) -> bool:
        """Whether trying again may help."""
        ...

    @property
    def at_once(self) -> int:
        """How many threads may call `read` at the same time."""
        ...

    def entries(self, warnings: list[Warned]) -> Sequence[Entry]:
        """Return every file under the root, in any order; hidden folders may be left out."""
        ...

    def read(self, uri: str, limit: int | None, version: str) -> tuple[bytes, str]:
        """Return a file's content and the version that it has.

        Args:
            limit: Most bytes to read.
            version: That is wanted; a system that can ask for one does.

        Raises:
            TooLarge: It has more bytes than `limit`.
            ChangedWhileReading: The content is not of one version.
            PermissionError: The URI is not under the root.
        """
        ...

    def reconnect(self) -> None:
        """Forget a connection that may be broken."""
        ...


def link_refused(key: str) -> Warned:
    """Return the warning about a link that is not followed."""
    return Warned(
        key,
        "link_refused",
        fixed(
            "A link leads out of the source's folder, to a folder, or nowhere; it is not followed."
        ),
        fixed("Put the document itself into the source, or add a corpus for the other folder."),
    )


def hidden(key: str) -> bool:
    """Whether a segment of the key begins with a dot."""
    return key.startswith(".") or "/." in key


def content_version(data: bytes) -> str:
    """Return a version made from the content, for systems that tell neither ETag nor time."""
    return f"hash:{hashlib.blake2b(data, digest_size=16).hexdigest()}"
