"""A masking process that ends at a certain text."""

from __future__ import annotations

import json
import os


def answer(head: bytes, body: bytes) -> bytes:
    """Give texts back as they are."""
    texts = json.loads(body)
    if "deadly" in texts:
        os._exit(1)
    return json.dumps([{"text": text} for text in texts]).encode()
