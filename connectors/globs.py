"""Patterns on keys, as people know them from shells and ``.gitignore`` files.

``*`` and ``?`` match within one path segment, ``**`` as a segment of its own matches any number
of them (none too), ``[a-z]`` and ``[!a-z]`` one character, ``{md,txt}`` either. A pattern is
about the whole key: ``*.md`` means the top folder only, ``**/*.md`` every folder.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable

from rag.errors import ConfigError

MOST_ALTERNATIVES = 1000


def matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Return a test whether a key matches one of the patterns.

    Names that differ only in Unicode normalisation are the same name: systems write them
    differently.

    Raises:
        ConfigError: A pattern's braces multiply to more than 1,000 alternatives.
    """
    wanted = [translate(alternative) for pattern in patterns for alternative in expand(pattern)]
    if not wanted:
        return lambda key: False
    expression = re.compile("|".join(wanted), re.DOTALL)

    def matches(key: str) -> bool:
        return expression.fullmatch(_normal(key)) is not None

    return matches


def expand(pattern: str) -> list[str]:
    """Return the patterns that braces stand for: ``a.{b,c}`` is ``a.b`` and ``a.c``."""
    done: list[str] = []
    waiting = [pattern]
    while waiting:
        if len(done) + len(waiting) > MOST_ALTERNATIVES:
            raise ConfigError(
                f"A pattern's braces stand for more than {MOST_ALTERNATIVES:,} alternatives.",
                "Split it into several patterns, or use * instead.",
            )
        one = waiting.pop()
        innermost = re.search(r"\{([^{}]*,[^{}]*)\}", one)
        if innermost is None:
            done.append(one)
            continue
        before, after = one[: innermost.start()], one[innermost.end() :]
        waiting += [before + choice + after for choice in innermost.group(1).split(",")]
    return sorted(done)


def translate(pattern: str) -> str:
    """Return a pattern (without braces) as a regular expression for the whole key."""
    segments = _normal(pattern).split("/")
    if segments[-1] == "":
        segments[-1] = "**"  # a folder stands for what is in it
    expression = ""
    for place, segment in enumerate(segments):
        last = place == len(segments) - 1
        if segment == "**":
            if not last and segments[place + 1] == "**":
                continue
            expression += ".+" if last else "(?:[^/]*/)*"
        else:
            expression += _segment(segment) + ("" if last else "/")
    return expression


def _segment(text: str) -> str:
    expression = ""
    place = 0
    while place < len(text):
        character = text[place]
        place += 1
        if character == "*":
            if not expression.endswith("[^/]*"):
                expression += "[^/]*"
        elif character == "?":
            expression += "[^/]"
        elif character == "[":
            # A bracket right after the opening one (or after its !) is a member, not the end.
            negated = text[place : place + 1] in ("!", "^")
            end = text.find("]", place + negated + 1)
            if end < 0:
                expression += r"\["
                continue
            expression += _class(text[place + negated : end], negated)
            place = end + 1
        else:
            expression += re.escape(character)
    return expression


def _class(members: str, negated: bool) -> str:
    """Return a character class; ranges that run backwards match nothing, as in a shell."""
    escaped = re.sub(r"([\\\]\[^&~|])", r"\\\1", members)
    escaped = re.sub(
        r"(?<!\\)(.)-(.)", lambda m: "" if m.group(1) > m.group(2) else m.group(0), escaped
    )
    if negated:
        return f"[^/{escaped}]"
    return f"(?!/)[{escaped}]" if escaped else r"(?!)"


def _normal(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)
