"""Filters on real targets: every one finds what the shared evaluator says, whatever it holds."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.records import IndexedDocument
from rag.retrieve.filters import All, Among, Compare, Filter, Not, field, matches
from rag.retrieve.query import Query
from rag.targets import Target
from rag.targets.embedded import EmbeddedIndex
from rag.targets.knowledge_base import filters as retrieval_filters
from tests.filters import DAYS, comparisons, filters, texts
from tests.masked import masked
from tests.services.opensearch import OpenSearch
from tests.targets.documents import DIMENSIONS, make, told, vector
from tests.targets.opensearch_index import index_of

STAFF = ("group:staff",)
Open = Callable[[], Target]
_numbers = itertools.count()


@pytest.fixture(scope="module", params=["embedded", "opensearch", "older opensearch"])
def opened(request: pytest.FixtureRequest, opensearch_url: str) -> Iterator[Open]:
    """Give a target whose documents are those of the example before, to be replaced."""
    if request.param == "embedded":
        with tempfile.TemporaryDirectory() as folder:
            yield lambda: EmbeddedIndex(Path(folder), DIMENSIONS, scalar_from=1)
        return
    server = OpenSearch(opensearch_url, f"filters-{next(_numbers)}-{id(request):x}")
    with pytest.MonkeyPatch.context() as patched:
        if request.param == "older opensearch":
            made_as_of_the_first_layout(patched)
        index = index_of(server)
        index.apply([make("first", "word")], [])
    yield lambda: index


def made_as_of_the_first_layout(patched: pytest.MonkeyPatch) -> None:
    """Make indexes as they were made before titles and headings were fields."""
    from rag.targets.opensearch import generations, mapping

    shape = mapping.body

    def older(*given: object, **named: object) -> dict[str, object]:
        made = shape(*given, **named)  # type: ignore[arg-type]
        properties = made["mappings"]["properties"]
        for name in ("title_words", "heading_words", "text_words"):
            properties["words"] = properties.pop(name)
        del properties["packed"], properties["modified"]
        properties["title"] = properties["heading"]
        properties["section"] = {"type": "keyword", "index": False, "doc_values": False}
        return made

    create = generations.Generation

    patched.setattr(mapping, "body", older)
    patched.setattr(generations, "Generation", lambda **named: create(**{"layout": 1, **named}))


def shelf(values: list[str]) -> list[IndexedDocument]:
    """Documents whose name, title, type and headings are these texts."""
    made = []
    for number, value in enumerate(values):
        day = (None, *DAYS)[number % (len(DAYS) + 1)]
        one = make(f"d{number}", "word here", "word there", media_type=value, modified=day)
        chunks = tuple(
            replace(
                chunk,
                page=None if (number + chunk.position) % 3 == 0 else number + chunk.position,
                section=tuple(masked(part) for part in values[: chunk.position + number]),
            )
            for chunk in one.chunks
        )
        made.append(replace(one, name=masked(value), title=masked(value), chunks=chunks))
    return made


def check(target: Target, values: list[str], asked: list[Filter]) -> None:
    documents = shelf(values)
    stale = set(target.inventory()) - {one.id for one in documents}
    target.apply(documents, sorted(stale))
    question, meaning = masked("word"), list(vector("word"))
    every = target.legs(Query(question, meaning, STAFF), 100)["text"]
    assert len(every) == 2 * len(values)
    for one in asked:
        legs = target.legs(Query(question, meaning, STAFF, one), 100)
        wanted = {hit.chunk.id for hit in told(target, every) if matches(one, hit)}
        for leg in ("text", "vector"):
            assert {hit.id for hit in legs.get(leg, [])} == wanted, (leg, one)
        assert not target.legs(Query(question, meaning, ("user:other",), one), 100).get("text")


@settings(max_examples=6, deadline=None, derandomize=True)
@given(st.lists(texts, min_size=1, max_size=4), st.data())
def test_a_filter_finds_what_it_says(opened: Open, values: list[str], data: st.DataObject) -> None:
    some = st.sampled_from(values) | texts
    asked = data.draw(st.lists(filters(some) | comparisons(some), min_size=3, max_size=6))
    check(opened(), values, asked)


@settings(max_examples=4, deadline=None, derandomize=True)
@given(st.lists(texts, min_size=2, max_size=4, unique=True))
def test_any_text_is_found_by_itself_and_by_nothing_else(opened: Open, values: list[str]) -> None:
    asked: list[Filter] = []
    for value in values:
        as_pattern = "".join(f"\\{letter}" for letter in value)
        asked += [field("name") == value, field("section") == value, field("title") != value]
        asked += [Among("type", (value, "other")), Compare("title", "~", as_pattern)]
        asked += [Compare("section", "~", f"{as_pattern}*")]
    check(opened(), values, asked)


def test_a_reindex_exchanges_an_index_of_the_older_layout(opensearch: OpenSearch) -> None:
    with pytest.MonkeyPatch.context() as patched:
        made_as_of_the_first_layout(patched)
        index = index_of(opensearch)
        index.apply([make("a", "word")], [])
    assert index._again().layout == 1  # type: ignore[union-attr]
    target, corpus = index._target, index._corpus
    new = index.beside(target, corpus.embed, DIMENSIONS)
    new.apply([make("a", "word")], [])
    index.serve(new)
    assert index._again().layout == 4  # type: ignore[union-attr]
    for text in ("word", "heading", "title"):
        query = Query(masked(text), None, STAFF, field("section") == "Heading")
        assert [hit.id for hit in index.legs(query, 5)["text"]] == ["a-1-0"]


def test_a_knowledge_base_gets_what_it_can_do_and_no_more() -> None:
    asked = All(
        (
            Compare("page", ">=", 3),
            Compare("name", "~", "a*"),
            Not(Compare("page", "=", 4)),
            Not(Among("kind", ("table",))),
            Compare("title", "=", ""),
            Compare("section", "=", "Billing") | (field("page") == 1),
            Compare("section", "~", "B*") | (field("page") == 1),
        )
    )
    [condition], left = retrieval_filters.within(["user:a"], asked)
    assert condition == {
        "andAll": [
            {"listContains": {"key": "acl", "value": "user:a"}},
            {"greaterThanOrEquals": {"key": "page", "value": 3}},
            {"notIn": {"key": "kind", "value": ["table"]}},
            {
                "orAll": [
                    {"listContains": {"key": "section", "value": "Billing"}},
                    {"equals": {"key": "page", "value": 1}},
                ]
            },
        ]
    }
    assert left == All((asked.parts[1], asked.parts[2], asked.parts[4], asked.parts[6]))
