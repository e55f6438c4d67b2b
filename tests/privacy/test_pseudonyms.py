"""The same person is the same pseudonym, however the name is written."""

from __future__ import annotations

import re
import unicodedata

import pytest

from rag.privacy.gate import Masker

PERSON = re.compile(r"PERSON_[a-z2-7]{8}")

SPELLINGS = [
    "We met María González today.",
    "We met Maria Gonzalez today.",
    "We met Dr. María González today.",
    "We met Mrs Maria Gonzalez's lawyer today.",
    "Signed: GONZÁLEZ, María",
    "Patient: MARIA GONZALEZ",
    "Sra. María González",
    "gonzalez_maria wrote it",
    unicodedata.normalize("NFD", "We met María González today."),
    "We met Maria L. Gonzalez today.",
    "Author: Gonzalez, Maria",
    "Does Gonzalez, Maria know?",
    "did maria gonzalez call",
    "We met María\u00ad González today.",
    "We met Ma\u200bría González today.",
]


@pytest.mark.parametrize("text", SPELLINGS)
def test_one_person_is_one_pseudonym(gate: Masker, text: str) -> None:
    expected = PERSON.findall(gate.mask_text("We met María González today.").text)
    assert PERSON.findall(gate.mask_text(text).text) == expected
    assert len(expected) == 1


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
