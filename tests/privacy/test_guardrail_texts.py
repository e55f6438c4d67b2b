"""Texts into calls and back: nothing is lost, and what was changed is found again."""

from __future__ import annotations

import math
import re

from hypothesis import given
from hypothesis import strategies as st

from rag.privacy.guardrail.aligning import Span, everywhere, replaced, spans, spared
from rag.privacy.guardrail.packing import CHARACTERS, cut, pack
from rag.privacy.pseudonym import MASK

TEXTS = st.lists(st.text("ab1.\n {}é", max_size=60), max_size=12)
MASKS = ("PERSON_2cmkxizt", "EMAIL_ab2cd3ef", "<EMAIL_ADDRESS>", "<US_SSN>")


@given(TEXTS, st.integers(1, 50))
def test_the_parts_of_a_text_make_the_text_and_no_call_is_over_the_limit(
    texts: list[str], limit: int
) -> None:
    calls = pack(texts, limit)
    for number, text in enumerate(texts):
        parts = [part for call in calls for part in call if part.index == number]
        if not any(map(str.isalnum, text)):
            assert not parts
            continue
        assert "".join(part.text for part in parts) == text
        assert all(text.startswith(part.text, part.start) for part in parts)
    assert all(0 < sum(len(part.text) for part in call) <= limit for call in calls)


def test_few_calls_are_spent() -> None:
    texts = ["A short heading.", *("The pump is serviced every six months. " * 700 for _ in "abcd")]
    total = sum(map(len, texts))
    assert len(pack(texts)) <= math.ceil(total / CHARACTERS) + 1


def test_a_long_text_is_cut_between_sentences_and_never_in_a_pseudonym() -> None:
    sentence = "PERSON_2cmkxizt was seen by PERSON_aaaa2222 in room 12. "
    assert cut(sentence * 10, 0, 200) % len(sentence) == 0
    run = "PERSON_2cmkxizt" * 50
    assert all(MASK.fullmatch(part.text[-15:]) for part in pack([run], 100)[0])


SEGMENTS = st.lists(
    st.tuples(
        st.text("ab {}", max_size=6), st.sampled_from(["Ana", "Ana b", "Bob", "{NAME}", "a"])
    ),
    max_size=8,
)


@given(
    SEGMENTS,
    st.text("ab {}", max_size=6),
    st.lists(st.sampled_from(["NAME", "badge"])),
    st.booleans(),
)
def test_where_a_text_was_changed_is_found_from_the_new_text(
    segments: list[tuple[str, str]], tail: str, names: list[str], listed: bool
) -> None:
    text, output = "", ""
    found: dict[str, set[str]] = {}
    for number, (plain, value) in enumerate(segments):
        name = names[number % len(names)] if names else "NAME"
        text += plain + value
        output += f"{plain}{{{name}}}"
        found.setdefault(name, set()).add(value if listed else "")
    text, output = text + tail, output + tail
    seen = spans(text, output, found)
    assert seen is not None
    # Names side by side may be read as one: what lies outside of them is what is kept.
    assert unnamed(replaced_all(text, seen)) == unnamed(output)
    if listed:
        assert replaced_all(text, seen) == output


def replaced_all(text: str, seen: list[Span]) -> str:
    pieces, place = [], 0
    for span in seen:
        pieces += [text[place : span.start], f"{{{span.name}}}"]
        place = span.end
    return "".join([*pieces, text[place:]])


def unnamed(text: str) -> str:
    return re.sub(r"\{(?:NAME|badge)\}", "", text)


def test_a_thousand_names_side_by_side_are_found_at_once() -> None:
    text, output = "Ana" * 2000, "{NAME}" * 2000
    seen = spans(text, output, {"NAME": {"Ana", "AnaAna"[:4], "An"}})
    assert seen is not None
    assert len(seen) == 2000


def test_a_new_text_that_cannot_be_laid_over_the_old_one_is_said_to_be_so() -> None:
    assert spans("Call Ana.", "Something else.", {"NAME": {"Ana"}}) is None
    assert spans("Call Ana.", "Call Bob.", {}) is None
    assert spans("Call Ana", "{NAME} Bob", {"NAME": {"Ana"}}) is None
    assert everywhere("Ana, Anabel", {"NAME": {"Ana", "Anabel"}}) == [
        Span(0, 3, "NAME"),
        Span(5, 11, "NAME"),
    ]


@given(
    st.lists(st.one_of(st.sampled_from(MASKS), st.text("ab ,.", max_size=5)), max_size=8),
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80)), max_size=4),
)
def test_pseudonyms_survive_whatever_is_anonymised(
    pieces: list[str], ranges: list[tuple[int, int]]
) -> None:
    text = " ".join(pieces)
    place, changed = 0, []
    for start, length in ranges:
        first, last = place + start, min(place + start + length, len(text))
        if first < last:
            changed.append(Span(first, last, "NAME"))
            place = last
    kept = replaced(text, spared(text, changed))
    assert [m.group() for m in MASK.finditer(kept)] == [m.group() for m in MASK.finditer(text)]
