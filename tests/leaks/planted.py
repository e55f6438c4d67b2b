"""What must not be found anywhere: the identifiers that were put into the sample handbook."""

from __future__ import annotations

import json
import re

import yaml

from tests.handbook import SAMPLES
from tests.leaks.needles import Sought
from tests.leaks.scan import Scanner

PLANTED: list[dict[str, str]] = json.loads((SAMPLES / "planted.json").read_text(encoding="utf-8"))
IDENTIFIERS = sorted({one["text"] for one in PLANTED})
PERSONS = sorted({one["text"] for one in PLANTED if one["entity"] == "PERSON"})
_ORDINARY = set(
    yaml.safe_load(
        (SAMPLES / "handbook_source" / "ordinary-words.yaml").read_text(encoding="utf-8")
    )
)
WORDS = sorted(
    {
        word
        for person in PERSONS
        for word in re.findall(r"[^\W\d_]{5,}", person)
        if word not in _ORDINARY
    }
    - set(IDENTIFIERS)
)
"""Of persons' names, alone."""


def principals() -> list[str]:
    """Return who is named in sidecars: accounts, which the index must know to keep rights."""
    found: set[str] = set()
    for sidecar in (SAMPLES / "handbook").rglob("*.acl.yaml"):
        found |= set(yaml.safe_load(sidecar.read_text(encoding="utf-8"))["allow"])
    return sorted(found)


def scanner() -> Scanner:
    """Return a scanner for all that was planted, and for single words of persons' names."""
    sought = [Sought(text) for text in IDENTIFIERS] + [Sought(word, word=True) for word in WORDS]
    return Scanner(sought, allowed=principals())
