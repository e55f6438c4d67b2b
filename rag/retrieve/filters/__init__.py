"""Filters by what a passage is, the same for every target: a small typed language.

`parse` reads one from text; in Python they are made of fields::

    from rag.retrieve.filters import field

    pdf = field("type") == "application/pdf"
    pdf & (field("section").like("Billing*") | (field("page") >= 3))

Comparisons are exact, letter by letter. A passage without the field (a page, where the format has
none) matches no comparison, and so every negation: ``not page = 3`` and ``page != 3`` find it.

Each target compiles what it can into its own query (`split`); the rest is checked on the hits,
of which more are asked for (`sifted`), and the log says so.
"""

from rag.retrieve.filters.matching import matches, sifted
from rag.retrieve.filters.text import parse, together
from rag.retrieve.filters.tree import (
    EVERYTHING,
    FIELDS,
    All,
    Among,
    AnyOf,
    Compare,
    Field,
    Filter,
    Not,
    field,
    fields,
    mapped,
    split,
)

__all__ = [
    "EVERYTHING",
    "FIELDS",
    "All",
    "Among",
    "AnyOf",
    "Compare",
    "Field",
    "Filter",
    "Not",
    "field",
    "fields",
    "mapped",
    "matches",
    "parse",
    "sifted",
    "split",
    "together",
]
