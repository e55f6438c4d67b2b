"""The whole sample handbook: nothing is lost, and its questions are answered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.handbook import SAMPLES, Disturbed, Handbook

QUESTIONS: list[dict[str, Any]] = json.loads(
    (SAMPLES / "questions.json").read_text(encoding="utf-8")
)


@pytest.fixture(scope="module")
def answers(handbook: Handbook) -> list[dict[str, Any]]:
    """What is answered to each question, by the Python API."""
    return handbook.probe([{"ask": one["question"], "as": one["principals"]} for one in QUESTIONS])


@pytest.fixture(scope="module")
def rows(handbook: Handbook) -> dict[str, Any]:
    return handbook.index()


def test_every_sample_is_indexed_or_quarantined_with_reason_and_action(handbook: Handbook) -> None:
    indexed = {row["document_id"] for row in handbook.index().values()}
    waiting = handbook.quarantined()
    known = indexed | set(waiting)
    assert {key for name, key in handbook.names.items() if name not in known} == set()
    assert [one for one in waiting.values() if not (one["reason"] and one["action"])] == []
    codes = {handbook.names[n]: one["code"] for n, one in waiting.items() if n in handbook.names}
    assert codes == {
        "hostile/annual-report.docx": "archive_bomb",
        "hostile/billion-laughs.xml": "unsafe_xml",
        "hostile/blank.docx": "no_text",
        "hostile/cold-chain-log.txt": "too_much_text",
        "hostile/empty.txt": "empty",
        "hostile/external-entity.xml": "unsafe_xml",
        "hostile/locked-contract.pdf": "encrypted",
        "hostile/truncated-report.docx": "corrupt",
        "hr/us-payroll-onboarding.txt": "blocked_by_policy",
    }
    assert [one["code"] for n, one in waiting.items() if n not in handbook.names] == ["too_deep"]


@pytest.mark.parametrize("number", range(len(QUESTIONS)))
def test_a_question_gets_its_answer_or_none(
    number: int, answers: list[dict[str, Any]], rows: dict[str, Any], handbook: Handbook
) -> None:
    asked, answer = QUESTIONS[number], answers[number]
    if asked["expects"] is None:
        assert answer["abstained"], answer["text"]
        assert answer["citations"] == []
        return
    assert not answer["abstained"], answer["text"]
    assert asked["phrase"] in " ".join(answer["text"].split())
    cited = {handbook.names.get(one["document_id"]) for one in answer["citations"]}
    assert asked["expects"] in cited
    for one in answer["citations"]:
        row = rows[one["chunk"]]
        assert one["quote"] in row["text"]
        assert set(row["acl"]) & set(asked["principals"]), "cited only what the asker may read"


def test_killing_a_parser_and_a_worker_in_the_middle_of_a_run_loses_nothing(
    handbook: Handbook, disturbed: Disturbed
) -> None:
    assert disturbed.index == handbook.index()
    assert disturbed.ledger == handbook.ledger()


def test_killed_processes_leave_no_temporary_files(disturbed: Disturbed) -> None:
    assert disturbed.left == []
    assert [path for path in disturbed.handbook.temporary.rglob("*") if path.is_file()] == []
