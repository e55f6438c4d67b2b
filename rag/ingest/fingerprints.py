"""What a document's index entry depends on besides its bytes, one hash a step.

Planning compares these with what the ledger recorded, so they are computed without loading a
model: from the configuration, the versions of the code and of the packages that a step runs.
"""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from rag.ledger.entries import Fingerprints

if TYPE_CHECKING:
    from rag.config import CorpusConfig

# Raise a step's number when its code gives other results for the same input.
PARSE = 2
CHUNK = 2

PARSERS = ("unstructured", "pdfminer-six", "openpyxl", "python-pptx", "rapidocr")


def fingerprints(config: CorpusConfig) -> Fingerprints:
    """Return the current fingerprints of a corpus's steps."""
    from rag.models import fingerprint as model_fingerprint
    from rag.privacy import fingerprint as privacy_fingerprint
    from rag.privacy.guardrail import fingerprint as guardrail_fingerprint

    mask = privacy_fingerprint(config.privacy)
    guardrail = guardrail_fingerprint(config.privacy.guardrail)
    return Fingerprints(
        parse=_hash(PARSE, config.parse.model_dump(), *map(version, PARSERS)),
        mask=_hash(mask, guardrail) if guardrail else mask,
        chunk=_hash(CHUNK, config.chunk.model_dump()),
        # Hashed, for it names packages: the ledger gives a fingerprint 64 characters.
        embed=_hash(model_fingerprint(config.embed.model, config.embed.dimensions)),
    )


def artifact(current: Fingerprints, override: int = -1) -> str:
    """Return the fingerprint of a masked document: of parsing and masking together.

    Args:
        override: Place of the privacy section's override that it is masked by; -1: none.
    """
    return _hash(current.parse, current.mask, *((override,) if override >= 0 else ()))


def _hash(*parts: Any) -> str:
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
