r"""Filters as people write them.

::

    type = "application/pdf" and (section ~ "Billing*" or page >= 3) and not name in ("a", "b")

    filter     = all ("or" all)*
    all        = part ("and" part)*
    part       = "not" part | "(" filter ")" | comparison
    comparison = FIELD ("=" | "!=" | "<" | "<=" | ">" | ">=" | "~" | "!~") value
               | FIELD ["not"] "in" "(" value ("," value)* ")"
    value      = "text" | 'text' | number | day | word

In quotes ``\"``, ``\'`` and ``\\`` are a quote and a backslash; before anything else a backslash is
itself, so that ``~ "50\*"`` is a pattern with a literal star. A word is a text without quotes, of
characters that mean nothing here; a day is such a word, ``2026-01-31``.
``and``, ``or``, ``not`` and ``in`` may be in capitals.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rag import days
from rag.errors import FilterWrong
from rag.retrieve.filters.tree import (
    EVERYTHING,
    FIELDS,
    All,
    Among,
    AnyOf,
    Compare,
    Filter,
    Kind,
    Not,
    Operator,
)

T = TypeVar("T")

MOST_CHARACTERS = 20_000
DEEPEST = 50

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<quoted> "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' )
    | (?P<sign> <= | >= | != | !~ | [=<>~(),] )
    | (?P<word> [^\s"'=<>~(),!]+ )
    )""",
    re.VERBOSE | re.DOTALL,
)
_SIGNS = ("=", "!=", "<", "<=", ">", ">=", "~", "!~")
_OPERATORS: dict[str, Operator] = {
    "=": "=",
    "!=": "=",
    "~": "~",
    "!~": "~",
    "<": "<",
    "<=": "<=",
    ">": ">",
    ">=": ">=",
}
_RESERVED = ("and", "or", "not", "in")


@dataclass(frozen=True, slots=True)
class _Token:
    """`kind` is ``text`` (in quotes), ``word``, ``end``, a sign, or a reserved word."""

    kind: str
    value: str
    place: int


@dataclass(slots=True)
class _Reader:
    tokens: Sequence[_Token]
    at: int = 0
    deep: int = 0

    def filter(self) -> Filter:
        parts = [self.all()]
        while self.took("or"):
            parts.append(self.all())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def all(self) -> Filter:
        parts = [self.part()]
        while self.took("and"):
            parts.append(self.part())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def part(self) -> Filter:
        self.deep += 1
        if self.deep > DEEPEST:
            raise FilterWrong(f"it is nested more than {DEEPEST} deep", self.now.place)
        try:
            if self.took("not"):
                return Not(self.part())
            if self.took("("):
                inner = self.filter()
                self.need(")", "a closing parenthesis, and, or")
                return inner
            return self.comparison()
        finally:
            self.deep -= 1

    def comparison(self) -> Filter:
        name = self.need("word", f"a field ({', '.join(FIELDS)})")
        if name.value not in FIELDS:
            raise FilterWrong(f"a field is expected: {', '.join(FIELDS)}", name.place)
        negated = self.took("not")
        if self.took("in"):
            values = self.values(name.value)
            among = _placed(name, lambda: Among(name.value, values))
            return Not(among) if negated else among
        if negated:
            raise FilterWrong("in is expected", self.now.place)
        sign = self.now
        if sign.kind not in _SIGNS:
            raise FilterWrong("an operator is expected: = != < <= > >= ~ !~ in", sign.place)
        self.at += 1
        value = self.value(name.value)
        made = _placed(name, lambda: Compare(name.value, _OPERATORS[sign.kind], value))
        return Not(made) if sign.kind.startswith("!") else made

    def values(self, name: str) -> tuple[str | int, ...]:
        self.need("(", "an opening parenthesis")
        found = [self.value(name)]
        while self.took(","):
            found.append(self.value(name))
        self.need(")", "a comma or a closing parenthesis")
        return tuple(found)

    def value(self, name: str) -> str | int:
        token, kind = self.now, FIELDS[name]
        made = _VALUES[kind](token)
        if made is None:
            raise FilterWrong(f"{_WANTED[kind]} is expected", token.place)
        self.at += 1
        return made

    @property
    def now(self) -> _Token:
        return self.tokens[self.at]

    def took(self, kind: str) -> bool:
        if self.now.kind != kind:
            return False
        self.at += 1
        return True

    def need(self, kind: str, wanted: str) -> _Token:
        token = self.now
        if token.kind != kind:
            raise FilterWrong(f"{wanted} is expected", token.place)
        self.at += 1
        return token


def parse(text: str) -> Filter:
    """Return the filter that a text says; an empty one lets everything through.

    Raises:
        FilterWrong: It is none; the error says at which character.
    """
    if len(text) > MOST_CHARACTERS:
        raise FilterWrong(f"it is longer than {MOST_CHARACTERS} characters", MOST_CHARACTERS)
    reader = _Reader(list(_tokens(text)))
    if reader.now.kind == "end":
        return EVERYTHING
    found = reader.filter()
    reader.need("end", "and, or, or the end")
    return found


def together(texts: Sequence[str]) -> Filter:
    """Return the filter of several texts: all must hold.

    Of those that only say what one field is (``name=a``, ``name=b``), one must hold.

    Raises:
        FilterWrong: One of them is no filter.
    """
    same: dict[str, list[Filter]] = {}
    others: list[Filter] = []
    for part in (parse(text) for text in texts):
        if isinstance(part, Compare) and part.operator == "=":
            same.setdefault(part.field, []).append(part)
        else:
            others.append(part)
    return All((*(AnyOf(tuple(parts)) for parts in same.values()), *others))


def _tokens(text: str) -> Iterator[_Token]:
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        start = at + len(text[at:]) - len(text[at:].lstrip())
        if found is None:
            quote = text[start] in "\"'"
            raise FilterWrong("a quote is not closed" if quote else "this means nothing", start)
        at = found.end()
        quoted, sign, word = found["quoted"], found["sign"], found["word"]
        if quoted is not None:
            yield _Token("text", re.sub(r"""\\(["'\\])""", r"\1", quoted[1:-1]), start)
        elif sign is not None:
            yield _Token(sign, sign, start)
        else:
            reserved = word.lower() in _RESERVED
            yield _Token(word.lower() if reserved else "word", word, start)
    yield _Token("end", "", len(text))


def _text(token: _Token) -> str | None:
    return token.value if token.kind in ("text", "word") else None


def _number(token: _Token) -> int | None:
    whole = token.kind == "word" and re.fullmatch(r"-?[0-9]{1,12}", token.value)
    return int(token.value) if whole else None


def _day(token: _Token) -> int | None:
    text = _text(token)
    try:
        return None if text is None else days.parsed(text)
    except ValueError:
        return None


_VALUES: Mapping[Kind, Callable[[_Token], str | int | None]] = {
    "text": _text,
    "texts": _text,
    "number": _number,
    "day": _day,
}
_WANTED: Mapping[Kind, str] = {
    "text": "a text, in quotes,",
    "texts": "a text, in quotes,",
    "number": "a whole number",
    "day": "a day, such as 2026-01-31,",
}


def _placed(token: _Token, make: Callable[[], T]) -> T:
    """Make something; what is wrong with it is wrong where the token is."""
    try:
        return make()
    except FilterWrong as error:
        raise FilterWrong(error.what, token.place) from None
