"""The way over S3: a file a passage in the data source's bucket, then an ingestion job.

Files are written, listed and deleted in passes over all documents given, several calls at once.
A note beside the data source's prefix says what was written last, so that what the service holds
can be told from two listings: its own, and that of the notes. A note goes before what it says
stops being true, and comes back last: a document that a killed run left half changed has none.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from uuid import uuid4

from rag.config import KnowledgeBaseTarget
from rag.errors import TargetFailed
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
from rag.targets.knowledge_base.bucket import Bucket, File
from rag.targets.knowledge_base.names import SIDECAR, TEXT, Note, Place, files_hash, noted
from rag.targets.knowledge_base.service import GONE, HELD, MOVING, Service
from rag.targets.refusals import worded

JSON = "application/json"


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
        self._bucket = Bucket(service, self.place.bucket)
        self._user_context = target.user_context
        self._owed = False

    # Writing

    def apply(self, upserts: Sequence[IndexedDocument], deletes: Sequence[str]) -> dict[str, str]:
        """Make files be as the documents say; return the documents that cannot be, with reasons.

        New files come before the old ones go. A file that is there already is not written again:
        its name says what is in it.
        """
        wanted: dict[str, dict[str, File]] = {}
        refused: dict[str, str] = {}
        notes: dict[str, File] = {}
        for document in upserts:
            files = self._files(document)
            if _too_long(files):
                refused[document.id] = too_long(len(document.acl))
                files = []
            wanted[document.id] = {one.key: one for one in files}
            if files:
                stems = _stems(wanted[document.id])
                notes[document.id] = self._note(document.id, document.digest, stems, document.acl)
        wanted |= {document: {} for document in deletes}
        if wanted:
            self._owe()
            self._write(wanted, notes)
        return refused

    def _write(self, wanted: Mapping[str, Mapping[str, File]], notes: Mapping[str, File]) -> None:
        """Make the files of some documents be these, and the notes of those that have any."""
        there = self._there(wanted)
        before = self._notes_of(wanted)
        changed = {
            document: [one for one in files.values() if _differs(one, there[document].get(one.key))]
            for document, files in wanted.items()
        }
        stale = {name: keys.keys() - wanted[name].keys() for name, keys in there.items()}
        untrue = {
            name
            for name in wanted
            if changed[name] or stale[name] or {*before[name]} != _key_of(notes.get(name))
        }
        every = [one for files in changed.values() for one in files]
        self._bucket.delete(key for name in untrue for key in before[name])
        # Attributes first: a passage without them would be nobody's.
        self._bucket.put([one for one in every if one.key.endswith(SIDECAR)])
        self._bucket.put([one for one in every if one.key.endswith(TEXT)])
        self._bucket.delete(key for keys in stale.values() for key in keys)
        self._bucket.put([note for name, note in notes.items() if name in untrue])

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
        before = self._notes_of(there)
        keys = [key for found in there.values() for key in found if key.endswith(SIDECAR)]
        bodies = dict(zip(keys, self._bucket.get(keys), strict=True))
        refused: dict[str, str] = {}
        files: list[File] = []
        notes: list[File] = []
        for document, found in there.items():
            acl = acls[document]
            made = [
                File(key, self._sidecar(with_acl(of_sidecar(bodies[key]), acl), acl), JSON)
                for key in found
                if key.endswith(SIDECAR)
            ]
            if _too_long(made):
                refused[document] = too_long(len(acl))
                continue
            old = [note for key in before[document] if (note := noted(self.place, key))]
            digest = (digests or {}).get(document) or (old[0].digest if len(old) == 1 else "")
            files += made
            notes.append(self._note(document, digest, _stems(found), acl))
        self._bucket.delete(key for found in before.values() for key in found)
        self._bucket.delete(key for name in refused for key in there[name])
        self._bucket.put(files)
        self._bucket.put(notes)
        return refused

    def _files(self, document: IndexedDocument) -> list[File]:
        files = []
        for chunk in document.chunks:
            stem = self.place.stem(document.id, chunk)
            beside = self._sidecar(attributes(document, chunk), document.acl)
            files.append(File(stem + TEXT, chunk.embedded_text.encode(errors="replace")))
            files.append(File(stem + SIDECAR, beside, JSON))
        return files

    def _sidecar(self, made: Attributes, acl: Sequence[Principal]) -> bytes:
        return sidecar(made, native(acl) if self._user_context else ())

    def _note(
        self, document: str, digest: str, stems: Iterable[str], acl: Sequence[Principal]
    ) -> File:
        key = self.place.note(document, digest, stems, acl)
        return File(key, json.dumps(list(acl)).encode(), JSON)

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
        found = jobs.finished(self._service, job)
        if found is None:
            return None
        files, read = len(_stems(self._bucket.keys(self.place.prefix))), jobs.read_by(found)
        if read < files:
            self._owe(anew=True)
            raise TargetFailed(
                f"The knowledge base's ingestion job read {read} of {files} files.",
                "See that its role may read the whole prefix of targets.url, then sync again, "
                "which starts another job.",
            )
        said = jobs.failures(found)
        refused: dict[str, str] = {}
        for status in self._service.statuses():
            fine = status.state in {HELD, *MOVING, *GONE}
            reason = said.pop(status.name, "")
            if not fine:
                self._refuse(refused, status.name, status.reason or reason or status.state)
        for uri, reason in said.items():  # failed before the service listed them
            self._refuse(refused, uri, reason)
        if self._pending() == job.reference["token"]:
            self._bucket.delete([self.place.pending])
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
        for key in self._bucket.keys(self.place.notes()):
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
        bodies = zip(keys, self._bucket.get(keys), strict=True)
        return {key: tuple(json.loads(body)) for key, body in bodies}

    # Objects

    def _owe(self, anew: bool = False) -> None:
        """Note that a job is owed, before anything is changed that it must see."""
        if anew or not self._owed:
            self._bucket.put([File(self.place.pending, uuid4().hex.encode())])
            self._owed = True

    def _pending(self) -> str | None:
        token = self._bucket.find(self.place.pending)
        return None if token is None else token.decode()

    def _there(self, documents: Iterable[str]) -> dict[str, dict[str, str]]:
        """Keys and ETags of the documents' files."""
        names = list(documents)
        found = self._bucket.keys_of([self.place.folder(one) for one in names])
        return dict(zip(names, found, strict=True))

    def _notes_of(self, documents: Iterable[str]) -> dict[str, dict[str, str]]:
        names = list(documents)
        found = self._bucket.keys_of([self.place.notes(one) for one in names])
        return dict(zip(names, found, strict=True))


def _stems(keys: Iterable[str]) -> list[str]:
    """Names of passages, of their keys or of all their files' keys."""
    return [key.removesuffix(TEXT) for key in keys if key.endswith(TEXT)]


def _differs(file: File, etag: str | None) -> bool:
    """Whether a file has to be written: a text's name says what is in it."""
    return etag is None or (file.key.endswith(SIDECAR) and etag != file.etag)


def _key_of(note: File | None) -> set[str]:
    return set() if note is None else {note.key}


def _too_long(files: Iterable[File]) -> bool:
    """Whether the attributes of one of a document's passages do not fit beside it."""
    return any(len(one.body) > SIDECAR_BYTES for one in files if one.key.endswith(SIDECAR))


def too_long(principals: int) -> str:
    """Why a document's attributes do not fit beside it."""
    return (
        f"Its rights name {principals} principals, and its metadata would be over "
        f"{SIDECAR_BYTES:,} bytes."
    )
