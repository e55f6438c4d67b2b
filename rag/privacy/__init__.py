"""The gate between raw text and everything that is written: detect, then mask.

`masker` gives the process's `Masker`; nothing else in the product makes `Masked` from raw text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.privacy.gate import Masker, fingerprint, masker
    from rag.privacy.policy import DEFAULT_ACTIONS, KINDS, Blocked, DetectorFailed

__all__ = [
    "DEFAULT_ACTIONS",
    "KINDS",
    "Blocked",
    "DetectorFailed",
    "Masker",
    "fingerprint",
    "masker",
]


def __getattr__(name: str) -> Any:
    # Importing rag.privacy must stay light; the models come with the first masker.
    if name in {"Masker", "fingerprint", "masker"}:
        from rag.privacy import gate

        return getattr(gate, name)
    if name in __all__:
        from rag.privacy import policy

        return getattr(policy, name)
    raise AttributeError(name)
