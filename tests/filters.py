"""Filters drawn at random, and one written as text."""

from __future__ import annotations

from hypothesis import strategies as st

from rag.retrieve.filters import All, Among, AnyOf, Compare, Filter, Not

NASTY = (
    *("", "'", "''", '"', "\\", "\\'", "%", "_", "*", "?", "\\*", "a*", "a", "A", "a'b"),
    *("x') OR 1=1 --", '"}]}', "NULL", "a\nb", "\0", "\t", "[a-z]", "(?i)a", "$", "^a", "{a}"),
    *("ä", "a\u0308", "漢字", "𝕏", "\uffff", "\x1f", "a, b", "and", "not", "3"),
)
texts = st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
patterns = st.lists(
    st.sampled_from(["*", "?", "\\*", "\\\\", "a", "b", "."]) | texts, max_size=4
).map("".join)
numbers = st.integers(-2, 6)
DAYS = (20241231, 20250101, 20250102, 20260131)
days = st.sampled_from(DAYS)


def comparisons(values: st.SearchStrategy[str] = texts) -> st.SearchStrategy[Filter]:
    """Comparisons of texts with values like these, of numbers and of days."""
    text = st.sampled_from(["name", "title", "section", "type", "id"])
    number = st.sampled_from(["page", "position"])
    return st.one_of(
        st.builds(Compare, text, st.just("="), values),
        st.builds(Compare, text, st.just("~"), patterns.filter(few)),
        st.builds(Among, text, st.lists(values, min_size=1, max_size=3).map(tuple)),
        st.builds(Compare, number, st.sampled_from(["=", "<", "<=", ">", ">="]), numbers),
        st.builds(Among, number, st.lists(numbers, min_size=1, max_size=3).map(tuple)),
        st.builds(Compare, st.just("modified"), st.sampled_from(["=", "<", "<=", ">", ">="]), days),
        st.builds(Among, st.just("modified"), st.lists(days, min_size=1, max_size=3).map(tuple)),
    )


def few(pattern: str) -> bool:
    """Whether a pattern has no more wildcards than are allowed."""
    return pattern.count("*") + pattern.count("?") <= 10


def filters(values: st.SearchStrategy[str] = texts) -> st.SearchStrategy[Filter]:
    """Comparisons, joined in any way."""

    def joined(inner: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
        parts = st.lists(inner, min_size=2, max_size=3).map(tuple)
        return st.builds(Not, inner) | st.builds(All, parts) | st.builds(AnyOf, parts)

    return st.recursive(comparisons(values), joined, max_leaves=5)


def written(filter: Filter) -> str:  # noqa: A002
    """Return a filter as somebody would write it."""
    if isinstance(filter, Not):
        return f"not {_part(filter.inner)}"
    if isinstance(filter, All | AnyOf):
        return (" and " if isinstance(filter, All) else " or ").join(map(_part, filter.parts))
    if isinstance(filter, Among):
        return f"{filter.field} in ({', '.join(map(_value, filter.values))})"
    return f"{filter.field} {filter.operator} {_value(filter.value)}"


def _part(filter: Filter) -> str:  # noqa: A002
    text = written(filter)
    return text if isinstance(filter, Compare | Among) else f"({text})"


def _value(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
