"""What a passage carries besides its text: metadata attributes, and a passage made of them again.

An attribute that a passage has no value for is left out: AWS takes no empty texts or lists. A
document without principals thus has no ``acl``, which no filter on it matches.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rag.masked.stored import stored
from rag.records import Chunk, Hit, IndexedDocument, Principal

SIDECAR_BYTES = 10_000
"""Of a ``.metadata.json`` file; AWS allows 10 KB ("Quotas for knowledge bases")."""
TEXT_BYTES = 1_000
"""A longer title, name or heading is cut: it is there to be read, not to be found by."""
SECTIONS = 10
"""Of one passage: AWS takes no more items of a list by API (`MetadataAttributeValue`)."""
SECTION_BYTES = TEXT_BYTES // SECTIONS
"""A longer heading of the section path is cut."""
PRINCIPALS = 10
"""Likewise of a document that is handed over by API."""

TEXTS = ("document_id", "chunk_id", "name", "title", "media_type", "kind", "heading")
NUMBERS = ("position", "tokens", "page", "modified")
LISTS = ("section", "acl")

Attributes = dict[str, str | int | list[str]]


def attributes(document: IndexedDocument, chunk: Chunk) -> Attributes:
    """Return what is stored beside a passage, in a fixed order."""
    texts = {
        "document_id": document.id,
        "chunk_id": chunk.id,
        "name": short(document.name),
        "title": short(document.title),
        "media_type": short(document.media_type),
        "kind": chunk.kind,
        "heading": short(chunk.heading),
    }
    numbers = {
        "position": chunk.position,
        "tokens": chunk.tokens,
        "page": chunk.page,
        "modified": document.modified,
    }
    made: Attributes = {name: text for name, text in texts.items() if text}
    made |= {name: number for name, number in numbers.items() if number is not None}
    if section := [
        cut for part in chunk.section[-SECTIONS:] if (cut := short(part, SECTION_BYTES))
    ]:
        made["section"] = section
    return with_acl(made, document.acl)


def with_acl(made: Mapping[str, Any], acl: Sequence[Principal]) -> Attributes:
    """Return attributes with these principals in place of those that are there."""
    others = {name: value for name, value in made.items() if name != "acl"}
    return {**others, "acl": list(acl)} if acl else others


def short(text: str, most: int = TEXT_BYTES) -> str:
    """Return a text of at most `most` bytes (UTF-8): the same one, or its start and an ellipsis."""
    data = text.encode(errors="replace")
    if len(data) <= most:
        return text
    return data[: most - len("…".encode())].decode(errors="ignore") + "…"


def sidecar(made: Mapping[str, Any], users: Sequence[str] = ()) -> bytes:
    """Return attributes as a ``.metadata.json`` file; the same ones give the same bytes.

    Args:
        users: As `native` says.
    """
    content: dict[str, Any] = {"metadataAttributes": made}
    if users:
        content["accessControlList"] = [
            {"Name": user, "Type": "USER", "Access": "ALLOW"} for user in users
        ]
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="replace")


def native(acl: Sequence[Principal]) -> list[str]:
    """Return users for the rights that a managed knowledge base keeps by itself.

    It knows users only (`DocumentAccessControlEntry`): where a group may read, there is nothing
    to say, for it would keep the group's members out.
    """
    users = [one.removeprefix("user:") for one in acl if one.startswith("user:")]
    return users if len(users) == len(acl) else []


def of_sidecar(data: bytes) -> Attributes:
    """Return the attributes of a ``.metadata.json`` file.

    Raises:
        ValueError: It is none.
    """
    made = json.loads(data).get("metadataAttributes")
    if not isinstance(made, dict):
        raise ValueError("no metadata attributes")
    return made


def inline(made: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return attributes as the API takes them (`MetadataAttribute`)."""
    return [{"key": name, "value": _typed(value)} for name, value in made.items()]


def _typed(value: str | int | list[str]) -> dict[str, Any]:
    if isinstance(value, str):
        return {"type": "STRING", "stringValue": value}
    if isinstance(value, list):
        return {"type": "STRING_LIST", "stringListValue": value}
    return {"type": "NUMBER", "numberValue": float(value)}


def ours(made: Mapping[str, Any]) -> Attributes:
    """Return our attributes of those that the service gives back, as they were given to it.

    It adds some of its own; numbers may have become floats, lists of one a text.
    """
    kept: Attributes = {name: str(made[name]) for name in TEXTS if made.get(name)}
    kept |= {name: int(made[name]) for name in NUMBERS if made.get(name) is not None}
    kept |= {name: _listed(made[name]) for name in LISTS if made.get(name)}
    return kept


def as_hit(content: str, made: Mapping[str, Any], score: float) -> Hit | None:
    """Return a passage that was found; None for one that is not ours.

    Args:
        content: Its text as it was stored, the heading first.
        made: Its attributes, as the service gives them back.
    """
    if "chunk_id" not in made or "document_id" not in made:
        return None
    heading = str(made.get("heading", ""))
    page, modified = made.get("page"), made.get("modified")
    kind = made.get("kind")
    return Hit(
        chunk=Chunk(
            id=str(made["chunk_id"]),
            document_id=str(made["document_id"]),
            position=int(made.get("position", 0)),
            heading=stored(heading),
            text=stored(_below(heading, content)),
            tokens=int(made.get("tokens", 0)),
            page=None if page is None else int(page),
            section=tuple(stored(part) for part in _listed(made.get("section"))),
            kind="table" if kind == "table" else "text",
        ),
        document=stored(str(made.get("name", ""))),
        score=score,
        title=stored(str(made.get("title", ""))),
        acl=tuple(_listed(made.get("acl"))),
        media_type=str(made.get("media_type", "")),
        modified=None if modified is None else int(modified),
    )


def _below(heading: str, content: str) -> str:
    """The text under its heading, which the service read as one text."""
    if not heading:
        return content
    first, _, rest = content.partition("\n")
    cut = heading.endswith("…") and first.startswith(heading[:-1])
    return rest if first == heading or cut else content


def _listed(value: Any) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else [str(one) for one in value]
