"""The working store: what one task leaves for the next, in a folder or on S3.

Everything here is masked or sealed. A masked document is stored under its content and the
fingerprint of the steps that made it, so a renamed, touched or twice-listed file is parsed and
masked once. A run's shards and results go when the run is published.

Layout under the root::

    masked/CONTENT-FINGERPRINT.zst      MaskedDocument, JSON
    runs/RUN/plan.zst                   RunPlan, JSON
    runs/RUN/shard-ID.zst               tuple[Job, …], JSON
    runs/RUN/report-STEP.zst            what a step did, in counts, JSON
    runs/RUN/result-ID.zst, .npy        tuple[DocumentResult, …], JSON; embeddings in their order
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import SluiceError
from rag.home import home
from rag.masked import Masked, NotMasked
from rag.masked.stored import READER
from rag.records import Chunk, DocumentRef, MaskedDocument, MaskedFailure, Principal

if TYPE_CHECKING:
    import numpy
    from fsspec import AbstractFileSystem

    from rag.ledger.entries import DocumentEntry


@dataclass(frozen=True, slots=True)
class Job:
    """One document that a shard has to do.

    Attributes:
        sealed_key: Its source key and URI, encrypted.
        why: As planned: new, moved, version, …
        fresh: Do it anew even if its bytes were parsed and masked before.
        modified: Day of this version, as in `rag.records.DocumentRef`.
    """

    document_id: str
    sealed_key: str
    version: str
    size: int
    acl: tuple[Principal, ...]
    why: str = ""
    fresh: bool = False
    modified: int | None = None

    @classmethod
    def of(
        cls, document_id: str, sealed_key: str, ref: DocumentRef, why: str = "", *, fresh: bool
    ) -> Job:
        """Return the job that a listed document is."""
        own = (ref.version, ref.size, ref.acl)
        return cls(document_id, sealed_key, *own, why, fresh, ref.modified)

    @classmethod
    def again(cls, entry: DocumentEntry) -> Job:
        """Return the job that an indexed document was, to make it from its artifact once more."""
        return cls(
            entry.document_id,
            entry.sealed_key,
            entry.version,
            entry.size,
            entry.acl,
            modified=entry.modified,
        )


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run has to do, in ids and counts.

    Attributes:
        shards: Ids of the shards, each to be done once.
        documents: How many documents are in them.
        deleted: Ids to remove, with their attachments.
        warnings: What a person should mend in the source, though it stops nothing: masked name
            of a file to what is wrong and what to do.
        moved: Old id to remove once the document is in place under its new one: new to old.
    """

    run_id: str
    shards: tuple[str, ...]
    documents: int
    counts: Mapping[str, int]
    deleted: tuple[str, ...] = ()
    moved: Mapping[str, str] = field(default_factory=dict)
    warnings: Mapping[Masked, Masked] = field(default_factory=dict)
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class DocumentResult:
    """What a shard made of one document: chunks to index, or a failure to quarantine.

    Attributes:
        chunks: In order; empty for a failure.
        failure: Why there are none.
        vectors: Embeddings of `chunks`, float32, shape (chunks, dimensions); None for a failure
            and within the JSON.
    """

    document_id: str
    parent_id: str | None
    name: Masked
    sealed_key: str
    version: str
    size: int
    content_id: str
    media_type: str
    title: Masked
    acl: tuple[Principal, ...]
    masked: dict[str, int]
    modified: int | None = None
    aliases: tuple[tuple[str, str], ...] = ()
    chunks: tuple[Chunk, ...] = ()
    failure: MaskedFailure | None = None
    vectors: Any = None


def with_vectors(results: Sequence[DocumentResult], vectors: numpy.ndarray) -> list[DocumentResult]:
    """Return the results with their share each of their chunks' embeddings.

    Args:
        vectors: Shape (chunks of all results, dimensions), in the order of results and chunks.
    """
    whole, start = [], 0
    for result in results:
        stop = start + len(result.chunks)
        whole.append(replace(result, vectors=vectors[start:stop]))
        start = stop
    return whole


class Store:
    """The working store of one corpus."""

    def __init__(self, root: str) -> None:
        import fsspec

        filesystem, path = fsspec.core.url_to_fs(root)
        self._files: AbstractFileSystem = filesystem
        self._root = path.rstrip("/")

    # Masked documents

    def masked(self, content_id: str, fingerprint: str) -> MaskedDocument | None:
        """Return what parsing and masking these bytes gave before, or None."""
        data = self._read(f"masked/{content_id}-{fingerprint}.zst")
        return None if data is None else _adapter("masked").validate_json(data, context=READER)  # type: ignore[no-any-return]

    def keep_masked(self, content_id: str, fingerprint: str, document: MaskedDocument) -> None:
        self._write(f"masked/{content_id}-{fingerprint}.zst", _json("masked", document))

    def drop_masked(self, keep: Collection[str]) -> int:
        """Delete masked documents whose ``CONTENT-FINGERPRINT`` is not in `keep`."""
        kept = set(keep)
        stale = [
            path
            for path in self._list("masked")
            if path.rpartition("/")[2].removesuffix(".zst") not in kept
        ]
        for path in stale:
            self._files.rm_file(path)
        return len(stale)

    def masked_with(self, found: Callable[[bytes], object]) -> list[str]:
        """Return ``CONTENT-FINGERPRINT`` of the masked documents whose JSON `found` accepts."""
        names = [path.rpartition("/")[2] for path in self._list("masked")]
        return [
            name.removesuffix(".zst")
            for name in names
            if name.endswith(".zst") and found(self._read(f"masked/{name}") or b"")
        ]

    # A run's plan, shards, results and reports

    def write_plan(self, plan: RunPlan) -> None:
        self._write(f"runs/{plan.run_id}/plan.zst", _json("plan", plan))

    def plan(self, run_id: str) -> RunPlan:
        """Return a run's plan.

        Raises:
            SluiceError: The run is over, or there never was one.
        """
        return _adapter("plan").validate_json(self._need(f"runs/{run_id}/plan.zst"), context=READER)  # type: ignore[no-any-return]

    def write_report(self, run_id: str, step: str, counts: Mapping[str, Any]) -> None:
        self._write(f"runs/{run_id}/report-{step}.zst", json.dumps(counts).encode())

    def reports(self, run_id: str) -> list[dict[str, Any]]:
        """Return what the steps of a run reported."""
        names = [path.rpartition("/")[2] for path in sorted(self._list(f"runs/{run_id}"))]
        return [
            json.loads(self._need(f"runs/{run_id}/{name}"))
            for name in names
            if name.startswith("report-")
        ]

    def write_shard(self, run_id: str, shard_id: str, jobs: Sequence[Job]) -> None:
        self._write(f"runs/{run_id}/shard-{shard_id}.zst", _json("jobs", tuple(jobs)))

    def shard(self, run_id: str, shard_id: str) -> tuple[Job, ...]:
        """Return a shard's documents.

        Raises:
            SluiceError: The run is over, or never had it.
        """
        data = self._need(f"runs/{run_id}/shard-{shard_id}.zst")
        return _adapter("jobs").validate_json(data)  # type: ignore[no-any-return]

    def write_result(self, run_id: str, shard_id: str, results: Sequence[DocumentResult]) -> None:
        """Write a shard's results; the JSON comes last and marks the result as whole."""
        import numpy

        buffer = io.BytesIO()
        arrays = [result.vectors for result in results if result.chunks]
        stacked = numpy.concatenate(arrays) if arrays else numpy.zeros((0, 0), numpy.float32)
        numpy.save(buffer, stacked, allow_pickle=False)
        stem = f"runs/{run_id}/result-{shard_id}"
        self._put(f"{stem}.npy", buffer.getvalue())
        plain = tuple(replace(result, vectors=None) for result in results)
        self._write(f"{stem}.zst", _json("result", plain))

    def result(self, run_id: str, shard_id: str) -> tuple[DocumentResult, ...]:
        """Return what a finished shard made, with vectors."""
        import numpy

        stem = f"runs/{run_id}/result-{shard_id}"
        plain = _adapter("result").validate_json(self._need(f"{stem}.zst"), context=READER)
        array = io.BytesIO(self._get(f"{stem}.npy") or b"")
        vectors: numpy.ndarray = numpy.load(array, allow_pickle=False)
        return tuple(with_vectors(plain, vectors))

    def drop_runs(self, keep: Collection[str] = ()) -> None:
        """Delete all runs' files but those of `keep`."""
        for path in self._list("runs", folders=True):
            if path.rstrip("/").rpartition("/")[2] not in keep:
                self._files.rm(path, recursive=True)

    # Bytes

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _list(self, folder: str, folders: bool = False) -> list[str]:
        self._files.invalidate_cache()
        try:
            found = self._files.ls(self._path(folder), detail=True)
        except FileNotFoundError:
            return []
        wanted = "directory" if folders else "file"
        return [str(entry["name"]) for entry in found if entry["type"] == wanted]

    def _get(self, name: str) -> bytes | None:
        try:
            return bytes(self._files.cat_file(self._path(name)))
        except FileNotFoundError:
            return None

    def _put(self, name: str, data: bytes) -> None:
        path = self._path(name)
        if self._files.protocol in ("file", ("file", "local")):
            # A reader never meets half a file: an object store gives that by itself.
            whole = Path(path)
            whole.parent.mkdir(parents=True, exist_ok=True)
            part = whole.with_name(f"{whole.name}.{os.getpid()}.part")
            part.write_bytes(data)
            part.replace(whole)
        else:
            self._files.pipe_file(path, data)

    def _need(self, name: str) -> bytes:
        data = self._read(name)
        if data is None:
            raise SluiceError(
                f"The working store has no {name}.",
                "That run is over, or never was; start a new one.",
            )
        return data

    def _read(self, name: str) -> bytes | None:
        import zstandard

        data = self._get(name)
        return None if data is None else zstandard.decompress(data)

    def _write(self, name: str, data: bytes) -> None:
        import zstandard

        self._put(name, zstandard.compress(data, 3))


def open_store(corpus: str) -> Store:
    """Open a corpus's working store: under ``SLUICE_STORE`` (any fsspec URL), else at home."""
    base = os.environ.get("SLUICE_STORE")
    root = f"{base.rstrip('/')}/{corpus}" if base else str(home() / "corpora" / corpus / "store")
    return Store(root)


def _json(what: str, record: Any) -> bytes:
    """Return a record as JSON.

    Raises:
        NotMasked: Something in it has not passed the gate.
    """
    from pydantic_core import PydanticSerializationError

    try:
        return _adapter(what).dump_json(record)  # type: ignore[no-any-return]
    except PydanticSerializationError:
        raise NotMasked("The working store") from None


@lru_cache
def _adapter(what: str) -> Any:
    from pydantic import TypeAdapter

    types: dict[str, Any] = {
        "masked": MaskedDocument,
        "plan": RunPlan,
        "jobs": tuple[Job, ...],
        "result": tuple[DocumentResult, ...],
    }
    return TypeAdapter(types[what])
