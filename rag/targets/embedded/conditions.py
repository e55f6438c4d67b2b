"""Filters and rights as LanceDB's SQL (DataFusion's), every value quoted."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from rag.retrieve.filters.tree import (
    ANY,
    FIELDS,
    All,
    Among,
    AnyOf,
    Compare,
    Filter,
    Not,
    conjuncts,
    pattern,
)

_COLUMNS = {
    **{field: field for field in FIELDS},
    "id": "document_id",
    "chunk": "id",
    "name": "document",
    "type": "media_type",
}
_BETWEEN = "\uffff"
"""Joins headings to match a pattern with: no character, so that no text has it."""


def quoted(value: str) -> str:
    """Return a text as SQL has it: no character but the quote means anything in it."""
    doubled = value.replace("'", "''")
    return f"'{doubled}'"


def among(column: str, values: Sequence[str | int]) -> str:
    """Return the condition that a column is one of these."""
    return f"{column} IN ({_listed(values)})" if values else "FALSE"


def within(
    principals: Sequence[str],
    filter: Filter,  # noqa: A002
    columns: Collection[str],
) -> str:
    """Return the condition that one of these may read a passage, and that it is as asked for.

    Nobody may read none.

    Args:
        columns: Of the table.
    """
    readable = f"array_has_any(acl, [{_listed(principals)}])" if principals else "FALSE"
    return " AND ".join([readable, *(sql(part, columns) for part in conjuncts(filter))])


def sql(filter: Filter, columns: Collection[str]) -> str:  # noqa: A002
    """Return the condition that a filter is; all of it can be said.

    No comparison is ever NULL, so that NOT turns every one of them around. What the table has no
    column for no passage has.
    """
    if isinstance(filter, Not):
        return f"NOT {sql(filter.inner, columns)}"
    if isinstance(filter, All | AnyOf):
        by, none = (" AND ", "TRUE") if isinstance(filter, All) else (" OR ", "FALSE")
        parts = by.join(sql(part, columns) for part in filter.parts)
        return f"({parts})" if parts else none
    if FIELDS[filter.field] == "texts":
        return f"({_headings(filter)})"
    column = _COLUMNS[filter.field]
    if column not in columns:
        return "FALSE"
    return f"({column} IS NOT NULL AND {_compared(column, filter)})"


def _compared(column: str, one: Compare | Among) -> str:
    if isinstance(one, Among):
        return among(column, one.values)
    if one.operator == "~":
        whole = f"^(?s:{_regex(str(one.value), '')})$"
        return f"regexp_like({column}, {quoted(whole)})"
    return f"{column} {one.operator} {_literal(one.value)}"


def _headings(one: Compare | Among) -> str:
    if isinstance(one, Among):
        return f"array_has_any(section, [{_listed(one.values)}])" if one.values else "FALSE"
    if one.operator == "=":
        return f"array_has(section, {_literal(one.value)})"
    edge = _BETWEEN
    found = f"(?s:(^|{edge}){_regex(str(one.value), edge)}({edge}|$))"
    joined = f"array_to_string(section, {quoted(edge)})"
    return f"array_length(section) > 0 AND regexp_like({joined}, {quoted(found)})"


def _regex(text: str, edge: str) -> str:
    """Return a pattern as the regex crate has it; no wildcard goes over `edge`."""
    one = f"[^{edge}]" if edge else "."
    return "".join(
        _escaped(part) if isinstance(part, str) else f"{one}*" if part is ANY else one
        for part in pattern(text)
    )


def _escaped(literal: str) -> str:
    r"""Return it with every character that means something as a class or ``\x{…}`` of itself."""
    return re.sub(r"[^\w ]", lambda found: f"\\x{{{ord(found[0]):x}}}", literal, flags=re.ASCII)


def _listed(values: Sequence[str | int]) -> str:
    return ", ".join(_literal(value) for value in values)


def _literal(value: str | int) -> str:
    return str(value) if isinstance(value, int) else quoted(value)
