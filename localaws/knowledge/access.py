"""Rights that documents of managed knowledge bases carry: who may find one.

In a data source with ``aclEnabled`` a document is found by users that it allows and does not deny;
nobody else, and nobody when the caller names no user. Documents of other data sources are found
by all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.knowledge import bases, records
from localaws.knowledge.index import Document
from localaws.knowledge.sources import origin
from localaws.knowledge.store import store
from localaws.operations import AwsError, Call, operation


def user(call: Call, base: records.Record) -> str | None:
    """Return the user that a request names.

    Raises:
        AwsError: ValidationException, where knowledge bases keep no rights.
    """
    context: Mapping[str, Any] | None = call.params.get("userContext")
    if context is None:
        return None
    if not bases.managed(base):
        raise AwsError(
            "ValidationException", "userContext is only supported for managed knowledge bases."
        )
    return str(context["userId"])


def may(document: Document, who: str | None) -> bool:
    """Whether a user may find a document of a data source that keeps rights."""
    if who is None or document.acl is None:
        return False
    said = {access for name, access in document.acl if name == who}
    return "ALLOW" in said and "DENY" not in said


@operation("bedrock-agent-runtime", "CheckIngestedDocumentAcl")
def check_ingested_document_acl(call: Call) -> dict[str, Any]:
    """Whether a user would find a document."""
    document, guarded = _asked(call)
    return {"hasAccess": not guarded or may(document, call.params["userContext"]["userId"])}


@operation("bedrock-agent-runtime", "GetIngestedDocumentAcl")
def get_ingested_document_acl(call: Call) -> dict[str, Any]:
    """Whom a document allows and denies."""
    document, _ = _asked(call)
    return {
        "documentAcl": {
            "allowList": _members(document, "ALLOW"),
            "denyList": _members(document, "DENY"),
        }
    }


def _members(document: Document, access: str) -> dict[str, Any]:
    users = [
        {"id": name, "type": "DATA_SOURCE"} for name, one in document.acl or () if one == access
    ]
    return {
        "memberRelation": "OR",
        "conditions": [{"conditionOperator": "OR", "users": users, "groups": []}] if users else [],
    }


def _asked(call: Call) -> tuple[Document, bool]:
    base = records.active(call.state, call.params["knowledgeBaseId"])
    if not bases.managed(base):
        raise AwsError(
            "ValidationException", "This operation is only supported for managed knowledge bases."
        )
    source = records.data_source(call.state, base["id"], call.params["dataSourceId"])
    name = call.params["documentId"]
    document = store(call.state).document(base["id"], source["id"], name)
    if document is None or not document.version:
        raise AwsError("ResourceNotFoundException", f"Document with id {name} does not exist")
    return document, origin(source).native_acl
