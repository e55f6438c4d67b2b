"""The language of filters: what it means, what it refuses and where."""

from __future__ import annotations

import fnmatch
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import FilterWrong
from rag.records import Chunk, Hit
from rag.retrieve.candidates import Candidate, Legs
from rag.retrieve.filters import (
    EVERYTHING,
    All,
    Among,
    AnyOf,
    Compare,
    Filter,
    Not,
    field,
    matches,
    parse,
    sifted,
    split,
    together,
)
from rag.retrieve.filters.matching import matcher
from tests.filters import filters, texts, written
from tests.masked import masked


def hit(number: int = 0, **of: object) -> Hit:
    chunk = Chunk(f"c{number}", "d", number, masked(""), masked("text"), 1, page=of.get("page"))  # type: ignore[arg-type]
    return Hit(chunk, masked(str(of.get("name", "a.txt"))), 1.0, media_type="text/plain")


def test_text_and_python_say_the_same() -> None:
    said = parse(
        'type = "application/pdf" and (section ~ "Billing*" or page >= 3) '
        'and not name in ("a", "b")'
    )
    billing = field("section").like("Billing*") | (field("page") >= 3)
    pdf = field("type") == "application/pdf"
    assert said == All((pdf, billing, ~field("name").among("a", "b")))
    assert parse("page != 3") == (field("page") != 3) == Not(Compare("page", "=", 3))
    assert parse("name not in (a, 'b c')") == Not(Among("name", ("a", "b c")))
    for since in ("2026-01-31", "'2026-01-31'", "20260131"):
        assert parse(f"modified >= {since}") == (field("modified") >= date(2026, 1, 31))
    with pytest.raises(FilterWrong, match="days such as"):
        field("modified").among(date(2026, 1, 31), 20260230)
    assert parse("  ") == EVERYTHING


def test_and_binds_closer_than_or_and_not_closest() -> None:
    a, b, c = (Compare("name", "=", one) for one in "abc")
    assert parse("name=a or name=b and not name=c") == AnyOf((a, All((b, Not(c)))))
    assert parse("(name=a OR name=b) AND NOT name=c") == All((AnyOf((a, b)), Not(c)))


def test_several_filters_must_all_hold_but_of_values_of_one_field_one() -> None:
    both = together(["name=a", "name=b", "page > 2"])
    assert matches(both, hit(name="a", page=3))
    assert matches(both, hit(name="b", page=3))
    assert not matches(both, hit(name="c", page=3))
    assert not matches(both, hit(name="a", page=2))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(filters())
def test_what_is_written_is_read(filter: Filter) -> None:  # noqa: A002
    assert parse(written(filter)) == filter


def place_of_mistake(text: str) -> int | None:
    """Where a filter is wrong; None: it is not."""
    try:
        parse(text)
    except FilterWrong as error:
        return -1 if error.place is None else error.place
    return None


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(max_size=40) | st.text(alphabet="()=<>~!,\"'\\ andortpgei3", max_size=30))
def test_any_text_is_a_filter_or_is_refused_with_a_place_in_it(text: str) -> None:
    place = place_of_mistake(text)
    assert place is None or 0 <= place <= len(text)


@pytest.mark.parametrize(
    ("text", "place", "part"),
    [
        ("colour = red", 0, "a field is expected"),
        ("page = x", 7, "whole number"),
        ("page = 99999999999", 0, "whole numbers up to"),
        ("page ~ 3", 0, "no pattern"),
        ("name < a", 0, "is a text"),
        ('name = "a', 7, "a quote is not closed"),
        ("(name = a", 9, "closing parenthesis"),
        ("name = a name = b", 9, "or the end"),
        ("name in ()", 9, "a text, in quotes"),
        ("name not like a", 9, "in is expected"),
        ("name", 4, "an operator is expected"),
        ("name ~ " + "*a" * 11, 0, "at most 10 wildcards"),
        ("(" * 60 + "page=1" + ")" * 60, 50, "nested"),
        (f"name = {'a' * 1001}", 0, "1000 characters"),
        ("modified > 3", 11, "a day, such as 2026-01-31,"),
        ("modified = 2026-02-30", 11, "a day, such as"),
        ("modified ~ 2026-01-31", 0, "is a day, which has no pattern"),
    ],
)
def test_a_mistake_is_shown_where_it_is(text: str, place: int, part: str) -> None:
    with pytest.raises(FilterWrong, match=part) as caught:
        parse(text)
    assert caught.value.place == place


def test_an_error_does_not_repeat_the_filter() -> None:
    with pytest.raises(FilterWrong) as caught:
        parse("owner = Odile")
    assert "Odile" not in str(caught.value)
    assert "owner" not in str(caught.value)


def test_a_passage_without_a_page_matches_no_comparison_and_every_negation() -> None:
    for text in ("page = 1", "page < 9", "page > 0", "page in (1, 2)"):
        assert not matches(parse(text), hit())
        assert matches(parse(f"not ({text})"), hit())
    assert matches(parse("page != 1"), hit())


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(alphabet="ab*?", max_size=10), st.text(alphabet="ab\n", max_size=14))
def test_patterns_mean_what_they_do_for_file_names(pattern: str, text: str) -> None:
    assert matcher(pattern)(text) == fnmatch.fnmatchcase(text, pattern)


@given(texts)
def test_an_escaped_text_matches_itself_alone(text: str) -> None:
    escaped = "".join(f"\\{one}" for one in text)
    assert matcher(escaped)(text)
    assert not matcher(escaped)(text + "x")


def test_a_hostile_pattern_is_quick() -> None:
    assert not matcher("*a" * 10 + "b")("a" * 50_000)


def test_what_a_target_cannot_do_is_told_from_what_it_can_by_whole_conjuncts() -> None:
    asked = parse("page > 1 and (name = a or title = b) and not title = c")
    there, left = split(asked, lambda part: "title" not in str(part))
    assert there == All((Compare("page", ">", 1),))
    assert left == All((parse("name = a or title = b"), parse("not title = c")))


def test_more_is_asked_for_until_enough_is_found() -> None:
    every = [Candidate.of(hit(number, name="x" if number % 10 else "y")) for number in range(200)]
    asked: list[int] = []

    def ask(depth: int) -> Legs:
        asked.append(depth)
        return {"text": every[:depth]}

    found = sifted(ask, parse("name = y"), 5, 1000, "shelf")["text"]
    assert [one.chunk.position for one in found] == [0, 10, 20, 30, 40]
    assert asked == [20, 80]
    assert len(sifted(ask, parse("name = y"), 50, 1000, "shelf")["text"]) == 20
    asked.clear()
    sifted(ask, parse("name = z"), 5, 100, "shelf")
    assert asked == [20, 80, 100]
