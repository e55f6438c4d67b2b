"""A person is asked for by a surname alone, though documents have the whole name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rag.asking.named import MOST
from rag.corpus import Corpus
from rag.ledger import aliases, audit
from rag.masked import Masked
from rag.privacy.erased import stands_for
from tests.conftest import Project

STAFF = ["group:staff"]
ROUND = "Dr. Adaeze Okafor prescribed 5 mg of bisoprolol on 3 May. The canteen opens at noon.\n"
THEATRE = "Dr. Henrike Vanterpool operated twice. Nurse Emeka Okafor kept the record of the ward.\n"


@pytest.fixture
def project(make_project: Callable[..., Project]) -> Project:
    made = make_project()
    made.settings("", "include: ['*.txt']")
    made.path.write_text(made.path.read_text().replace("{default:", "{from: sidecar, default:"))
    made.write("round.txt", ROUND)
    made.write("theatre.txt", THEATRE)
    made.write("theatre.txt.acl.json", '{"allow": ["group:theatre"]}')
    made.sync()
    return made


def understood(corpus: Corpus, question: str, principals: list[str] = STAFF) -> tuple[str, str]:
    """Return the answer, and how the audit says its question was understood."""
    answer = corpus.ask(question, principals=principals)
    told = corpus.explain(answer.answer_id, principals=principals)
    assert told.whole
    return answer.text, told.understood.text or "" if told.understood else ""


def pseudonym(project: Project, name: str) -> Masked:
    return stands_for(project.corpus._context.key, "PERSON", name)


def test_a_surname_is_understood_as_the_whole_name_that_was_found(project: Project) -> None:
    asked, whole = pseudonym(project, "Okafor"), pseudonym(project, "Adaeze Okafor")
    assert asked != whole
    text, as_ = understood(project.corpus, "What did Dr. Okafor prescribe on 3 May?")
    assert "bisoprolol" in text
    assert as_ == f"What did Dr. {whole} prescribe on 3 May?"
    hits = project.corpus.search("Okafor's prescriptions", principals=STAFF)
    assert whole in hits[0].chunk.text


def test_of_two_the_one_is_meant_of_whom_is_said_what_was_asked(project: Project) -> None:
    both = [*STAFF, "group:theatre"]
    text, _ = understood(project.corpus, "What did Dr. Okafor prescribe on 3 May?", both)
    assert "bisoprolol" in text
    text, as_ = understood(project.corpus, "Which record of the ward did Okafor keep?", both)
    assert "kept the record" in text
    assert pseudonym(project, "Emeka Okafor") in as_


def test_whom_the_asker_may_not_read_of_is_not_named_to_them(project: Project) -> None:
    _, as_ = understood(project.corpus, "What did Dr. Vanterpool operate on?")
    assert as_ == ""
    _, as_ = understood(project.corpus, "Which record of the ward did Okafor keep?")
    assert pseudonym(project, "Emeka Okafor") not in as_


def test_others_of_the_name_whom_the_asker_may_not_read_of_are_in_nobodys_way(
    project: Project,
) -> None:
    names = [f"{start}{end}" for start in ("Ada", "Bola", "Efe") for end in ("lia", "mon", "ride")]
    project.write("theatre.txt", "".join(f"Dr. {one} Okafor prescribed 3 mg.\n\n" for one in names))
    project.sync()
    text, as_ = understood(project.corpus, "What did Dr. Okafor prescribe on 3 May?")
    assert "bisoprolol" in text
    assert as_ == f"What did Dr. {pseudonym(project, 'Adaeze Okafor')} prescribe on 3 May?"


def test_of_a_bare_question_nothing_is_written_down(project: Project) -> None:
    assert understood(project.corpus, "Okafor bisoprolol")[1] == ""
    with project.corpus._context.ledger.read() as db:
        assert not [one for one in audit.records(db, "answer") if "understood" in one.body]


def test_a_name_that_many_have_is_searched_for_as_it_is(
    make_project: Callable[..., Project],
) -> None:
    project = make_project()
    starts = ("Ada", "Bola", "Chike", "Dayo", "Efe", "Femi", "Gozie")
    names = [start + end for start in starts for end in ("lia", "mon", "ride", "sto", "vin", "wyn")]
    assert len(names) > MOST
    lines = "\n\n".join(f"Dr. {name} Okafor keeps the rota of the ward." for name in names)
    project.write("rota.txt", lines)
    project.sync()
    _, as_ = understood(project.corpus, "Which rota does Dr. Okafor keep?")
    assert as_ == ""


def test_an_erased_person_is_no_longer_meant(project: Project) -> None:
    asked = pseudonym(project, "Okafor")
    whole = pseudonym(project, "Adaeze Okafor")
    ledger = project.corpus._context.ledger
    with ledger.read() as db:
        assert whole in aliases.of(db, project.corpus.name, asked, MOST)
    project.corpus.erase(["Adaeze Okafor"])
    with ledger.read() as db:
        assert whole not in aliases.of(db, project.corpus.name, asked, MOST)
        assert len(aliases.of(db, project.corpus.name, asked, MOST)) == 1  # Emeka's
    assert understood(project.corpus, "What did Dr. Okafor prescribe on 3 May?")[1] == ""
    project.sync()
    with ledger.read() as db:
        assert whole not in aliases.of(db, project.corpus.name, asked, MOST)
