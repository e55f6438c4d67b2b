"""The embedded target: a LanceDB table in a folder, for one machine and no server.

One table a corpus, one row a passage. Every write is one commit, so that a reader (each search
uses one version, the newest, for both legs) sees a document before or after, never between, and a
killed writer leaves what was. Writers take turns by a lock on the folder.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rag.errors import CorpusBusy, TargetFailed
from rag.records import IndexedDocument, Principal
from rag.retrieve.candidates import Candidate, Legs
from rag.retrieve.query import Query
from rag.targets import Contents, Job, Stored, gated
from rag.targets.embedded import conditions, reading, snapshot
from rag.targets.embedded.beside import Beside, laid, lay
from rag.targets.rows import (
    as_rows,
    replaced,
    schema,
    vectors,
)

if TYPE_CHECKING:
    import numpy

    from rag import config

T = TypeVar("T")

_BATCH_CHUNKS = 20_000  # rows in one commit: some 60 MB of text and vectors
_IDS_IN_FILTER = 5_000
_ATTEMPTS = 5
_LOCK_SECONDS = 60.0


class EmbeddedIndex:
    """A `rag.targets.Target` in a folder.

    Args:
        folder: The corpus's own; made at the first write.
        dimensions: Of the embeddings. An index of other dimensions in the same folder is left
            alone until `compact`, then dropped.
        scalar_from: Rows from which rights and document ids get an index of their own.
        vector_from: Rows from which vector search is approximate. Below it is exact.
    """

    embeds = False

    def __init__(
        self,
        folder: Path,
        dimensions: int,
        *,
        scalar_from: int = 20_000,
        vector_from: int = 20_000,
    ) -> None:
        self.folder = folder
        self.dimensions = dimensions
        self._name = f"chunks_{dimensions}"
        self._scalar_from = scalar_from
        self._vector_from = vector_from
        self._folder = folder / f"{self._name}.lance"
        self._removals = folder / "removals"
        self._saved = folder / f"{self._name}.json"
        self._connection: Any = None
        self._opened: reading.Opened | None = None
        self._sampled: tuple[tuple[object, int], numpy.ndarray] | None = None

    # Writing

    def apply(self, upserts: Sequence[IndexedDocument], deletes: Sequence[str]) -> None:
        """See `rag.targets.Target.apply`; one commit for up to 20,000 passages."""
        gated.documents(upserts)
        ids = [document.id for document in upserts]
        if len(set(ids)) != len(ids) or not set(ids).isdisjoint(deletes):
            raise ValueError("a document id comes twice")
        for document in upserts:
            shape = (len(document.chunks), self.dimensions)
            if document.chunks and getattr(document.vectors, "shape", None) != shape:
                raise ValueError(f"document {document.id} needs embeddings of shape {shape}")
        if not ids and not deletes:
            return
        with self._writing() as table:
            gone = [*deletes, *(document.id for document in upserts if not document.chunks)]
            self._expect_removals(table, [*ids, *deletes])
            for part in _parts(gone, _IDS_IN_FILTER):
                table.delete(conditions.among("document_id", part))
            for batch in _batches([document for document in upserts if document.chunks]):
                touched = [document.id for document in batch]
                (
                    table.merge_insert("id")
                    .when_matched_update_all()
                    .when_not_matched_insert_all()
                    .when_not_matched_by_source_delete(conditions.among("document_id", touched))
                    .execute(as_rows(batch, self.dimensions))
                )

    def set_acl(
        self,
        acls: Mapping[str, tuple[Principal, ...]],
        digests: Mapping[str, str] | None = None,
    ) -> None:
        """See `rag.targets.Target.set_acl`; one commit for up to 5,000 documents."""
        with self._writing() as table:
            for part in _parts(sorted(acls), _IDS_IN_FILTER):
                rows = table.search().where(conditions.among("document_id", part)).to_arrow()
                owners = rows.column("document_id").to_pylist()
                new = [list(acls[owner]) for owner in owners]
                rows = replaced(rows, "acl", new)
                if digests is not None:
                    old = rows.column("digest").to_pylist()
                    given = [digests.get(o, d) for o, d in zip(owners, old, strict=True)]
                    rows = replaced(rows, "digest", given)
                if rows.num_rows:
                    table.merge_insert("id").when_matched_update_all().execute(rows)

    def compact(self) -> None:
        """See `rag.targets.Target.compact`.

        LanceDB only marks rows as deleted; their bytes go when their fragment (data file) is
        written anew and no version refers to the old one. Its full-text index keeps the words
        of deleted rows until it is built anew.
        """
        if self._snapshot() is not None and laid(self._folder) and not self._removals.exists():
            return
        with self._writing() as table:
            database = self._database()
            for name in database.list_tables().tables:
                if name != self._name:
                    database.drop_table(name)
                    (self.folder / f"{name}.json").unlink(missing_ok=True)
            table.optimize()
            if self._removals.exists():
                _prune(table)
                self._rewrite(table)
                _index_words(table)
            self._index(table)
            _prune(table)
            lay(table, self._folder)
            snapshot.save(self._saved, self._folder, _inventory(table))
            self._removals.unlink(missing_ok=True)

    def _expect_removals(self, table: Any, documents: Sequence[str]) -> None:
        """Note on disk, before the commit, that old text will have to be removed."""
        if self._removals.exists():
            return
        if any(
            table.count_rows(conditions.among("document_id", p))
            for p in _parts(documents, _IDS_IN_FILTER)
        ):
            self._removals.touch()

    def _rewrite(self, table: Any) -> None:
        """Write the living rows of every fragment that has deleted ones anew.

        Deletions are in files ``_deletions/FRAGMENT-VERSION-ID`` (Lance table format); after
        pruning only those of the newest version are there. A row's address is its fragment's
        number in the upper 32 bits, and its place.
        """
        folder = self._folder / "_deletions"
        for fragment in sorted({int(p.name.split("-")[0]) for p in folder.glob("*-*-*")}):
            first, last = fragment << 32, (fragment + 1) << 32
            inside = f"_rowid >= {first} AND _rowid < {last}"
            while (rows := table.search().where(inside).limit(_BATCH_CHUNKS).to_arrow()).num_rows:
                table.merge_insert("id").when_matched_update_all().execute(rows)

    def _index(self, table: Any) -> None:
        """Indexes that only large tables pay for; existing ones are kept up by `optimize`."""
        from lancedb.index import BTree, LabelList

        rows = table.count_rows()
        there = {(column, one.index_type) for one in table.list_indices() for column in one.columns}
        wanted: dict[str, Any] = {}
        if rows >= self._scalar_from:
            wanted |= {"acl": LabelList(), "document_id": BTree(), "id": BTree()}
        if rows >= self._vector_from:
            wanted["vector"] = reading.vector_index(rows, self.dimensions)
        for column, config in wanted.items():
            if (column, type(config).__name__) not in there:
                table.create_index(column, config=config, replace=True)

    def begin(self) -> Job | None:
        """See `rag.targets.Target.begin`: every commit can be searched at once."""
        return None

    def outcome(self, job: Job) -> Mapping[str, str]:
        """See `rag.targets.Target.outcome`."""
        return {}

    # Reading

    def model(self) -> config.Embedding | None:
        """See `rag.targets.Target.model`."""
        return None

    def inventory(self) -> Mapping[str, Stored]:
        """See `rag.targets.Target.inventory`."""
        saved = self._snapshot()
        if saved is not None:
            return saved
        return self._reading(lambda opened: _inventory(opened.table), {})

    def legs(self, query: Query, depth: int) -> Legs:
        """See `rag.targets.Target.legs`."""
        gated.question(query)
        if not query.principals or depth < 1:
            return {}
        return self._reading(lambda opened: reading.legs(opened, query, depth), {})

    def read(
        self, candidates: Sequence[Candidate], principals: Sequence[Principal]
    ) -> list[Candidate]:
        """See `rag.targets.Target.read`: as they were when they were found."""
        return [one if one.read else one.told(one.place()) for one in candidates]

    def sample(self, size: int) -> numpy.ndarray | None:
        """See `rag.targets.Target.sample`; looked at again in every version of the table."""

        def read(opened: reading.Opened) -> numpy.ndarray | None:
            import numpy

            table = opened.table
            if self._sampled is None or self._sampled[0] != (opened.files, size):
                rows = table.count_rows()
                if not rows:
                    return None
                places = numpy.unique(numpy.linspace(0, rows - 1, min(rows, size)).astype(int))
                taken = table.take_offsets(places.tolist()).select(["vector"]).to_arrow()
                self._sampled = (opened.files, size), vectors(taken)
            return self._sampled[1]

        return self._reading(read, None)

    def stats(self) -> Contents:
        """See `rag.targets.Contents`."""
        held = self.inventory()
        size = sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())
        return Contents(len(held), sum(len(stored.chunks) for stored in held.values()), size)

    # The table

    def _database(self) -> Any:
        if self._connection is None:
            import lancedb

            # No consistency interval: an opened table stays at the version it was opened at.
            self._connection = lancedb.connect(self.folder)
        return self._connection

    def _snapshot(self) -> dict[str, Stored] | None:
        return snapshot.load(self._saved, self._folder)

    def _exists(self) -> bool:
        return (self._folder / "_versions").is_dir()

    def _reading(self, read: Callable[[reading.Opened], T], empty: T) -> T:
        """`read` on one version of the table; again on a newer one when that was cleaned up."""
        failure = ""
        for attempt in range(_ATTEMPTS):
            if not self._exists():
                return empty
            try:
                return read(self._newest())
            except (RuntimeError, ValueError, OSError) as error:
                self._opened = None
                failure = type(error).__name__
                time.sleep(0.02 * 2**attempt)
        raise TargetFailed(
            f"The embedded index could not be read ({failure}).",
            "Check the disk; `sluice sync --full-refresh` builds the index anew.",
        )

    def _newest(self) -> reading.Opened:
        """The table at its newest version; opened again when there is another one.

        Listed before it is opened, so that what is committed between is seen by the next look.
        """
        folder = self._folder / "_versions"
        there = folder.stat().st_ino, frozenset(folder.iterdir())
        opened = self._opened
        if opened is None or opened.files != there:
            table = self._database().open_table(self._name)
            indexed = any("vector" in index.columns for index in table.list_indices())
            partitions = reading.partitions(table.count_rows()) if indexed else 0
            columns = frozenset(table.schema.names)
            opened = reading.Opened(there, table, Beside(self._folder), partitions, columns)
            self._opened = opened
        return opened

    @contextmanager
    def _writing(self) -> Iterator[Any]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(self.folder / "write.lock"):
            try:
                yield self._table()
            except (RuntimeError, OSError) as error:
                raise TargetFailed(
                    f"The embedded index could not be written ({type(error).__name__}).",
                    "Check that the disk has room and the folder is writable, then run again.",
                ) from None

    def _table(self) -> Any:
        database = self._database()
        wanted = schema(self.dimensions)
        if self._exists():
            table = database.open_table(self._name)
            for name in wanted.names:  # an older table lacks some, and its rows have nothing there
                if name not in table.schema.names:
                    table.add_columns(wanted.field(name))
            return table
        table = database.create_table(self._name, schema=wanted)
        _index_words(table)
        return table


def _inventory(table: Any) -> dict[str, Stored]:
    columns = ["id", "document_id", "position", "digest", "acl"]
    found: dict[str, tuple[str, tuple[str, ...], list[tuple[int, str]]]] = {}
    for row in table.search().select(columns).to_arrow().to_pylist():
        _, _, chunks = found.setdefault(row["document_id"], (row["digest"], tuple(row["acl"]), []))
        chunks.append((row["position"], row["id"]))
    return {
        document: Stored(digest, acl, tuple(chunk for _, chunk in sorted(chunks)))
        for document, (digest, acl, chunks) in found.items()
    }


def _prune(table: Any) -> None:
    """Remove all versions but the newest, and what killed writers left.

    Safe under the writers' lock: readers that lose their version open the next (`_reading`).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # warns of those readers
        table.optimize(cleanup_older_than=timedelta(0), delete_unverified=True)


def _index_words(table: Any) -> None:
    from lancedb.index import FTS

    table.create_index("words", config=FTS(), replace=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    import fcntl

    with path.open("a") as file:
        until = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise CorpusBusy(
                        "Another process is writing this index.",
                        "Wait until it has finished, then run again.",
                    ) from None
                time.sleep(0.05)
        yield


def _parts(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def _batches(documents: Sequence[IndexedDocument]) -> Iterator[list[IndexedDocument]]:
    """Whole documents, so that each is written in one commit."""
    batch: list[IndexedDocument] = []
    chunks = 0
    for document in documents:
        full = chunks + len(document.chunks) > _BATCH_CHUNKS or len(batch) >= _IDS_IN_FILTER
        if batch and full:
            yield batch
            batch, chunks = [], 0
        batch.append(document)
        chunks += len(document.chunks)
    if batch:
        yield batch
