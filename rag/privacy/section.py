"""What is wrong with a corpus file's privacy section, beyond the form of its fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rag.errors import ConfigError
from rag.privacy.policy import read_list
from rag.privacy.profiles import KINDS, PROFILES, unfit


class Wrong(NamedTuple):
    """One thing that is wrong.

    Attributes:
        path: Of the value, from the file's top.
        given: What was probably meant is near this one of `allowed`.
    """

    path: tuple[str | int, ...]
    problem: str
    given: str = ""
    allowed: tuple[str, ...] = ()


def wrongs(privacy: Any, folder: Path) -> Iterator[Wrong]:
    """Yield what is wrong; fields of another form than wanted are passed over.

    A misspelt kind would be an action that silently never happens, and a kind that is kept would
    be a combination that never occurs.

    Args:
        privacy: The section as it was read.
        folder: Where relative paths start.
    """
    base = _mapping(privacy)
    yield from _files(("privacy",), base, folder)
    own = _own_kinds(base, folder)
    yield from _rules(("privacy",), base, base, own)
    overrides = base.get("overrides")
    for place, one in enumerate(overrides if isinstance(overrides, list) else []):
        path, section = ("privacy", "overrides", place), _mapping(one)
        yield from _files(path, section, folder)
        yield from _rules(path, base, section, own | _own_kinds(section, folder))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _files(
    path: tuple[str | int, ...], section: Mapping[str, Any], folder: Path
) -> Iterator[Wrong]:
    from rag.privacy.recognizers.custom import load_recognizers

    for field in ("allow_files", "recognizers"):
        names = section.get(field)
        for place, name in enumerate(names if isinstance(names, list) else []):
            try:
                read_list(folder / str(name))
                if field == "recognizers":
                    load_recognizers([folder / str(name)])
            except ConfigError as error:
                yield Wrong((*path, field, place), error.message.rstrip("."))


def _kinds_of(path: Path) -> frozenset[str]:
    from rag.privacy.recognizers.custom import kinds_of

    return frozenset(kinds_of([path]))


def _own_kinds(section: Mapping[str, Any], folder: Path) -> frozenset[str]:
    names = section.get("recognizers")
    try:
        found = (_kinds_of(folder / str(name)) for name in names or ())
        return frozenset().union(*found)
    except ConfigError:
        return frozenset()


def _rules(
    path: tuple[str | int, ...],
    base: Mapping[str, Any],
    section: Mapping[str, Any],
    own: frozenset[str],
) -> Iterator[Wrong]:
    known = tuple(sorted(KINDS | own))

    def unknown(place: tuple[str | int, ...], kind: object) -> Iterator[Wrong]:
        if kind not in known:
            yield Wrong((*path, *place), "is not a kind of identifier", str(kind), known)

    profile = section.get("profile", base.get("profile", "default"))
    said_here = _mapping(section.get("actions"))
    actions = {**_mapping(base.get("actions")), **said_here}
    for field in ("actions", "thresholds"):
        for kind in _mapping(section.get(field)):
            yield from unknown((field, str(kind)), kind)
    for kind, action in (actions if "profile" in section else said_here).items():
        said = unfit(str(profile), str(kind), str(action))
        if said:
            where = "actions" if kind in said_here else "profile"
            problem = said if kind in said_here else f"does not go with an action: {kind} {said}"
            yield Wrong((*path, where, *((str(kind),) if kind in said_here else ())), problem)
    combinations = section.get("block")
    for place, one in enumerate(combinations if isinstance(combinations, list) else []):
        kinds = one.get("kinds") if isinstance(one, Mapping) else one
        for number, kind in enumerate(kinds if isinstance(kinds, list) else []):
            inner = ("kinds", number) if isinstance(one, Mapping) else (number,)
            yield from unknown(("block", place, *inner), kind)
            if kind in known and _kept(profile, actions, kind):
                said = f"names {kind}, which is kept and not looked for; give it an action"
                yield Wrong((*path, "block", place, *inner), said)


def _kept(profile: Any, actions: Mapping[str, Any], kind: str) -> bool:
    rule = PROFILES.get(profile, {}).get(kind)
    action: object = actions.get(kind, rule.action if rule else "redact")
    return action == "keep"
