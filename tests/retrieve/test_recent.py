"""Newer documents rise, as far as they are asked to, in every target."""

from __future__ import annotations

import os
import string
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import days
from rag.config import Recency
from rag.retrieve.candidates import Candidate
from rag.retrieve.recent import recent
from rag.targets.embedded import EmbeddedIndex
from tests.conftest import Project
from tests.masked import masked
from tests.services.opensearch import OpenSearch, opensearch, opensearch_url
from tests.targets.documents import DIMENSIONS, make, told, vector

__all__ = ["opensearch", "opensearch_url"]

TODAY = date(2026, 1, 31)
STAFF = ("group:staff",)


def hits(*scored: tuple[float, int | None]) -> list[Candidate]:
    return [
        Candidate(name, STAFF, None, score, modified=None if age is None else day(age))
        for name, (score, age) in zip(string.ascii_lowercase, scored, strict=False)
    ]


def day(age: int) -> int:
    return days.number(TODAY - timedelta(age))


def order(found: list[Candidate]) -> str:
    return "".join(one.id for one in found)


def test_a_bonus_halves_with_age_and_is_told_in_deviations() -> None:
    before = hits((3.0, None), (2.0, 0), (1.0, 100), (0.0, 200))
    after = recent(before, Recency(half_life_days=100, weight=2), TODAY)
    deviation = (5 / 4) ** 0.5
    gained = {one.id: one.score - old.score for one in after for old in before if one.id == old.id}
    assert gained == pytest.approx({"a": 0, "b": 2 * deviation, "c": deviation, "d": deviation / 2})
    assert order(after) == "bacd"


def test_what_is_of_tomorrow_is_no_newer_than_what_is_of_today() -> None:
    after = recent(hits((1.0, 0), (0.0, -30), (2.0, 10_000)), Recency(weight=1), TODAY)
    assert order(after) == "cab"
    assert after[1].score - after[2].score == pytest.approx(1)


@given(st.lists(st.tuples(st.integers(-5, 5), st.none() | st.integers(-9, 9000)), max_size=26))
def test_nothing_is_lost_and_equal_ages_keep_their_order(scored: list[tuple[float, int]]) -> None:
    before = hits(*scored)
    assert sorted(order(recent(before, Recency(), TODAY))) == sorted(order(before))
    same = [replace_day(one) for one in before]
    wanted = sorted(same, key=lambda one: (-one.score, one.id))
    assert order(recent(same, Recency(weight=3), TODAY)) == order(wanted)


def replace_day(one: Candidate) -> Candidate:
    return one._replace(modified=day(50))


RULE = "Visitors may stay on the ward until {} o'clock in the evening, and no longer."


def write(project: Project, name: str, hour: str, age: int) -> Path:
    path = project.write(name, f"# Visiting hours\n\n{RULE.format(hour)}\n")
    moment = datetime.now(UTC) - timedelta(age)
    os.utime(path, (moment.timestamp(), moment.timestamp()))
    return path


@pytest.mark.parametrize("target", ["embedded", "opensearch"])
@pytest.mark.parametrize("rerank", ["null", "embedded/minilm-reranker"])
def test_of_three_versions_the_newest_comes_first(
    make_project: Callable[..., Project], opensearch: OpenSearch, target: str, rerank: str
) -> None:
    project = make_project()
    for name, hour, age in (("a", "seven", 900), ("b", "eight", 3), ("c", "nine", 2000)):
        write(project, f"{name}.md", hour, age)
    where = (
        "{kind: embedded}"
        if target == "embedded"
        else f"{{kind: opensearch, url: '{opensearch.url}', index: {opensearch.index}, "
        "auth: {kind: none}, replicas: 0}"
    )
    asked = "Until when may visitors stay on the ward?"

    def found(search: str, narrow: str | None = None) -> list[str]:
        settings = f"{{rerank: {rerank}, collapse: false, {search}}}"
        project.settings(f"targets: [{where}]\nsearch: {settings}")
        corpus = project.corpus
        return [str(hit.document) for hit in corpus.search(asked, principals=STAFF, where=narrow)]

    project.settings(f"targets: [{where}]")
    project.sync()
    assert found("recency: {weight: 3}") == ["b.md", "a.md", "c.md"]
    assert found("recency: {weight: 3, half_life_days: 0.1}") == found("recency: null")

    since = (datetime.now(UTC) - timedelta(1000)).date()
    assert sorted(found("recency: null", f"modified >= {since}")) == ["a.md", "b.md"]

    # Touched, it is no newer; written anew, it is.
    held = project.inventory()
    write(project, "c.md", "nine", 0)
    assert project.sync().documents["changed"] == 1
    assert project.inventory() == held
    assert found("recency: {weight: 3}") == ["b.md", "a.md", "c.md"]
    write(project, "c.md", "ten", 0)
    project.sync()
    assert found("recency: {weight: 3, half_life_days: 1}")[0] == "c.md"


def test_a_table_from_before_there_were_days_is_searched_and_gets_them(tmp_path: Path) -> None:
    import lancedb

    index = EmbeddedIndex(tmp_path, DIMENSIONS)
    index.apply([make("old", "word here", modified=20250101)], [])
    lancedb.connect(tmp_path).open_table(f"chunks_{DIMENSIONS}").drop_columns(["modified"])
    from rag.retrieve.filters import field
    from rag.retrieve.query import Query

    def found(index: EmbeddedIndex, query: Query) -> dict[str, int | None]:
        every = told(index, index.legs(query, 9).get("text", []))
        return {hit.chunk.document_id: hit.modified for hit in every}

    query = Query(masked("word"), list(vector("word")), STAFF)
    since = replace(query, where=field("modified") >= date(2024, 1, 1))
    before = replace(query, where=~(field("modified") >= date(2024, 1, 1)))
    index = EmbeddedIndex(tmp_path, DIMENSIONS)
    assert found(index, query) == {"old": None}
    assert found(index, since) == {}
    assert found(index, before) == {"old": None}

    index.apply([make("new", "word there", modified=20260101)], [])
    for _ in range(2):  # from the table; from the files beside it
        assert found(index, query) == {"old": None, "new": 20260101}
        assert found(index, since) == {"new": 20260101}
        index.compact()
