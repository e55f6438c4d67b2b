"""A table's passages laid beside it, so that a hundred scattered ones are read at once.

LanceDB needs 10 to 20 ms of a core to fetch the columns of a hundred rows, more than it needs to
find them. Here every data fragment has a file of Arrow's IPC format, uncompressed, which is mapped
into memory: rows are read from where they lie, and processes share what is in memory. Of most
passages a search wants no more than who they are, who may read them, and their vector: the rest is
one text (`rag.targets.rows.written`), which is read when it is wanted, in a third of the time that
its columns would take one by one.

A row's address is its fragment's number in the upper 32 bits, and its place. An address never
stands for another row: a changed row is a new one, and numbers of fragments are not used again as
long as the table is there, in whose folder the files are. They are made and removed with what the
table drops (`rag.targets.embedded.EmbeddedIndex.compact`); who reads rows that have no file yet
fetches them from the table.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.records import Hit, Principal
from rag.retrieve.candidates import Candidate
from rag.targets.rows import COLUMNS, read, vectors, written

if TYPE_CHECKING:
    import numpy
    import pyarrow as pa

_FOLDER = "_passages"
_LAYOUT = 4
"""Of these files, and in their names: those of another layout are made anew."""
_ADDRESS = "_rowid"
_COLUMNS = (_ADDRESS, "id", "acl", "modified", "passage", "vector")
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


def laid(folder: Path) -> bool:
    """Return whether the files beside a table are of this layout, as far as there are any."""
    here = folder / _FOLDER
    return not here.exists() or all(path.match(f"*-{_LAYOUT}.arrow") for path in here.iterdir())


def _file(folder: Path, fragment: int) -> Path:
    return folder / f"{fragment}-{_LAYOUT}.arrow"


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
        for rows in query.to_batches(_ROWS):
            acl = pa.array([json.dumps(one) for one in rows.column("acl").to_pylist()])
            own = [rows.column(_ADDRESS), rows.column("id"), acl, rows.column("modified")]
            told = [pa.array(written(rows)), rows.column("vector")]
            batch = pa.record_batch([*own, *told], _COLUMNS)
            writer = writer or pa.ipc.new_file(file, batch.schema)
            writer.write_batch(batch)
        if writer:
            writer.close()


@dataclass(frozen=True, slots=True)
class _Fragment:
    """A file, mapped.

    Attributes:
        addresses: Of all of its rows, ascending.
        starts: Place of each batch's first row.
        ids, acls, days, passages, vectors: Of each batch.
    """

    addresses: numpy.ndarray
    starts: numpy.ndarray
    ids: Sequence[pa.Array]
    acls: Sequence[pa.Array]
    days: Sequence[pa.Array]
    passages: Sequence[pa.Array]
    vectors: Sequence[numpy.ndarray]


_Place = tuple[_Fragment, int, int]
"""Where a row is: its file, its batch, its place there."""


class Beside:
    """The files beside one version of a table, as they are read.

    Args:
        folder: The table's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / _FOLDER
        self._opened: dict[int, _Fragment | None] = {}
        self._hits: dict[int, Hit] = {}

    def vectors(self, addresses: Sequence[int]) -> dict[int, numpy.ndarray]:
        """Return the vectors of the rows that lie here, (dimensions,), by address."""
        return {
            address: fragment.vectors[batch][row]
            for address, (fragment, batch, row) in self._places(addresses)
        }

    def candidates(self, addresses: Sequence[int], *, vectors: bool) -> dict[int, Candidate]:
        """Return candidates without scores, by address: those that lie here.

        Args:
            vectors: Whether they bring theirs.
        """
        return {
            address: Candidate(
                fragment.ids[batch][row].as_py(),
                _principals(fragment.acls[batch][row].as_py()),
                fragment.vectors[batch][row] if vectors else None,
                modified=fragment.days[batch][row].as_py(),
                place=partial(self._read, address, fragment.passages[batch], row),
            )
            for address, (fragment, batch, row) in self._places(addresses)
        }

    def _read(self, address: int, passages: pa.Array, row: int) -> Hit:
        hit = self._hits.get(address)
        if hit is None:
            hit = read(passages[row].as_py())
            if len(self._hits) >= _KEPT:
                self._hits = {}
            self._hits[address] = hit
        return hit

    def _places(self, addresses: Sequence[int]) -> Iterator[tuple[int, _Place]]:
        import numpy

        given = numpy.asarray(addresses, numpy.uint64)
        for number in numpy.unique(given >> 32).tolist():
            fragment = self._fragment(number)
            if fragment is None:
                continue
            wanted = given[given >> 32 == number]
            places = numpy.searchsorted(fragment.addresses, wanted)
            places[places == len(fragment.addresses)] = 0
            there = fragment.addresses[places] == wanted
            places = places[there]
            batches = numpy.searchsorted(fragment.starts, places, side="right") - 1
            rows = places - fragment.starts[batches]
            each = zip(wanted[there].tolist(), batches.tolist(), rows.tolist(), strict=True)
            for address, batch, row in each:
                yield address, (fragment, batch, row)

    def _fragment(self, number: int) -> _Fragment | None:
        if number not in self._opened:
            path = _file(self._folder, number)
            self._opened[number] = _mapped(path) if path.exists() else None
        return self._opened[number]


@lru_cache(maxsize=4096)
def _principals(text: str) -> tuple[Principal, ...]:
    return tuple(json.loads(text))


def _mapped(path: Path) -> _Fragment:
    import numpy
    import pyarrow as pa

    reader = pa.ipc.open_file(pa.memory_map(str(path)))
    batches = [reader.get_batch(number) for number in range(reader.num_record_batches)]
    sizes = [0, *(batch.num_rows for batch in batches)]
    ids, acls, days, passages = (
        [batch.column(name) for batch in batches] for name in _COLUMNS[1:-1]
    )
    return _Fragment(
        numpy.concatenate([batch.column(_ADDRESS).to_numpy() for batch in batches]),
        numpy.cumsum(sizes)[:-1],
        ids,
        acls,
        days,
        passages,
        [vectors(pa.table([batch.column("vector")], ["vector"])) for batch in batches],
    )
