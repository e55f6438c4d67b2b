"""Filters fulfil what the service's documentation says of each operator."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.knowledge.filters import compiled, rule
from localaws.knowledge.index import Chunk, Document, Index
from localaws.operations import AwsError

KEYS = st.sampled_from(["a", "b", "c"])
TEXTS = st.text("xyz", max_size=3)
NUMBERS = st.one_of(st.integers(-3, 3), st.sampled_from([0.5, -1.5]))
SCALARS = st.one_of(TEXTS, NUMBERS, st.booleans())
VALUES = st.one_of(SCALARS, st.lists(TEXTS, max_size=3))
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=3)


def _leaf(names: list[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(
        lambda name, key, value: {name: {"key": key, "value": value}},
        st.sampled_from(names),
        KEYS,
        values,
    )


LEAVES = st.one_of(
    _leaf(["equals", "notEquals"], SCALARS),
    _leaf(["in", "notIn"], st.lists(SCALARS, min_size=1, max_size=3)),
    _leaf(["greaterThan", "greaterThanOrEquals", "lessThan", "lessThanOrEquals"], NUMBERS),
    _leaf(["startsWith", "stringContains", "listContains"], TEXTS),
)


def _groups(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(
        lambda name, conditions: {name: conditions},
        st.sampled_from(["andAll", "orAll"]),
        st.lists(inner, min_size=2, max_size=5),
    )


FILTERS = st.one_of(LEAVES, _groups(st.one_of(LEAVES, _groups(LEAVES))))


def typed(value: Any) -> tuple[str, Any]:
    if isinstance(value, bool):
        return "boolean", value
    return ("number", float(value)) if isinstance(value, int | float) else ("text", value)


def fulfils(condition: dict[str, Any], document: dict[str, Any]) -> bool:
    """The documentation, operator by operator, as naively as it can be said."""
    ((name, said),) = condition.items()
    if name == "andAll":
        return all(fulfils(one, document) for one in said)
    if name == "orAll":
        return any(fulfils(one, document) for one in said)
    there = said["key"] in document
    mine, value = document.get(said["key"]), said["value"]
    scalar = there and not isinstance(mine, list)
    if name == "equals":
        return scalar and typed(mine) == typed(value)
    if name == "notEquals":
        return not (scalar and typed(mine) == typed(value))
    if name == "in":
        return scalar and typed(mine) in [typed(one) for one in value]
    if name == "notIn":
        return there and not (scalar and typed(mine) in [typed(one) for one in value])
    if name == "startsWith":
        return isinstance(mine, str) and mine[: len(value)] == value
    if name == "stringContains":
        texts = mine if isinstance(mine, list) else [mine] if isinstance(mine, str) else []
        return any(value in text for text in texts)
    if name == "listContains":
        return isinstance(mine, list) and value in mine
    if not scalar or typed(mine)[0] != "number":
        return False
    return {
        "greaterThan": mine > value,
        "greaterThanOrEquals": mine >= value,
        "lessThan": mine < value,
        "lessThanOrEquals": mine <= value,
    }[name]


@given(FILTERS, DOCUMENTS)
def test_a_filter_is_fulfilled_when_its_words_are(
    condition: dict[str, Any], document: dict[str, Any]
) -> None:
    assert compiled(condition)(document) == fulfils(condition, document)


@given(st.lists(FILTERS, min_size=1, max_size=3), st.data())
def test_an_index_never_forgets_what_changed_since_a_filter_was_asked(
    conditions: list[dict[str, Any]], data: st.DataObject
) -> None:
    import numpy

    index = Index(untidy=data.draw(st.sampled_from([2, 1000])))
    truth: dict[str, dict[str, Any]] = {}
    for number in range(data.draw(st.integers(1, 12))):
        name = data.draw(st.sampled_from(["one", "two", "three"]))
        attributes = data.draw(DOCUMENTS)
        document = Document("source", name, "CUSTOM", "INDEXED", "", attributes=attributes)
        act = data.draw(st.sampled_from(["replace", "update", "remove"]))
        if act == "replace":
            chunks = [Chunk(f"{number}-{place}", name, name) for place in range(2)]
            index.replace(document, chunks, numpy.ones((2, 1), numpy.float32))
            truth[name] = attributes
        elif act == "update":
            index.update(document)
            if name in truth:
                truth[name] = attributes
        else:
            index.remove(("source", name))
            truth.pop(name, None)
        for condition in conditions:
            test = compiled(condition)
            found = index.search(
                numpy.ones(1, numpy.float32),
                None,
                100,
                rule(condition),
                lambda one, test=test: test(one.attributes),
            )
            names = sorted({one.document.name for one in found})
            assert names == sorted(one for one in truth if fulfils(condition, truth[one]))
            assert len(found) == 2 * len(names)


@pytest.mark.parametrize(
    "condition",
    [
        {"greaterThan": {"key": "a", "value": "x"}},
        {"in": {"key": "a", "value": "x"}},
        {"in": {"key": "a", "value": []}},
        {"listContains": {"key": "a", "value": 1}},
        {"startsWith": {"key": "a", "value": True}},
        {"equals": {"key": "a", "value": ["x"]}},
        {"andAll": [{"equals": {"key": "a", "value": 1}}]},
        {"orAll": [{"equals": {"key": "a", "value": 1}}] * 6},
        {"orAll": [{"andAll": [{"orAll": [{"equals": {"key": "a", "value": 1}}] * 2}] * 2}] * 2},
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(condition: dict[str, Any]) -> None:
    with pytest.raises(AwsError) as refused:
        compiled(condition)
    assert refused.value.code == "ValidationException"
