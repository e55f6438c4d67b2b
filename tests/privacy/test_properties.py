"""Rules that hold for all texts."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.privacy import spans
from rag.privacy.gate import Masker
from rag.privacy.words import view
from rag.records import Finding
from tests.privacy.labelled import PLAIN, marked

QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
IDENTIFIERS = [s.text[start:end] for s in marked() for start, end, _ in s.identifiers]
FILLERS = st.sampled_from(
    [
        "",
        " ",
        "\n",
        "\n\n",
        " | ",
        ", ",
        "; ",
        "…",
        "é",
        "e\u0301",
        "\u200d",
        "\u202e",
        "😀",
        "𝐀",
        "中文",
        "שלום",
        "مرحبا",
        "ﬁ",
        "\u00ad",
        "PERSON_abcdefgh",
        "<IBAN_CODE>",
        "0",
        "a",
        "'s",
    ]
)
SENTENCES = st.sampled_from([*PLAIN, *(s.text for s in marked())])
TEXTS = st.lists(st.one_of(FILLERS, SENTENCES, st.sampled_from(IDENTIFIERS)), max_size=8).map(
    " ".join
)
FINDINGS = st.lists(
    st.builds(
        lambda start, length, entity: Finding(start, start + length, entity, 0.5),
        st.integers(0, 40),
        st.integers(1, 12),
        st.sampled_from(["PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "US_SSN"]),
    ),
    max_size=12,
)


@given(TEXTS)
@QUICK
def test_masking_twice_changes_nothing(gate: Masker, text: str) -> None:
    once = gate.mask_text(text).text
    assert gate.mask_text(once).text == once


@given(TEXTS)
@QUICK
def test_offsets_lead_back_to_the_original(gate: Masker, text: str) -> None:
    masked = gate.mask_text(text)
    rebuilt, place, kept = [], 0, masked.text
    for finding in masked.findings:
        assert place <= finding.start < finding.end <= len(text)
        between = text[place : finding.start]
        assert kept.startswith(between)
        kept = kept[len(between) :]
        following = text[finding.end : finding.end + 1]
        cut = kept.index(">") + 1 if kept.startswith("<") else kept.index("_") + 9
        rebuilt += [between, text[finding.start : finding.end]]
        kept, place = kept[cut:], finding.end
        assert not unicodedata.combining(following or " ")
    assert kept == text[place:]
    assert "".join(rebuilt) + text[place:] == text


@given(
    st.sampled_from(
        ["4111 1111 1111 1111", "219-09-9999", "kai.berg@post.example", "DE89370400440532013000"]
    ),
    FILLERS,
    FILLERS,
)
@QUICK
def test_a_shape_is_found_whatever_stands_around_it(
    gate: Masker, value: str, before: str, after: str
) -> None:
    text = f"Note {before} {value} {after} end."
    assert value not in gate.mask_text(text).text


@given(st.text(max_size=80))
@QUICK
def test_any_text_has_a_view_that_maps_back(text: str) -> None:
    seen = view(text)
    for place in range(len(seen.text)):
        start, end = seen.original(place, place + 1)
        assert 0 <= start < end <= len(text)
        assert start >= (seen.original(place - 1, place)[0] if place else 0)


@given(st.text(max_size=60))
@QUICK
def test_no_text_breaks_the_gate(gate: Masker, text: str) -> None:
    masked = gate.mask_text(text)
    assert gate.mask_text(masked.text).text == masked.text


@given(FINDINGS)
@QUICK
def test_resolved_findings_are_disjoint_and_cover_all(findings: list[Finding]) -> None:
    resolved = spans.resolve(findings)
    for one, other in pairwise(resolved):
        assert one.end <= other.start
    wanted = {place for f in findings for place in range(f.start, f.end)}
    assert {place for f in resolved for place in range(f.start, f.end)} == wanted


@given(FINDINGS, st.integers(0, 30), st.integers(1, 10))
@QUICK
def test_holes_are_never_covered(findings: list[Finding], start: int, length: int) -> None:
    left = spans.cut(spans.resolve(findings), [(start, start + length)])
    hole = set(range(start, start + length))
    assert not hole & {place for f in left for place in range(f.start, f.end)}
    wanted = {place for f in findings for place in range(f.start, f.end)} - hole
    assert {place for f in left for place in range(f.start, f.end)} == wanted
