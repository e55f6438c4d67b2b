"""Users' own recognizers, in the YAML form that Presidio documents.

Example::

    recognizers:
      - name: Ward code
        supported_entity: WARD_CODE
        patterns:
          - name: ward
            regex: '\\bW-\\d{4}\\b'
            score: 0.7
        context: [ward]
      - name: Projects
        supported_entity: PROJECT
        deny_list: [Bluebird, Kingfisher]

Nothing in such a file is executed: only patterns, lists and words are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import ConfigError

if TYPE_CHECKING:
    from presidio_analyzer import PatternRecognizer

_FIELDS = frozenset(
    {"name", "supported_entity", "supported_entities", "supported_language", "supported_languages"}
    | {"patterns", "context", "deny_list", "deny_list_score", "type", "enabled", "version"}
)
_ENTITY = re.compile(r"[A-Z][A-Z0-9_]{1,40}")
_LONGEST = 2_000
_HINT = "See Presidio's YAML for recognizers: name, supported_entity, patterns or deny_list."


def load_recognizers(paths: Iterable[Path]) -> list[PatternRecognizer]:
    """Return the recognizers of YAML files.

    Raises:
        ConfigError: A file is no such list; a field is unknown or of the wrong form; a regular
            expression does not compile, or may take more than linear time. The message names
            the file and the recognizer.
    """
    from presidio_analyzer import Pattern, PatternRecognizer

    found = []
    for path in paths:
        for place, item in enumerate(_items(path), 1):
            where = f"{path}: recognizer {place}"
            entity = _entity(item, where)
            recognizer = PatternRecognizer(
                supported_entity=entity,
                name=str(item.get("name") or f"{entity} of {path.name}"),
                patterns=[
                    Pattern(str(given.get("name", entity)), given["regex"], float(given["score"]))
                    for given in _patterns(item, where)
                ]
                or None,
                deny_list=_words(item, "deny_list", where) or None,
                deny_list_score=_score(item.get("deny_list_score", 1.0), where),
                context=_words(item, "context", where) or None,
            )
            for pattern in recognizer.patterns:
                pattern.compiled_regex = Timed(pattern.regex)
            found.append(recognizer)
    return found


class Timed:
    """A compiled expression that gives up after two seconds on a text.

    What the check of its form cannot see stops the text (`DetectorFailed`), not the process.
    """

    def __init__(self, pattern: str) -> None:
        import regex  # type: ignore[import-untyped]

        self._compiled = regex.compile(pattern, regex.IGNORECASE | regex.MULTILINE | regex.DOTALL)
        self.groupindex = self._compiled.groupindex

    def finditer(self, text: str) -> Iterator[Any]:
        """Yield matches in order.

        Raises:
            TimeoutError: Two seconds are over.
        """
        yield from self._compiled.finditer(text, timeout=2.0)


def kinds_of(paths: Iterable[Path]) -> tuple[str, ...]:
    """Return the kinds that the recognizers of YAML files find, sorted.

    Raises:
        ConfigError: As `load_recognizers`.
    """
    return tuple(sorted({r.supported_entities[0] for r in load_recognizers(paths)}))


def _items(path: Path) -> list[Mapping[str, Any]]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read ({type(error).__name__}).", _HINT) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise ConfigError(f"{path}{line}: this is not YAML.", _HINT) from None
    items = content.get("recognizers") if isinstance(content, Mapping) else None
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise ConfigError(f"{path}: a list under `recognizers` is missing.", _HINT)
    return [item for item in items if item.get("enabled", True)]


def _entity(item: Mapping[str, Any], where: str) -> str:
    unknown = sorted(str(field) for field in item if field not in _FIELDS)
    if unknown:
        raise ConfigError(f"{where}: unknown field {unknown[0]}.", _HINT)
    if item.get("type", "custom") != "custom":
        raise ConfigError(f"{where}: type must be custom.", "Built-in recognizers run anyhow.")
    many = item.get("supported_entities") or []
    entity = item.get("supported_entity") or (many[0] if len(many) == 1 else None)
    if not isinstance(entity, str) or not _ENTITY.fullmatch(entity):
        raise ConfigError(
            f"{where}: supported_entity is missing or no name of a kind.",
            "Write one name in capitals, such as WARD_CODE.",
        )
    if not item.get("patterns") and not item.get("deny_list"):
        raise ConfigError(f"{where}: it has neither patterns nor a deny_list.", _HINT)
    return entity


def _patterns(item: Mapping[str, Any], where: str) -> Sequence[Mapping[str, Any]]:
    patterns = item.get("patterns") or []
    if not isinstance(patterns, list):
        raise ConfigError(f"{where}: patterns must be a list.", _HINT)
    for place, pattern in enumerate(patterns, 1):
        if not isinstance(pattern, Mapping) or not isinstance(pattern.get("regex"), str):
            raise ConfigError(f"{where}: pattern {place} has no regex.", _HINT)
        _score(pattern.get("score"), f"{where}, pattern {place}")
        _bounded(pattern["regex"], f"{where}, pattern {place}")
    return patterns


def _score(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ConfigError(f"{where}: score must be a number from 0 to 1.", _HINT)
    return float(value)


def _words(item: Mapping[str, Any], field: str, where: str) -> list[str]:
    words = item.get(field) or []
    if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
        raise ConfigError(f"{where}: {field} must be a list of words.", _HINT)
    return words


def _bounded(pattern: str, where: str) -> None:
    """Refuse an expression that does not compile or whose repetitions multiply.

    Refused are repetitions without limit of more than one character (``(ab)+``), within another
    (``(a+){2,5}``), and right behind another (``\\w+\\d+``).
    """
    if len(pattern) > _LONGEST:
        raise ConfigError(f"{where}: the regex is too long.", f"Keep it under {_LONGEST} letters.")
    try:
        # The parser of the standard library; its tree is the same shape since Python 3.11.
        from re import _constants as codes  # type: ignore[attr-defined]
        from re import _parser as parser  # type: ignore[attr-defined]

        tree = parser.parse(pattern, re.IGNORECASE | re.MULTILINE | re.DOTALL)
    except re.error as error:
        raise ConfigError(
            f"{where}: the regex does not compile ({error.msg}).",
            "Write it for Python's re module; bound repetitions as in {0,40}.",
        ) from None
    if _multiplies(tree, codes, inside=False):
        raise ConfigError(
            f"{where}: the regex may take very long: a repetition without limit within or right "
            "behind another.",
            "Bound repetitions, as in {0,40}, and let them not stand within each other.",
        )


_MANY = 64  # times; more counts as without limit


def _multiplies(tree: Any, codes: Any, inside: bool) -> bool:
    """Tell whether repetitions without limit stand within a repetition, or right behind another."""
    behind = False
    for code, value in _flat(tree, codes):
        if code in {codes.MAX_REPEAT, codes.MIN_REPEAT}:
            least, most, body = value
            large = most > _MANY
            if large and (inside or behind or len(body) > 1 or body[0][0] is codes.SUBPATTERN):
                return True
            if most > 1 and _multiplies(body, codes, True):
                return True
            behind = large or (behind and least == 0)
            continue
        if code not in {codes.AT, codes.ASSERT, codes.ASSERT_NOT}:
            behind = False
        if any(_multiplies(part, codes, inside) for part in _bodies(code, value, codes)):
            return True
    return False


def _flat(tree: Any, codes: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the parts of a tree in order, groups opened."""
    for code, value in tree:
        if code is codes.SUBPATTERN:
            yield from _flat(value[-1], codes)
        else:
            yield code, value


def _bodies(code: Any, value: Any, codes: Any) -> list[Any]:
    if code is codes.BRANCH:
        return list(value[1])
    if code in {codes.ASSERT, codes.ASSERT_NOT}:
        return [value[1]]
    if code is codes.ATOMIC_GROUP:
        return [value]
    if code is codes.GROUPREF_EXISTS:
        return [part for part in value[1:] if part is not None]
    return []
