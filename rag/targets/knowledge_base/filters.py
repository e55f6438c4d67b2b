"""Rights and filters as AWS's retrieval filters, and what is left for us to check.

AWS takes groups of two to five conditions that nest once, so an asker of many principals is asked
for in several calls, and of a filter at most four conjuncts go there: comparisons, alternatives
of comparisons, and negations where a passage always has the field (what AWS makes of a missing
one differs by operator). Patterns do not: few vector stores have them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rag.records import Principal
from rag.retrieve.filters.tree import (
    FIELDS,
    All,
    Among,
    AnyOf,
    Compare,
    Filter,
    Not,
    Operator,
    conjuncts,
)
from rag.targets.knowledge_base.attributes import SECTION_BYTES, short

Condition = dict[str, Any]

GROUP = 5
"""Conditions in one ``andAll`` or ``orAll``; they nest once (`RetrievalFilter`)."""

_KEYS = {
    **{field: field for field in FIELDS},
    "id": "document_id",
    "chunk": "chunk_id",
    "type": "media_type",
}
_ALWAYS = ("id", "chunk", "kind", "position")
"""What every passage has."""
_OPERATORS: Mapping[Operator, str] = {
    "=": "equals",
    "<": "lessThan",
    "<=": "lessThanOrEquals",
    ">": "greaterThan",
    ">=": "greaterThanOrEquals",
}


def within(principals: Sequence[Principal], filter: Filter) -> tuple[list[Condition], Filter]:  # noqa: A002
    """Return filters that together find what one of `principals` may read, and what is left.

    Hits must match what is left too; of what is not, the service has seen to it.
    """
    there: list[Condition] = []
    left: list[Filter] = []
    for part in conjuncts(filter):
        condition = _condition(part) if len(there) < GROUP - 1 else None
        if condition is None:
            left.append(part)
        else:
            there.append(condition)
    readable = [{"listContains": {"key": "acl", "value": one}} for one in principals]
    groups = [_joined("orAll", part) for part in _parts(readable)]
    if there:
        return [{"andAll": [group, *there]} for group in groups], All(tuple(left))
    return [_joined("orAll", part) for part in _parts(groups)], All(tuple(left))


def _condition(filter: Filter) -> Condition | None:  # noqa: A002
    """Return a part of a filter as AWS has it; None: it has not."""
    if isinstance(filter, Compare | Among):
        return _compared(filter)
    if isinstance(filter, AnyOf):
        parts = [_condition(part) for part in filter.parts if isinstance(part, Compare | Among)]
        all_there = [one for one in parts if one is not None]
        if len(all_there) == len(filter.parts) and 1 <= len(all_there) <= GROUP:
            return _joined("orAll", all_there)
    if isinstance(filter, Not) and isinstance(filter.inner, Compare | Among):
        return _without(filter.inner)
    return None


def _compared(one: Compare | Among) -> Condition | None:
    key = _KEYS[one.field]
    texts = FIELDS[one.field] == "texts"
    if isinstance(one, Among):
        values = [_stored(value) for value in one.values]
        if texts or not values or "" in values:
            return None
        return {"in": {"key": key, "value": values}}
    if one.operator == "~" or one.value == "":
        return None  # AWS takes no empty texts: a passage with one is without the field there
    if texts:
        return {"listContains": {"key": key, "value": short(str(one.value), SECTION_BYTES)}}
    return {_OPERATORS[one.operator]: {"key": key, "value": _stored(one.value)}}


def _without(inner: Compare | Among) -> Condition | None:
    if inner.field not in _ALWAYS:
        return None
    values = inner.values if isinstance(inner, Among) else (inner.value,)
    if isinstance(inner, Compare) and inner.operator != "=":
        return None
    if not values or "" in values:
        return None
    return {"notIn": {"key": _KEYS[inner.field], "value": [_stored(value) for value in values]}}


def _stored(value: str | int) -> str | int:
    """Return a value as it is stored: a long text is cut there."""
    return short(value) if isinstance(value, str) else value


def _parts(conditions: Sequence[Condition]) -> Iterator[list[Condition]]:
    for start in range(0, len(conditions), GROUP):
        yield list(conditions[start : start + GROUP])


def _joined(operator: str, conditions: list[Condition]) -> Condition:
    """One condition, or all of them under an operator: AWS takes no group of one."""
    return conditions[0] if len(conditions) == 1 else {operator: conditions}
