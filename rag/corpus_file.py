"""Find a corpus file, read it, and say what is wrong with it: file, line, field, remedy."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from rag import yaml_lines
from rag.config import NAME, PRINCIPAL, CorpusConfig, Rules
from rag.config.steps import COUNTED, LISTED
from rag.errors import ConfigError

ENDINGS = (".yaml", ".yml")
SCHEMA_HINT = "`sluice schema` writes a JSON Schema, with which editors show such errors."


@dataclass(frozen=True, slots=True)
class Loaded:
    """A corpus file, read.

    Attributes:
        config: What it says, with defaults.
        path: The file, absolute.
        base: Folder that a relative ``source.url`` starts from: the one that holds ``corpora/``,
            or the file's own folder for a file elsewhere.
    """

    config: CorpusConfig
    path: Path
    base: Path


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a corpus file."""

    line: int
    field: str
    problem: str


class CorpusFileError(ConfigError):
    """A corpus file is wrong.

    Attributes:
        path: The file, as people would write it.
        problems: All that is wrong, by line.
    """

    def __init__(self, path: Path, problems: Iterable[Problem]) -> None:
        self.path = _shown(path)
        self.problems = tuple(sorted(set(problems), key=lambda one: (one.line, one.field)))
        lines = (
            ": ".join(part for part in (f"{self.path}:{one.line}", one.field, one.problem) if part)
            for one in self.problems
        )
        super().__init__("\n".join(lines), SCHEMA_HINT)


def load(corpus: str | Path) -> Loaded:
    """Read a corpus by the path of its file, or by its name in a folder of corpora.

    A name is looked for in ``$SLUICE_CORPORA``, if that is set, then in ``./corpora``.

    Raises:
        ConfigError: There is no such corpus.
        CorpusFileError: Its file is wrong; everything that is wrong at once.
    """
    path = find(corpus)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise CorpusFileError(path, [Problem(1, "", "is not UTF-8 text")]) from None
    except OSError as error:
        raise ConfigError(
            f"{_shown(path)} cannot be read ({type(error).__name__}).", "Check its permissions."
        ) from None
    config = parse(text, path)
    if isinstance(corpus, str) and not _is_path(corpus) and config.corpus != corpus:
        line = yaml_lines.read(text).line(("corpus",))
        said = f"the file is named {corpus}; give both the same name"
        raise CorpusFileError(path, [Problem(line, "corpus", said)])
    return Loaded(config, path, _base(path))


def parse(text: str, path: Path) -> CorpusConfig:
    """Check the text of a corpus file.

    Args:
        path: For messages, and for the files that the privacy section names.

    Raises:
        CorpusFileError: It is wrong.
    """
    try:
        read = yaml_lines.read(text)
    except yaml_lines.YamlError as error:
        raise CorpusFileError(path, [Problem(error.line, error.key, error.problem)]) from None
    if not isinstance(read.value, Mapping):
        said = "is empty" if read.value is None else "is not a mapping of fields"
        said += "; the shortest corpus is\n  corpus: NAME\n  source: {url: FOLDER}"
        raise CorpusFileError(path, [Problem(1, "", said)])
    problems: list[Problem] = []
    config: CorpusConfig | None = None
    try:
        config = CorpusConfig.model_validate(read.value)
    except ValidationError as error:
        # Pydantic also calls a list too short whose only items are wrong.
        errors = error.errors(include_url=False)
        parents = {one["loc"][:place] for one in errors for place in range(len(one["loc"]))}
        problems += [
            _problem(one, read)
            for one in errors
            if one["type"] != "too_short" or one["loc"] not in parents
        ]
    problems += _of_privacy(read, path.absolute().parent)
    if problems or config is None:
        raise CorpusFileError(path, problems)
    return _anchored(config, path.absolute().parent)


def find(corpus: str | Path) -> Path:
    """Return the absolute path of a corpus's file.

    Raises:
        ConfigError: There is none.
    """
    if _is_path(corpus):
        path = Path(corpus).expanduser().absolute()
        if not path.is_file():
            raise ConfigError(f"There is no corpus file {corpus}.", "Check its path.")
        return path
    for folder in folders():
        for ending in ENDINGS:
            path = folder / f"{corpus}{ending}"
            if path.is_file():
                return path.absolute()
    known = names()
    near = near_to(str(corpus), known)
    if near:
        hint = f'Did you mean "{near}"?'
    elif known:
        hint = f"There are: {', '.join(known)}."
    else:
        hint = f"Make one with: sluice init {corpus}"
    looked = ", ".join(_shown(folder) for folder in folders())
    raise ConfigError(f"There is no corpus {corpus} in {looked}.", hint)


def folders() -> list[Path]:
    """Return the folders where corpora are looked for by name, in order."""
    configured = os.environ.get("SLUICE_CORPORA")
    found = [Path(configured).expanduser().absolute()] if configured else []
    here = Path("corpora").absolute()
    return found if here in found else [*found, here]


def names() -> list[str]:
    """Return the names of all corpora that can be opened by name."""
    return sorted(
        {
            path.stem
            for folder in folders()
            if folder.is_dir()
            for path in folder.iterdir()
            if path.suffix in ENDINGS
        }
    )


def near_to(given: str, allowed: Iterable[str]) -> str:
    """Return the allowed word that is most like the given one, or nothing."""
    by_fold = {word.casefold(): word for word in allowed}
    found = difflib.get_close_matches(given.casefold(), by_fold, n=1, cutoff=0.6)
    return by_fold[found[0]] if found else ""


def _is_path(corpus: str | Path) -> bool:
    return isinstance(corpus, Path) or corpus.endswith(ENDINGS) or "/" in corpus or os.sep in corpus


def _base(path: Path) -> Path:
    folder = path.parent
    return folder.parent if folder.name == "corpora" or folder in folders() else folder


def _shown(path: Path) -> str:
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


# Wording of errors


def _problem(error: Any, read: yaml_lines.Lines) -> Problem:
    path = _in_file(error["loc"], read)
    if error["type"] in ("union_tag_invalid", "union_tag_not_found"):
        path = (*path, "kind")  # the only field that tells the members of a union apart
    field = _dotted(path)
    if path[:2] == ("source", "options") and len(path) > 2:
        said = (
            "is text, a number, true or false; a secret is {env: NAME} or {connection: ID}; "
            "nested options are not supported"
        )
        return Problem(read.line(path), _dotted(path[:3]), said)
    return Problem(read.line(path), field, _worded(error, path, read))


def _in_file(location: tuple[str | int, ...], read: yaml_lines.Lines) -> yaml_lines.Path:
    """Return an error's location without the names that pydantic adds for members of a union."""
    path: yaml_lines.Path = ()
    location = tuple(step for step in location if step not in (LISTED, COUNTED))
    for place, step in enumerate(location):
        if (*path, step) in read.lines or place == len(location) - 1:
            path = (*path, step)
    return path


def _worded(error: Any, path: yaml_lines.Path, read: yaml_lines.Lines) -> str:
    kind: str = error["type"]
    if path == ("privacy", "key") and kind != "sluice":
        return "is {env: NAME} or {connection: ID}: where the key is, never the key itself"
    context: Mapping[str, Any] = error.get("ctx", {})
    if kind == "sluice":
        return _choice(context["problem"], context["given"], context["allowed"])
    if kind == "extra_forbidden":
        return _choice("is not a known field", str(path[-1]), _fields(path[:-1], read.value))
    if kind == "union_tag_invalid":
        allowed = tuple(context["expected_tags"].replace("'", "").split(", "))
        return _choice("has a value that is not known", context["tag"], allowed)
    if kind == "literal_error":
        allowed = tuple(context["expected"].replace(" or ", ", ").replace("'", "").split(", "))
        return _choice("has a value that is not known", str(error["input"]), allowed)
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(context["pattern"], "does not have the form that is wanted")
    if kind in _SENTENCES:
        return _SENTENCES[kind].format(**context)
    return str(error["msg"])


def _choice(problem: str, given: str, allowed: Iterable[str]) -> str:
    allowed = tuple(allowed)
    parts = [problem]
    if allowed:
        parts.append(f"allowed: {', '.join(allowed)}")
    near = near_to(given, allowed) if given else ""
    if near:
        parts.append(f'did you mean "{near}"?')
    return "; ".join(parts)


def _fields(path: yaml_lines.Path, value: Any) -> tuple[str, ...]:
    """Return the names of the fields that the mapping at a path may have.

    Args:
        value: The whole file's, for a union's member is told by its ``kind``.
    """
    model: type[BaseModel] | None = CorpusConfig
    annotation: Any = CorpusConfig
    for step in path:
        value = value[step]
        if not isinstance(step, int):
            fields = model.model_fields.items() if model else ()
            annotation = next(
                (one.annotation for name, one in fields if step in (name, one.alias)), None
            )
        model = _section(annotation, value)
    return tuple(one.alias or name for name, one in model.model_fields.items()) if model else ()


def _section(annotation: Any, value: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        kind = annotation.model_fields.get("kind")
        given = value.get("kind") if isinstance(value, Mapping) else None
        other = kind is not None and given is not None and given not in get_args(kind.annotation)
        return None if other else annotation
    if get_origin(annotation) in (Annotated, Union, UnionType, tuple):
        for part in get_args(annotation):
            found = _section(part, value)
            if found:
                return found
    return None


def _of_privacy(read: yaml_lines.Lines, folder: Path) -> Iterable[Problem]:
    from rag.privacy.section import wrongs

    for one in wrongs(read.value.get("privacy"), folder):
        said = _choice(one.problem, one.given, one.allowed)
        yield Problem(read.line(one.path), _dotted(one.path), said)


def _anchored(config: CorpusConfig, folder: Path) -> CorpusConfig:
    """Make the paths of the privacy section absolute: they are relative to the corpus file."""

    def anchored(section: Rules) -> dict[str, tuple[str, ...]]:
        return {
            field: tuple(str(folder / name) for name in getattr(section, field))
            for field in ("allow_files", "recognizers")
        }

    privacy = config.privacy
    overrides = tuple(one.model_copy(update=anchored(one)) for one in privacy.overrides)
    privacy = privacy.model_copy(update={**anchored(privacy), "overrides": overrides})
    return config.model_copy(update={"privacy": privacy})


def _dotted(path: yaml_lines.Path) -> str:
    field = ""
    for step in path:
        field += f"[{step}]" if isinstance(step, int) else f".{step}" if field else step
    return field


_PATTERNS = {
    PRINCIPAL: "must be user:NAME or group:NAME, without spaces",
    NAME: "must be lower-case letters, digits, - and _, beginning with a letter, at most 63",
}
_SENTENCES = {
    "missing": "is missing",
    "string_type": "must be text; put it in quotes",
    "string_too_short": "must not be empty",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "tuple_type": "must be a list: [one, another]",
    "too_short": "must have at least {min_length} item",
    "dict_type": "must be a mapping of fields",
    "model_type": "must be a mapping of fields",
    "model_attributes_type": "must be a mapping of fields",
    "union_tag_not_found": "is missing",
}
