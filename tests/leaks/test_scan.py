"""The scanner finds what it must find, wherever it is packed, and nothing else."""

from __future__ import annotations

import base64
import gzip
import io
import json
import logging
import sqlite3
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import lancedb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
import zstandard

from tests.leaks.needles import Sought
from tests.leaks.scan import Scanner

NAME = "Łucja Krüger-Muñoz"
CARD = "4111 1111 1111 1111"
WORD = "Krüger"
SCANNER = Scanner([Sought(NAME), Sought(CARD), Sought(WORD, word=True)])
NOISE = b" The pump in room 7 is checked by the night shift. " * 400


def text(said: str) -> bytes:
    return NOISE + said.encode() + NOISE


def parquet_of(said: str) -> bytes:
    column = ["nobody"] * 3000 + [f"letter to {said}", "nobody"]
    table = pa.table({"text": column, "number": np.arange(len(column))})
    out = io.BytesIO()
    parquet.write_table(table, out, compression="zstd")
    return out.getvalue()


def zip_of(said: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.xml", text(said))
    return out.getvalue()


FILES: dict[str, Callable[[str], bytes]] = {
    "text": text,
    "upper": lambda said: text(said.upper()),
    "lower": lambda said: text(said.lower()),
    "decomposed": lambda said: text(unicodedata.normalize("NFD", said)),
    "composed": lambda said: text(unicodedata.normalize("NFC", said)),
    "utf-16 little": lambda said: NOISE + said.encode("utf-16-le"),
    "utf-16 big": lambda said: NOISE + b"x" + said.encode("utf-16-be"),
    "base64 at 0": lambda said: base64.b64encode(f"|||{said} and more".encode()),
    "base64 at 1": lambda said: base64.b64encode(f"||||{said} and more".encode()),
    "base64 at 2": lambda said: base64.b64encode(f"|||||{said} and more".encode()),
    "base64 for addresses": lambda said: base64.urlsafe_b64encode(f"??>>{said} more".encode()),
    "percent": lambda said: text(quote(said)),
    "percent, small letters": lambda said: text(quote(said.lower()).lower()),
    "query": lambda said: text(quote(said).replace("%20", "+")),
    "json": lambda said: json.dumps({"name": said}).encode(),
    "python": lambda said: repr(said.encode()).encode(),
    "html": lambda said: said.encode("ascii", "xmlcharrefreplace"),
    "over two lines": lambda said: text(said.replace(" ", "\n   ")),
    "zstd": lambda said: zstandard.compress(text(said), 3),
    "zstd inside": lambda said: NOISE + zstandard.compress(text(said), 3) + NOISE,
    "gzip": lambda said: gzip.compress(text(said)),
    "gzip in zstd": lambda said: zstandard.compress(gzip.compress(text(said))),
    "zip": zip_of,
    "parquet": parquet_of,
    "parquet in zstd": lambda said: zstandard.compress(parquet_of(said)),
}


@pytest.mark.parametrize("said", [NAME, CARD])
@pytest.mark.parametrize("kind", FILES)
def test_what_is_planted_in_a_file_is_found(kind: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "file.bin").write_bytes(FILES[kind](said))
    assert said in {one.text for one in SCANNER.scan([tmp_path])}


@pytest.mark.parametrize("kind", FILES)
def test_nothing_is_found_where_nothing_is(kind: str, tmp_path: Path) -> None:
    (tmp_path / "file.bin").write_bytes(FILES[kind]("Łucja Küger-Muñoz 4111 1111 2222 1111"))
    assert SCANNER.scan([tmp_path]) == []


def test_a_word_counts_only_by_itself(tmp_path: Path) -> None:
    (tmp_path / "coins.txt").write_text("Krügerrand, Altkrüger", encoding="utf-8")
    (tmp_path / "coins-16.txt").write_text("Krügerrand, Altkrüger", encoding="utf-16")
    assert SCANNER.scan([tmp_path]) == []
    (tmp_path / "coins.txt").write_text("frau_krüger@", encoding="utf-8")
    (tmp_path / "coins-16.txt").write_text("›KRÜGER’s", encoding="utf-16")
    assert len(SCANNER.scan([tmp_path])) == 2


def test_latin_letters_of_one_byte_are_found(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_bytes("An Frau Krüger".encode("latin-1"))
    assert [one.form for one in SCANNER.scan([tmp_path])] == ["latin-1"]


def test_file_names_and_links_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "Krüger.txt").write_bytes(b"")
    (tmp_path / "link").symlink_to("Krüger.txt")
    assert {one.place for one in SCANNER.scan([tmp_path])} == {"name Krüger.txt", "link link"}


def test_a_cell_of_a_database_is_found_also_when_only_its_journal_has_it(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "state.sqlite", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE notes (said TEXT, packed BLOB)")
    db.execute("INSERT INTO notes VALUES (?, ?)", ("x" * 5000, zstandard.compress(text(NAME))))
    found = SCANNER.scan([tmp_path])
    db.close()
    assert {NAME, WORD} == {one.text for one in found}
    assert any("notes from row 0 > zstd" in one.place for one in found)


def test_a_deleted_row_of_a_database_is_found_in_its_pages(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "state.sqlite", isolation_level=None)
    db.execute("PRAGMA secure_delete = OFF")
    db.execute("CREATE TABLE notes (said TEXT)")
    db.execute("INSERT INTO notes VALUES (?)", (f"letter to {NAME} of May",))
    db.execute("DELETE FROM notes")
    db.close()
    assert NAME in {one.text for one in SCANNER.scan([tmp_path])}


def test_every_version_of_a_lance_table_is_read(tmp_path: Path) -> None:
    database = lancedb.connect(tmp_path)
    rows = [{"text": f"passage {n}", "names": ["nobody"]} for n in range(500)]
    table = database.create_table("chunks", [*rows, {"text": "letter", "names": [NAME]}])
    table.delete("text = 'letter'")
    found = SCANNER.scan([tmp_path])
    assert NAME in {one.text for one in found if "version 1 > names" in one.place}
    assert not [one for one in found if "version 2" in one.place]


def test_a_line_of_a_log_is_found(tmp_path: Path) -> None:
    handler = logging.FileHandler(tmp_path / "run.log", encoding="utf-8")
    logger = logging.Logger("of this test")
    logger.addHandler(handler)
    try:
        raise ValueError(f"cannot read {NAME!r}")
    except ValueError:
        logger.exception("failed")
    handler.close()
    assert NAME in {one.text for one in SCANNER.scan([tmp_path])}


def test_an_allowed_text_does_not_hide_others(tmp_path: Path) -> None:
    scanner = Scanner([Sought(WORD, word=True)], allowed=["user:m.krüger"])
    (tmp_path / "rights").write_text("user:m.krüger", encoding="utf-8")
    assert scanner.scan([tmp_path]) == []
    (tmp_path / "rights").write_text("user:m.krüger m.krüger", encoding="utf-8")
    assert len(scanner.scan([tmp_path])) == 1
