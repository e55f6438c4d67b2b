"""A filter as the audit writes it down: in the language of filters, and all of it masked.

A value is what somebody typed. The gate has read names, titles and headings of it, but of "Gresham"
alone nobody can tell what it is. So a value is written where a passage that was found has it, for
that is masked; where it is a word of the program's own or an id; or where it says enough for the
gate to have judged it. Of any other only that there was one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rag.masked import EMPTY, Masked, NotMasked, configured, fixed, identifier
from rag.records import Hit
from rag.retrieve.filters import All, Among, AnyOf, Filter, Not
from rag.retrieve.filters.tree import ANY, pattern

UNWRITTEN = fixed("(not written down)")

_OPERATORS = {
    "=": fixed("="),
    "<": fixed("<"),
    "<=": fixed("<="),
    ">": fixed(">"),
    ">=": fixed(">="),
    "~": fixed("~"),
}


def written(filter: Filter, hits: Sequence[Hit]) -> Masked:  # noqa: A002
    """Return a filter as text.

    Args:
        filter: As it was searched with: through the gate (`rag.asking.searching.narrowed`).
        hits: What was found with it.
    """
    if isinstance(filter, All | AnyOf):
        every = isinstance(filter, All)
        if not filter.parts:
            return fixed("everything") if every else fixed("nothing")
        if len(filter.parts) == 1:
            return written(filter.parts[0], hits)
        word = fixed(" and ") if every else fixed(" or ")
        return word.join(_inside(part, hits) for part in filter.parts)
    if isinstance(filter, Not):
        return fixed("not {}", _inside(filter.inner, hits))
    name = configured(filter.field)
    if isinstance(filter, Among):
        values = fixed(", ").join(_value(filter.field, one, hits) for one in filter.values)
        return fixed("{} in ({})", name, values)
    value = _value(filter.field, filter.value, hits, like=filter.operator == "~")
    return fixed("{} {} {}", name, _OPERATORS[filter.operator], value)


def _inside(filter: Filter, hits: Sequence[Hit]) -> Masked:  # noqa: A002
    """Return a part of another filter, in parentheses where it would be read otherwise."""
    joined = isinstance(filter, All | AnyOf) and len(filter.parts) > 1
    return fixed("({})", written(filter, hits)) if joined else written(filter, hits)


def _value(field: str, value: str | int, hits: Sequence[Hit], *, like: bool = False) -> Masked:
    from rag.privacy.bare import bare

    if isinstance(value, int):
        return fixed("{}", value)
    if isinstance(value, Masked) and not bare(value):
        return _quoted(value)
    pieces = []
    for part in pattern(value) if like else [value]:
        if not isinstance(part, str):
            pieces.append(fixed("*") if part is ANY else fixed("?"))
        elif (known := _known(field, part, hits)) is None:
            return UNWRITTEN
        else:
            pieces.append(_literal(known) if like else known)
    return _quoted(EMPTY.join(pieces))


def _known(field: str, text: str, hits: Sequence[Hit]) -> Masked | None:
    """Return a text as something that is masked has it; None: nothing has."""
    from rag.ingest.parsing import READERS

    for held in _held(field, hits):
        if (at := held.find(text)) >= 0:
            return held.cut(at, at + len(text))
    try:
        if field in ("id", "chunk"):
            return identifier(text)
        own = READERS if field == "type" else ("text", "table") if field == "kind" else ()
        if text in own or (field == "type" and any(text == hit.media_type for hit in hits)):
            return fixed("+").join(configured(part) for part in text.split("+"))
    except NotMasked:
        return None
    return None


def _held(field: str, hits: Sequence[Hit]) -> Iterator[Masked]:
    for hit in hits:
        if field == "name":
            yield hit.document
        elif field == "title":
            yield hit.title
        elif field == "section":
            yield from hit.chunk.section


def _literal(text: Masked) -> Masked:
    """Return a text as a pattern that means it."""
    text = text.replace("\\", fixed("\\\\"))
    return text.replace("*", fixed("\\*")).replace("?", fixed("\\?"))


def _quoted(text: Masked) -> Masked:
    return fixed('"{}"', text.replace("\\", fixed("\\\\")).replace('"', fixed('\\"')))
