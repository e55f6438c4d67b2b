"""Internet mail: headers as fields, the body, attachments as documents of their own."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.header import decode_header
from email.message import EmailMessage, Message
from typing import Any

from rag.ingest.failures import Unparsable, failure
from rag.ingest.parsing import ATTACHMENTS, Content, Job
from rag.ingest.parsing.properties import field
from rag.ingest.parsing.text import decode
from rag.records import Element, Failure, ParsedDocument

HEADERS = ("From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Date", "Subject", "Organization")
_DEEPEST = 30
"""Multiparts in multiparts; real mail has three or four."""
_DECORATION = 20_000
"""Bytes under which an image shown within the body is a logo or a rule, not a document."""


def internet_mail(job: Job) -> Content:
    """Read a mail message (RFC 5322, MIME)."""
    message = message_from_bytes(job.data, policy=policy.default)
    elements = [each for name in HEADERS for each in field(name, header(message, name))]
    attachments: list[ParsedDocument | Failure] = []
    for part in _parts(message):
        if _is_body(part):
            elements += body(job, _bytes(part), part.get_content_type())
            continue
        if len(attachments) == ATTACHMENTS:
            attachments.append(failure("too_many_attachments", limit=ATTACHMENTS))
            break
        data, name = _attachment(part)
        if _is_decoration(part, data):
            continue
        attachments.append(job.attachment(data, name))
    return Content(elements, header(message, "Subject"), tuple(attachments))


def body(job: Job, data: bytes, media_type: str) -> list[Element]:
    """Return the elements of a message's body, which is a document without a name.

    Raises:
        Unparsable: It cannot be read, other than for having no text.
    """
    suffix = "html" if media_type == "text/html" else "txt"
    parsed = job.part(data, f"body.{suffix}")
    if isinstance(parsed, ParsedDocument):
        return list(parsed.elements)
    if parsed.code in ("empty", "no_text"):
        return []
    raise Unparsable(parsed.code, limit=job.options.characters)


def header(message: Message[Any, Any], name: str) -> str:
    """Return a header as people read it, all its values; damaged ones as far as they go."""
    try:
        return ", ".join(" ".join(str(value).split()) for value in message.get_all(name, []))
    except Exception:  # the standard library's parser raises many kinds on hostile headers
        raw = [value for key, value in message.raw_items() if key.lower() == name.lower()]
        return ", ".join(_decoded(str(value)) for value in raw)


def _decoded(raw: str) -> str:
    try:
        parts = decode_header(raw)
    except Exception:
        return raw
    return "".join(decode(part) if isinstance(part, bytes) else part for part, _ in parts)


def _parts(message: Message[Any, Any], depth: int = 0) -> Iterator[Message[Any, Any]]:
    """Yield the leaves: of alternatives the richest that can be read."""
    if depth > _DEEPEST:
        raise Unparsable("too_deep", limit=_DEEPEST)
    if not message.is_multipart() or message.get_content_type() == "message/rfc822":
        yield message
        return
    inside = [part for part in message.get_payload() if isinstance(part, Message)]
    if message.get_content_type() == "multipart/alternative":
        leaves = [leaf for part in inside for leaf in _parts(part, depth + 1)]
        bodies = [leaf for leaf in leaves if _is_body(leaf)]
        rich = [leaf for leaf in bodies if leaf.get_content_type() == "text/html"]
        chosen = next((leaf for leaf in rich + bodies if _bytes(leaf).strip()), None)
        yield from (leaf for leaf in leaves if leaf is chosen or leaf not in bodies)
        return
    for part in inside:
        yield from _parts(part, depth + 1)


def _is_body(part: Message[Any, Any]) -> bool:
    return (
        part.get_content_type() in ("text/plain", "text/html")
        and part.get_content_disposition() != "attachment"
        and not part.get_filename()
    )


def _bytes(part: Message[Any, Any]) -> bytes:
    """The decoded payload, as UTF-8 where the part declares another encoding that fits."""
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    declared = part.get_content_charset()
    if declared and part.get_content_maintype() == "text":
        try:
            return data.decode(declared).encode()
        except (LookupError, UnicodeError):
            pass
    return data


def _attachment(part: Message[Any, Any]) -> tuple[bytes, str]:
    name = part.get_filename() or ""
    if part.get_content_type() == "message/rfc822":
        inside = part.get_payload()
        inner = inside[0] if isinstance(inside, list) and inside else inside
        data = inner.as_bytes() if isinstance(inner, Message) else str(inner).encode()
        subject = header(inner, "Subject") if isinstance(inner, EmailMessage) else ""
        return data, name or f"{subject or 'message'}.eml"
    return _bytes(part), name or f"attachment.{part.get_content_subtype()}"


def _is_decoration(part: Message[Any, Any], data: bytes) -> bool:
    return (
        part.get_content_maintype() == "image"
        and part.get_content_disposition() != "attachment"
        and (len(data) < _DECORATION)
    )
