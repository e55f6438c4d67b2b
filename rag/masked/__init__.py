"""`Masked`: text that may leave. Models, targets, logs and the ledger take nothing else.

No expression makes it from a string. It comes from a maker, each in a module of its own, so that
who may use it can be read and checked (``tests/privacy/test_masked.py``):

- `rag.masked.passed`: the gate and the guardrail, for text that they have just read;
- `rag.masked.stored`: the ledger, the working store and the targets, for text that they gave back
  and that only masked text could get into;
- `rag.masked.received`: localaws, which stands where the service would: what a client sent it
  has left already;
- `fixed`, `identifier`, `configured` and `packaged` here: the program's own words, its ids, names
  from the corpus file, and prompts.

Cutting and joining masked texts gives masked text, without a maker::

    first = text[:100].strip()          # Masked
    line = fixed(" | ").join(cells)     # Masked, if every cell is
    note = fixed("Page {}: {}", page, line)
    text + "raw"                        # str: to whoever wants Masked, nothing
"""

from __future__ import annotations

from rag.masked.text import (
    EMPTY,
    SPACE,
    Masked,
    NotMasked,
    configured,
    fixed,
    identifier,
    packaged,
    require,
)

__all__ = [
    "EMPTY",
    "SPACE",
    "Masked",
    "NotMasked",
    "configured",
    "fixed",
    "identifier",
    "packaged",
    "require",
]
