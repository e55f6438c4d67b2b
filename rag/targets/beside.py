"""A table's passages laid beside it, so that a hundred scattered ones are read at once.

LanceDB needs 10 to 20 ms of a core to fetch the columns of a hundred rows, more than it needs to
find them. Here every data fragment has a file of Arrow's IPC format, uncompressed, which is mapped
into memory: rows are read from where they lie, and processes share what is in memory.

A row's address is its fragment's number in the upper 32 bits, and its place. An address never
stands for another row: a changed row is a new one, and numbers of fragments are not used again as
long as the table is there, in whose folder the files are. They are made and removed with what the
table drops (`rag.targets.embedded.EmbeddedIndex.compact`); who reads rows that have no file yet
fetches them from the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.records import Hit
from rag.targets.rows import COLUMNS, as_hits, vectors

if TYPE_CHECKING:
    import numpy
    import pyarrow as pa

_FOLDER = "_passages"
_ADDRESS = "_rowid"
_ROWS = 8192
"""Of one batch: some 20 MB."""
_KEPT = 1000
"""Hits that are kept as they were made, until there are so many."""


def lay(table: Any, folder: Path) -> None:
    """Make the files of a table's fragments, and remove those of fragments that are gone.

    Args:
        table: At its newest version; the caller alone writes.
        folder: The table's.
    """
    here = folder / _FOLDER
    here.mkdir(exist_ok=True)
    wanted = {_file(here, fragment): fragment for fragment in _fragments(table)}
    for path in here.iterdir():
        if path not in wanted:
            path.unlink()
    for path, fragment in wanted.items():
        if not path.exists():
            fresh = path.with_suffix(".new")
            _write(table, fragment, fresh)
            fresh.replace(path)


def _file(folder: Path, fragment: int) -> Path:
    return folder / f"{fragment}.arrow"


def _fragments(table: Any) -> list[int]:
    import numpy

    addresses = table.search().select(["position"]).with_row_id(True).to_arrow().column(_ADDRESS)
    return numpy.unique(addresses.to_numpy() >> 32).tolist()  # type: ignore[no-any-return]


def _write(table: Any, fragment: int, path: Path) -> None:
    import pyarrow as pa

    inside = f"_rowid >= {fragment << 32} AND _rowid < {(fragment + 1) << 32}"
    query = table.search().where(inside).select([*COLUMNS, "vector"]).with_row_id(True)
    writer = None
    with pa.OSFile(str(path), "wb") as file:
        for batch in query.to_batches(_ROWS):
            writer = writer or pa.ipc.new_file(file, batch.schema)
            writer.write_batch(batch)
        if writer:
            writer.close()


@dataclass(frozen=True, slots=True)
class _Batch:
    rows: pa.RecordBatch
    addresses: numpy.ndarray
    vectors: numpy.ndarray


class Beside:
    """The files beside one version of a table, as they are read.

    Args:
        folder: The table's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / _FOLDER
        self._opened: dict[int, list[_Batch]] = {}
        self._hits: dict[int, Hit] = {}

    def hits(self, addresses: Sequence[int]) -> dict[int, Hit]:
        """Return hits with their vectors and without scores, by address: those that lie here."""
        known = self._hits
        found = {address: known[address] for address in addresses if address in known}
        missing = [address for address in addresses if address not in found]
        for fragment, wanted in _by_fragment(missing):
            for batch in self._batches(fragment):
                found.update(_read(batch, wanted))
        if len(known) + len(missing) > _KEPT:
            self._hits = {}
        self._hits.update((one, found[one]) for one in missing if one in found)
        return found

    def _batches(self, fragment: int) -> list[_Batch]:
        if fragment not in self._opened:
            path = _file(self._folder, fragment)
            if not path.exists():
                return []
            self._opened[fragment] = list(_mapped(path))
        return self._opened[fragment]


def _mapped(path: Path) -> Iterator[_Batch]:
    import pyarrow as pa

    reader = pa.ipc.open_file(pa.memory_map(str(path)))
    for number in range(reader.num_record_batches):
        rows = reader.get_batch(number)
        addresses = rows.column(_ADDRESS).to_numpy()
        yield _Batch(
            rows.drop_columns([_ADDRESS, "vector"]),
            addresses,
            vectors(pa.table([rows.column("vector")], ["vector"])),
        )


def _by_fragment(addresses: Sequence[int]) -> Iterator[tuple[int, numpy.ndarray]]:
    import numpy

    given = numpy.asarray(addresses, numpy.uint64)
    for fragment in numpy.unique(given >> 32).tolist():
        yield fragment, given[given >> 32 == fragment]


def _read(batch: _Batch, wanted: numpy.ndarray) -> Iterator[tuple[int, Hit]]:
    """Yield those of the addresses that are in a batch, whose rows are in their order."""
    import numpy

    places = numpy.searchsorted(batch.addresses, wanted)
    places = places[places < len(batch.addresses)]
    places = numpy.unique(places[numpy.isin(batch.addresses[places], wanted)])
    if not len(places):
        return
    rows = batch.rows.take(places)
    own = [batch.vectors[place] for place in places.tolist()]
    yield from zip(batch.addresses[places].tolist(), as_hits(rows, own), strict=True)
