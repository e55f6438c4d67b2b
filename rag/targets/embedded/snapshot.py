"""What a table folder was found to hold, kept beside it.

Reading it needs no LanceDB, whose import alone takes seconds; so a run that finds nothing to do
stays quick. It counts only as long as the folder's files are exactly those it was made from;
those files never change once written, a new version has new ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path

from rag.targets import Stored


def state(folder: Path) -> str:
    """A hash over the names and sizes of all files in `folder`; empty when there is none."""
    files = sorted(
        (str(path.relative_to(folder)), path.stat().st_size)
        for path in folder.rglob("*")
        if path.is_file()
    )
    return blake2b(repr(files).encode(), digest_size=16).hexdigest() if files else ""


def load(path: Path, folder: Path) -> dict[str, Stored] | None:
    """What `save` wrote to `path`, or None when `folder` is no longer what it was then."""
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        if saved["state"] != state(folder):
            return None
        return {
            document: Stored(digest, tuple(acl), tuple(chunks))
            for document, (digest, acl, chunks) in saved["documents"].items()
        }
    except (OSError, ValueError, KeyError, TypeError):
        return None


def save(path: Path, folder: Path, inventory: Mapping[str, Stored]) -> None:
    """Keep `inventory` as what `folder` holds now."""
    documents = {
        document: (stored.digest, stored.acl, stored.chunks)
        for document, stored in inventory.items()
    }
    fresh = path.with_suffix(".new")
    text = json.dumps({"state": state(folder), "documents": documents})
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
