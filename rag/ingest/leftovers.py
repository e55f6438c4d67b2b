"""Look for words in everything that was written: in files, and in what is packed inside them.

The last step of an erasure. Looked at are the bytes of every file (journals and data files of
older versions too), and what its format packs: compressed artifacts, the rows of SQLite tables,
every version of a Lance table.
"""

from __future__ import annotations

import base64
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMS = ("plain", "as one word", "utf-16", "base64", "percent-encoded")
WINDOW, OVERLAP = 2**22, 2**10
ROWS = 1000
SQLITE = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What a scan has seen.

    Attributes:
        places: Where a word stands, at most a hundred.
    """

    files: int
    bytes: int
    places: tuple[str, ...] = ()


def scan(words: Sequence[str], roots: Iterable[Path], skip: Sequence[Path] = ()) -> Leftovers:
    """Look for words, ASCII, in all files below some folders."""
    needles = pattern(words)
    files = size = 0
    places: list[str] = []
    for root in roots:
        for path in sorted(root.rglob("*")):
            if any(path.is_relative_to(one) for one in skip):
                continue
            if needles.search(path.name.encode("utf-8", "surrogateescape")):
                places.append(f"{path.name} (a name)")
            if path.is_dir():
                if path.suffix == ".lance" and (path / "_versions").is_dir():
                    places += _found(needles, path, _lance(path))
                continue
            if not path.is_file():
                continue
            files += 1
            size += path.stat().st_size
            places += _found(needles, path, _windows(path))
            places += _found(needles, path, _inside(path))
    return Leftovers(files, size, tuple(dict.fromkeys(places))[:100])


def pattern(words: Sequence[str]) -> re.Pattern[bytes]:
    """Return what finds the words in any of `FORMS`."""
    forms: set[bytes] = set()
    for word in words:
        plain = word.encode()
        one_word = word.replace("_", "").encode()  # as it stands in a full-text index
        forms |= {plain, one_word, one_word.lower()}
        forms |= {word.encode("utf-16-le"), word.encode("utf-16-be")}
        forms |= {b"".join(b"%%%02X" % byte for byte in plain)}
        for lead in range(3):
            encoded = base64.b64encode(b"\0" * lead + plain)
            # Only the letters that depend on the word alone: six bits each.
            forms.add(encoded[-(-lead * 4 // 3) : (lead + len(plain)) * 4 // 3])
    return re.compile(b"|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)))


def _found(needles: re.Pattern[bytes], path: Path, parts: Iterable[bytes]) -> Iterator[str]:
    if any(needles.search(part) for part in parts):
        yield path.name


def _windows(path: Path) -> Iterator[bytes]:
    before = b""
    with path.open("rb") as file:
        while part := file.read(WINDOW):
            yield before + part
            before = part[-OVERLAP:]


def _inside(path: Path) -> Iterator[bytes]:
    if path.suffix == ".zst":
        yield _unpacked(path.read_bytes())
        return
    with path.open("rb") as file:
        if file.read(len(SQLITE)) != SQLITE:
            return
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        db.text_factory = bytes
        tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in tables:
            quoted = name.decode().replace('"', '""')
            rows = db.execute(f'SELECT * FROM "{quoted}"')  # noqa: S608 (a table's own name)
            while some := rows.fetchmany(ROWS):
                yield b"\n".join(_cell(value) for row in some for value in row)


def _unpacked(data: bytes) -> bytes:
    import zstandard

    try:
        return zstandard.decompress(data)
    except zstandard.ZstdError:
        return b""


def _cell(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")


def _lance(path: Path) -> Iterator[bytes]:
    import lancedb

    table: Any = lancedb.connect(path.parent).open_table(path.stem)
    for version in table.list_versions():
        table.checkout(version["version"])
        columns = [name for name in table.schema.names if name != "vector"]
        for batch in table.search().select(columns).to_batches():
            for column in batch.columns:
                yield b"\n".join(str(value).encode() for value in column.to_pylist())
