"""The guard before a zip (docx, pptx, xlsx, odt, epub) is unpacked."""

from __future__ import annotations

import io
import zipfile

from rag.ingest.failures import Unparsable

MEMBERS = 20_000
RATIO = 200
"""Unpacked to packed bytes, over the whole archive. Office XML packs 5 to 40 times."""
RATIO_FROM = 16 * 2**20
"""Unpacked bytes under which the ratio does not matter."""

_DOCTYPE = (b"<!DOCTYPE", "<!DOCTYPE".encode("utf-16-le"), "<!DOCTYPE".encode("utf-16-be"))
_ENTITY = (b"<!ENTITY", "<!ENTITY".encode("utf-16-le"), "<!ENTITY".encode("utf-16-be"))


def check(data: bytes, unpacked_bytes: int) -> None:
    """Raise unless it is safe to unpack.

    The declared sizes are what counts: `zipfile`, with which all members are read here and in
    the libraries, never gives more than a member's declared size.

    Raises:
        Unparsable: archive_bomb, corrupt, encrypted or unsafe_xml.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            unpacked = sum(entry.file_size for entry in entries)
            suspicious = unpacked > RATIO_FROM and unpacked > RATIO * max(1, len(data))
            if unpacked > unpacked_bytes or suspicious or len(entries) > MEMBERS:
                raise Unparsable("archive_bomb", limit=unpacked_bytes)
            for entry in entries:
                if entry.filename.lower().endswith((".xml", ".rels", ".opf", ".ncx")):
                    with archive.open(entry) as member:
                        check_xml(member.read(65536))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError):
        raise Unparsable("corrupt") from None
    except RuntimeError:  # zipfile's way to ask for a password
        raise Unparsable("encrypted") from None
    except Exception as error:
        if isinstance(error, Unparsable):
            raise
        raise Unparsable("corrupt") from None  # zlib.error, struct.error


def check_xml(start: bytes) -> None:
    """Raise unsafe_xml when an XML text declares entities (its declarations come first)."""
    if any(mark in start for mark in _DOCTYPE) and any(mark in start for mark in _ENTITY):
        raise Unparsable("unsafe_xml")
