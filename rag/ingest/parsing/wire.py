"""A parse result as bytes, for the way out of the parser process.

JSON, not pickle: the process reads hostile documents, and unpickling what it sends would run
what it says. For the same reason a failure's sentences are checked on arrival to be those of
its code.
"""

from __future__ import annotations

import json
from typing import Any

from rag.ingest.failures import restore
from rag.records import Element, Failure, ParsedDocument


class Malformed(ValueError):
    """These bytes are not a parse result."""


def pack(result: ParsedDocument | Failure) -> bytes:
    """Return the result as bytes."""
    return json.dumps(_plain(result), ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "surrogatepass"
    )


def _plain(result: ParsedDocument | Failure) -> list[Any]:
    if isinstance(result, Failure):
        return [result.code, result.reason, result.action, result.name]
    elements = [
        [each.kind, each.text, each.page, each.section, each.rows, each.label]
        for each in result.elements
    ]
    attachments = [_plain(each) for each in result.attachments]
    return [result.media_type, result.title, elements, attachments, result.name]


def unpack(data: bytes) -> ParsedDocument | Failure:
    """Return what `pack` packed.

    Raises:
        Malformed: It did not.
    """
    try:
        return _result(json.loads(data.decode("utf-8", "surrogatepass")))
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Malformed from None


def _result(plain: list[Any]) -> ParsedDocument | Failure:
    if len(plain) == 4:
        return restore(*plain)
    media_type, title, elements, attachments, name = plain
    return ParsedDocument(
        media_type,
        title,
        tuple(
            Element(kind, text, page, tuple(section), tuple(map(tuple, rows)), label)
            for kind, text, page, section, rows, label in elements
        ),
        tuple(_result(each) for each in attachments),
        name,
    )
