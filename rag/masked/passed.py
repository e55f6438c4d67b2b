"""The gate's and the guardrail's maker; for `rag.privacy` alone."""

from __future__ import annotations

from rag.masked.text import Masked, _unchecked


def passed(text: str) -> Masked:
    """Return text that was read just now, with all that was found in it replaced."""
    return _unchecked(text)
