"""The maker for text that was masked when it was written.

For the ledger, the working store and the targets: each writes `Masked` only.
"""

from __future__ import annotations

from rag.masked.text import Masked, Reader, _unchecked


def stored(text: str) -> Masked:
    """Return text read back from where only masked text is written."""
    return _unchecked(str(text))


READER = Reader(stored)
"""The context in which pydantic reads such records."""
