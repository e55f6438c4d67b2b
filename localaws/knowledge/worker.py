"""The thread that does what direct ingestion accepted, in the order in which it came.

What waits is on disk, so a restart of the server loses none of it. Documents pass through PENDING
and IN_PROGRESS for a fifth of ``LOCALAWS_INGESTION_SECONDS`` at least.
"""

from __future__ import annotations

import base64
import logging
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from localaws.knowledge import bucket, failures, records
from localaws.knowledge.index import Document
from localaws.knowledge.ingest import TOO_LARGE, Prepared, embed_and_keep, fingerprint, prepared
from localaws.knowledge.records import DATA_SOURCE, KNOWLEDGE_BASE, Record
from localaws.knowledge.sidecar import Described, Unusable, from_file, sent
from localaws.knowledge.sources import MAX_FILE, origin
from localaws.knowledge.store import Store, Waiting, store
from localaws.knowledge.text import UNSUPPORTED, ending, suffix, text_of
from localaws.state import State

BATCH = 50
INJECTED = "The document could not be ingested because of an internal error. Retry your request."
NO_RIGHTS = "The document was ignored: it has no access control list and its data source needs one."

log = logging.getLogger("localaws")

_awake: set[Path] = set()
_lock = threading.Lock()


class _Ignored(Exception):
    """A document is not indexed, and that is as it should be; says why."""


@dataclass
class _Batch:
    """Documents of one knowledge base that are embedded together."""

    base: Record
    documents: list[Prepared] = field(default_factory=list)
    tasks: list[Waiting] = field(default_factory=list)


def awake(state: State) -> None:
    """See that somebody works on what waits, if anything does."""
    with _lock:
        if state.folder in _awake or not store(state).waiting(1):
            return
        _awake.add(state.folder)
    threading.Thread(target=_work, args=(state,), name="direct-ingestion", daemon=True).start()


def _work(state: State) -> None:
    kept = store(state)
    pause = records.seconds("LOCALAWS_INGESTION_SECONDS", 1.0) / 10
    try:
        while True:
            tasks = kept.waiting(BATCH)
            if not tasks:
                with _lock:
                    if not kept.waiting(1):  # none came since
                        _awake.discard(state.folder)
                        return
                continue
            _mark(kept, tasks, {"ingest": "PENDING", "delete": "DELETING"})
            time.sleep(pause)
            _mark(kept, tasks, {"ingest": "IN_PROGRESS", "delete": "DELETE_IN_PROGRESS"})
            time.sleep(pause)
            try:
                _do(state, tasks)
            except sqlite3.ProgrammingError:
                raise
            except Exception as error:
                log.exception("direct ingestion failed")
                _give_up(
                    kept, tasks, f"The document could not be ingested: {type(error).__name__}."
                )
    except sqlite3.ProgrammingError:  # the server is ending; the next one goes on here
        _awake.discard(state.folder)


def _mark(kept: Store, tasks: Sequence[Waiting], statuses: Mapping[str, str]) -> None:
    for task in tasks:
        document = kept.document(task.base, task.source, task.name)
        if document is not None:
            status = statuses[task.task["action"]]
            kept.note(task.base, replace(document, status=status, updated=records.now()))


def _give_up(kept: Store, tasks: Sequence[Waiting], why: str) -> None:
    """Fail what could not be done, so that what waits behind it is."""
    left = {one.number for one in kept.waiting(BATCH)}
    for task in tasks:
        document = kept.document(task.base, task.source, task.name)
        if task.number in left and document is not None:
            kept.note(task.base, replace(document, status="FAILED", reason=why))
        kept.done(task.number)


def _do(state: State, tasks: Sequence[Waiting]) -> None:
    """Do tasks in order; documents that follow each other are embedded together."""
    kept = store(state)
    batch: _Batch | None = None
    for task in tasks:
        base = state.get(KNOWLEDGE_BASE, task.base)
        source = state.get(DATA_SOURCE, f"{task.base}/{task.source}")
        if base is None or source is None or "DELETING" in (base["status"], source["status"]):
            kept.done(task.number)
            continue
        apart = batch is not None and (
            batch.base["id"] != task.base
            or task.task["action"] == "delete"
            or any(one.name == task.name and one.source == task.source for one in batch.tasks)
        )
        if apart:
            _flush(kept, batch)
            batch = None
        if task.task["action"] == "delete":
            _delete(kept, task)
            continue
        batch = batch or _Batch(base)
        _ingest(kept, batch, source, task)
    _flush(kept, batch)


def _flush(kept: Store, batch: _Batch | None) -> None:
    if batch is None:
        return
    embed_and_keep(kept, batch.base, batch.documents)
    for task in batch.tasks:
        kept.done(task.number)


def _delete(kept: Store, task: Waiting) -> None:
    document = kept.document(task.base, task.source, task.name)
    if task.task["fail"] and document is not None:
        kept.note(task.base, replace(document, status="FAILED", reason=INJECTED))
    else:
        kept.remove(task.base, task.source, task.name)
    kept.done(task.number)


def _ingest(kept: Store, batch: _Batch, source: Record, task: Waiting) -> None:
    """Prepare one document for its batch, or say why it is not indexed."""
    batch.tasks.append(task)
    found = kept.document(task.base, task.source, task.name)
    known = found or Document(task.source, task.name, origin(source).kind, "STARTING", "")
    given = task.task["document"]
    moment = records.now()

    def note(status: str, reason: str) -> None:
        kept.note(task.base, replace(known, status=status, reason=reason, updated=moment))

    try:
        if task.task["fail"]:
            note("FAILED", INJECTED)
            return
        version, uri = _version(given["content"])
        described, told = _described(given.get("metadata"))
        if origin(source).native_acl and described.acl is None:
            raise _Ignored(NO_RIGHTS)
        fresh = replace(
            known,
            status="INDEXED",
            reason="",
            updated=moment,
            version=version,
            sidecar=told,
            attributes=described.attributes,
            acl=described.acl,
            embedded=described.embedded,
        )
        if known.version == version and known.embedded == fresh.embedded:
            kept.note(task.base, fresh)
            return
        batch.documents.append(prepared(fresh, _text(given["content"], uri), source))
    except _Ignored as ignored:
        if known.version:
            kept.remove(task.base, task.source, task.name)
            known = replace(known, version="", sidecar="", attributes={}, acl=None)
        note("IGNORED", str(ignored))
    except (Unusable, bucket.Unreachable) as error:
        name = task.name if known.kind == "S3" else f"id: {task.name}"
        note(_status(known, given), failures.message(str(error), [name]))


def _status(known: Document, given: Mapping[str, Any]) -> str:
    """FAILED, unless the text is indexed as it is and only its metadata could not be read."""
    try:
        same = bool(known.version) and _version(given["content"])[0] == known.version
    except (Unusable, bucket.Unreachable):
        return "FAILED"
    return "METADATA_UPDATE_FAILED" if same else "FAILED"


def _version(content: Mapping[str, Any]) -> tuple[str, str]:
    """Return the version of a document's content, and the URI it is read from, if from one."""
    if content["dataSourceType"] == "S3":
        uri = content["s3"]["s3Location"]["uri"]
    elif content["custom"]["sourceType"] == "S3_LOCATION":
        uri = content["custom"]["s3Location"]["uri"]
    else:
        inline = content["custom"]["inlineContent"]
        if inline["type"] == "TEXT":
            return fingerprint("text", inline["textContent"]["data"]), ""
        one = inline["byteContent"]
        return fingerprint(one["mimeType"], one["data"]["base64"]), ""
    found = bucket.entry(uri)
    if found is None:
        raise Unusable("as they were not found.")
    if found.size > MAX_FILE:
        raise Unusable(TOO_LARGE)
    return found.version, uri


def _text(content: Mapping[str, Any], uri: str) -> str:
    if uri:
        return text_of(bucket.read(uri), suffix(uri))
    inline = content["custom"]["inlineContent"]
    if inline["type"] == "TEXT":
        return str(inline["textContent"]["data"])
    one = inline["byteContent"]
    form = ending(one["mimeType"])
    if not form:
        raise Unusable(UNSUPPORTED)
    return text_of(base64.b64decode(one["data"]["base64"]), form)


def _described(metadata: Mapping[str, Any] | None) -> tuple[Described, str]:
    """Return a document's attributes and rights, and their version."""
    if metadata is None:
        return Described(), ""
    if metadata["type"] == "IN_LINE_ATTRIBUTE":
        return sent(metadata), fingerprint(repr(sorted(metadata.items(), key=lambda one: one[0])))
    uri = metadata["s3Location"]["uri"]
    found = bucket.entry(uri)
    if found is None:
        raise Unusable("as their metadata files were not found.")
    return from_file(bucket.read(uri)), found.version
