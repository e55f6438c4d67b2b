"""``make env``: print .env.example with a new random secret in every empty place.

All are URL-safe, 32 random bytes in base64, which is also what a Fernet key is.
"""

from __future__ import annotations

import base64
import secrets
import sys
from pathlib import Path


def filled(example: str) -> str:
    """Return the example with secrets."""
    return "\n".join(
        line + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        if line.endswith("=") and not line.startswith("#")
        else line
        for line in example.splitlines()
    )


if __name__ == "__main__":
    example = Path(__file__).parent.parent / ".env.example"
    sys.stdout.write(filled(example.read_text(encoding="utf-8")) + "\n")
