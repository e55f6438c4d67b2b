"""Where documents come from. A connector lists references and opens one; that is all it does.

A new kind of source is one file here and one line in `connect`::

    class Wiki:
        warnings: Sequence[Warned] = ()

        def list(self) -> Iterator[DocumentRef]:
            for page in self._pages():
                yield DocumentRef(page.path, page.url, page.revision, -1, ("group:staff",))

        def open(self, ref: DocumentRef, limit: int | None = None) -> bytes:
            return self._export(ref.uri)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rag.config import Source
    from rag.masked import Masked
from rag.records import DocumentRef

__all__ = ["Connector", "Warned", "connect"]


@dataclass(frozen=True, slots=True)
class Warned:
    """Something in a source that a person should mend, though it stops nothing.

    Attributes:
        key: The file it is about. Raw: mask it before it is written or shown.
        code: Names the kind, for counting.
        reason: What is wrong; a fixed sentence.
        action: What to do next; a fixed sentence.
    """

    key: str = field(repr=False)
    code: str
    reason: Masked
    action: Masked


class Connector(Protocol):
    """A source of documents."""

    def list(self) -> Iterator[DocumentRef]:
        """Yield every document that the corpus selects, in the order of their keys.

        Who reads to the end has seen all: a listing that breaks off raises, so that nothing is
        taken for deleted because it could not be seen.

        Raises:
            ListingFailed: The source could not be listed whole.
        """
        ...

    def open(self, ref: DocumentRef, limit: int | None = None) -> bytes:
        """Return a document's content, at the version that was listed.

        Args:
            ref: As `list` gave it, perhaps in another process.
            limit: Most bytes to read.

        Raises:
            ChangedWhileReading: It is no longer at that version, or gone.
            TooLarge: It has more bytes than `limit`; they were not read.
            SourceUnavailable: It could not be read for another reason.
        """
        ...

    @property
    def warnings(self) -> Sequence[Warned]:
        """What the last listing found wrong, in the order of keys."""
        ...


def connect(source: Source, base: Path) -> Connector:
    """Return the connector of a corpus. Nothing is contacted before the first listing.

    Args:
        source: The corpus file's ``source``.
        base: Folder that a relative ``source.url`` starts from.

    Raises:
        ConfigError: The URL or its options cannot work.
    """
    from connectors.files import Files

    return Files(source, base)
