"""No identifier of the handbook is in anything that was written, printed or answered."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.handbook import EVERYBODY, SAMPLES, Disturbed, Handbook
from tests.leaks.planted import IDENTIFIERS, PERSONS, PLANTED, WORDS, scanner
from tests.leaks.scan import Found, Scanner

QUESTIONS = (
    "What did {} decide?",
    "When does {} return to the clinic?",
    "Which telephone number and address does {} have?",
)
NAMED = sorted(
    {
        one["text"]
        for one in PLANTED
        if one["entity"] == "PERSON" and one["where"] not in ("filename", "attachment_name")
    }
)


@pytest.fixture(scope="module")
def looking() -> Scanner:
    return scanner()


def shown(found: Sequence[Found]) -> str:
    return "\n" + "\n".join(sorted(map(str, found)))


@pytest.fixture(scope="module")
def asked(handbook: Handbook) -> list[dict[str, Any]]:
    """What somebody who may read everything gets for each identifier, and for each person."""
    requests: list[dict[str, Any]] = [
        {"search": text, "as": EVERYBODY} for text in (*IDENTIFIERS, *WORDS)
    ]
    requests += [
        {"ask": QUESTIONS[number % len(QUESTIONS)].format(person), "as": EVERYBODY}
        for number, person in enumerate(NAMED)
    ]
    return handbook.probe(requests)


@pytest.fixture(scope="module")
def troubled(disturbed: Disturbed) -> Handbook:
    """The disturbed handbook after more has gone wrong."""
    handbook = disturbed.handbook
    documents = handbook.documents
    for name, said in [
        ("patients/Zweitmeinung-Marta-Kowalczyk.pdf", "hostile/locked-contract.pdf"),
        ("hr/Sebastian Falkenrath final warning.docx", "hostile/truncated-report.docx"),
    ]:
        shutil.copy(documents / said, documents / name)
    letter = documents / "patients" / "discharge-letter-Marta-Kowalczyk.docx"
    letter.write_bytes(letter.read_bytes()[:3000])
    fleeting = documents / "patients" / "Überweisung-Jörg-Krüger.txt"
    fleeting.write_bytes(fleeting.read_bytes() + b"\nOne more line.\n")
    gone = handbook.python("-m", "tests.leaks.gone", "handbook", str(fleeting))
    assert gone.code == 0, gone.err
    assert gone.json["failures"] == {"changed_while_reading": 1, "corrupt": 2, "encrypted": 1}

    # What commands print for whom is in `tests.dags.test_canary`.
    said = handbook.sluice("quarantine", "handbook")
    assert said.code == 0, said.err

    shutil.move(documents / "patients", handbook.root / "patients")
    handbook.settings(max_delete={"share": 0.01, "count": 1})
    refused = handbook.sluice("sync", "handbook", "--json")
    assert (refused.code, "MassDeletion" in refused.err) == (2, True)
    assert handbook.sluice("sync", "handbook").code == 2

    wrong = handbook.corpus_file.with_name("wrong.yaml")
    wrong.write_text("corpus: wrong\nsource: {url: ../documents, acl: 7}\nchunk: large\n")
    assert handbook.sluice("sync", str(wrong), "--json").code == 2
    return handbook


def test_the_scan_finds_what_was_planted_in_the_samples_themselves(looking: Scanner) -> None:
    folders = ("bank", "hospital", "hr", "it", "patients", "staff")
    found = {one.text for one in looking.scan([SAMPLES / "handbook" / name for name in folders])}
    plain = {
        one["text"]
        for one in PLANTED
        if one["document"].startswith(folders)
        and one["document"].endswith((".txt", ".md", ".csv", ".json", ".xml"))
    }
    assert len(plain) > 90
    assert plain - found == set()


def test_nothing_that_a_sync_writes_holds_an_identifier(
    handbook: Handbook, looking: Scanner
) -> None:
    found = looking.scan(handbook.written)
    assert found == [], shown(found)


def test_no_search_and_no_answer_shows_an_identifier(
    handbook: Handbook, asked: list[dict[str, Any]], looking: Scanner
) -> None:
    assert sum(len(one.get("hits", ())) for one in asked) > len(IDENTIFIERS)
    found = looking.scan(handbook.written)
    assert found == [], shown(found)


def test_killed_processes_and_errors_leave_no_identifier(
    troubled: Handbook, looking: Scanner
) -> None:
    found = looking.scan(troubled.written)
    assert found == [], shown(found)


def test_the_scan_would_see_an_identifier_in_any_place(
    troubled: Handbook, looking: Scanner, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    for number, place in enumerate(troubled.written):
        shutil.copytree(place, copy / str(number))
    assert looking.scan([copy]) == []
    text = PERSONS[0]
    folders = [path for path in copy.rglob("*") if path.is_dir() and path.suffix != ".lance"]
    for folder in folders:
        (folder / "planted").write_bytes(text.encode("utf-16"))
    found = {one.place for one in looking.scan([copy]) if one.text == text}
    assert found == {str((folder / "planted").relative_to(copy)) for folder in folders}
