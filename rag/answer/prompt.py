"""Prompts by version: files ``prompts/PART-VERSION.txt``, never changed once released.

``answer: {prompt: 1}`` in the corpus file selects one. The audit records version and hash.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

from rag.errors import ConfigError
from rag.masked import Masked, packaged

LATEST = 1
_FILE = re.compile(r"system-(\d{1,4})\.txt")


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a chat model is told.

    Attributes:
        system: The rules.
        question: With ``{passages}`` and ``{question}`` to be filled in.
        check: The rules when it is asked whether quotes say what sentences claim.
        sha256: Over the three, in hexadecimal.
    """

    version: int
    system: Masked
    question: Masked
    check: Masked
    sha256: str


@cache
def prompt(version: int = LATEST) -> Prompt:
    """Return a version of the prompt.

    Raises:
        ConfigError: There is no such version; the message lists those that there are.
    """
    if version not in versions():
        raise ConfigError(
            f"There is no prompt of version {version}.",
            f"Set answer.prompt to one of: {', '.join(map(str, versions()))}.",
        )
    texts = {
        part: packaged("rag.answer", f"prompts/{part}-{version}.txt")
        for part in ("system", "question", "check")
    }
    digest = sha256("\0".join(texts.values()).encode()).hexdigest()
    return Prompt(version, **texts, sha256=digest)


@cache
def versions() -> tuple[int, ...]:
    """Return the versions that there are, oldest first."""
    names = (one.name for one in (files("rag.answer") / "prompts").iterdir())
    return tuple(sorted(int(found[1]) for name in names if (found := _FILE.fullmatch(name))))
