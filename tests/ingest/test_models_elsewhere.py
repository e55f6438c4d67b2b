"""A corpus whose models run on AWS: counted, priced, and patient when they do not answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rag.errors import ServiceRefused
from tests.conftest import Project
from tests.services.localaws import LocalAws

STAFF = ["group:staff"]
SETTINGS = (
    "embed: {model: bedrock/amazon.titan-embed-text-v2:0, dimensions: 256}\n"
    "answer: {model: bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0}\n"
    "search: {rerank: bedrock/cohere.rerank-v3-5:0, candidates: 20}\n"
    "aws: {region: us-east-1, deadline_seconds: 100}"
)
MAIL = (
    "From: a@example.com\nTo: b@example.com\nSubject: Filters\nMIME-Version: 1.0\n"
    'Content-Type: multipart/mixed; boundary="x"\n\n--x\nContent-Type: text/plain\n\n'
    "The filters list is attached to this message.\n"
    "--x\nContent-Type: text/plain\nContent-Disposition: attachment; filename=list.txt\n\n"
    "Filters of type F90 are changed every 11 weeks without exception.\n--x--\n"
)


@pytest.fixture
def project(make_project: Callable[..., Project], aws: LocalAws) -> Project:
    made = make_project()
    made.settings(SETTINGS)
    for number in range(4):
        made.write(
            f"p{number}.txt", f"Filters of type F{number} are changed every {number + 2} weeks."
        )
    made.write("mail.eml", MAIL)
    return made


def test_a_question_is_answered_on_aws_and_what_it_cost_is_told(project: Project) -> None:
    report = project.sync()
    assert report.documents["new"] == 5
    used = report.usage["amazon.titan-embed-text-v2:0"]
    assert used["calls"] == report.embedded >= 5
    assert used["input_tokens"] > 40
    assert used["usd"] == pytest.approx(used["input_tokens"] * 2e-8)
    assert report.as_counts()["usage"] == report.usage

    answer = project.corpus.ask("How often are filters of type F3 changed?", principals=STAFF)
    assert not answer.abstained
    assert "5 weeks" in answer.text
    assert answer.citations[0].document == "p3.txt"
    assert answer.usage.model.startswith("bedrock/us.anthropic")
    assert answer.usage.input_tokens > 100
    assert answer.usage.output_tokens > 0
    assert answer.usage.usd is not None
    assert answer.usage.usd > 0.002  # the reranker alone

    again = project.sync()
    assert again.usage == {}


def test_documents_wait_while_the_model_does_not_answer(project: Project, aws: LocalAws) -> None:
    project.settings(SETTINGS.replace("deadline_seconds: 100", "deadline_seconds: 3"))
    with aws.faults({"fault": "status", "status": 503, "operation": "InvokeModel"}):
        report = project.sync()
    assert report.documents["quarantined"] == 5
    assert report.failures == {"embedding_failed": 5}
    assert report.documents["new"] == 0
    assert {entry.transient for entry in project.corpus.quarantine()} == {True}

    after = project.sync()
    assert after.documents["quarantined"] == 0
    assert after.chunks == after.embedded >= 6
    assert len(project.inventory()) == 6  # the attachment too


def test_what_was_embedded_before_a_failure_is_not_paid_for_again(
    make_project: Callable[..., Project], aws: LocalAws
) -> None:
    project = make_project()
    project.settings(
        SETTINGS.replace("deadline_seconds: 100", "deadline_seconds: 8, concurrency: 1")
    )
    for number in range(15):  # one shard; its vectors are kept by eight
        project.write(f"p{number}.txt", f"Filters of type F{number} are changed every week.")
    with aws.faults({"fault": "rate", "per_second": 0.001, "burst": 10}):
        assert project.sync().documents["quarantined"] == 15
    aws.forget_calls()
    report = project.sync()
    assert report.chunks == 15
    assert report.embedded == aws.calls("InvokeModel") == 15 - 8


def test_a_failing_model_leaves_the_older_version_served(project: Project, aws: LocalAws) -> None:
    project.sync()
    project.settings(SETTINGS.replace("deadline_seconds: 100", "deadline_seconds: 1"))
    project.write("mail.eml", MAIL.replace("11 weeks", "17 weeks"))
    before = project.inventory()
    with aws.faults({"fault": "status", "status": 503, "operation": "InvokeModel"}):
        project.sync()
    assert project.inventory() == before
    project.sync()
    assert project.inventory() != before
    assert len(project.inventory()) == len(before)
    assert project.corpus.quarantine() == []


def test_a_refusal_stops_the_run_with_what_to_do(project: Project, aws: LocalAws) -> None:
    with (
        aws.faults({"fault": "error", "code": "AccessDeniedException", "operation": "InvokeModel"}),
        pytest.raises(ServiceRefused) as raised,
    ):
        project.sync()
    assert "IAM" in raised.value.hint
    assert project.sync().documents["new"] == 5


def test_a_third_of_calls_throttled_gives_the_same_index_for_less_than_twice_the_calls(
    make_project: Callable[..., Project], aws: LocalAws, tmp_path: Path
) -> None:
    def synced(project: Project) -> dict[str, Any]:
        project.settings(f"{SETTINGS}\nchunk: {{max_tokens: 32, overlap_tokens: 0}}")
        for number in range(12):
            text = " ".join(f"Filter F{number}-{part} lasts {part} weeks." for part in range(12))
            project.write(f"p{number}.txt", text)
        aws.forget_calls()
        assert project.sync().documents["quarantined"] == 0
        return project.inventory()

    plain = synced(make_project(tmp_path / "plain"))
    ideal = aws.calls("InvokeModel")
    disturbed = make_project(tmp_path / "disturbed", key_from=tmp_path / "plain")
    with aws.faults(
        {"fault": "throttle", "probability": 0.3, "seed": 1},
        {"fault": "status", "status": 503, "probability": 0.02, "seed": 2},
        {"fault": "reset", "probability": 0.02, "seed": 3},
    ):
        assert synced(disturbed) == plain
    assert ideal < aws.calls("InvokeModel") <= 2 * ideal
