"""Names that say what a knowledge base holds, so that listings are enough to know it.

In the bucket, one object a passage below the data source's prefix, and one beside it (under
``.sluice/``, where the service does not look) whose name says what the document is::

    PREFIX/DOCUMENT/POSITION-CHUNK.txt                    what is embedded; never changes
    PREFIX/DOCUMENT/POSITION-CHUNK.txt.metadata.json      its attributes
    .sluice/PREFIX/documents/DOCUMENT/DIGEST/FILES/ACL    digest, hash of its files' names, rights
    .sluice/PREFIX/pending                                an ingestion job is owed

Handed over by API there is no bucket, and a passage's id says all of it::

    DOCUMENT/WRITTEN/DIGEST/ACL/CHUNKS/POSITION-CHUNK
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

from rag.records import Chunk, Principal

TEXT, SIDECAR = ".txt", ".txt.metadata.json"
LONG_ACL = "~"
"""Stands in a name for rights that are too long for it: the object's body has them."""
ACL_CHARACTERS = 500
CUSTOM_ID = 2048
"""Characters of a `CustomDocumentIdentifier`."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a corpus's files are: a bucket and a prefix that ends in a slash."""

    bucket: str
    prefix: str

    @classmethod
    def of(cls, url: str) -> Place:
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        return cls(bucket, f"{prefix.strip('/')}/")

    @property
    def beside(self) -> str:
        """Prefix of what the service must not see."""
        return f".sluice/{self.prefix}"

    @property
    def pending(self) -> str:
        return f"{self.beside}pending"

    def folder(self, document: str) -> str:
        return f"{self.prefix}{_safe(document)}/"

    def stem(self, document: str, chunk: Chunk) -> str:
        """Key of a passage's file, without its ending."""
        return f"{self.folder(document)}{chunk.position:05d}-{_safe(chunk.id)}"

    def notes(self, document: str = "") -> str:
        """Prefix of what is noted of a document, or of all."""
        return f"{self.beside}documents/" + (f"{_safe(document)}/" if document else "")

    def note(
        self, document: str, digest: str, stems: Iterable[str], acl: Sequence[Principal]
    ) -> str:
        rights = packed(acl)
        if len(rights) > ACL_CHARACTERS:
            rights = LONG_ACL
        return f"{self.notes(document)}{_safe(digest)}/{files_hash(stems)}/{rights}"

    def key(self, uri: str) -> str | None:
        """Key of an object by its URI; None where it is not a file of this place."""
        start = f"s3://{self.bucket}/"
        key = uri.removeprefix(start)
        ours = uri.startswith(start) and key.startswith(self.prefix) and key.endswith(TEXT)
        return key if ours and key.count("/") == self.prefix.count("/") + 1 else None

    def passage(self, key: str) -> tuple[str, str]:
        """Document and chunk id of a passage's file."""
        folder, _, name = key.rpartition("/")
        chunk = name.partition("-")[2].removesuffix(TEXT)
        return unquote(folder.rpartition("/")[2]), unquote(chunk)


@dataclass(frozen=True, slots=True)
class Note:
    """What a note's name says: a document, its digest, the hash of its files' names, its rights.

    Attributes:
        acl: None where the note's body has them.
    """

    key: str
    document: str
    digest: str
    files: str
    acl: tuple[Principal, ...] | None


def noted(place: Place, key: str) -> Note | None:
    """Return what a note's name says; None where it is not one."""
    parts = key.removeprefix(place.notes()).split("/")
    if len(parts) != 4:
        return None
    document, digest, files, rights = parts
    acl = None if rights == LONG_ACL else unpacked(rights)
    return Note(key, unquote(document), unquote(digest), files, acl)


def files_hash(stems: Iterable[str]) -> str:
    """Return a hash over the names of a document's files."""
    names = "\n".join(sorted(stems))
    return hashlib.blake2b(names.encode(), digest_size=8).hexdigest()


def packed(acl: Sequence[Principal]) -> str:
    """Return rights as a part of a name."""
    data = json.dumps(list(acl), ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unpacked(text: str) -> tuple[Principal, ...]:
    """Return the rights that `packed` made a name of."""
    return tuple(json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))))


@dataclass(frozen=True, slots=True)
class Handed:
    """A passage that was handed over by API, as its id names it.

    Attributes:
        written: Milliseconds since 1970 when its document was written: the latest counts.
        chunks: How many passages its document has at that version.
    """

    document: str
    written: int
    digest: str
    acl: tuple[Principal, ...]
    chunks: int
    position: int
    chunk: str

    @property
    def version(self) -> tuple[int, str, tuple[Principal, ...]]:
        return self.written, self.digest, self.acl

    @property
    def id(self) -> str:
        parts = (
            _safe(self.document),
            f"{self.written:x}",
            _safe(self.digest),
            packed(self.acl),
            str(self.chunks),
            f"{self.position:05d}-{_safe(self.chunk)}",
        )
        return "/".join(parts)


def handed(name: str) -> Handed | None:
    """Return what an id says; None where it is not one of ours."""
    parts = name.split("/")
    if len(parts) != 6:
        return None
    position, _, chunk = parts[5].partition("-")
    try:
        return Handed(
            unquote(parts[0]),
            int(parts[1], 16),
            unquote(parts[2]),
            unpacked(parts[3]),
            int(parts[4]),
            int(position),
            unquote(chunk),
        )
    except ValueError:
        return None


def _safe(name: str) -> str:
    return quote(name, safe="")
