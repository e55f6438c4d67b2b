"""Whatever is changed in the audit is found, and where it is, in the database and in an export."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.audit import export
from rag.audit.removal import retain
from rag.ledger import Ledger, audit, checking
from rag.ledger.audit import Verified
from rag.ledger.tables import now
from rag.masked import fixed
from tests.audit.trails import STAFF, write_answer
from tests.conftest import Project

COLUMNS = {
    "audit": ("seq", "at", "kind", "body", "previous", "hash", "about"),
    "audit_texts": ("corpus", "hash", "salt", "text", "seq"),
}


@dataclass(frozen=True)
class Written:
    """An audit on disk: its database, its rows and its last hash."""

    path: Path
    rows: dict[str, list[dict[str, Any]]]
    head: str
    lines: list[str]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Questions, feedback, a search that somebody read about, and removed texts."""
    folder = tmp_path_factory.mktemp("audited")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLUICE_HOME", str(folder))
        project = Project(folder / "notes.yaml", folder / "source", folder)
        project.settings("audit: {retain_days: 1}")
        corpus = project.corpus
        context = corpus._context
        write_answer(context, fixed("Who repairs pumps?"), [fixed("The engineer does so.")] * 2)
        assert retain(context, now().replace(year=now().year + 1)) > 0
        texts = [fixed("Filters are changed in May."), fixed("Pumps are repaired.")]
        asked = write_answer(context, fixed("When are filters changed?"), texts)
        corpus.feedback(asked, "good", "so it is", principals=STAFF)
        corpus.explain(asked, principals=STAFF)
        with context.ledger.read() as db:
            verified = checking.check(db)
            assert (verified.records, verified.broken) == (5, None)
            assert verified.removed > 0
            lines = list(export.lines(db, "", with_texts=True))
        context.ledger.scrub()
        context.ledger.close()
    path = folder / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as db:
        for change in ("update", "delete"):  # an administrator can do that
            db.execute(f"DROP TRIGGER audit_no_{change}")
        db.commit()
        db.row_factory = sqlite3.Row
        rows = {
            table: [dict(row) for row in db.execute(f"SELECT * FROM {table} ORDER BY seq")]
            for table in COLUMNS
        }
    return Written(path, rows, verified.head, lines)


def after(written: Written, folder: Path, change: Callable[[sqlite3.Connection], None]) -> Verified:
    """What a check says of a copy that was changed."""
    copy = folder / "copy.sqlite"
    shutil.copyfile(written.path, copy)
    with closing(sqlite3.connect(copy)) as db:
        change(db)
        db.commit()
    with Ledger.open(f"sqlite:///{copy}") as ledger, ledger.read() as db:
        return checking.check(db, written.head)


def changed(value: object, data: st.DataObject) -> object:
    """A value with another byte, or another value where it has none."""
    if isinstance(value, int):
        return value + data.draw(st.sampled_from([-1, 1, 7]))
    text = str(value or "")
    if not text:
        return "x"
    place = data.draw(st.integers(0, len(text) - 1))
    byte = data.draw(
        st.characters(min_codepoint=32, max_codepoint=126, exclude_characters=text[place])
    )
    return text[:place] + byte + text[place + 1 :]


@given(data=st.data())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_byte_changed_in_any_field_is_found(
    written: Written, tmp_path: Path, data: st.DataObject
) -> None:
    table = data.draw(st.sampled_from(sorted(COLUMNS)))
    column = data.draw(st.sampled_from(COLUMNS[table]))
    row = data.draw(st.sampled_from(written.rows[table]))
    new = changed(row[column], data)
    keys = ("seq",) if table == "audit" else ("corpus", "hash")
    where = " AND ".join(f"{key} = ?" for key in keys)
    values = [row[key] for key in keys]
    if table == "audit" and column == "seq" and new in {one["seq"] for one in written.rows[table]}:
        return  # two records of one number cannot be

    def change(db: sqlite3.Connection) -> None:
        db.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", [new, *values])

    found = after(written, tmp_path, change)
    assert found.broken is not None
    if column != "seq":
        assert found.broken == row["seq"], found.reason


@given(data=st.data())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_rows_removed_inserted_reordered_or_cut_off_are_found(
    written: Written, tmp_path: Path, data: st.DataObject
) -> None:
    table = data.draw(st.sampled_from(sorted(COLUMNS)))
    how = data.draw(st.sampled_from(["removed", "doubled", "swapped", "cut off"]))
    rows = written.rows[table]
    one, other = data.draw(st.permutations(rows).map(lambda some: some[:2]))

    def change(db: sqlite3.Connection) -> None:
        if how == "removed":
            key = "seq" if table == "audit" else "hash"
            db.execute(f"DELETE FROM {table} WHERE {key} = ?", [one[key]])
        elif how == "doubled":
            copy = {**one, "seq": len(rows) + 1} if table == "audit" else {**one, "corpus": "b"}
            marks = ", ".join("?" * len(copy))
            db.execute(f"INSERT INTO {table} VALUES ({marks})", list(copy.values()))
        elif how == "cut off":
            db.execute(f"DELETE FROM {table} WHERE seq >= ?", [one["seq"]])
        else:
            swapped = "kind, body, at, previous, hash, about" if table == "audit" else "salt, text"
            marks = ", ".join("?" * len(swapped.split(", ")))
            for to, of in ((one, other), (other, one)):
                db.execute(
                    f"UPDATE {table} SET ({swapped}) = ({marks}) "
                    f"WHERE {'seq' if table == 'audit' else 'hash'} = ?",
                    [
                        *(of[name] for name in swapped.split(", ")),
                        to["seq" if table == "audit" else "hash"],
                    ],
                )

    found = after(written, tmp_path, change)
    assert found.broken is not None, how


@given(data=st.data())
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_an_export_is_checked_without_the_database(
    written: Written, tmp_path: Path, data: st.DataObject
) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_text("".join(written.lines))
    whole = export.check(path, written.head)
    assert (whole.broken, whole.records, whole.head) == (None, 5, written.head)
    lines = list(written.lines)
    place = data.draw(st.integers(1, len(lines) - 1))
    how = data.draw(st.sampled_from(["changed", "removed", "doubled", "swapped", "cut off"]))
    if how == "changed":
        inside = [at for at, one in enumerate(lines[place]) if one not in ' "{}:,\n']
        at = data.draw(st.sampled_from(inside))
        other = "y" if lines[place][at] == "x" else "x"
        lines[place] = f"{lines[place][:at]}{other}{lines[place][at + 1 :]}"
    elif how == "removed":
        del lines[place]
    elif how == "doubled":
        lines.insert(place, lines[place])
    elif how == "swapped":
        kind = next(iter(json.loads(lines[place])))
        if kind == "text":
            return  # their order says nothing
        lines[place], lines[place - 1] = lines[place - 1], lines[place]
        if place == 1:
            return  # the header must come first, or it is no export
    else:
        del lines[place:]
    path.write_text("".join(lines))
    assert export.check(path, written.head).broken is not None, how


def test_an_export_of_one_corpus_still_shows_the_whole_chain(
    written: Written, tmp_path: Path
) -> None:
    with Ledger.open(f"sqlite:///{written.path}") as ledger:
        with ledger.write() as db:
            audit.append(db, "reveal", {"corpus": "other", "purpose": "a claim"})
        try:
            done = export.write(ledger, tmp_path / "notes.jsonl", "notes")
        finally:
            with closing(sqlite3.connect(written.path)) as db:
                db.execute("DELETE FROM audit WHERE kind = 'reveal'")
                db.commit()
    said = (tmp_path / "notes.jsonl").read_text()
    assert "a claim" not in said
    assert "Filters" not in said
    assert export.check(tmp_path / "notes.jsonl", written.head).records == done.records == 6
