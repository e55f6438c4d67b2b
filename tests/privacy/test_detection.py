"""What is found in sentences of many kinds, and what is left alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rag.privacy import spans
from rag.privacy.gate import Masker
from rag.records import Finding, MaskedText
from tests.pace import linear
from tests.privacy.labelled import PLAIN, marked

HONORIFICS = ("Dr. ", "Mrs. ", "Ms ", "Ing. ", "Prof. ", "Nurse ", "Mr. and Mrs. ", "le docteur ")


def covered(text: str, start: int, end: int, findings: Sequence[Finding]) -> bool:
    for honorific in HONORIFICS:
        if text.startswith(honorific, start):
            start += len(honorific)
    end = text.rfind(", MD", start, end) if text.endswith(", MD", start, end) else end
    inside = {place for finding in findings for place in range(finding.start, finding.end)}
    return all(place in inside or not text[place].isalnum() for place in range(start, end))


def test_nearly_every_marked_identifier_is_wholly_masked(gate: Masker) -> None:
    sentences = marked()
    missed, total = [], 0
    for sentence, masked in zip(
        sentences, gate.mask_texts([s.text for s in sentences]), strict=True
    ):
        assert isinstance(masked, MaskedText)
        for start, end, kind in sentence.identifiers:
            total += 1
            if not covered(sentence.text, start, end, masked.findings):
                missed.append((kind, sentence.text[start:end]))
    assert total >= 150
    assert len(missed) <= 0.02 * total, missed


def test_the_kind_is_right_nearly_always(gate: Masker) -> None:
    sentences = marked()
    right = total = 0
    for sentence, masked in zip(
        sentences, gate.mask_texts([s.text for s in sentences]), strict=True
    ):
        assert isinstance(masked, MaskedText)
        for start, end, kind in sentence.identifiers:
            total += 1
            right += kind in {f.entity for f in masked.findings if f.start < end and f.end > start}
    assert right >= 0.95 * total


@pytest.mark.parametrize("sentence", PLAIN)
def test_a_sentence_without_persons_passes_as_it_is(gate: Masker, sentence: str) -> None:
    assert gate.mask_text(sentence).text == sentence


@pytest.mark.parametrize(
    ("text", "persons"),
    [
        ("Please ask Nkechi about the keys.", ["Nkechi"]),
        ("Regards, T. Okonkwo", ["T. Okonkwo"]),
        ("my name is robert hale", ["robert hale"]),
        ("Will Brown and Mark Young left.", ["Will Brown", "Mark Young"]),
        ("Anna, Bo and Chidi came late.", ["Anna", "Bo", "Chidi"]),
        ('Robert "Bob" Hale Jr. signed.', ['Robert "Bob" Hale Jr.']),
        ("We saw Grace near the door.", ["Grace"]),
        ("Thanks,\nWill", ["Will"]),
        ("P\u0430ul Sm\u0456th left.", ["P\u0430ul Sm\u0456th"]),
        (
            "Gon-\nz\u00e1lez, Mar\u00eda came. Then GONZALES called, and mgonzalez replied.",
            ["Gon-\nz\u00e1lez, Mar\u00eda", "GONZALES", "mgonzalez"],
        ),
        ("Baker, Smith and Jones LLP won; Strand & Sons Ltd sells fish.", []),
        ("She has Parkinson's disease; see Bayes' theorem.", []),
        ("Will you grant access? Mark the page. May and June are warm in Paris.", []),
        ("Which church in Virginia is a shrine? The one in Florence was closed.", []),
        ("How far is it, if downtown Boston is shut and all across Georgia went dark?", []),
        (
            "Virginia is off sick, and Florence was told in Florence.",
            ["Virginia", "Florence", "Florence"],
        ),
    ],
)
def test_persons_are_found_by_company_and_no_thing_is_one(
    gate: Masker, text: str, persons: list[str]
) -> None:
    findings = gate.mask_text(text).findings
    assert [text[f.start : f.end] for f in findings if f.entity == "PERSON"] == persons


def test_text_after_an_allowed_term_is_judged_by_itself(gate_with) -> None:  # type: ignore[no-untyped-def]
    gate = gate_with(allow=["Florence Nightingale"])
    masked = gate.mask_text("Florence Nightingale House was opened by Ottoline Brackenbury.")
    assert "Florence Nightingale" in masked.text
    assert "Brackenbury" not in masked.text


def test_tens_of_thousands_of_findings_are_resolved_in_linear_time() -> None:
    def resolved(count: int) -> None:
        many = [Finding(7 * i, 7 * i + 9, "PHONE_NUMBER", 0.5) for i in range(count)]
        many += [Finding(7 * i, 7 * i + 3, "PERSON", 0.5) for i in range(count)]
        spans.cut(spans.resolve(many), [(9 * i, 9 * i + 2) for i in range(count)])

    linear(resolved, 20_000)


def test_a_text_dense_with_identifiers_is_masked_in_linear_time(gate: Masker) -> None:
    def masked(lines: int) -> None:
        text = "\n".join(
            f"row {i}: user{i}@mail.example, 078-05-{i % 9000 + 1000}" for i in range(lines)
        )
        assert len(gate.mask_text(text).findings) >= 2 * lines

    linear(masked, 2_000)


@pytest.mark.parametrize("noise", ["a", "1", "A ", "@", "Aa-", "1-", "a: ", "Ab "])
def test_hostile_repetition_is_read_in_linear_time(gate: Masker, noise: str) -> None:
    linear(lambda length: gate.mask_text(noise * (length // len(noise))), 100_000)
