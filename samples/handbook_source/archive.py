"""Zip files that are the same to the byte on every machine."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping

_EPOCH = (2024, 10, 1, 8, 0, 0)
_STAMP = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</dcterms)")


def pack(members: Mapping[str, bytes]) -> bytes:
    """A zip of `members` in their order.

    Members are stored, not deflated: zlib's output differs between builds, and git deflates
    what it stores anyway.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(member(name), data)
    return buffer.getvalue()


def member(name: str) -> zipfile.ZipInfo:
    """A zip entry with a fixed time, system and permissions."""
    info = zipfile.ZipInfo(name, _EPOCH)
    info.create_system = 3
    info.external_attr = 0o644 << 16
    return info


def repack(data: bytes) -> bytes:
    """The office file `data` with fixed times."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    core = "docProps/core.xml"
    if core in members:
        members[core] = _STAMP.sub(rb"\g<1>2024-10-01T08:00:00Z\g<2>", members[core])
    return pack(members)
