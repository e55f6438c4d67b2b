"""An answer is replayed from the records, to those who may read it, whatever became of the rest."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rag.audit import answers
from rag.audit.page import page
from rag.audit.removal import retain
from rag.cli import run
from rag.errors import Denied, NotRecorded, SluiceError
from rag.ledger import audit, checking
from rag.ledger.tables import now
from rag.privacy.erased import stands_for
from rag.records import Answer
from tests.conftest import Project

ANA, BEN, AUDITOR = ("user:ana", "group:staff"), ("user:ben", "group:staff"), ("group:auditors",)
SETTINGS = """
audit: {readers: ['group:auditors'], retain_days: 30}
privacy: {actions: {US_SSN: block}}
search: {weights: {text: 0.75}}
"""
QUESTION = "Who approves overtime?"
NAME = "Odile Varnhagen"


@pytest.fixture
def project(make_project: Callable[..., Project]) -> Project:
    made = make_project()
    made.settings(SETTINGS)
    made.write("overtime.txt", f"Overtime is approved by Dr. {NAME} before Friday.")
    made.write("pumps.txt", "Pumps are repaired within two weeks <script>alert(1)</script>.")
    made.sync()
    return made


def ask(project: Project, question: str = QUESTION) -> Answer:
    answer = project.corpus.ask(question, principals=ANA)
    assert not answer.abstained
    return answer


def kinds(project: Project) -> list[tuple[str, str]]:
    with project.corpus._context.ledger.read() as db:
        return [(one.kind, one.body.get("outcome", "")) for one in audit.records(db)]


def test_an_answer_is_explained_as_it_was(project: Project) -> None:
    answer = ask(project)
    told = project.corpus.explain(answer.answer_id, principals=ANA)
    assert told.whole
    assert told.yours
    assert (told.question.text, told.text.text) == (answer.question, answer.text)
    assert told.outcome == "answered"
    (sentence, *_) = told.sentences
    (evidence,) = sentence.evidence
    assert evidence.quote.text == answer.citations[0].quote
    assert evidence.in_passage
    assert evidence.document.now == "as it was"
    assert [one.rank for one in told.found] == list(range(1, answer.usage.hits + 1))
    assert sum(one.evidence is not None for one in told.found) == answer.usage.packed
    assert told.search["target"] == "embedded"
    assert told.calls[0]["model"] == "embedded/extractive"
    assert told.seconds["all"] > 0
    assert kinds(project)[-1] == ("explain", "shown")
    written = json.dumps(kinds(project)) + Path(project.home / "ledger.sqlite").read_text("latin-1")
    assert NAME not in written
    assert "user:ana" not in written


def test_how_a_search_was_set_and_narrowed_is_told_without_a_name(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = project.corpus.ask(
        QUESTION,
        principals=ANA,
        where=f'name ~ "over*.t?t" and (title = "{NAME}" or type = "text/plain" and position < 9)'
        ' and not (section in ("Varnhagen") or id = "Varnhagen")',
    )
    told = project.corpus.explain(answer.answer_id, principals=ANA)
    assert told.search["weights.text"] == 0.75
    assert told.filter
    assert told.filter.text == (
        'name ~ "over*.t?t" and (title = (not written down) or (type = "text/plain" and '
        "position < 9)) and not (section in ((not written down)) or id = (not written down))"
    )
    assert "Narrowed to name ~ &quot;over*" in page(told)
    who = ["--as", ",".join(ANA), "--corpus", str(project.path)]
    assert run(["explain", answer.answer_id, *who]) == 0
    shown = capsys.readouterr().out
    assert 'narrowed to name ~ "over*.t?t" and' in shown
    assert "weights.text 0.75" in shown
    assert "Varnhagen" not in Path(project.home / "ledger.sqlite").read_text("latin-1")


def test_an_answer_whose_document_was_deleted_still_verifies(project: Project) -> None:
    answer = ask(project)
    project.remove("overtime.txt")
    project.write("pumps.txt", "Pumps are repaired within three weeks.")
    project.sync()
    told = project.corpus.explain(answer.answer_id, principals=ANA)
    assert told.whole
    assert told.text.text == answer.text
    now_by_name = {str(one.name.text): one.now for one in told.documents}
    assert now_by_name["overtime.txt"] == "deleted since"
    assert now_by_name.get("pumps.txt", "changed since") == "changed since"
    assert all(part.in_passage for one in told.sentences for part in one.evidence)


def test_others_read_nothing_and_each_attempt_is_recorded(project: Project) -> None:
    answer = ask(project)
    for other in (BEN, ("group:staff",), ()):
        with pytest.raises(Denied):
            project.corpus.explain(answer.answer_id, principals=other)
        assert kinds(project)[-1] == ("explain", "refused")
    told = project.corpus.explain(answer.answer_id, principals=AUDITOR)
    assert (told.auditor, told.yours, told.text.text) == (True, False, answer.text)
    with pytest.raises(NotRecorded):
        project.corpus.explain("0" * 32, principals=AUDITOR)


def test_evidence_that_the_asker_may_no_longer_read_is_withheld(project: Project) -> None:
    answer = ask(project)
    project.write("overtime.txt.acl.yaml", "allow: ['group:hr']")
    project.settings(SETTINGS)
    text = project.path.read_text().replace("acl: {", "acl: {from: sidecar, ", 1)
    project.path.write_text(text)
    project.sync()
    told = project.corpus.explain(answer.answer_id, principals=ANA)
    assert told.whole
    assert told.question.text == answer.question
    assert told.text.state == told.sentences[0].text.state == "withheld"
    assert told.sentences[0].evidence[0].quote.text is None
    assert "approved" not in json.dumps(told, default=repr)
    assert kinds(project)[-1] == ("explain", "shown in part")
    assert project.corpus.explain(answer.answer_id, principals=AUDITOR).text.text == answer.text


def test_retention_removes_what_was_said_and_the_chain_still_verifies(project: Project) -> None:
    answer = ask(project)
    context = project.corpus._context
    assert retain(context, now() + timedelta(days=29)) == 0
    gone = retain(context, now() + timedelta(days=31))
    assert gone > 3
    younger = ask(project)
    told = project.corpus.explain(answer.answer_id, principals=ANA)
    assert told.whole
    assert told.verified.removed >= 0
    assert (told.text.text, told.text.state) == (None, "removed")
    assert told.text.note.startswith("removed by retention on 20")
    assert told.sentences[0].evidence[0].in_passage is None
    assert project.corpus.explain(younger.answer_id, principals=ANA).text.text == younger.text


def test_an_erased_person_is_in_no_text_and_explain_says_so(project: Project) -> None:
    who = stands_for(project.corpus._context.key, "PERSON", NAME)
    answer = ask(project)
    other = ask(project, "When are pumps repaired?")
    project.corpus.feedback(answer.answer_id, "bad", f"It is not {NAME}", principals=ANA)
    assert who in answer.text
    erased = project.corpus.erase([NAME])
    assert who.encode() not in (project.home / "ledger.sqlite").read_bytes()
    assert erased.certificate is not None
    places = {one["place"]: one for one in erased.certificate["places"]}
    assert places["audit"]["texts_deleted"] >= 2
    told = project.corpus.explain(answer.answer_id, principals=ANA)
    assert told.whole
    assert told.question.text == QUESTION
    assert told.text.note.startswith("removed by erasure on 20")
    assert told.feedback[0].comment.note.startswith("removed by erasure on 20")
    assert project.corpus.explain(other.answer_id, principals=ANA).text.text == other.text


def test_a_text_that_was_changed_is_shown_as_changed(project: Project) -> None:
    answer = ask(project)
    with project.corpus._context.ledger.write() as db:
        db.exec_driver_sql(
            "UPDATE audit_texts SET text = 'Nobody approves it.' WHERE text = ?",
            (str(answer.text),),
        )
    told = project.corpus.explain(answer.answer_id, principals=ANA)
    assert (told.text.state, told.whole) == ("changed", False)
    assert told.verified.broken == told.seq
    assert told.hash[:8]
    assert "was changed" in told.verified.reason
    assert (
        run(["explain", answer.answer_id, "--corpus", str(project.path), "--as", "user:ana"]) == 2
    )


def test_feedback_is_masked_recorded_and_joined_to_its_answer(project: Project) -> None:
    answer = ask(project)
    corpus = project.corpus
    corpus.feedback(answer.answer_id, "bad", principals=BEN)
    corpus.feedback(answer.answer_id, 0.75, f"{NAME} it is", principals=ANA)
    corpus.feedback(answer.answer_id, "good", principals=BEN)
    (one,) = answers(corpus._context.ledger, "notes")
    assert (one.question, one.text, one.ratings) == (answer.question, answer.text, (0.75, 1.0))
    assert next(passage.cited for passage in one.passages if passage.packed)
    told = corpus.explain(answer.answer_id, principals=ANA)
    assert [part.rating for part in told.feedback] == [0.0, 0.75, 1.0]
    assert NAME not in str(told.feedback[1].comment.text)
    for rating in (1.5, -0.1, float("nan")):
        with pytest.raises(SluiceError, match="rating"):
            corpus.feedback(answer.answer_id, rating, principals=ANA)
    with pytest.raises(NotRecorded):
        corpus.feedback("f" * 32, "good", principals=ANA)


def test_searches_and_questions_that_fail_are_recorded_too(project: Project) -> None:
    project.corpus.search("pumps", principals=ANA)
    project.corpus.search("pumps", principals=("group:nobody",))
    assert [one for one in kinds(project) if one[0] == "search"] == [
        ("search", "found"),
        ("search", "nothing"),
    ]
    with pytest.raises(SluiceError):
        project.corpus.ask("Whose social security number is 536-22-8145?", principals=ANA)
    assert kinds(project)[-1] == ("answer", "failed")


def test_the_page_escapes_what_documents_say(project: Project) -> None:
    answer = ask(project, "When are pumps repaired?")
    told = project.corpus.explain(answer.answer_id, principals=ANA)
    made = page(told)
    assert "&lt;script&gt;alert(1)" in made
    assert "<script" not in made
    assert "http" not in made.replace("http-equiv", "")


def test_commands_explain_rate_export_and_check(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*arguments: str) -> Any:
        assert run([*arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    answer = ask(project)
    of = ("--corpus", str(project.path))
    assert run(["feedback", answer.answer_id, "--good", "--as", "user:ana", *of]) == 0
    capsys.readouterr()
    told = said("explain", answer.answer_id, "--as", "user:ana,group:staff", *of)
    assert told["text"]["text"] == answer.text
    assert run(["explain", answer.answer_id, "--as", "user:ana,group:staff", *of]) == 0
    shown = capsys.readouterr().out
    assert answer.answer_id in shown
    assert f"“{answer.citations[0].quote}”" in shown
    assert "Verified  yes" in shown
    head = said("audit", "--head")
    with_texts, without = tmp_path / "with.jsonl", tmp_path / "without.jsonl"
    texts = ("--texts", "--as", "group:auditors")
    assert said("audit", str(project.path), "--export", str(with_texts), *texts)["texts"] > 3
    assert said("audit", "notes", "--export", str(without))["texts"] == 0
    assert answer.text in with_texts.read_text()
    assert answer.text not in without.read_text()
    for path in (with_texts, without):
        assert said("audit", "--verify", str(path), "--anchor", head["head"])["broken"] is None
    assert said("audit", "--verify", "--anchor", head["head"])["texts"] > 3
    assert run(["audit", "--verify", "--anchor", "0" * 63 + "1"]) == 2
    refused = ["audit", str(project.path), "--export", str(with_texts), "--texts", "--as"]
    assert run([*refused, "user:ana"]) == 2
    with project.corpus._context.ledger.read() as db:
        assert checking.check(db).broken is None
