"""Direct ingestion: documents that are sent, or named. `worker` does what is accepted here."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from localaws.knowledge import records, worker
from localaws.knowledge.index import Document
from localaws.knowledge.records import Record
from localaws.knowledge.sources import origin
from localaws.knowledge.store import store
from localaws.operations import AwsError, Call, operation

MOVING = ("STARTING", "PENDING", "IN_PROGRESS", "DELETING", "DELETE_IN_PROGRESS")
"""Statuses of what is not done yet."""


@operation("bedrock-agent", "IngestKnowledgeBaseDocuments")
def ingest_knowledge_base_documents(call: Call) -> dict[str, Any]:
    """Accept documents; GetKnowledgeBaseDocuments tells when each is INDEXED or FAILED."""
    base, source = _target(call)
    kind = origin(source).kind
    asked = [(_content_name(one["content"], kind), one) for one in call.params["documents"]]
    tasks = []
    for name, one in asked:
        _check(one)
        task = {
            "action": "ingest",
            "document": _plain(one),
            "fail": call.faults.fails(),
        }
        tasks.append((_accepted(call, base, source, name, kind, "STARTING"), task))
    scope = f"{base['id']}/{source['id']}"

    def make() -> str:
        store(call.state).wait(base["id"], source["id"], tasks)
        return ""

    with call.state.together():
        records.once(call, scope, make)
    worker.awake(call.state)
    return {"documentDetails": [_shown(base["id"], document) for document, _ in tasks]}


@operation("bedrock-agent", "DeleteKnowledgeBaseDocuments")
def delete_knowledge_base_documents(call: Call) -> dict[str, Any]:
    """Delete documents and their vectors; those that are not there are NOT_FOUND."""
    base, source = _target(call)
    kept = store(call.state)
    details, tasks = [], []
    for identifier in call.params["documentIdentifiers"]:
        name, kind = _name(identifier, origin(source).kind)
        if kept.document(base["id"], source["id"], name) is None:
            details.append(_shown(base["id"], _missing(source, name, kind)))
            continue
        document = _accepted(call, base, source, name, kind, "DELETING")
        tasks.append((document, {"action": "delete", "fail": call.faults.fails()}))
        details.append(_shown(base["id"], document))

    def make() -> str:
        kept.wait(base["id"], source["id"], tasks)
        return ""

    with call.state.together():
        records.once(call, f"{base['id']}/{source['id']}", make)
    worker.awake(call.state)
    return {"documentDetails": details}


@operation("bedrock-agent", "GetKnowledgeBaseDocuments")
def get_knowledge_base_documents(call: Call) -> dict[str, Any]:
    """How each document stands."""
    worker.awake(call.state)
    source = records.data_source(
        call.state, call.params["knowledgeBaseId"], call.params["dataSourceId"]
    )
    base = records.knowledge_base(call.state, call.params["knowledgeBaseId"])
    details = []
    for identifier in call.params["documentIdentifiers"]:
        name, kind = _name(identifier, origin(source).kind)
        document = store(call.state).document(base["id"], source["id"], name)
        details.append(_standing(call, base["id"], document or _missing(source, name, kind)))
    return {"documentDetails": details}


@operation("bedrock-agent", "ListKnowledgeBaseDocuments")
def list_knowledge_base_documents(call: Call) -> dict[str, Any]:
    """A page of a data source's documents, by name."""
    worker.awake(call.state)
    source = records.data_source(
        call.state, call.params["knowledgeBaseId"], call.params["dataSourceId"]
    )
    size = call.params.get("maxResults") or 100
    token = call.params.get("nextToken")
    after = records.unseal(token) if token else ""
    base = source["knowledgeBaseId"]
    found = store(call.state).documents(base, source["id"], after, size + 1)
    result: dict[str, Any] = {
        "documentDetails": [_standing(call, base, one) for one in found[:size]]
    }
    if len(found) > size:
        result["nextToken"] = records.seal(found[size - 1].name)
    return result


def _target(call: Call) -> tuple[Record, Record]:
    base = records.active(call.state, call.params["knowledgeBaseId"])
    return base, records.available(call.state, base["id"], call.params["dataSourceId"])


def _accepted(
    call: Call, base: Record, source: Record, name: str, kind: str, status: str
) -> Document:
    """A document as it is while its task waits: what is indexed of it stays."""
    known = store(call.state).document(base["id"], source["id"], name)
    moment = records.now()
    if known is None:
        return Document(source["id"], name, kind, status, moment)
    return replace(known, status=status, updated=moment, reason="")


def _content_name(content: Mapping[str, Any], kind: str) -> str:
    """Return what a document is called.

    Raises:
        AwsError: ValidationException: it is not one of this kind of data source.
    """
    _same_kind(content["dataSourceType"], kind)
    if kind == "S3":
        _need(content, "s3")
        return str(content["s3"]["s3Location"]["uri"])
    _need(content, "custom")
    return str(content["custom"]["customDocumentIdentifier"]["id"])


def _name(identifier: Mapping[str, Any], kind: str) -> tuple[str, str]:
    _same_kind(identifier["dataSourceType"], kind)
    _need(identifier, kind.lower())
    one = identifier[kind.lower()]
    return str(one["uri"] if kind == "S3" else one["id"]), kind


def _same_kind(given: str, kind: str) -> None:
    if given != kind:
        raise AwsError(
            "ValidationException",
            f"The dataSourceType {given} does not match the type {kind} of the data source.",
        )


def _check(document: Mapping[str, Any]) -> None:
    """Members that the model leaves optional and the service needs."""
    content = document["content"]
    if content["dataSourceType"] == "CUSTOM":
        custom = content["custom"]
        inline = custom["sourceType"] == "IN_LINE"
        _need(custom, "inlineContent" if inline else "s3Location")
        if inline:
            kind = custom["inlineContent"]["type"]
            _need(custom["inlineContent"], "textContent" if kind == "TEXT" else "byteContent")
    metadata = document.get("metadata")
    if metadata is not None and metadata["type"] == "S3_LOCATION":
        _need(metadata, "s3Location")
        if "accessControlList" in metadata:
            raise AwsError(
                "ValidationException",
                "accessControlList can only be given with metadata of type IN_LINE_ATTRIBUTE.",
            )


def _need(value: Mapping[str, Any], member: str) -> None:
    if member not in value:
        raise AwsError("ValidationException", f"{member} is required.")


def _plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document as JSON can say it."""

    def plain(value: Any) -> Any:
        if isinstance(value, bytes | bytearray):
            return {"base64": base64.b64encode(value).decode()}
        if isinstance(value, Mapping):
            return {key: plain(one) for key, one in value.items()}
        return [plain(one) for one in value] if isinstance(value, list) else value

    return dict(plain(document))


def _missing(source: Record, name: str, kind: str) -> Document:
    return Document(source["id"], name, kind, "NOT_FOUND", records.now())


def _standing(call: Call, base: str, document: Document) -> dict[str, Any]:
    """Show a document, whose earlier version may be done while a later one waits already."""
    action = store(call.state).awaited(base, document.source, document.name)
    if action and document.status not in MOVING:
        status = "DELETING" if action == "delete" else "STARTING"
        document = replace(document, status=status, reason="")
    return _shown(base, document)


def _shown(base: str, document: Document) -> dict[str, Any]:
    s3 = document.kind == "S3"
    shown: dict[str, Any] = {
        "knowledgeBaseId": base,
        "dataSourceId": document.source,
        "status": document.status,
        "identifier": {
            "dataSourceType": document.kind,
            **({"s3": {"uri": document.name}} if s3 else {"custom": {"id": document.name}}),
        },
    }
    if document.reason:
        shown["statusReason"] = document.reason
    if document.updated:
        shown["updatedAt"] = records.moment(document.updated)
    return shown
