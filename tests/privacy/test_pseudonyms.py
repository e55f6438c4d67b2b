"""The same person is the same pseudonym, however the name is written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import pytest

from rag.privacy.gate import Masker
from rag.privacy.pseudonym import identity, shorter
from rag.records import Element, MaskedDocument, ParsedDocument
from tests.conftest import Project
from tests.leaks.scan import Scanner, Sought

PERSON = re.compile(r"PERSON_[a-z2-7]{8}")

SPELLINGS = [
    "We met Jörg Müller today.",
    "We met Joerg Mueller today.",
    "We met Jorg Muller today.",
    "We met Dr. Jörg Müller today.",
    "We met Mr Jörg Müller's lawyer today.",
    "We met Prof. Dr. Jörg Müller today.",
    "Dear Herr Jörg Müller,",
    "Signed: MÜLLER, Jörg",
    "Signed: MUELLER, JOERG",
    "Patient: JÖRG MÜLLER",
    "Patient: Müller, Jörg",
    "Author: Mueller, Jörg",
    "Does Müller, Jörg know?",
    "did jörg müller call",
    "mueller_joerg wrote it",
    "Jörg-Müller wrote it",
    "We met Jörg P. Müller today.",
    "Author: Müller, Jörg P.",
    "We met Jörg von Müller today.",
    "From: Jörg Müller <info@post.example>",
    '{"author": "Jörg Müller"}',
    "name=Jörg Müller; state=open",
    "| Patient | Room no. |\n| Jörg Müller | 7 |",
    "Kind regards,\nJörg Müller",
    "We met Jörg\nMüller today.",
    "We met Jörg  Müller today.",
    "We met J\u00f6rg\u00a0M\u00fcller today.",
    "We met Jörg\u00ad Müller today.",
    "We met Mül\u200bler, Jörg today.",
    unicodedata.normalize("NFD", "We met Jörg Müller today."),
]


def spelt() -> list[str]:
    """Thirty spellings of one name in twenty texts."""
    pairs = zip(SPELLINGS[:10], SPELLINGS[10:20], strict=True)
    return [f"{one}\n\n{other}" for one, other in pairs] + SPELLINGS[20:]


def test_thirty_spellings_in_twenty_documents_are_one_person(gate: Masker) -> None:
    documents = [ParsedDocument("text/plain", "", (Element("text", text),)) for text in spelt()]
    assert len(documents) == 20
    named = []
    for made in gate.mask_documents(documents):
        assert isinstance(made, MaskedDocument)
        named.append(set(PERSON.findall(made.elements[0].text)))
    (question,) = PERSON.findall(gate.mask_text("Where is Jörg Müller?").text)
    assert {frozenset(one) for one in named} == {frozenset({question})}


def test_a_person_is_found_by_name_in_an_index_that_does_not_hold_it(
    make_project: Callable[..., Project],
) -> None:
    project = make_project()
    for number, text in enumerate(spelt()):
        project.write(f"notes/{number}.txt", f"Pump {number} was checked.\n\n{text}")
    project.write("notes/other.txt", "We met Anna Schmidt today. The rota was changed.")
    project.sync()

    def found(who: str, principal: str) -> set[str]:
        hits = project.corpus.search(f"Where is {who}?", principals=[principal], k=20)
        return {str(hit.document) for hit in hits}

    everywhere = {f"notes/{number}.txt" for number in range(20)}
    assert found("Mueller, Joerg", "group:staff") == everywhere
    assert found("Jörg Müller", "group:visitors") == set()
    names = [Sought("Müller"), Sought("Mueller"), Sought("Jörg")]
    assert Scanner(names).scan([project.home]) == []
    assert {one.text for one in Scanner(names).scan([project.source])} >= {"Müller", "Jörg"}


@pytest.mark.parametrize(
    "names",
    [
        "Sergey Ivanov|Sergei Ivanov|Sergej IVANOV|Иванов, Сергей|Sergeі Ivanоv",
        "Seán O'Brien|Sean O’Brien|SEAN OBRIEN|O Brien, Sean|Seán Ó Brien",
        "Muhammad Al-Sayed|Mohammed El Sayed|SAYED, Mohamed",
        "Åse Sørensen|Aase Soerensen|SORENSEN, Ase",
        "Anne-Marie Dupont|Dupont, Anne Marie|ANNE‑MARIE DUPONT",
        "James McDonald|James Mc Donald|MCDONALD, James R.",
        "Γιώργος Παπαδόπουλος|Giorgos Papadopoulos",
    ],
)
def test_spellings_between_alphabets_and_keyboards_are_one(names: str) -> None:
    assert len({identity(name) for name in names.split("|")}) == 1


@pytest.mark.parametrize(
    "names",
    ["Hans Meier|Hans Meyer", "Michael Novak|Michal Novak", "Louis Blanc|Luis Blanc",
     "Anna Maria Schmidt|Anna Sophie Schmidt|Anna Schmidt"],
)  # fmt: skip
def test_names_that_only_sound_alike_stay_apart(names: str) -> None:
    """A middle name that is written out tells persons apart, too."""
    different = names.split("|")
    assert len({identity(name) for name in different}) == len(different)


def test_two_persons_of_one_name_share_its_pseudonym_and_their_birth_dates_are_masked(
    gate: Masker,
) -> None:
    one = gate.mask_text("Anna Schmidt, born 3 May 1970, was discharged.").text
    other = gate.mask_text("Anna Schmidt, born 9 June 1991, was discharged.").text
    assert one == other
    assert "<DATE_OF_BIRTH>" in one


@pytest.mark.parametrize(
    "name",
    ["hr/gonzalez_maria-CV.pdf", "hr/Maria Gonzalez.docx", "hr/MariaGonzalez_2021.txt",
     "hr/maria.gonzalez.eml", "s3://bucket/GONZALEZ-MARIA/notes.md"],
)  # fmt: skip
def test_a_file_name_has_the_pseudonym_of_the_text(gate: Masker, name: str) -> None:
    expected = PERSON.findall(gate.mask_text("We met María González today.").text)
    masked = gate.mask_name(name)
    assert PERSON.findall(masked) == expected
    assert "gonzalez" not in masked.lower()
    assert masked.rpartition(".")[2] == name.rpartition(".")[2]
    assert masked.count("/") == name.count("/")


def test_another_key_gives_another_pseudonym(gate: Masker) -> None:
    from rag.privacy.pseudonym import Pseudonyms

    key = ("gonzalez", "maria")
    assert Pseudonyms(b"1" * 32).person(key) != Pseudonyms(b"2" * 32).person(key)


def test_a_lone_surname_is_the_person_named_in_full(gate: Masker) -> None:
    masked = gate.mask_text(
        "Henrik Sørensen called. Later Sørensen, or Mr. H. Sørensen, left."
    ).text
    assert len(set(PERSON.findall(masked))) == 1
    assert len(PERSON.findall(masked)) == 3


def test_a_surname_that_two_share_stays_apart(gate: Masker) -> None:
    masked = gate.mask_text("Anna Kowalska and Piotr Kowalska met. Kowalska was late.").text
    assert len(set(PERSON.findall(masked))) == 3


def test_mail_addresses_are_the_same_in_any_case(gate: Masker) -> None:
    one = gate.mask_text("Write to Ana.Silva@Example.org today.").text
    other = gate.mask_text("Write to ana.silva@example.org today.").text
    assert one == other
    assert "EMAIL_" in one


def test_shorter_forms_of_a_name_have_some_of_its_words() -> None:
    assert set(shorter(identity("Wilhelmina Vanterpool"))) == {
        identity("Wilhelmina"),
        identity("Vanterpool"),
    }
    assert not list(shorter(identity("Okafor")))
    assert list(shorter(identity("J. Okafor"))) == [identity("Okafor")]
    assert len(set(shorter(("drei", "eins", "zwei")))) == 6
    assert len(set(shorter(("drei", "eins", "fuenf", "vier", "zwei")))) == 5
