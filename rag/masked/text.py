"""The type itself, what can be done with it, and the makers that everybody may use."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Never, Self, SupportsIndex, overload

from rag.errors import SluiceError

if TYPE_CHECKING:
    from pydantic_core import CoreSchema

_CONFIGURED = re.compile(r"[A-Za-z0-9][\w./:-]{0,127}")
_ID = re.compile(r"[0-9a-f]{20,64}")


class NotMasked(SluiceError):
    """Text that has not passed the gate was about to leave: a defect, and nothing left.

    Args:
        where: What refused it. The text itself is not told.
    """

    def __init__(self, where: str) -> None:
        super().__init__(
            f"{where} was given text that has not passed the gate.",
            "This is a defect in Sluice: nothing was sent or written. Please report it.",
        )


class Masked(str):
    """Text that has passed the gate. Its operations are those of `str`.

    They give `Masked` where all that goes in is masked, and `str` otherwise: a slice is masked, a
    sum with a plain string is not.
    """

    __slots__ = ()

    def __new__(cls, raw: Never, /) -> Self:
        """Refuse: see `rag.masked` for who makes it.

        Raises:
            TypeError: Always.
        """
        raise TypeError("Masked text is made by the gate: see rag.masked.")

    def __reduce__(self) -> tuple[Callable[[str], Masked], tuple[str]]:
        return _restored, (str(self),)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
        """Take instances, and give them back as strings.

        A plain string is taken only where the reader brings a maker as the validation's context,
        as the working store does.
        """
        from pydantic_core import core_schema

        return core_schema.with_info_plain_validator_function(
            _validated,
            serialization=core_schema.plain_serializer_function_ser_schema(
                _serialised, return_schema=core_schema.str_schema()
            ),
        )

    # Cutting

    def __getitem__(self, key: SupportsIndex | slice) -> Masked:
        return _unchecked(str.__getitem__(self, key))

    def cut(self, start: int, end: int | None = None) -> Masked:
        """Return the characters from `start` up to `end`; for example ``*match.span()``."""
        return _unchecked(str.__getitem__(self, slice(start, end)))

    def strip(self, chars: str | None = None, /) -> Masked:
        """As of `str`."""
        return _unchecked(str.strip(self, chars))

    def lstrip(self, chars: str | None = None, /) -> Masked:
        """As of `str`."""
        return _unchecked(str.lstrip(self, chars))

    def rstrip(self, chars: str | None = None, /) -> Masked:
        """As of `str`."""
        return _unchecked(str.rstrip(self, chars))

    def removeprefix(self, prefix: str, /) -> Masked:
        """As of `str`."""
        return _unchecked(str.removeprefix(self, prefix))

    def removesuffix(self, suffix: str, /) -> Masked:
        """As of `str`."""
        return _unchecked(str.removesuffix(self, suffix))

    def split(self, sep: str | None = None, maxsplit: SupportsIndex = -1) -> list[Masked]:  # type: ignore[override]
        """As of `str`."""
        return [_unchecked(part) for part in str.split(self, sep, maxsplit)]

    def splitlines(self, keepends: bool = False) -> list[Masked]:  # type: ignore[override]
        """As of `str`."""
        return [_unchecked(part) for part in str.splitlines(self, keepends)]

    def partition(self, sep: str, /) -> tuple[Masked, Masked, Masked]:
        """As of `str`."""
        head, middle, tail = str.partition(self, sep)
        return _unchecked(head), _unchecked(middle), _unchecked(tail)

    def rpartition(self, sep: str, /) -> tuple[Masked, Masked, Masked]:
        """As of `str`."""
        head, middle, tail = str.rpartition(self, sep)
        return _unchecked(head), _unchecked(middle), _unchecked(tail)

    # Changing

    def upper(self) -> Masked:
        """As of `str`."""
        return _unchecked(str.upper(self))

    def lower(self) -> Masked:
        """As of `str`."""
        return _unchecked(str.lower(self))

    def escaped(self) -> Masked:
        """Return it as HTML says it, quotes too."""
        return _unchecked(html.escape(self))

    # Joining

    @overload  # type: ignore[override]
    def __add__(self, other: Masked, /) -> Masked: ...
    @overload
    def __add__(self, other: str, /) -> str: ...
    def __add__(self, other: str, /) -> str:
        joined = str.__add__(self, other)
        return _unchecked(joined) if isinstance(other, Masked) else joined

    @overload  # type: ignore[override]
    def join(self, parts: Iterable[Masked], /) -> Masked: ...
    @overload
    def join(self, parts: Iterable[str], /) -> str: ...
    def join(self, parts: Iterable[str], /) -> str:
        """As of `str`."""
        pieces = list(parts)
        joined = str.join(self, pieces)
        return _unchecked(joined) if all(type(one) is Masked for one in pieces) else joined

    @overload  # type: ignore[override]
    def replace(self, old: str, new: Masked, count: SupportsIndex = -1, /) -> Masked: ...
    @overload
    def replace(self, old: str, new: str, count: SupportsIndex = -1, /) -> str: ...
    def replace(self, old: str, new: str, count: SupportsIndex = -1, /) -> str:
        """As of `str`."""
        made = str.replace(self, old, new, count)
        return _unchecked(made) if isinstance(new, Masked) else made

    def sub(
        self, pattern: re.Pattern[str], new: Masked | Callable[[re.Match[str]], Masked]
    ) -> Masked:
        """Return it with what `pattern` matches replaced.

        Raises:
            NotMasked: By something that is not masked.
        """
        if isinstance(new, Masked):
            put = new
            return _unchecked(pattern.sub(lambda _: put, self))
        return _unchecked(pattern.sub(lambda match: require(new(match), "A replacement"), self))

    def filled(self, *values: Masked | float, **named: Masked | float) -> Masked:
        """Return it with ``{}`` and ``{name}`` filled in, as `str.format` does.

        Raises:
            NotMasked: With something that is neither masked nor a number.
        """
        for value in (*values, *named.values()):
            if not isinstance(value, int | float | Masked):
                raise NotMasked("A sentence")
        return _unchecked(str.format(self, *values, **named))


def _unchecked(text: str) -> Masked:
    return str.__new__(Masked, text)


def _restored(text: str) -> Masked:
    """What a pickle of masked text calls."""
    return _unchecked(text)


class Reader:
    """A maker in the hands of whoever reads records back: pydantic's validation context."""

    def __init__(self, make: Callable[[str], Masked]) -> None:
        self.make = make


def _validated(value: Any, info: Any) -> Masked:
    if type(value) is Masked:
        return value
    if isinstance(info.context, Reader) and isinstance(value, str):
        return info.context.make(value)
    raise ValueError("not masked text")


def _serialised(value: Any) -> str:
    return str(require(value, "A record"))


EMPTY = _unchecked("")
SPACE = _unchecked(" ")


def require(text: Any, where: str) -> Masked:
    """Return `text` if it is masked.

    Args:
        where: Who asks, as the beginning of a sentence.

    Raises:
        NotMasked: It is not.
    """
    if type(text) is not Masked:
        raise NotMasked(where)
    return text


def fixed(sentence: str, *values: Masked | float, **named: Masked | float) -> Masked:
    """Return the program's own words, with numbers and masked texts in its places ``{}``.

    Args:
        sentence: A literal (checked by ``tests/privacy/test_masked.py``). Without values it is
            taken as it stands, braces too.

    Raises:
        NotMasked: A value is neither masked nor a number.
    """
    made = _unchecked(sentence)
    return made.filled(*values, **named) if values or named else made


def identifier(text: str) -> Masked:
    """Return a hash in hexadecimal, 20 to 64 digits, as text that may leave.

    Raises:
        NotMasked: It is something else. (Shorter ones could be the number of a card.)
    """
    if not _ID.fullmatch(text):
        raise NotMasked("An id")
    return _unchecked(str(text))


def configured(word: str) -> Masked:
    """Return a name from a corpus file (of a corpus, a target, a model) as text that may leave.

    Raises:
        NotMasked: It is more than a word.
    """
    if not _CONFIGURED.fullmatch(word):
        raise NotMasked("A name from the configuration")
    return _unchecked(str(word))


@cache
def packaged(package: str, path: str) -> Masked:
    """Return a text file that comes with the program, without white space around it."""
    return _unchecked((files(package) / path).read_text("utf-8").strip())
