"""The maker for a service's side: what a client sent has left; for localaws alone."""

from __future__ import annotations

from rag.masked.text import Masked, _unchecked


def received(text: str) -> Masked:
    """Return text that a client sent."""
    return _unchecked(text)
