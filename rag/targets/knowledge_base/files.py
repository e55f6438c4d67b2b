"""The way over S3: a file a passage in the data source's bucket, then an ingestion job.

Files are written, listed and deleted in passes over all documents given, several calls at once.
A note beside the data source's prefix says what was written last, so that what the service holds
can be told from two listings: its own, and that of the notes.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from rag.config import KnowledgeBaseTarget
from rag.errors import ServiceRefused
from rag.records import IndexedDocument, Principal
from rag.targets import Job, Stored
from rag.targets.knowledge_base import jobs
from rag.targets.knowledge_base.attributes import (
    SIDECAR_BYTES,
    Attributes,
    attributes,
    native,
    of_sidecar,
    sidecar,
    with_acl,
)
from rag.targets.knowledge_base.names import SIDECAR, TEXT, Note, Place, files_hash, noted
from rag.targets.knowledge_base.service import GONE, HELD, MOVING, Service, batches
from rag.targets.refusals import worded

DELETED_AT_ONCE = 1000
"""Keys in one DeleteObjects call."""
LIST = "list the data source's bucket"


@dataclass(frozen=True, slots=True)
class _File:
    key: str
    body: bytes
    media_type: str = "text/plain; charset=utf-8"

    @property
    def etag(self) -> str:
        """As S3 gives it, unless the bucket is encrypted with a key of KMS."""
        return hashlib.md5(self.body, usedforsecurity=False).hexdigest()


class Files:
    """What is in the bucket, and what the service made of it.

    Args:
        service: Of the knowledge base.
        target: As configured; `target.url` is the data source's bucket and prefix.
    """

    def __init__(self, service: Service, target: KnowledgeBaseTarget) -> None:
        assert target.url is not None  # its configuration says so
        self._service = service
        self.place = Place.of(target.url)
        self._user_context = target.user_context
        self._owed = False

    # Writing

    def apply(self, upserts: Sequence[IndexedDocument], deletes: Sequence[str]) -> dict[str, str]:
        """Make files be as the documents say; return the documents that cannot be, with reasons.

        New files come before the old ones go, and the note last. A file that is there already is
        not written again: its name says what is in it.
        """
        wanted: dict[str, dict[str, _File]] = {}
        refused: dict[str, str] = {}
        for document in upserts:
            files = self._files(document)
            longest = max((len(one.body) for one in files if one.key.endswith(SIDECAR)), default=0)
            if longest > SIDECAR_BYTES:
                refused[document.id] = too_long(len(document.acl))
                files = []
            wanted[document.id] = {one.key: one for one in files}
        wanted |= {document: {} for document in deletes}
        if not wanted:
            return refused
        self._owe()
        there = self._there(wanted)
        notes = {
            one.id: self.place.note(one.id, one.digest, _stems(wanted[one.id]), one.acl)
            for one in upserts
            if wanted[one.id]
        }
        noted_before = self._notes_of(wanted)
        changed = [
            file
            for document, files in wanted.items()
            for file in files.values()
            if _differs(file, there[document].get(file.key))
        ]
        # Attributes first: a passage without them would be nobody's.
        self._put([one for one in changed if one.key.endswith(SIDECAR)])
        self._put([one for one in changed if one.key.endswith(TEXT)])
        self._delete(
            key for document, keys in there.items() for key in keys if key not in wanted[document]
        )
        acls = {one.id: one.acl for one in upserts}
        self._note(
            [
                _File(key, json.dumps(acls[document]).encode(), "application/json")
                for document, key in notes.items()
                if key not in noted_before[document]
            ]
        )
        self._delete(
            key
            for document, keys in noted_before.items()
            for key in keys
            if key != notes.get(document)
        )
        return refused

    def set_acl(
        self,
        acls: Mapping[str, tuple[Principal, ...]],
        digests: Mapping[str, str] | None,
    ) -> dict[str, str]:
        """Write the attributes of some documents anew; return those that cannot have them.

        Who cannot keep its rights loses its files: the old rights may be too wide.
        """
        there = {name: keys for name, keys in self._there(acls).items() if keys}
        if not there:
            return {}
        self._owe()
        notes = self._notes_of(there)
        keys = [key for found in there.values() for key in found if key.endswith(SIDECAR)]
        bodies = dict(zip(keys, self._get(keys), strict=True))
        refused: dict[str, str] = {}
        files: list[_File] = []
        for document, found in there.items():
            made = [
                _File(
                    key,
                    self._sidecar(
                        with_acl(of_sidecar(bodies[key]), acls[document]), acls[document]
                    ),
                    "application/json",
                )
                for key in found
                if key.endswith(SIDECAR)
            ]
            if any(len(one.body) > SIDECAR_BYTES for one in made):
                refused[document] = too_long(len(acls[document]))
            else:
                files += made
        self._put(files)
        renamed: dict[str, str] = {}
        for document, found in there.items():
            if document in refused:
                continue
            old = [note for key in notes[document] if (note := noted(self.place, key))]
            digest = (digests or {}).get(document) or (old[0].digest if len(old) == 1 else "")
            renamed[document] = self.place.note(document, digest, _stems(found), acls[document])
        self._note(
            [
                _File(key, json.dumps(acls[document]).encode(), "application/json")
                for document, key in renamed.items()
            ]
        )
        gone = [key for name in refused for key in there[name]]
        self._delete(gone)
        self._delete(
            key for document, old_keys in notes.items() for key in old_keys
            if key != renamed.get(document)
        )  # fmt: skip
        return refused

    def _files(self, document: IndexedDocument) -> list[_File]:
        files = []
        for chunk in document.chunks:
            stem = self.place.stem(document.id, chunk)
            beside = self._sidecar(attributes(document, chunk), document.acl)
            files.append(_File(stem + TEXT, chunk.embedded_text.encode(errors="replace")))
            files.append(_File(stem + SIDECAR, beside, "application/json"))
        return files

    def _sidecar(self, made: Attributes, acl: Sequence[Principal]) -> bytes:
        return sidecar(made, native(acl) if self._user_context else ())

    # What must be waited for

    def begin(self) -> Job | None:
        """Start the ingestion job that is owed, or return the one that was."""
        token = self._pending()
        self._owed = False
        return None if token is None else jobs.begin(self._service, self.place, token)

    def outcome(self, job: Job) -> dict[str, str] | None:
        """Return what the service refused, once the job is over; None while it runs.

        Raises:
            TargetFailed: The job failed, or did not read the files that are there.
        """
        if not jobs.over(self._service, self.place, job):
            return None
        said = jobs.failures(self._service, job)
        refused: dict[str, str] = {}
        for status in self._service.statuses():
            fine = status.state in {HELD, *MOVING, *GONE}
            reason = said.pop(status.name, "")
            if not fine:
                self._refuse(refused, status.name, status.reason or reason or status.state)
        for uri, reason in said.items():  # failed before the service listed them
            self._refuse(refused, uri, reason)
        if self._pending() == job.reference["token"]:
            self._delete([self.place.pending])
        return refused

    def _refuse(self, refused: dict[str, str], uri: str, reason: str) -> None:
        if (key := self.place.key(uri)) is not None:
            refused.setdefault(self.place.passage(key)[0], worded(reason))

    # What is there

    def inventory(self) -> dict[str, Stored]:
        """Return what the service holds: passages by its own listing, the rest by the notes."""
        held: dict[str, list[str]] = defaultdict(list)
        for status in self._service.statuses():
            key = self.place.key(status.name)
            if key is not None and status.state == HELD:
                held[self.place.passage(key)[0]].append(key)
        notes: dict[str, list[Note]] = defaultdict(list)
        for key in self._list(self.place.notes()):
            if note := noted(self.place, key):
                notes[note.document].append(note)
        rights = self._long_rights(
            note for document in held for note in notes.get(document, []) if note.acl is None
        )
        found = {}
        for document, keys in held.items():
            digest = ""
            acl: tuple[Principal, ...] = ()
            own = notes.get(document, [])
            if len(own) == 1 and own[0].files == files_hash(_stems(keys)):
                digest = own[0].digest
                acl = rights.get(own[0].key, ()) if own[0].acl is None else own[0].acl
            chunks = tuple(self.place.passage(key)[1] for key in sorted(keys))
            found[document] = Stored(digest, acl, chunks)
        return found

    def _long_rights(self, notes: Iterable[Note]) -> dict[str, tuple[Principal, ...]]:
        keys = [note.key for note in notes]
        bodies = zip(keys, self._get(keys), strict=True)
        return {key: tuple(json.loads(body)) for key, body in bodies}

    # Objects

    def _owe(self) -> None:
        """Note that a job is owed, before anything is changed that it must see."""
        if not self._owed:
            self._put([_File(self.place.pending, uuid4().hex.encode())])
            self._owed = True

    def _pending(self) -> str | None:
        try:
            return self._get([self.place.pending])[0].decode()
        except ServiceRefused as error:
            if error.code in ("NoSuchKey", "404"):
                return None
            raise

    def _there(self, documents: Iterable[str]) -> dict[str, dict[str, str]]:
        """Keys and ETags of the documents' files."""
        names = list(documents)
        return dict(zip(names, self._lists([self.place.folder(one) for one in names]), strict=True))

    def _notes_of(self, documents: Iterable[str]) -> dict[str, dict[str, str]]:
        names = list(documents)
        return dict(zip(names, self._lists([self.place.notes(one) for one in names]), strict=True))

    def _list(self, prefix: str) -> dict[str, str]:
        return self._lists([prefix])[0]

    def _lists(self, prefixes: Sequence[str]) -> list[dict[str, str]]:
        """Keys and ETags under each prefix."""

        def page(s3: Any, asked: tuple[str, str]) -> dict[str, Any]:
            prefix, token = asked
            more = {"ContinuationToken": token} if token else {}
            found: dict[str, Any] = s3.list_objects_v2(
                Bucket=self.place.bucket, Prefix=prefix, **more
            )
            return found

        found: list[dict[str, str]] = [{} for _ in prefixes]
        waiting = {number: (prefix, "") for number, prefix in enumerate(prefixes)}
        while waiting:
            answers = self._service.files(page, list(waiting.values()))
            for (number, (prefix, _)), answer in zip(list(waiting.items()), answers, strict=True):
                for one in answer.get("Contents", []):
                    found[number][one["Key"]] = one["ETag"].strip('"')
                if answer.get("IsTruncated"):
                    waiting[number] = prefix, answer["NextContinuationToken"]
                else:
                    del waiting[number]
        return found

    def _get(self, keys: Sequence[str]) -> list[bytes]:
        def one(s3: Any, key: str) -> bytes:
            body: bytes = s3.get_object(Bucket=self.place.bucket, Key=key)["Body"].read()
            return body

        return self._service.files(one, keys)

    def _put(self, files: Sequence[_File]) -> None:
        def one(s3: Any, file: _File) -> None:
            s3.put_object(
                Bucket=self.place.bucket,
                Key=file.key,
                Body=file.body,
                ContentType=file.media_type,
            )

        self._service.files(one, files)

    def _note(self, files: Sequence[_File]) -> None:
        self._put(files)

    def _delete(self, keys: Iterable[str]) -> None:
        def some(s3: Any, part: Sequence[str]) -> None:
            s3.delete_objects(
                Bucket=self.place.bucket,
                Delete={"Objects": [{"Key": key} for key in part], "Quiet": True},
            )

        self._service.files(some, list(batches(list(keys), DELETED_AT_ONCE)))


def _stems(keys: Iterable[str]) -> list[str]:
    """Names of passages, of their keys or of all their files' keys."""
    return [key.removesuffix(TEXT) for key in keys if key.endswith(TEXT)]


def _differs(file: _File, etag: str | None) -> bool:
    """Whether a file has to be written: a text's name says what is in it."""
    return etag is None or (file.key.endswith(SIDECAR) and etag != file.etag)


def too_long(principals: int) -> str:
    """Why a document's attributes do not fit beside it."""
    return (
        f"Its rights name {principals} principals, and its metadata would be over "
        f"{SIDECAR_BYTES:,} bytes."
    )
