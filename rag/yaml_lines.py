"""YAML that knows where it stands: values, and the line of each, for errors that help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

Path = tuple[str | int, ...]
"""Where a value is: keys and list positions from the top."""


class YamlError(Exception):
    """The text is not the YAML that is expected here.

    Attributes:
        line: From 1.
        problem: What is wrong, in fixed words; it does not quote the text.
        key: The key that stands twice, else empty. From the text.
    """

    def __init__(self, line: int, problem: str, key: str = "") -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line
        self.problem = problem
        self.key = key


@dataclass(frozen=True, slots=True)
class Lines:
    """A YAML document.

    Attributes:
        value: Plain dictionaries, lists and scalars.
        lines: Line (from 1) of the key or list item at each path; the top is ``()``.
    """

    value: Any
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int:
        """Return the line of a path, or of the nearest thing above it that is there."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read(text: str, *, aliases: bool = True) -> Lines:
    """Read one YAML document.

    Args:
        aliases: Whether ``&name`` and ``*name`` are allowed.

    Raises:
        YamlError: It is not YAML, a key stands twice, or it holds more than one document.
    """
    loader: yaml.SafeLoader | None = None
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            return Lines(None, {(): 1})
        lines: dict[Path, int] = {}
        _visit(node, (), lines, set(), aliases)
        return Lines(loader.construct_document(node), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(mark.line + 1 if mark else 1, _problem(error, text)) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlError(line, "a character that YAML does not allow") from None
    except RecursionError:
        raise YamlError(1, "nested too deeply") from None
    except (ValueError, OverflowError):  # a date such as 2024-99-99, a number without digits
        raise YamlError(1, "a value that YAML takes for a date or number, and is none") from None
    finally:
        if loader is not None:
            loader.dispose()


def _visit(
    node: yaml.Node, path: Path, lines: dict[Path, int], above: set[int], aliases: bool
) -> None:
    """Note lines, and refuse keys that stand twice; an aliased node is visited where it is met."""
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.ScalarNode):
        return
    if id(node) in above:
        if not aliases:
            raise YamlError(node.start_mark.line + 1, "an alias, which is not allowed here")
        return
    above.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for place, item in enumerate(node.value):
            lines[(*path, place)] = item.start_mark.line + 1
            _visit(item, (*path, place), lines, above, aliases)
        return
    seen: set[str] = set()
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise YamlError(line, "a key that is not a plain word")
        if key.tag == "tag:yaml.org,2002:bool":
            key.tag = "tag:yaml.org,2002:str"  # as a key, on is a word, whatever YAML 1.1 says
        if key.value in seen:
            raise YamlError(line, "a key that stands twice", key.value)
        seen.add(key.value)
        lines[(*path, key.value)] = line
        _visit(value, (*path, key.value), lines, above, aliases)


def _problem(error: yaml.MarkedYAMLError, text: str) -> str:
    """Say what is wrong without the library's words, which quote the text."""
    mark = error.problem_mark
    if mark is not None:
        wrong = text.splitlines()[mark.line : mark.line + 1]
        if wrong and "\t" in wrong[0][: len(wrong[0]) - len(wrong[0].lstrip())]:
            return "a tab in the indentation; YAML wants spaces"
        if wrong and "\t" in wrong[0][: mark.column + 1]:
            return "a tab where YAML wants a space"
    said = f"{error.problem or ''} {error.context or ''}"
    for part, words in (
        ("expected a single document", "a second document (---); one is expected"),
        ("undefined alias", "an alias (*name) without its anchor (&name)"),
        ("duplicate anchor", "an anchor that stands twice"),
        ("mapping values are not allowed", "a colon where none may be; put the value in quotes"),
        ("cannot start any token", "a character that needs quotes around its value"),
        ("flow sequence", "a list in [ ] that is not closed, or lacks a comma"),
        ("flow mapping", "a mapping in { } that is not closed, or lacks a comma"),
        ("quoted scalar", "a quotation mark that is not closed"),
        ("could not find expected ':'", "a key without a colon"),
        ("block mapping", "wrong indentation, or a key without a colon"),
        ("block collection", "wrong indentation of a list"),
        ("could not determine a constructor", "a tag (!name), which is not allowed here"),
    ):
        if part in said:
            return words
    return "not YAML"
