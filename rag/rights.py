"""Who an asker is, as a directory knows it: from the principals given to those that may read.

A corpus file names the function, or `Corpus.open` is given it::

    rights: {expand: "company.directory:groups"}

    def groups(principals: tuple[str, ...]) -> Iterable[str]:
        return [*principals, *(f"group:{one}" for one in directory.groups_of(principals))]

What it returns takes the place of what was given, so that it may also take away. When it fails,
or returns something that is no principal, nobody is let in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module

from rag.config import PRINCIPAL
from rag.errors import ConfigError, RightsUnknown
from rag.records import Principal

Expand = Callable[[tuple[Principal, ...]], Iterable[Principal]]


def named(place: str) -> Expand:
    """Return the function at ``module:function``.

    Raises:
        ConfigError: There is none.
    """
    module, _, name = place.partition(":")
    try:
        found = getattr(import_module(module), name)
    except Exception as error:
        raise ConfigError(
            f"rights.expand cannot be imported ({type(error).__name__}).",
            "Name it as module:function, of a module that Python finds (PYTHONPATH).",
        ) from None
    if not callable(found):
        raise ConfigError("rights.expand is no function.", "Name it as module:function.")
    made: Expand = found
    return made


def expanded(given: Sequence[Principal], expand: Expand | None) -> tuple[Principal, ...]:
    """Return the principals that an asker has, each once, in the order that they were told.

    Nobody stays nobody: the function is not asked.

    Raises:
        RightsUnknown: The function failed, or its answer is no principals.
    """
    if expand is None or not given:
        return tuple(given)
    try:
        answer = expand(tuple(given))
        found = None if isinstance(answer, str | bytes) else tuple(answer)
    except Exception as error:
        raise RightsUnknown(f"the function failed ({type(error).__name__})") from None
    if found is None or not all(isinstance(one, str) and _is_principal(one) for one in found):
        raise RightsUnknown("the function returned something that is no principal")
    return tuple(dict.fromkeys(found))


def _is_principal(text: str) -> bool:
    return re.fullmatch(PRINCIPAL.strip("^$"), text) is not None
