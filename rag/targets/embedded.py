"""The embedded target: a LanceDB table in a folder, for one machine and no server.

One table a corpus, one row a passage. Every write is one commit, so that a reader (each search
opens the newest version once and uses it for both legs) sees a document before or after, never
between, and a killed writer leaves what was. Writers take turns by a lock on the folder.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rag.errors import CorpusBusy, TargetFailed
from rag.records import Chunk, Hit, IndexedDocument, Masked, Principal
from rag.retrieve.query import Query, Where
from rag.targets import Contents, Stored

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")

_BATCH_CHUNKS = 20_000  # rows in one commit: some 60 MB of text and vectors
_IDS_IN_FILTER = 5_000
_ATTEMPTS = 5
_LOCK_SECONDS = 60.0
_COLUMNS = (
    *("id", "document_id", "position", "document", "title", "acl", "heading", "text"),
    *("tokens", "page", "section", "html", "kind"),
)
_PSEUDONYM = re.compile(r"\b([A-Z][A-Z_]*)_([0-9a-f]{6,32})\b")


def searchable(text: str) -> str:
    """`text` as it is indexed and asked for: a pseudonym becomes one word.

    The tokenizer would cut ``PERSON_ab12cd34`` at the underscore and match every person. The
    digit at the end keeps the stemmer off.
    """
    return _PSEUDONYM.sub(lambda m: f"{m[1].replace('_', '')}{m[2]}0", text)


class EmbeddedIndex:
    """A `rag.targets.Target` in a folder.

    Args:
        folder: The corpus's own; made at the first write.
        dimensions: Of the embeddings. An index of other dimensions in the same folder is left
            alone until `compact`, then dropped.
        scalar_from: Rows from which rights and document ids get an index of their own.
        vector_from: Rows from which vector search is approximate. Below it is exact.
    """

    def __init__(
        self,
        folder: Path,
        dimensions: int,
        *,
        scalar_from: int = 20_000,
        vector_from: int = 100_000,
    ) -> None:
        self.folder = folder
        self.dimensions = dimensions
        self._name = f"chunks_{dimensions}"
        self._scalar_from = scalar_from
        self._vector_from = vector_from
        self._connection: Any = None

    # Writing

    def apply(self, upserts: Sequence[IndexedDocument], deletes: Sequence[str]) -> None:
        """See `rag.targets.Target.apply`; one commit for up to 20,000 passages."""
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
            for part in _parts(gone, _IDS_IN_FILTER):
                table.delete(_among("document_id", part))
            for batch in _batches([document for document in upserts if document.chunks]):
                touched = [document.id for document in batch]
                (
                    table.merge_insert("id")
                    .when_matched_update_all()
                    .when_not_matched_insert_all()
                    .when_not_matched_by_source_delete(_among("document_id", touched))
                    .execute(_rows(batch, self.dimensions))
                )

    def set_acl(
        self,
        acls: Mapping[str, tuple[Principal, ...]],
        digests: Mapping[str, str] | None = None,
    ) -> None:
        """See `rag.targets.Target.set_acl`; one commit for up to 5,000 documents."""
        with self._writing() as table:
            for part in _parts(sorted(acls), _IDS_IN_FILTER):
                rows = table.search().where(_among("document_id", part)).to_arrow()
                owners = rows.column("document_id").to_pylist()
                new = [list(acls[owner]) for owner in owners]
                rows = _replace(rows, "acl", new)
                if digests is not None:
                    old = rows.column("digest").to_pylist()
                    given = [digests.get(o, d) for o, d in zip(owners, old, strict=True)]
                    rows = _replace(rows, "digest", given)
                if rows.num_rows:
                    table.merge_insert("id").when_matched_update_all().execute(rows)

    def compact(self) -> None:
        """See `rag.targets.Target.compact`."""
        with self._writing() as table:
            database = self._database()
            for name in database.list_tables().tables:
                if name != self._name:
                    database.drop_table(name)
            table.optimize()

    # Reading

    def inventory(self) -> Mapping[str, Stored]:
        """See `rag.targets.Target.inventory`."""

        def read(table: Any) -> dict[str, Stored]:
            columns = ["id", "document_id", "position", "digest", "acl"]
            found: dict[str, tuple[str, tuple[str, ...], list[tuple[int, str]]]] = {}
            for row in table.search().select(columns).to_arrow().to_pylist():
                _, _, chunks = found.setdefault(
                    row["document_id"], (row["digest"], tuple(row["acl"]), [])
                )
                chunks.append((row["position"], row["id"]))
            return {
                document: Stored(digest, acl, tuple(chunk for _, chunk in sorted(chunks)))
                for document, (digest, acl, chunks) in found.items()
            }

        return self._reading(read, {})

    def legs(self, query: Query, depth: int) -> Mapping[str, list[Hit]]:
        """See `rag.targets.Target.legs`."""
        principals = sorted(set(query.principals))
        if not principals or depth < 1:
            return {}
        allowed = f"array_has_any(acl, [{', '.join(_quoted(p) for p in principals)}])"
        condition = " AND ".join([allowed, *_conditions(query.where)])

        def read(table: Any) -> dict[str, list[Hit]]:
            from lancedb.query import MatchQuery

            found: dict[str, list[Hit]] = {}
            if query.vector is not None:
                rows = (
                    table.search(query.vector, vector_column_name="vector", query_type="vector")
                    .distance_type("dot")
                    .where(condition, prefilter=True)
                    .select([*_COLUMNS, "_distance"])
                    .limit(depth)
                    .to_arrow()
                )
                found["vector"] = [_hit(r, 1.0 - r["_distance"]) for r in rows.to_pylist()]
            if query.text.strip():
                rows = (
                    table.search(MatchQuery(searchable(query.text), "words"), query_type="fts")
                    .where(condition, prefilter=True)
                    .select([*_COLUMNS, "_score"])
                    .limit(depth)
                    .to_arrow()
                )
                found["text"] = [_hit(r, r["_score"]) for r in rows.to_pylist()]
            return found

        return self._reading(read, {})

    def stats(self) -> Contents:
        """See `rag.targets.Contents`."""

        def read(table: Any) -> Contents:
            owners = table.search().select(["document_id"]).to_arrow().column("document_id")
            size = sum(p.stat().st_size for p in self.folder.rglob("*") if p.is_file())
            return Contents(len(owners.unique()), len(owners), size)

        return self._reading(read, Contents(0, 0, 0))

    # The table

    def _database(self) -> Any:
        if self._connection is None:
            import lancedb

            # No consistency interval: an opened table stays at the version it was opened at.
            self._connection = lancedb.connect(self.folder)
        return self._connection

    def _exists(self) -> bool:
        return (self.folder / f"{self._name}.lance" / "_versions").is_dir()

    def _reading(self, read: Callable[[Any], T], empty: T) -> T:
        """`read` on one version of the table; again on a newer one when that was cleaned up."""
        failure = ""
        for attempt in range(_ATTEMPTS):
            if not self._exists():
                return empty
            try:
                return read(self._database().open_table(self._name))
            except (RuntimeError, ValueError, OSError) as error:
                failure = type(error).__name__
                time.sleep(0.02 * 2**attempt)
        raise TargetFailed(
            f"The embedded index could not be read ({failure}).",
            "Check the disk; `sluice sync --full-refresh` builds the index anew.",
        )

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
        if self._exists():
            return database.open_table(self._name)
        table = database.create_table(self._name, schema=_schema(self.dimensions))
        _index_words(table)
        return table


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


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _among(column: str, values: Sequence[str]) -> str:
    return f"{column} IN ({', '.join(_quoted(value) for value in values)})"


def _conditions(where: Where) -> Iterator[str]:
    for column, values in (
        ("document_id", where.documents),
        ("document", where.names),
        ("media_type", where.media_types),
        ("kind", where.kinds),
    ):
        if values:
            yield _among(column, values)


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


def _schema(dimensions: int) -> pa.Schema:
    import pyarrow as pa

    text = pa.string()
    return pa.schema(
        {
            "id": text,
            "document_id": text,
            "digest": text,
            "position": pa.int32(),
            "document": text,
            "title": text,
            "media_type": text,
            "acl": pa.list_(text),
            "heading": text,
            "text": text,
            "words": text,
            "tokens": pa.int32(),
            "page": pa.int32(),
            "section": pa.list_(text),
            "html": text,
            "kind": text,
            "vector": pa.list_(pa.float32(), dimensions),
        }
    )


def _rows(documents: Sequence[IndexedDocument], dimensions: int) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    pairs = [(document, chunk) for document in documents for chunk in document.chunks]
    vectors = np.concatenate([np.asarray(d.vectors, np.float32) for d in documents])
    columns: dict[str, Any] = {
        "id": [c.id for _, c in pairs],
        "document_id": [d.id for d, _ in pairs],
        "digest": [d.digest for d, _ in pairs],
        "position": [c.position for _, c in pairs],
        "document": [d.name for d, _ in pairs],
        "title": [d.title for d, _ in pairs],
        "media_type": [d.media_type for d, _ in pairs],
        "acl": [list(d.acl) for d, _ in pairs],
        "heading": [c.heading for _, c in pairs],
        "text": [c.text for _, c in pairs],
        "words": [searchable(c.embedded_text) for _, c in pairs],
        "tokens": [c.tokens for _, c in pairs],
        "page": [c.page for _, c in pairs],
        "section": [list(c.section) for _, c in pairs],
        "html": [c.html for _, c in pairs],
        "kind": [c.kind for _, c in pairs],
        "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), dimensions),
    }
    return pa.table(columns, schema=_schema(dimensions))


def _replace(rows: pa.Table, column: str, values: Sequence[object]) -> pa.Table:
    import pyarrow as pa

    field = rows.schema.field(column)
    place = rows.schema.get_field_index(column)
    return rows.set_column(place, field, pa.array(values, field.type))


def _hit(row: Mapping[str, Any], score: float) -> Hit:
    return Hit(
        chunk=Chunk(
            id=row["id"],
            document_id=row["document_id"],
            position=row["position"],
            heading=Masked(row["heading"]),
            text=Masked(row["text"]),
            tokens=row["tokens"],
            page=row["page"],
            section=tuple(Masked(part) for part in row["section"]),
            html=Masked(row["html"]),
            kind=row["kind"],
        ),
        document=Masked(row["document"]),
        score=float(score),
        title=Masked(row["title"]),
        acl=tuple(row["acl"]),
    )
