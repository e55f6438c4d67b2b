"""Outlook's .msg files, by the reader that unstructured uses."""

from __future__ import annotations

import io

from oxmsg import Message

from rag.ingest.failures import failure
from rag.ingest.parsing import ATTACHMENTS, Content, Job
from rag.ingest.parsing.mail import HEADERS, body
from rag.ingest.parsing.properties import field
from rag.records import Failure, ParsedDocument


def outlook_mail(job: Job) -> Content:
    """Read an Outlook message."""
    message = Message.load(io.BytesIO(job.data))
    headers = {name.lower(): value for name, value in message.message_headers.items()}
    headers.setdefault("from", message.sender or "")
    headers.setdefault("subject", message.subject or "")
    if not headers.get("to"):
        headers["to"] = ", ".join(f"{each.name} <{each.email_address}>" for each in
                                  message.recipients)  # fmt: skip
    elements = [each for name in HEADERS for each in field(name, headers.get(name.lower()))]
    if message.html_body:
        elements += body(job, message.html_body.encode(), "text/html")
    elif message.body:
        elements += body(job, message.body.encode(), "text/plain")
    attachments: list[ParsedDocument | Failure] = []
    for attached in message.attachments[:ATTACHMENTS]:
        data = attached.file_bytes
        if data:
            attachments.append(job.attachment(data, attached.file_name or "attachment"))
    if len(message.attachments) > ATTACHMENTS:
        attachments.append(failure("too_many_attachments", limit=ATTACHMENTS))
    return Content(elements, message.subject or "", tuple(attachments))
