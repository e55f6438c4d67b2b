"""What a process that masks lines runs; imported by the process that it is forked from."""

from __future__ import annotations

import base64
import json
from typing import Any

from rag.cli.mask_lines import findings
from rag.privacy.detect import language
from rag.privacy.gate import Masker, masker_with
from rag.privacy.names.lexicon import lexicon
from rag.records import MaskedText

# Here, not in the first call: what is loaded before the fork is there once for all processes.
lexicon()
language()


def mask(head: bytes, body: bytes) -> bytes:
    """Mask texts that have nothing to do with each other.

    Args:
        head: JSON: the privacy section and the key in base64.
        body: JSON: the texts.

    Returns:
        JSON: for each text ``text`` and ``findings``, or ``blocked`` kinds.
    """
    told = json.loads(head)
    masker = masker_with(told["privacy"], base64.b64decode(told["key"]))
    return json.dumps(answers(masker, json.loads(body)), ensure_ascii=False).encode()


def answers(masker: Masker, texts: list[str]) -> list[dict[str, Any]]:
    """Return what is said of each text."""
    return [
        {"text": str(one.text), "findings": findings(one)}
        if isinstance(one, MaskedText)
        else {"text": None, "findings": [], "blocked": list(one.entities)}
        for one in masker.mask_texts(texts)
    ]
