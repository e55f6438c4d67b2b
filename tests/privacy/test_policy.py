"""Profiles, actions, thresholds, combinations and rules by source do what they say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from rag.config import Privacy
from rag.corpus_file import CorpusFileError, parse
from rag.privacy import Blocked
from rag.privacy.gate import Masker, fingerprint
from rag.privacy.policy import resolve
from rag.privacy.surrogates import Surrogates
from rag.records import Element, MaskedDocument, MaskedFailure, ParsedDocument
from tests.conftest import Project
from tests.privacy.conftest import KEY

Make = Callable[..., Masker]


@pytest.fixture(scope="module")
def health() -> Masker:
    return Masker(resolve(Privacy(profile="healthcare")), KEY)


@pytest.fixture(scope="module")
def moved() -> Masker:
    """Dates shifted, phone numbers and cards of the same shape."""
    actions = {"DATE_TIME": "shift", "DATE_OF_BIRTH": "shift", "PHONE_NUMBER": "shape"}
    privacy = Privacy.model_validate({"actions": {**actions, "CREDIT_CARD": "shape"}})
    return Masker(resolve(privacy), KEY)


def one_document(text: str) -> ParsedDocument:
    return ParsedDocument("text/plain", "", (Element("text", text),))


# Profiles


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("She was admitted on 3 May 2019.", "She was admitted on <DATE_TIME 2019>."),
        ("The man was born on 3 May 1961.", "The man was born on <DATE_OF_BIRTH 1961>."),
        ("The man was born on 3 May 1925.", "The man was born on <DATE_OF_BIRTH 90+>."),
        ("A 94-year-old man fell.", "A <AGE 90+>-year-old man fell."),
        ("A 45-year-old man fell.", "A 45-year-old man fell."),
        ("The ZIP code is 90210-1234.", "The ZIP code is <ZIP_CODE 902>."),
        ("The ZIP code is 03601.", "The ZIP code is <ZIP_CODE 000>."),
        ("In 2019 the ward had 20 beds.", "In 2019 the ward had 20 beds."),
    ],
)
def test_healthcare_leaves_what_safe_harbor_leaves(health: Masker, text: str, masked: str) -> None:
    assert health.mask_text(text).text == masked


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("Patient Anna Schmidt was seen.", "Schmidt"),
        ("She lives at 12 Oak Street, Springfield.", "Oak"),
        ("Fax 217-555-0123, phone (217) 555-0188.", "555"),
        ("Write to anna.schmidt@post.example today.", "anna"),
        ("Her SSN is 219-09-9999.", "219"),
        ("MRN: 00482913", "482913"),
        ("Account number: 8830012345", "8830012345"),
        ("Her VIN is 1HGCM82633A004352.", "1HGCM8"),
        ("See https://clinic.example/patients/4711 for it.", "4711"),
        ("Her laptop has 203.0.113.77 as IP.", "203.0"),
    ],
)
def test_healthcare_masks_what_safe_harbor_names(health: Masker, text: str, gone: str) -> None:
    assert gone not in health.mask_text(text).text


def test_finance_shows_a_card_s_last_four_and_follows_accounts(gate_with: Make) -> None:
    gate = gate_with(profile="finance")
    text = gate.mask_text("Card 4111 1111 1111 1111, IBAN DE89370400440532013000.").text
    assert text.startswith("Card <CREDIT_CARD ****1111>, IBAN IBAN_CODE_")
    again = gate.mask_text("It went to DE89 3704 0044 0532 0130 00.").text
    assert again.split()[-1].rstrip(".") == text.split()[-1].rstrip(".")


def test_what_is_kept_is_not_looked_for(gate: Masker) -> None:
    looked = {kind for one in gate._detector.recognizers for kind in one.supported_entities}
    assert "URL" not in looked
    assert gate.mask_text("See https://clinic.example/a on 3 May 2019.").findings == ()


# Forms that stay


def test_a_phone_number_keeps_its_shape_its_country_and_itself(moved: Masker) -> None:
    long = moved.mask_text("Call +44 20 7946 0958 today.").text
    short = moved.mask_text("Call 020 7946 0958 today.").text
    assert long.startswith("Call <PHONE_NUMBER +44 ")
    made = long.removeprefix("Call <PHONE_NUMBER ").partition(">")[0]
    assert [len(part) for part in made.split()] == [3, 2, 4, 4, 4]
    assert made.split()[2:4] == short.split()[3:5]
    assert "7946" not in long


def test_dates_of_one_person_move_together(moved: Masker) -> None:
    def days(text: str) -> list[date]:
        masked = moved.mask_text(text).text
        words = masked.replace("<", " ").split()
        return [date.fromisoformat(word) for word in words if word[:2] == "20" and len(word) == 10]

    one, other = days("Anna Schmidt was admitted on 3 May 2021, born 9 June 2001, discharged.")
    assert (one - other).days == (date(2021, 5, 3) - date(2001, 6, 9)).days
    (again,) = days("SCHMIDT, Anna: surgery on 3 May 2021.")
    assert again == one != date(2021, 5, 3)
    assert abs(one - date(2021, 5, 3)).days <= 365
    (of_another,) = days("Piotr Kowalski: surgery on 3 May 2021.")
    assert of_another != one


def test_a_date_that_belongs_to_nobody_is_redacted(moved: Masker) -> None:
    assert moved.mask_text("The fair is on 3 May 2021.").text == "The fair is on <DATE_TIME>."


def test_a_document_s_dates_are_those_of_whom_it_names_most(moved: Masker) -> None:
    text = "Dr. Piotr Kowalski saw Anna Schmidt on 3 May 2021. Anna Schmidt left. Schmidt is well."
    (document,) = moved.mask_documents([one_document(text)])
    assert isinstance(document, MaskedDocument)
    alone = moved.mask_text("Anna Schmidt was here on 3 May 2021").text
    assert alone.partition("<")[2] in document.elements[0].text


@pytest.mark.parametrize(
    "forged",
    ["<PHONE_NUMBER +44 20 7946 0958 k7q2>", "<CREDIT_CARD 4111 1111 1111 1111 aaaa>",
     "<US_SSN 219-09-9999 abcd>"],
)  # fmt: skip
def test_a_forged_surrogate_is_masked(moved: Masker, forged: str) -> None:
    masked = moved.mask_text(f"Take {forged} along.").text
    for number in ("7946", "4111", "219-09"):
        assert number not in masked


def test_a_surrogate_of_another_key_is_not_believed(moved: Masker) -> None:
    other = Surrogates(b"another key of thirty-two bytes.").shape(
        "PHONE_NUMBER", "+44 20 7946 0958"
    )
    mine = Surrogates(KEY).shape("PHONE_NUMBER", "+44 20 7946 0958")
    assert mine in moved.mask_text(f"Take {mine} along.").text
    assert other not in moved.mask_text(f"Take {other} along.").text


# Thresholds, lists, recognizers of one's own


def test_a_kind_has_a_threshold_of_its_own(gate_with: Make) -> None:
    text = "The SSN is 219-09-9999, the phone +44 20 7946 0958."
    masked = gate_with(thresholds={"PHONE_NUMBER": 1.0}).mask_text(text).text
    assert masked == "The SSN is <US_SSN>, the phone +44 20 7946 0958."


def test_files_say_what_is_allowed_and_what_is_looked_for(gate_with: Make, tmp_path: Path) -> None:
    (tmp_path / "officials.txt").write_text("# public\nMaria Schneider\n")
    (tmp_path / "own.yaml").write_text(
        "recognizers:\n"
        "  - name: Ward code\n"
        "    supported_entity: WARD_CODE\n"
        "    patterns: [{name: ward, regex: '\\bW-\\d{4}\\b', score: 0.7}]\n"
    )
    gate = gate_with(
        allow_files=[str(tmp_path / "officials.txt")],
        recognizers=[str(tmp_path / "own.yaml")],
        actions={"WARD_CODE": "pseudonym"},
    )
    once = gate.mask_text("Maria Schneider opened W-1234.").text
    assert once.startswith("Maria Schneider opened WARD_CODE_")
    assert gate.mask_text(once).text == once


# Blocking


def test_kinds_that_come_together_stop_a_document_and_a_question(gate_with: Make) -> None:
    gate = gate_with(block=[["PERSON", "US_SSN"], {"kinds": ["CREDIT_CARD"], "count": 2}])
    assert gate.mask_text("219-09-9999 is an SSN.").text == "<US_SSN> is an SSN."
    with pytest.raises(Blocked) as caught:
        gate.mask_text("Maria Schneider's SSN is 219-09-9999.")
    assert caught.value.entities == ("PERSON", "US_SSN")
    one, two = "4111 1111 1111 1111", "5500 0055 5555 5559"
    passed, stopped = gate.mask_documents([one_document(one), one_document(f"{one}\n{two}")])
    assert isinstance(passed, MaskedDocument)
    assert isinstance(stopped, MaskedFailure)
    assert stopped.reason.endswith(": 2 CREDIT_CARD.")
    assert "1111" not in repr(stopped)


# Rules by source

RULES = """
privacy:
  profile: default
  overrides:
    - {match: "wards/**", profile: healthcare}
    - {match: "wards/open/**", actions: {PERSON: keep}}
"""


def test_the_last_rule_that_matches_a_source_counts(make_project: Callable[..., Project]) -> None:
    project = make_project()
    project.settings(RULES)
    text = "Maria Schneider checks the pump in this room on 3 May 2021."
    for place in ("notes/a.txt", "wards/b.txt", "wards/open/c.txt"):
        project.write(place, text)
    project.sync()

    def found() -> dict[str, str]:
        hits = project.corpus.search("checks the pump", principals=["group:staff"], k=10)
        return {str(hit.document): str(hit.chunk.text) for hit in hits}

    first = found()
    assert first["notes/a.txt"].startswith("PERSON_")
    assert first["notes/a.txt"].endswith("on 3 May 2021.")
    assert first["wards/b.txt"].endswith("on <DATE_TIME 2021>.")
    assert first["wards/open/c.txt"] == text
    (project.source / "wards/open/c.txt").rename(project.source / "wards/d.txt")
    project.sync()
    assert found()["wards/d.txt"] == first["wards/b.txt"]
    project.settings(RULES.replace("profile: healthcare", "actions: {PERSON: redact}"))
    assert project.sync().documents["changed"] == 3
    assert found()["wards/b.txt"].startswith("<PERSON> checks")


def test_a_change_of_any_rule_changes_the_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PSEUDONYM_KEY", "k" * 32)
    base = {"key": {"env": "PSEUDONYM_KEY"}}
    changes = [
        {}, {"profile": "finance"}, {"thresholds": {"PERSON": 0.9}}, {"threshold": 0.9},
        {"actions": {"PERSON": "redact"}}, {"allow": ["Maria Schneider"]},
        {"block": [["PERSON"]]}, {"overrides": [{"match": "a/**", "profile": "finance"}]},
        {"overrides": [{"match": "b/**", "profile": "finance"}]},
    ]  # fmt: skip
    made = [fingerprint(Privacy.model_validate({**base, **change})) for change in changes]
    assert len(set(made)) == len(changes)


# What a corpus file may not say


@pytest.mark.parametrize(
    ("said", "field", "problem"),
    [
        ("{actions: {PHONE_NUMBER: shift}}", "privacy.actions.PHONE_NUMBER", "cannot be shifted"),
        ("{actions: {PERSON: generalize}}", "privacy.actions.PERSON", "cannot be generalized"),
        ("{profile: finance, actions: {CARD_SECURITY: keep}}", "privacy.actions.CARD_SECURITY",
         "is never kept"),
        ("{thresholds: {PERSN: 0.5}}", "privacy.thresholds.PERSN", 'did you mean "PERSON"?'),
        ("{block: [[PERSON, AGE]]}", "privacy.block[0][1]", "which is kept"),
        ("{block: [{kinds: [PERSON], count: 0}]}", "privacy.block[0].count", "at least 1"),
        ("{allow_files: [none.txt]}", "privacy.allow_files[0]", "cannot be read"),
        ("{overrides: [{match: 'a/**', profile: none}]}", "privacy.overrides[0].profile",
         "allowed: default, healthcare, finance"),
        ("{overrides: [{profile: finance}]}", "privacy.overrides[0].match", "is missing"),
        ("{actions: {CARD_SECURITY: keep}, overrides: [{match: 'a/**', profile: finance}]}",
         "privacy.overrides[0].profile", "CARD_SECURITY is never kept"),
    ],
)  # fmt: skip
def test_a_privacy_section_that_means_nothing_is_refused(
    tmp_path: Path, said: str, field: str, problem: str
) -> None:
    with pytest.raises(CorpusFileError) as caught:
        parse(f"corpus: notes\nsource: {{url: a}}\nprivacy: {said}\n", tmp_path / "notes.yaml")
    (wrong,) = caught.value.problems
    assert (wrong.line, wrong.field) == (3, field)
    assert problem in wrong.problem


# Explaining


def test_an_explanation_says_what_found_why_and_what_lost(gate: Masker) -> None:
    text = "Dr. Maria Schneider paid by card 4111 1111 1111 1111."
    explanation = gate.explain(text)
    person, card = explanation.findings
    assert "Maria Schneider" in text[person.start : person.end]
    assert (person.action, card.action) == ("pseudonym", "redact")
    assert any("maria: given name" in reason.why for reason in person.reasons)
    assert next(reason.outcome for reason in card.reasons) == "masked"
    masked = gate.mask_text(text)
    places = [(one.start, one.end, one.entity) for one in explanation.findings]
    assert places == [(one.start, one.end, one.entity) for one in masked.findings]
    assert "Maria" not in repr(explanation).replace("maria", "")


def test_an_explanation_says_why_something_does_not_count(gate_with: Make) -> None:
    gate = gate_with(thresholds={"PHONE_NUMBER": 1.0})
    explanation = gate.explain("The phone is +44 20 7946 0958.")
    assert explanation.findings == ()
    assert {one.outcome for one in explanation.dropped} == {"below the threshold 1"}
