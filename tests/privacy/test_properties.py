"""Rules that hold for all texts, under every profile and with every form that a mask may have."""

from __future__ import annotations

import os
import re
import unicodedata
from datetime import date
from functools import cache
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from rag.config import Privacy
from rag.privacy import spans
from rag.privacy.gate import Masker
from rag.privacy.policy import resolve
from rag.privacy.surrogates import Masks, Surrogates
from rag.privacy.surrogates.dates import read_date
from rag.privacy.surrogates.masks import MASK
from rag.privacy.words import view
from rag.records import Finding
from tests.privacy.conftest import KEY
from tests.privacy.labelled import PLAIN, marked

QUICK = settings(max_examples=int(os.environ.get("SLUICE_EXAMPLES", "30")), deadline=None)

FORMS = {
    "DATE_TIME": "shift", "DATE_OF_BIRTH": "shift", "PHONE_NUMBER": "shape", "IBAN_CODE": "shape",
    "CREDIT_CARD": "partial", "US_SSN": "shape", "AGE": "generalize", "ZIP_CODE": "generalize",
    "STREET_ADDRESS": "pseudonym", "URL": "pseudonym", "LOCATION": "redact",
}  # fmt: skip
SECTIONS = {
    "default": {},
    "healthcare": {"profile": "healthcare"},
    "finance": {"profile": "finance"},
    "forms": {"actions": FORMS},
}
PROFILES = st.sampled_from(sorted(SECTIONS))


@cache
def masker(section: str) -> Masker:
    return Masker(resolve(Privacy.model_validate(SECTIONS[section])), KEY)


# Texts

FILLERS = st.sampled_from(
    ["", " ", "\n", "\n\n", " | ", ", ", "; ", "…", "é", "e\u0301", "\u200d", "\u202e", "😀", "𝐀",
     "中文", "שלום", "مرحبا", "ﬁ", "\u00ad", "0", "a", "'s", "<", ">", "<IBAN_CODE>",
     "PERSON_abcdefgh", "PERSON_2bcdefgh", "<AGE 90+>", "<DATE_TIME 2019>", "<ZIP_CODE 000>",
     "<CREDIT_CARD ****1111>", "<PHONE_NUMBER +44 20 7946 0958 k7q2>", "on 3 May 2021",
     "born 9 June 1961", "a 94-year-old"]
)  # fmt: skip
IDENTIFIERS = [s.text[start:end] for s in marked() for start, end, _ in s.identifiers]
SENTENCES = st.sampled_from([*PLAIN, *(s.text for s in marked())])
TEXTS = st.lists(st.one_of(FILLERS, SENTENCES, st.sampled_from(IDENTIFIERS)), max_size=8).map(
    " ".join
)

VALUES = (
    "4111 1111 1111 1111", "5500-0055-5555-5559", "219-09-9999", "kai.berg@post.example",
    "DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "+44 20 7946 0958", "203.0.113.77",
    "Maria Schneider", "Piotr Kowalski",
)  # fmt: skip
HIDDEN = ("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad")
ALIKE = str.maketrans("aeocpxyMKTH", "аеосрхуМКТН")  # Latin, and Cyrillic that looks like it


@st.composite
def disguised(draw: st.DrawFn) -> tuple[str, str]:
    """Return an identifier, and the same as it may stand in a text."""
    value = draw(st.sampled_from(VALUES))
    seen = value
    for way in draw(
        st.lists(st.sampled_from(["hidden", "wide", "marks", "broken", "alike"]), max_size=2)
    ):
        if way == "hidden":
            place = draw(st.integers(1, len(seen) - 1))
            seen = seen[:place] + draw(st.sampled_from(HIDDEN)) + seen[place:]
        elif way == "wide":
            seen = re.sub(r"\d", lambda digit: chr(ord("０") + int(digit[0])), seen)
        elif way == "marks":
            seen = f"\u202b{seen}\u202c"
        elif way == "broken" and " " in seen:
            seen = seen.replace(" ", "\n", 1)
        elif way == "alike" and seen.replace(" ", "").isalpha():
            letter = draw(st.sampled_from([one for one in seen if one.translate(ALIKE) != one]))
            seen = seen.replace(letter, letter.translate(ALIKE), 1)
    return value, seen


def bare(text: str) -> str:
    """Letters and digits, as a reader or a program would make them out."""
    plain = unicodedata.normalize("NFKC", text).translate({ord(b): a for a, b in LOOKS.items()})
    return "".join(sign for sign in plain if sign.isalnum()).casefold()


LOOKS = {a: chr(b) for a, b in zip("aeocpxyMKTH", map(ord, "аеосрхуМКТН"), strict=True)}


# The gate


@given(TEXTS, PROFILES)
@QUICK
def test_masking_twice_changes_nothing(text: str, profile: str) -> None:
    gate = masker(profile)
    once = gate.mask_text(text).text
    assert gate.mask_text(once).text == once


@given(TEXTS, PROFILES)
@QUICK
def test_offsets_lead_back_to_the_original(text: str, profile: str) -> None:
    masked = masker(profile).mask_text(text)
    rebuilt, place, kept = [], 0, str(masked.text)
    for finding in masked.findings:
        assert place <= finding.start < finding.end <= len(text)
        between = text[place : finding.start]
        assert kept.startswith(between)
        kept = kept[len(between) :]
        mask = MASK.match(kept)
        assert mask is not None
        rebuilt += [between, text[finding.start : finding.end]]
        kept, place = kept[mask.end() :], finding.end
        assert not unicodedata.combining(text[place : place + 1] or " ")
    assert kept == text[place:]
    assert "".join(rebuilt) + text[place:] == text


@given(disguised(), FILLERS, FILLERS, PROFILES)
@QUICK
def test_no_output_holds_an_identifier_however_it_is_written(
    pair: tuple[str, str], before: str, after: str, profile: str
) -> None:
    value, seen = pair
    label = {"2": "SSN " if value[3] == "-" else "IP ", "+": "Phone "}.get(value[0], "")
    text = f"Note {before}\n{label}{seen} called. {after} end."
    assert bare(value) not in bare(masker(profile).mask_text(text).text)


@given(st.text(max_size=60), PROFILES)
@QUICK
def test_no_text_breaks_the_gate(text: str, profile: str) -> None:
    gate = masker(profile)
    once = gate.mask_text(text).text
    assert gate.mask_text(once).text == once


@given(st.text(max_size=80))
@QUICK
def test_any_text_has_a_view_that_maps_back(text: str) -> None:
    seen = view(text)
    for place in range(len(seen.text)):
        start, end = seen.original(place, place + 1)
        assert 0 <= start < end <= len(text)
        assert start >= (seen.original(place - 1, place)[0] if place else 0)


# Surrogates

MADE = Surrogates(KEY)


@given(st.text(max_size=40), st.sampled_from(["PHONE_NUMBER", "CREDIT_CARD", "OWN_KIND"]))
@QUICK
def test_a_shape_is_a_mask_that_holds_none_of_what_it_stands_for(text: str, kind: str) -> None:
    made = MADE.shape(kind, text)
    assert MASK.fullmatch(made)
    assert Masks({kind}, MADE).spans(made) == [(0, len(made))]
    value = made.removeprefix(f"<{kind}").removesuffix(">").rpartition(" ")[0]
    assert not bare(value) or bare(value) != bare(text)


DAYS = st.dates(date(1600, 1, 1), date(2199, 12, 31))
WRITTEN = st.sampled_from(["%Y-%m-%d", "%d %B %Y", "%B %d, %Y", "%d.%m.%Y", "%Y/%m/%d"])


@given(DAYS, WRITTEN)
@QUICK
def test_a_date_is_read_as_it_was_written(day: date, form: str) -> None:
    assert read_date(day.strftime(form)) == (day.year, day.month, day.day)


# Spans

FINDINGS = st.lists(
    st.builds(
        lambda start, length, entity: Finding(start, start + length, entity, 0.5),
        st.integers(0, 40),
        st.integers(1, 12),
        st.sampled_from(["PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "US_SSN"]),
    ),
    max_size=12,
)


def covered(findings: list[Finding]) -> set[int]:
    return {place for one in findings for place in range(one.start, one.end)}


@given(FINDINGS, st.sampled_from(["PERSON", "US_SSN"]))
@QUICK
def test_resolved_findings_are_disjoint_cover_all_and_take_the_safest_kind(
    findings: list[Finding], safest: str
) -> None:
    resolved = spans.resolve(findings, lambda entity: entity == safest)
    for one, other in pairwise(resolved):
        assert one.end <= other.start
    assert covered(resolved) == covered(findings)
    for one in findings:
        if one.entity == safest:
            assert any(
                two.entity == safest and two.start <= one.start and one.end <= two.end
                for two in resolved
            )


@given(FINDINGS, st.integers(0, 30), st.integers(1, 10))
@QUICK
def test_holes_are_never_covered(findings: list[Finding], start: int, length: int) -> None:
    left = spans.cut(spans.resolve(findings), [(start, start + length)])
    assert covered(left) == covered(findings) - set(range(start, start + length))
