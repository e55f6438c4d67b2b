"""Files that a parser must survive: those that no source text can describe."""

from __future__ import annotations

import io
import zipfile

from .archive import member, repack
from .office import blank
from .planted import Say

_ZEROS = 16 * 2**20
_LOG = 30_000_000


def blank_docx() -> bytes:
    """A valid Word file with nothing in it but spaces, tabs and line breaks."""
    from datetime import datetime

    document = blank()
    document.core_properties.author = ""
    document.core_properties.comments = ""
    document.core_properties.created = datetime(2024, 10, 1, 8, 0, 0)
    for text in ("", "   ", "\t\t", " \n \n ", "\u00a0\u2003"):
        document.add_paragraph(text)
    buffer = io.BytesIO()
    document.save(buffer)
    return repack(buffer.getvalue())


def bomb() -> bytes:
    """A Word file in name: about a megabyte that unpacks to 1.1 gigabytes of zeros."""
    buffer = io.BytesIO()
    zeros = bytes(_ZEROS)
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr(
            member("[Content_Types].xml"),
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="xml" ContentType="application/xml"/>'
            '<Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Override PartName="/word/document.xml" ContentType="application/'
            'vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
        )
        archive.writestr(
            member("_rels/.rels"),
            '<?xml version="1.0" encoding="UTF-8"?><Relationships '
            'xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            '<Relationship Id="rId1" Target="word/document.xml" Type="http://schemas.'
            'openxmlformats.org/officeDocument/2006/relationships/officeDocument"/>'
            "</Relationships>",
        )
        for name in ("word/document.xml", "word/media/annex.xml"):
            info = member(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w") as file:
                for _ in range(34):
                    file.write(zeros)
    return buffer.getvalue()


def endless_log(say: Say) -> bytes:
    """Thirty megabytes of a monitoring log: far more text than a document should have."""
    entry = say(
        "Sensor check completed. Cold store, pharmacy refrigerator and blood bank were within "
        "limits at the time of the reading; no alarm was raised and no action is needed. "
        "Responsible engineer on call: «person Tobias Achterberg», phone «phone +49 30 23125 044».",
        "text",
    )
    day = "\n".join(f"Reading {hour:02d}:{minute:02d}. {entry}\n" for hour in range(24)
                    for minute in (0, 30))  # fmt: skip
    days = -(-_LOG // len(day.encode()))
    text = "".join(f"Day {number} of the cold chain log\n\n{day}\n" for number in range(1, days))
    return text.encode()


def half(data: bytes) -> bytes:
    """The first half of a file, as a broken transfer leaves it."""
    return data[: len(data) // 2]


def mixed_encoding(text: str) -> bytes:
    """Lines in turn in UTF-8 and Windows-1252, as a log of two systems has them."""
    codes = ("cp1252", "utf-8")
    return b"".join((line + "\n").encode(codes[n % 2]) for n, line in enumerate(text.splitlines()))
