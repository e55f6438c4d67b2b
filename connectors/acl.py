"""Who may read a document: from its sidecar, a rule on its path, or the corpus's default.

A sidecar is a small YAML or JSON file that stands beside the document and is named after it::

    # salaries.xlsx.acl.yaml
    allow: ["group:hr", "user:ana"]

One that is named by the suffix alone (``.acl.yaml``) holds for its folder and those below. The
nearest wins: the document's own, then its folder's, then the folder's above. A sidecar that
cannot be understood lets nobody in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from connectors import Warned
from connectors.globs import matcher
from rag.masked import fixed
from rag.yaml_lines import YamlError, read

if TYPE_CHECKING:
    from rag.config import Acl
    from rag.records import Principal

MOST_BYTES = 64 * 1024
PRINCIPAL = re.compile(r"(user|group):\S+")
SPELLINGS = (".yaml", ".yml", ".json")

Rights = Callable[[str, Mapping[str, "tuple[Principal, ...]"]], "tuple[Principal, ...]"]
"""Key and the sidecars' rights by sidecar's subject to principals."""


def rights(acl: Acl) -> Rights:
    """Return the function that tells who may read a key.

    Its second argument maps what a sidecar is about (a key, or a folder with ``/`` at its end,
    the root being ``/``) to whom the sidecar allows.
    """
    rules = [] if acl.origin == "default" else [(matcher([r.glob]), r.allow) for r in acl.rules]

    def of(key: str, sidecars: Mapping[str, tuple[Principal, ...]]) -> tuple[Principal, ...]:
        if sidecars:
            for subject in subjects(key):
                if subject in sidecars:
                    return sidecars[subject]
        for matches, allow in rules:
            if matches(key):
                return canonical(allow)
        return canonical(acl.default)

    return of


def subjects(key: str) -> Iterator[str]:
    """Yield what a sidecar for this key may be about, nearest first: itself, then its folders."""
    yield key
    while "/" in key:
        key = key.rpartition("/")[0]
        yield key + "/"
    yield "/"


def suffixes(suffix: str) -> tuple[str, ...]:
    """Return the suffix in its other spellings too: who writes ``.acl.yml`` means the same."""
    for spelling in SPELLINGS:
        if suffix.endswith(spelling):
            return tuple(suffix.removesuffix(spelling) + other for other in SPELLINGS)
    return (suffix,)


def subject_of(key: str, endings: tuple[str, ...]) -> str | None:
    """Return what a sidecar is about, or None if the key is not one of a sidecar."""
    for ending in endings:
        if key.endswith(ending):
            subject = key.removesuffix(ending)
            return subject or "/"
    return None


def read_sidecar(data: bytes) -> tuple[Principal, ...]:
    """Return whom a sidecar allows.

    Raises:
        ValueError: It is not ``{allow: [user:NAME, group:NAME]}`` and nothing else; a key that
            is not understood might have meant to forbid something.
    """
    if len(data) > MOST_BYTES:
        raise ValueError("too large")
    try:
        said = read(data.decode("utf-8-sig"), aliases=False).value
    except (UnicodeDecodeError, YamlError):
        raise ValueError("not YAML") from None
    if not isinstance(said, dict) or set(said) != {"allow"}:
        raise ValueError("other keys")
    allow = said["allow"]
    if not isinstance(allow, list):
        raise ValueError("not a list")
    if not all(isinstance(one, str) and PRINCIPAL.fullmatch(one) for one in allow):
        raise ValueError("not principals")
    return canonical(allow)


def canonical(principals: Iterable[Principal]) -> tuple[Principal, ...]:
    """Return principals sorted, each once, so that equal rights are equal values."""
    return tuple(sorted(set(principals)))


def malformed(key: str) -> Warned:
    """Return the warning about a sidecar that cannot be understood."""
    return Warned(
        key,
        "sidecar_malformed",
        fixed("An ACL sidecar cannot be read or understood; nobody may read what it is about."),
        fixed('Write {allow: ["group:NAME", "user:NAME"]} and nothing else into it.'),
    )


def ambiguous(key: str) -> Warned:
    """Return the warning about two sidecars for one document."""
    return Warned(
        key,
        "sidecar_ambiguous",
        fixed("Two ACL sidecars are about the same document; nobody may read it."),
        fixed("Keep one of them."),
    )


def orphaned(key: str) -> Warned:
    """Return the warning about a sidecar without its document."""
    return Warned(
        key,
        "sidecar_orphaned",
        fixed("An ACL sidecar is named after a document that is not there."),
        fixed("Check the spelling of its name, or delete it."),
    )
