"""Knowledge bases: create, get, list, update, delete."""

from __future__ import annotations

import re
from typing import Any

from localaws.knowledge import records
from localaws.knowledge.records import DATA_SOURCE, JOB, KNOWLEDGE_BASE, Record
from localaws.knowledge.store import store
from localaws.operations import AwsError, Call, operation

MANAGED_MODEL = "amazon.titan-embed-text-v2:0"
"""What a knowledge base with a service-managed embedding model embeds with here."""

_EMBEDS = re.compile(r"^(amazon\.titan-embed-text|cohere\.embed-)")
_KEPT = ("name", "description", "roleArn", "knowledgeBaseConfiguration", "storageConfiguration")


@operation("bedrock-agent", "CreateKnowledgeBase")
def create_knowledge_base(call: Call) -> dict[str, Any]:
    """Any vector store is accepted and none is reached: vectors are kept in the state's folder."""
    _check(call.params)

    def make() -> str:
        _unique(call, None)
        name = records.new_id()
        moment = records.now()
        record: Record = {key: call.params[key] for key in _KEPT if key in call.params}
        record |= {
            "id": name,
            "arn": call.arn(f"knowledge-base/{name}"),
            "status": "CREATING",
            "createdAt": moment,
            "updatedAt": moment,
            "changedAt": moment,
        }
        call.state.put(KNOWLEDGE_BASE, name, record)
        if call.params.get("tags"):
            call.state.put(records.TAGS, record["arn"], dict(call.params["tags"]))
        return name

    with call.state.together():
        name, _ = records.once(call, "", make)
    return {"knowledgeBase": shown(records.knowledge_base(call.state, name))}


@operation("bedrock-agent", "GetKnowledgeBase")
def get_knowledge_base(call: Call) -> dict[str, Any]:
    """One knowledge base."""
    return {
        "knowledgeBase": shown(records.knowledge_base(call.state, call.params["knowledgeBaseId"]))
    }


@operation("bedrock-agent", "ListKnowledgeBases")
def list_knowledge_bases(call: Call) -> dict[str, Any]:
    """A page of summaries, in the order of ids."""
    found = records.everything(call.state, KNOWLEDGE_BASE, "", "ACTIVE")
    listed, following = records.page(
        found, call.params.get("maxResults"), call.params.get("nextToken")
    )
    kept = ("knowledgeBaseId", "name", "description", "status", "updatedAt")
    summaries = [{key: one[key] for key in kept if key in one} for one in map(shown, listed)]
    return {"knowledgeBaseSummaries": summaries} | _next(following)


@operation("bedrock-agent", "UpdateKnowledgeBase")
def update_knowledge_base(call: Call) -> dict[str, Any]:
    """Name, description and role can change; the configurations must be given as they are."""
    name = call.params["knowledgeBaseId"]
    with call.state.together():
        record = records.active(call.state, name)
        for key in ("knowledgeBaseConfiguration", "storageConfiguration"):
            if call.params.get(key) != record.get(key):
                raise AwsError("ValidationException", f"The {key} can't be changed.")
        _unique(call, name)
        for key in ("name", "description", "roleArn"):
            record.pop(key, None)
            if key in call.params:
                record[key] = call.params[key]
        record["updatedAt"] = records.now()
        call.state.put(KNOWLEDGE_BASE, name, record)
    return {"knowledgeBase": shown(record)}


@operation("bedrock-agent", "DeleteKnowledgeBase")
def delete_knowledge_base(call: Call) -> dict[str, Any]:
    """Deletes its data sources, jobs, documents and vectors too."""
    from localaws.knowledge.jobs import refuse_while_running

    name = call.params["knowledgeBaseId"]
    with call.state.together():
        record = records.knowledge_base(call.state, name)
        refuse_while_running(call.state, name, "")
        record |= {"status": "DELETING", "changedAt": records.now(), "updatedAt": records.now()}
        call.state.put(KNOWLEDGE_BASE, name, record)
        for kind in (DATA_SOURCE, JOB):
            for key, _ in call.state.all(kind, f"{name}/"):
                call.state.delete(kind, key)
        call.state.delete(records.TAGS, record["arn"])
    store(call.state).forget(name)
    return {"knowledgeBaseId": name, "status": "DELETING"}


def shown(record: Record) -> dict[str, Any]:
    """Return a record as the service's KnowledgeBase."""
    return {key: record[key] for key in _KEPT if key in record} | {
        "knowledgeBaseId": record["id"],
        "knowledgeBaseArn": record["arn"],
        "status": record["status"],
        "createdAt": records.moment(record["createdAt"]),
        "updatedAt": records.moment(record["updatedAt"]),
    }


def managed(record: Record) -> bool:
    """Whether the service keeps the vectors of a knowledge base itself."""
    return bool(record["knowledgeBaseConfiguration"]["type"] == "MANAGED")


def embedding(record: Record) -> tuple[str, int | None]:
    """Return a knowledge base's embedding model by id, and its dimensions if they are given."""
    configuration = record["knowledgeBaseConfiguration"]
    chosen = configuration.get(
        "managedKnowledgeBaseConfiguration"
        if managed(record)
        else "vectorKnowledgeBaseConfiguration"
    )
    chosen = chosen or {}
    arn = chosen.get("embeddingModelArn")
    bedrock = chosen.get("embeddingModelConfiguration", {}).get(
        "bedrockEmbeddingModelConfiguration", {}
    )
    model = MANAGED_MODEL if arn is None else model_id(arn)
    return model, bedrock.get("dimensions") or None


def model_id(arn: str) -> str:
    """Return the model's id from its ARN; an id is returned as it is."""
    return arn.rpartition("/")[2]


def _check(params: Any) -> None:
    configuration = params["knowledgeBaseConfiguration"]
    kind = configuration["type"]
    if kind not in ("VECTOR", "MANAGED"):
        raise AwsError(
            "ValidationException",
            f"localaws keeps knowledge bases of type VECTOR and MANAGED, not {kind}.",
        )
    member = f"{kind.lower()}KnowledgeBaseConfiguration"
    if member not in configuration and kind == "VECTOR":
        raise AwsError(
            "ValidationException",
            "The knowledge base configuration provided is invalid: "
            f"{member} is required for type {kind}.",
        )
    if kind == "VECTOR" and "storageConfiguration" not in params:
        raise AwsError(
            "ValidationException",
            "storageConfiguration is required for a knowledge base of type VECTOR.",
        )
    if kind == "MANAGED" and "storageConfiguration" in params:
        raise AwsError(
            "ValidationException",
            "storageConfiguration is not supported for a knowledge base of type MANAGED.",
        )
    chosen = configuration.get(member, {})
    own = chosen.get("embeddingModelType", "MANAGED" if kind == "MANAGED" else "CUSTOM")
    if own == "CUSTOM" and "embeddingModelArn" not in chosen:
        raise AwsError("ValidationException", "embeddingModelArn is required.")
    arn = chosen.get("embeddingModelArn")
    if arn is not None and not _EMBEDS.match(model_id(arn)):
        raise AwsError(
            "ValidationException",
            "The knowledge base configuration provided is invalid. The provided model "
            f"{model_id(arn)} is not an embedding model that is supported.",
        )


def _unique(call: Call, besides: str | None) -> None:
    wanted = call.params["name"]
    for name, record in records.everything(call.state, KNOWLEDGE_BASE, "", "ACTIVE"):
        if record["name"] == wanted and name != besides:
            raise AwsError("ConflictException", f"KnowledgeBase with name {wanted} already exists.")


def _next(token: str | None) -> dict[str, Any]:
    return {} if token is None else {"nextToken": token}
