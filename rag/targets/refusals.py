"""A service's reasons for refusing a document: as they may be kept, and whether they pass."""

from __future__ import annotations

import re

from rag.masked import Masked, fixed
from rag.masked.stored import stored

REASON = 300
"""Characters that are kept of a reason."""

_URI = re.compile(r"s3://[^\s,\]\)\"']+")
_NOISE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_PASSING = re.compile(
    r"throttl|rate exceeded|too many requests|internal (server )?(error|failure)|timed? ?out"
    r"|unavailable|try again|service quota|temporar",
    re.IGNORECASE,
)


def worded(reason: str) -> Masked:
    """Return a reason of a service as it may be kept and shown: one line, no file's address."""
    line = _NOISE.sub(" ", _URI.sub("the file", reason)).strip()
    if len(line) > REASON:
        line = line[: REASON - 1] + "…"
    return stored(line) if line else fixed("The service gave no reason.")


def passing(reason: str) -> bool:
    """Whether a reason is the service's own trouble, which another try may be spared."""
    return _PASSING.search(reason) is not None
