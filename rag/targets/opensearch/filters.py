"""Rights and filters as clauses of a bool query: each value is data there, nothing is written."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Mapping, Sequence
from typing import Any

from rag.records import Principal
from rag.retrieve.filters.tree import (
    All,
    Among,
    AnyOf,
    Compare,
    Filter,
    Not,
    Operator,
    Wildcard,
    conjuncts,
    every,
    pattern,
    split,
)
from rag.retrieve.query import Query

Body = dict[str, Any]

_FIELDS = {
    "id": "document_id",
    "chunk": "chunk_id",
    "name": "name",
    "type": "media_type",
    "kind": "kind",
    "page": "page",
    "position": "position",
    "tokens": "tokens",
}
_SINCE = {2: {"title": "title.exact", "section": "section"}, 4: {"modified": "modified"}}
"""What an index has from a layout on, to filter by."""
_RANGES: Mapping[Operator, str] = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}


def parted(filter: Filter, layout: int) -> tuple[Filter, Filter]:  # noqa: A002
    """Return what an index of this layout can do of a filter, and what it cannot."""
    known = _fields(layout)
    return split(filter, lambda part: every(part, lambda one: one.field in known))


def within(query: Query, layout: int) -> list[Body]:
    """Return what a passage must be: readable by the asker, and as the index can tell."""
    known = _fields(layout)
    pushed, _ = parted(query.filter, layout)
    return [readable(query.principals), *(_clause(part, known) for part in conjuncts(pushed))]


def readable(principals: Sequence[Principal]) -> Body:
    """Return what a passage must be for one of these to read it."""
    return {"terms": {"acl": sorted(set(principals))}}


def _fields(layout: int) -> Mapping[str, str]:
    since = (fields for first, fields in _SINCE.items() if first <= layout)
    return dict(ChainMap(*since, _FIELDS))


def _clause(filter: Filter, known: Mapping[str, str]) -> Body:  # noqa: A002
    if isinstance(filter, Not):
        return {"bool": {"must_not": [_clause(filter.inner, known)]}}
    if isinstance(filter, All):
        parts = [_clause(part, known) for part in filter.parts]
        return {"bool": {"filter": parts}} if parts else {"match_all": {}}
    if isinstance(filter, AnyOf):
        return _any([_clause(part, known) for part in filter.parts])
    field = known[filter.field]
    if isinstance(filter, Among):
        return {"terms": {field: list(filter.values)}} if filter.values else {"match_none": {}}
    return _compared(field, filter)


def _any(parts: Sequence[Body]) -> Body:
    if not parts:
        return {"match_none": {}}
    return {"bool": {"should": list(parts), "minimum_should_match": 1}}


def _compared(field: str, one: Compare) -> Body:
    if one.operator == "=":
        return {"term": {field: {"value": one.value}}}
    if one.operator == "~":
        return _like(field, list(pattern(str(one.value))))
    return {"range": {field: {_RANGES[one.operator]: one.value}}}


def _like(field: str, parts: Sequence[str | Wildcard]) -> Body:
    r"""Return a pattern as Lucene has it: ``*``, ``?``, and a backslash before what is literal."""
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) == len(parts):
        return {"term": {field: {"value": "".join(texts)}}}
    value = "".join(
        re.sub(r"[*?\\]", r"\\\g<0>", part) if isinstance(part, str) else part.sign
        for part in parts
    )
    return {"wildcard": {field: {"value": value}}}
