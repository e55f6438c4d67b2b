"""Records of questions: written side by side, in either database, and saying no name."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from rag.audit import recorded
from rag.audit.removal import retain
from rag.errors import ConfigError
from rag.ledger import audit, checking, texts
from rag.ledger.tables import now
from rag.masked import NotMasked, fixed
from rag.records import Answer, Usage
from tests.audit.trails import STAFF, write_answer
from tests.conftest import Project
from tests.masked import masked
from tests.services.postgres import postgres

__all__ = ["postgres"]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_askers_side_by_side_make_one_chain(
    kind: str,
    make_project: Callable[..., Project],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = make_project()
    project.settings("audit: {retain_days: 1}")
    if kind == "postgres":
        url = request.getfixturevalue("postgres")(migrated=True)
        monkeypatch.setenv("SLUICE_LEDGER_URL", url)
    said = [fixed("Pumps are repaired within two weeks."), fixed("Filters are changed in May.")]

    def ask(asker: int) -> list[str]:
        context = project.corpus._context
        with context.ledger:
            return [
                write_answer(context, fixed("Which pumps are repaired in room {}?", asker), said)
                for _ in range(8)
            ]

    with ThreadPoolExecutor(4) as pool:
        asked = [one for some in pool.map(ask, range(4)) for one in some]
    context = project.corpus._context
    with context.ledger.read() as db:
        verified = checking.check(db)
        (record,) = audit.about(db, asked[0])
    assert (verified.records, verified.broken) == (32, None)
    assert verified.texts == 4 + 3  # questions; a passage, its quote, its document
    assert record.body["corpus"] == "notes"
    assert retain(context, now().replace(year=now().year + 1)) == verified.texts
    with context.ledger.read() as db:
        verified = checking.check(db)
    assert (verified.broken, verified.texts, verified.removed) == (None, 0, 7)
    write_answer(
        context, fixed("Which pumps are repaired in room {}?", 1), said
    )  # texts that were removed come again
    with context.ledger as ledger, ledger.read() as db:
        assert checking.check(db, verified.head).broken is None


def test_who_asked_is_a_keyed_hash_unless_the_corpus_says_otherwise(
    make_project: Callable[..., Project],
) -> None:
    project = make_project()
    write_answer(project.corpus._context, fixed("Who?"), [fixed("The engineer.")] * 2)
    project.settings("audit: {principals: plain}")
    write_answer(project.corpus._context, fixed("Who?"), [fixed("The engineer.")] * 2)
    with project.corpus._context.ledger.read() as db:
        hashed, plain = audit.records(db)
    assert plain.body["who"] == ["group:staff", "user:ana"]
    assert [one.partition(":")[0] for one in hashed.body["who"]] == ["group", "user"]
    assert "staff" not in json.dumps(hashed.body)


@pytest.mark.parametrize("question", ["Varnhagen", "02/14/1979", "14 Alder Quay, Harrow Bay"])
def test_a_question_too_bare_to_be_judged_is_not_written_down(
    question: str, make_project: Callable[..., Project]
) -> None:
    context = make_project().corpus._context
    asked = masked(question)
    with recorded(context, STAFF) as trail:
        trail.question(asked)
        trail.decided(Answer("", asked, fixed("No: {}", asked), True, (), Usage(0, 0, 0, 0.1)))
    with context.ledger.read() as db:
        (record,) = audit.records(db)
        kept = [str(one.text) for _, one in texts.every(db)]
    assert question not in " ".join(kept)
    assert len(record.body["question_tag"]) > 20, "who has the question and the key can prove it"


def test_what_is_not_masked_is_not_recorded(make_project: Callable[..., Project]) -> None:
    context = make_project().corpus._context
    with pytest.raises(NotMasked), recorded(context, STAFF) as trail:
        trail.question("Who is Odile Varnhagen?")  # type: ignore[arg-type]
    with context.ledger.read() as db:
        (record,) = audit.records(db)
    assert (record.body["outcome"], record.body["error"]) == ("failed", "NotMasked")
    assert "question" not in record.body


def test_what_cannot_be_recorded_is_not_answered(make_project: Callable[..., Project]) -> None:
    context = make_project().corpus._context
    with context.ledger.write() as db:
        db.exec_driver_sql("ALTER TABLE audit_texts RENAME TO away")
    with pytest.raises(ConfigError, match="nothing is answered"):
        write_answer(context, fixed("Who?"), [fixed("The engineer.")] * 2)
    with context.ledger.read() as db:
        assert list(audit.records(db)) == []
