"""What a run, its failures, questions and commands write: no identifier of the source."""

from __future__ import annotations

import io
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet
import pytest
import zstandard

from samples.airflow_home import ROOT
from tests.dags.airflow import Runner
from tests.leaks.canary import PASSPORT, Source, plant
from tests.leaks.needles import Sought
from tests.leaks.scan import Scanner


@pytest.fixture(scope="module")
def canary(tested: Runner) -> tuple[Runner, Source, dict[str, int]]:
    """A source of identifiers after two runs of its DAG, after questions and commands."""
    rig = tested.rig
    source = plant(rig.state / "documents" / "canary")
    _, state = tested.run("sluice_canary")
    assert state == "success"
    waiting = dict(rig.ledger("select code, count(*) from quarantine where corpus='canary' "
                              "group by code"))  # fmt: skip
    corpus = str(rig.state / "corpora" / "canary.yaml")
    wrong = rig.state / "corpora-wrong.yaml"
    wrong.write_text("corpus: wrong\nsource: {url: documents, acl: 7}\nchunk: large\n")
    commands = [
        [*one, *how]
        for one in (["status", corpus], ["quarantine", corpus], ["sync", corpus], ["audit"],
                    ["sync", str(wrong)])
        for how in ([], ["--json"])
    ]  # fmt: skip
    people = [one for one in source.planted if one.kind == "person"]
    others = [one for one in source.planted if one.kind != "person"]
    for number, one in enumerate([*people[::16], *others[::24]]):
        asked = "ask" if number % 2 else "search"
        question = f"What is known of {one.value}?" if one.kind == "person" else one.sentence
        how = ["--json"] if number % 4 < 2 else []
        commands.append([asked, corpus, question, "--as", "group:staff", *how])
    commands.append(["ask", corpus, f"Whose passport is {PASSPORT}?", "--as", "group:staff"])
    commands.append(["search", corpus, f"passport {PASSPORT}", "--as", "group:nobody"])
    with (rig.state / "commands.out").open("wb") as out:
        said = subprocess.run(
            [sys.executable, "-m", "tests.leaks.commands"],
            env=rig.env, cwd=ROOT, input="\n".join(map(json.dumps, commands)).encode(),
            stdout=out, stderr=out, check=True,
        )  # fmt: skip
    assert said.returncode == 0
    for path in (source.root / "records").rglob("*.*"):
        path.unlink()
    _, state = tested.run("sluice_canary")
    assert state == "failed", "more would be deleted than is allowed"
    return tested, source, waiting


def written(tested: Runner) -> list[Path]:
    """All that processes of this rig wrote: homes, temporary files, logs and output."""
    given = {"documents", "corpora", "corpora-wrong.yaml", "airflow", "airflow.cfg"}
    everything = [*tested.rig.state.iterdir(), *(tested.rig.state / "airflow").iterdir()]
    return [one for one in everything if one.name not in given]


def test_more_than_300_identifiers_are_planted_and_read(
    canary: tuple[Runner, Source, dict[str, int]],
) -> None:
    tested, source, waiting = canary
    assert len(source.planted) > 300
    assert len(source.missed) <= 0.03 * len(source.planted), source.missed
    assert waiting == {"corrupt": 3, "encrypted": 1, "empty": 1, "blocked_by_policy": 1}
    indexed = tested.rig.index("canary").values()
    text = "\n".join(" ".join((row[4], row[5])) for row in indexed)
    assert text.count("PERSON_") > 150
    assert len({row[4] for row in indexed}) > 35, "each document and attachment is there"


def test_nothing_that_was_written_holds_an_identifier(
    canary: tuple[Runner, Source, dict[str, int]],
) -> None:
    tested, source, _ = canary
    places = written(tested)
    names = {one.name for one in places}
    assert {"airflow.db", "sluice", "dag-runs.log", "commands.out", "temporary", "user"} <= names
    assert "PERSON_" in (tested.rig.state / "commands.out").read_text()
    found = source.scanner().scan(places)
    missed = {one.text for one in found}
    assert not found, f"{len(missed)}:\n" + "\n".join(sorted(map(str, found))[:200])


def _sqlite(text: str, folder: Path) -> None:
    db = sqlite3.connect(folder / "pages.sqlite", isolation_level=None)
    db.execute("PRAGMA secure_delete = OFF")
    db.execute("CREATE TABLE notes (said TEXT)")
    db.executemany("INSERT INTO notes VALUES (?)", [(line,) for line in text.split("\n")])
    db.execute("DELETE FROM notes")
    db.close()


def _parquet(text: str) -> bytes:
    out = io.BytesIO()
    pa.parquet.write_table(pa.table({"text": text.split("\n")}), out, compression="zstd")
    return out.getvalue()


FORMS: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "utf-16": lambda text: text.encode("utf-16"),
    "base64": lambda text: __import__("base64").b64encode(text.encode()),
    "percent": lambda text: quote(text).encode(),
    "json": lambda text: json.dumps(text).encode(),
    "gzip": lambda text: __import__("gzip").compress(text.encode()),
    "zstd": lambda text: zstandard.compress(text.encode()),
    "parquet": _parquet,
}


def test_the_scan_finds_every_planted_identifier_in_every_form(tmp_path: Path) -> None:
    from tests.leaks.identifiers import identifiers

    every = [one for share in identifiers() for one in share]
    text = "\n".join(one.sentence for one in every)
    for form, encode in FORMS.items():
        (tmp_path / form).mkdir()
        (tmp_path / form / "file").write_bytes(encode(text))
    (tmp_path / "sqlite").mkdir()
    _sqlite(text, tmp_path / "sqlite")
    found = Scanner([Sought(one.value) for one in every]).scan([tmp_path])
    for form in (*FORMS, "sqlite"):
        seen = {one.text for one in found if one.place.startswith(f"{form}/")}
        assert seen == {one.value for one in every}, form
