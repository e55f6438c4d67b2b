"""Find texts in everything that was written: in files, and in what is packed inside them.

    found = Scanner([Sought("Marta Kowalczyk")]).scan([home, temporary])

Every file's bytes are looked at, and again whatever can be unpacked from them: zstd and gzip
streams wherever they begin, members of zip files, cells of SQLite databases (with what still
stands in their journals), columns of Parquet files, all versions of Lance tables. File names
count as written.
"""

from __future__ import annotations

import io
import shutil
import sqlite3
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.leaks.needles import Matcher, Sought, needles, squeeze, squeezed

if TYPE_CHECKING:
    import pyarrow as pa

ZSTD, GZIP, ZIP = b"\x28\xb5\x2f\xfd", b"\x1f\x8b\x08", b"PK\x03\x04"
SQLITE, PARQUET = b"SQLite format 3\0", b"PAR1"
DEEPEST = 4
LARGEST = 2**26
"""Bytes that are unpacked of one stream."""
AROUND = 60
ROWS = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """A text where it must not be.

    Attributes:
        place: The file, and where in what was unpacked from it.
        around: What stands there, for whoever mends it.
    """

    text: str
    form: str
    place: str
    around: str

    def __str__(self) -> str:
        return f"{self.text!r} ({self.form}) in {self.place}: {self.around}"


class Scanner:
    """Looks for many texts at once; made once, used for many folders.

    Args:
        allowed: Texts in which something sought may stand.
    """

    def __init__(self, sought: Iterable[Sought], allowed: Iterable[str] = ()) -> None:
        wanted = list(sought)
        self._allowed = [text.encode() for text in allowed]
        self._plain = Matcher(needles(wanted))
        self._squeezed = Matcher(squeezed(wanted))
        self.bytes = 0
        self.files = 0

    def scan(self, places: Sequence[Path]) -> list[Found]:
        """Return what is found in files and, recursively, folders; each text once a place."""
        found: dict[tuple[str, str], Found] = {}
        for root in places:
            for place, data in _contents(root):
                self.files += 1
                for one in self.scan_bytes(place, data):
                    found.setdefault((one.text, one.place), one)
        return list(found.values())

    def scan_bytes(self, place: str, data: bytes) -> Iterator[Found]:
        """Yield what is found in bytes and in what is packed into them."""
        for inner, content in unpacked(place, data):
            self.bytes += len(content)
            yield from self._look(inner, content, self._plain)
            yield from self._look(inner, squeeze(content), self._squeezed)

    def _look(self, place: str, data: bytes, matcher: Matcher) -> Iterator[Found]:
        for at, needle in matcher.find(data):
            if self._may(data, at, len(needle.data)):
                continue
            around = data[max(0, at - AROUND) : at + len(needle.data) + AROUND]
            if needle.form == "utf-16":
                around = around.replace(b"\0", b"")
            shown = around.decode("utf-8", "replace")
            yield Found(needle.sought.text, needle.form, place, repr(shown))

    def _may(self, data: bytes, at: int, length: int) -> bool:
        """Whether these bytes lie within an allowed text."""
        return any(
            data.find(text, max(0, at + length - len(text)), at + len(text)) >= 0
            for text in self._allowed
        )


def _contents(root: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file below, what its library reads from it, and its name."""
    paths = [root] if root.is_file() else sorted(root.rglob("*"))
    for path in paths:
        place = str(path.relative_to(root)) if path != root else path.name
        yield f"name {place}", place.encode("utf-8", "surrogateescape")
        if path.is_symlink():
            yield f"link {place}", bytes(path.readlink())
        elif path.is_dir():
            if path.suffix == ".lance" and (path / "_versions").is_dir():
                yield from _lance(path, place)
        elif path.is_file():
            data = path.read_bytes()
            yield place, data
            if data.startswith(SQLITE):
                yield from _sqlite(path, place)


def unpacked(place: str, data: bytes, depth: int = 0) -> Iterator[tuple[str, bytes]]:
    """Yield bytes, then what is packed into them, however deep."""
    yield place, data
    if depth == DEEPEST:
        return
    for inner, content in _inside(place, data):
        yield from unpacked(inner, content, depth + 1)


def _inside(place: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    for at in _all(data, ZSTD):
        if content := _zstd(data, at):
            yield f"{place} > zstd at {at}", content
    for at in _all(data, GZIP):
        if content := _gzip(data, at):
            yield f"{place} > gzip at {at}", content
    if data.startswith(ZIP) and zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.infolist():
                with archive.open(member) as file:
                    yield f"{place} > {member.filename}", file.read(LARGEST)
    if data.startswith(PARQUET) and data.endswith(PARQUET):
        import pyarrow.parquet as parquet

        yield from _table(place, parquet.read_table(io.BytesIO(data)))


def _all(data: bytes, magic: bytes) -> Iterator[int]:
    at = data.find(magic)
    while at >= 0:
        yield at
        at = data.find(magic, at + 1)


def _zstd(data: bytes, at: int) -> bytes:
    """Return what a stream holds that begins here, as far as it can be read."""
    import zstandard

    try:
        reader = zstandard.ZstdDecompressor().stream_reader(memoryview(data)[at:])
        return bytes(reader.read(LARGEST))
    except zstandard.ZstdError:
        return b""


def _gzip(data: bytes, at: int) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(memoryview(data)[at:], LARGEST)
    except zlib.error:
        return b""


def _sqlite(path: Path, place: str) -> Iterator[tuple[str, bytes]]:
    """Yield a database's rows, of a copy with its journal, so that nothing is changed."""
    with tempfile.TemporaryDirectory() as folder:
        for each in path.parent.glob(f"{path.name}*"):
            shutil.copy(each, folder)
        with closing(sqlite3.connect(Path(folder) / path.name)) as db:
            db.text_factory = bytes
            names = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (name,) in names:
                table = name.decode()
                rows = db.execute(f'SELECT * FROM "{table}"')
                number = 0
                while some := rows.fetchmany(ROWS):
                    cells = b"\n".join(_cell(value) for row in some for value in row)
                    yield f"{place} > {table} from row {number}", cells
                    number += len(some)


def _cell(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _lance(path: Path, place: str) -> Iterator[tuple[str, bytes]]:
    """Yield every version of a table that can still be read."""
    import lancedb

    table: Any = lancedb.connect(path.parent).open_table(path.stem)
    for version in table.list_versions():
        table.checkout(version["version"])
        yield from _table(f"{place} > version {version['version']}", table.to_arrow())


def _table(place: str, table: pa.Table) -> Iterator[tuple[str, bytes]]:
    yield f"{place} > schema", str(table.schema).encode()
    for name, column in zip(table.column_names, table.columns, strict=True):
        if _numbers(column.type):
            continue
        cells = b"\n".join(_flat(value) for value in column.to_pylist())
        yield f"{place} > {name}", cells


def _numbers(kind: pa.DataType) -> bool:
    """Whether a column holds vectors: they are looked at as bytes only."""
    import pyarrow as pa

    return bool(pa.types.is_fixed_size_list(kind) and pa.types.is_floating(kind.value_type))


def _flat(value: object) -> bytes:
    if isinstance(value, list):
        return b"\n".join(map(_flat, value))
    if isinstance(value, dict):
        return b"\n".join(map(_flat, value.values()))
    return _cell(value)
