"""What a filter is: comparisons of fields with values, joined; and how Python code writes one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from rag import days
from rag.errors import FilterWrong

Operator = Literal["=", "<", "<=", ">", ">=", "~"]
Kind = Literal["text", "texts", "number", "day"]

FIELDS: Mapping[str, Kind] = {
    "id": "text",
    "chunk": "text",
    "name": "text",
    "title": "text",
    "type": "text",
    "kind": "text",
    "section": "texts",
    "page": "number",
    "position": "number",
    "tokens": "number",
    "modified": "day",
}
"""What every target holds of a passage, as a filter names it.

``id`` of its document, ``chunk`` its own; ``name`` and ``title`` of the document, masked; ``type``
a media type; ``kind`` text or table; ``section`` the headings that it stands under, of which one
must match; ``page`` from 1, where the format has pages; ``position`` in the document, from 0;
``modified`` the day since which the document has its bytes, where its source says it, as a number
(`rag.days`).
"""

ORDERED: tuple[Kind, ...] = ("number", "day")
"""What is stored as whole numbers, and compared by size."""

LARGEST = 2**31 - 1
LONGEST = 1000
MOST_VALUES = 1000
MOST_WILDCARDS = 10
"""Of one pattern: each may double the states of a cluster's automaton."""


class _Joined:
    """Filters join by ``&``, ``|`` and ``~`` (not)."""

    __slots__ = ()

    def __and__(self, other: Filter) -> All:
        return All((_filter(self), other))

    def __or__(self, other: Filter) -> AnyOf:
        return AnyOf((_filter(self), other))

    def __invert__(self) -> Not:
        return Not(_filter(self))


@dataclass(frozen=True, slots=True)
class Compare(_Joined):
    """One field with one value; a passage without the field does not match.

    Attributes:
        operator: ``~``: the value is a pattern, in which ``*`` stands for any characters, ``?``
            for one, and a backslash takes the next one literally.

    Raises:
        FilterWrong: The field is unknown, or such a value is no value of it.
    """

    field: str
    operator: Operator
    value: str | int

    def __post_init__(self) -> None:
        """Check."""
        kind = kind_of(self.field)
        if self.operator == "~" and kind in ORDERED:
            raise FilterWrong(f"{self.field} is a {kind}, which has no pattern")
        if self.operator not in ("=", "~") and kind not in ORDERED:
            raise FilterWrong(f"{self.field} is a text: it takes =, !=, ~, !~ and in")
        _check(self.field, kind, self.value)
        if self.operator == "~":
            wild = sum(1 for one in pattern(str(self.value)) if not isinstance(one, str))
            if wild > MOST_WILDCARDS:
                raise FilterWrong(f"a pattern takes at most {MOST_WILDCARDS} wildcards")


@dataclass(frozen=True, slots=True)
class Among(_Joined):
    """One field that is one of several values; none of them: nothing matches.

    Raises:
        FilterWrong: As for `Compare`.
    """

    field: str
    values: tuple[str | int, ...]

    def __post_init__(self) -> None:
        """Check."""
        kind = kind_of(self.field)
        if len(self.values) > MOST_VALUES:
            raise FilterWrong(f"in takes at most {MOST_VALUES} values")
        for value in self.values:
            _check(self.field, kind, value)


@dataclass(frozen=True, slots=True)
class Not(_Joined):
    """What does not match; also what lacks the field."""

    inner: Filter


@dataclass(frozen=True, slots=True)
class All(_Joined):
    """All parts match; no parts: everything does."""

    parts: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf(_Joined):
    """One part at least matches; no parts: nothing does."""

    parts: tuple[Filter, ...] = ()


Filter: TypeAlias = Compare | Among | Not | All | AnyOf

EVERYTHING = All()


def _filter(one: object) -> Filter:
    assert isinstance(one, Compare | Among | Not | All | AnyOf)
    return one


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """A field, to be compared: see `field`."""

    name: str

    def __eq__(self, value: object) -> Compare:  # type: ignore[override]
        return Compare(self.name, "=", _value(value))  # type: ignore[arg-type]

    def __ne__(self, value: object) -> Not:  # type: ignore[override]
        return Not(self == value)

    __hash__ = None  # type: ignore[assignment]

    def __lt__(self, value: int | date) -> Compare:
        return Compare(self.name, "<", _value(value))

    def __le__(self, value: int | date) -> Compare:
        return Compare(self.name, "<=", _value(value))

    def __gt__(self, value: int | date) -> Compare:
        return Compare(self.name, ">", _value(value))

    def __ge__(self, value: int | date) -> Compare:
        return Compare(self.name, ">=", _value(value))

    def like(self, pattern: str) -> Compare:
        """Return whether it matches a pattern: ``*`` any characters, ``?`` one."""
        return Compare(self.name, "~", pattern)

    def among(self, *values: str | int | date) -> Among:
        """Return whether it is one of these."""
        return Among(self.name, tuple(map(_value, values)))


def _value(given: str | int | date) -> str | int:
    """Return a value as it is compared: a day, or a moment of one, as its number."""
    return days.number(given) if isinstance(given, date) else given


def field(name: str) -> Field:
    """Return a field of passages, to make a filter of.

    Example::

        (field("type") == "application/pdf") & ~field("name").among("a", "b")
        field("modified") >= date(2026, 1, 31)

    Raises:
        FilterWrong: There is none of this name.
    """
    kind_of(name)
    return Field(name)


def kind_of(name: str) -> Kind:
    """Return what the values of a field are.

    Raises:
        FilterWrong: There is none of this name.
    """
    if name not in FIELDS:
        raise FilterWrong(f"there is no such field; there are {', '.join(FIELDS)}")
    return FIELDS[name]


def _check(name: str, kind: Kind, value: object) -> None:
    if kind in ORDERED:
        whole = isinstance(value, int) and not isinstance(value, bool)
        if kind == "day" and not (whole and _is_day(value)):  # type: ignore[arg-type]
            raise FilterWrong(f"{name} takes days such as 2026-01-31")
        if not whole or not -LARGEST <= value <= LARGEST:  # type: ignore[operator]
            raise FilterWrong(f"{name} takes whole numbers up to {LARGEST}")
    elif not isinstance(value, str):
        raise FilterWrong(f"{name} takes texts, in quotes")
    elif len(value) > LONGEST:
        raise FilterWrong(f"a text takes at most {LONGEST} characters")
    elif not value.isprintable() and any("\ud800" <= one <= "\udfff" for one in value):
        raise FilterWrong("a text has half of a character")


def _is_day(value: int) -> bool:
    try:
        days.day(value)
    except (ValueError, OverflowError):
        return False
    return True


class Wildcard:
    """``*`` or ``?`` in a pattern, to tell them from characters."""

    __slots__ = ("sign",)

    def __init__(self, sign: str) -> None:
        self.sign = sign


ANY, ONE = Wildcard("*"), Wildcard("?")


def pattern(text: str) -> Iterator[str | Wildcard]:
    """Yield the parts of a pattern: `ANY`, `ONE`, or characters that are meant literally.

    A backslash at the end means itself. Several ``*`` in a row are one.
    """
    literal: list[str] = []
    before: Wildcard | None = None
    characters = iter(text)
    for one in characters:
        if one not in "*?":
            literal.append(next(characters, "\\") if one == "\\" else one)
            before = None
            continue
        if literal:
            yield "".join(literal)
            literal = []
        wildcard = ANY if one == "*" else ONE
        if not (wildcard is ANY and before is ANY):
            yield wildcard
        before = wildcard
    if literal:
        yield "".join(literal)


def fields(filter: Filter) -> frozenset[str]:  # noqa: A002
    """Return the names of the fields that a filter looks at."""
    if isinstance(filter, Compare | Among):
        return frozenset({filter.field})
    parts = (filter.inner,) if isinstance(filter, Not) else filter.parts
    return frozenset().union(*(fields(part) for part in parts))


def mapped(filter: Filter, change: Callable[[str, str], str]) -> Filter:  # noqa: A002
    """Return the filter with every text replaced by what `change` makes of field and text."""
    if isinstance(filter, Compare):
        if isinstance(filter.value, str):
            return Compare(filter.field, filter.operator, change(filter.field, filter.value))
        return filter
    if isinstance(filter, Among):
        new = [change(filter.field, v) if isinstance(v, str) else v for v in filter.values]
        return Among(filter.field, tuple(new))
    if isinstance(filter, Not):
        return Not(mapped(filter.inner, change))
    parts = tuple(mapped(part, change) for part in filter.parts)
    return All(parts) if isinstance(filter, All) else AnyOf(parts)


def conjuncts(filter: Filter) -> Sequence[Filter]:  # noqa: A002
    """Return what must hold, part by part."""
    if isinstance(filter, All):
        return [one for part in filter.parts for one in conjuncts(part)]
    return [filter]


def split(filter: Filter, can: Callable[[Filter], bool]) -> tuple[Filter, Filter]:  # noqa: A002
    """Return what a target can do of a filter, and what is left to do afterwards.

    Both must hold. Only whole conjuncts are parted: half of an alternative says nothing.

    Args:
        can: Whether the target can do a part, whole.
    """
    theirs: list[Filter] = []
    left: list[Filter] = []
    for part in conjuncts(filter):
        (theirs if can(part) else left).append(part)
    return All(tuple(theirs)), All(tuple(left))


def every(filter: Filter, can: Callable[[Compare | Among], bool]) -> bool:  # noqa: A002
    """Whether all comparisons in a filter are such."""
    if isinstance(filter, Compare | Among):
        return can(filter)
    parts = (filter.inner,) if isinstance(filter, Not) else filter.parts
    return all(every(part, can) for part in parts)
