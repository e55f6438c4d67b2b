"""Data sources: create, get, list, update, delete; and what one says about where documents are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localaws.knowledge import bases, records
from localaws.knowledge.records import DATA_SOURCE, JOB, KNOWLEDGE_BASE, Record
from localaws.knowledge.store import store
from localaws.operations import AwsError, Call, operation

MOST = 5
"""Data sources of a knowledge base (its default quota)."""

_MEGABYTE = 1 << 20
MAX_FILE = 50 * _MEGABYTE
_KEPT = (
    "name",
    "description",
    "dataSourceConfiguration",
    "serverSideEncryptionConfiguration",
    "vectorIngestionConfiguration",
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a data source's documents come from.

    Attributes:
        kind: ``S3`` or ``CUSTOM``.
        prefixes: Of keys to include; none means all.
        matching: Patterns of which a key must match one; none means all do.
        max_bytes: Of a file.
        sidecars: Prefix of the keys of metadata files, where they are not beside their documents.
        native_acl: Whether documents carry lists of users, checked when they are searched.
        global_acl: URI of a file that gives lists of users by prefix.
        most_deleted: Percent of the documents that one job may delete; None means any.
    """

    kind: str
    bucket: str = ""
    prefixes: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    matching: tuple[re.Pattern[str], ...] = ()
    not_matching: tuple[re.Pattern[str], ...] = ()
    max_bytes: int = MAX_FILE
    sidecars: str = ""
    native_acl: bool = False
    global_acl: str = ""
    most_deleted: int | None = None

    def includes(self, key: str) -> bool:
        """Whether a key is one of this source."""
        return (
            (not self.prefixes or key.startswith(self.prefixes))
            and not (self.without and key.startswith(self.without))
            and (not self.matching or any(one.search(key) for one in self.matching))
            and not any(one.search(key) for one in self.not_matching)
        )


@operation("bedrock-agent", "CreateDataSource")
def create_data_source(call: Call) -> dict[str, Any]:
    """Buckets (S3) and documents that are sent (CUSTOM); managed ones have both as connectors."""
    base = records.active(call.state, call.params["knowledgeBaseId"])
    configuration = _stored(call.params["dataSourceConfiguration"])
    _check(base, configuration, call.params.get("vectorIngestionConfiguration"))

    def make() -> str:
        _unique(call, None)
        name = records.new_id()
        moment = records.now()
        record: Record = {key: call.params[key] for key in _KEPT if key in call.params}
        record |= {
            "id": name,
            "knowledgeBaseId": base["id"],
            "dataSourceConfiguration": configuration,
            "dataDeletionPolicy": call.params.get("dataDeletionPolicy", "DELETE"),
            "status": "CREATING" if bases.managed(base) else "AVAILABLE",
            "createdAt": moment,
            "updatedAt": moment,
            "changedAt": moment,
        }
        call.state.put(DATA_SOURCE, f"{base['id']}/{name}", record)
        return name

    with call.state.together():
        name, _ = records.once(call, base["id"], make)
    return {"dataSource": _shown(records.data_source(call.state, base["id"], name))}


@operation("bedrock-agent", "GetDataSource")
def get_data_source(call: Call) -> dict[str, Any]:
    """One data source."""
    return {"dataSource": _shown(_asked(call))}


@operation("bedrock-agent", "ListDataSources")
def list_data_sources(call: Call) -> dict[str, Any]:
    """A page of summaries, in the order of ids."""
    base = records.knowledge_base(call.state, call.params["knowledgeBaseId"])["id"]
    listed, following = records.page(
        records.everything(call.state, DATA_SOURCE, f"{base}/", "AVAILABLE"),
        call.params.get("maxResults"),
        call.params.get("nextToken"),
    )
    kept = ("knowledgeBaseId", "dataSourceId", "name", "description", "status", "updatedAt")
    summaries = [{key: one[key] for key in kept if key in one} for one in map(_shown, listed)]
    result: dict[str, Any] = {"dataSourceSummaries": summaries}
    return result if following is None else result | {"nextToken": following}


@operation("bedrock-agent", "UpdateDataSource")
def update_data_source(call: Call) -> dict[str, Any]:
    """Everything but the chunking and whether documents carry rights can change."""
    base = records.active(call.state, call.params["knowledgeBaseId"])
    configuration = _stored(call.params["dataSourceConfiguration"])
    ingestion = call.params.get("vectorIngestionConfiguration")
    _check(base, configuration, ingestion)
    with call.state.together():
        record = _asked(call)
        if _chunking(ingestion) != _chunking(record.get("vectorIngestionConfiguration")):
            raise AwsError("ValidationException", "The chunkingConfiguration can't be changed.")
        if _native_acl(configuration) != _native_acl(record["dataSourceConfiguration"]):
            raise AwsError(
                "ValidationException", "aclEnabled can't be changed after the data source is made."
            )
        _unique(call, record["id"])
        for key in _KEPT:
            record.pop(key, None)
            if key in call.params:
                record[key] = call.params[key]
        record["dataSourceConfiguration"] = configuration
        if "dataDeletionPolicy" in call.params:
            record["dataDeletionPolicy"] = call.params["dataDeletionPolicy"]
        record["updatedAt"] = records.now()
        call.state.put(DATA_SOURCE, f"{base['id']}/{record['id']}", record)
    return {"dataSource": _shown(record)}


@operation("bedrock-agent", "DeleteDataSource")
def delete_data_source(call: Call) -> dict[str, Any]:
    """With the policy DELETE its documents and vectors go too; with RETAIN they are still found."""
    from localaws.knowledge.jobs import refuse_while_running

    with call.state.together():
        record = _asked(call)
        base, name = record["knowledgeBaseId"], record["id"]
        refuse_while_running(call.state, base, name)
        record |= {"status": "DELETING", "changedAt": records.now(), "updatedAt": records.now()}
        call.state.put(DATA_SOURCE, f"{base}/{name}", record)
        for key, _ in call.state.all(JOB, f"{base}/{name}/"):
            call.state.delete(JOB, key)
    if record["dataDeletionPolicy"] == "DELETE":
        store(call.state).forget(base, name)
    return {"knowledgeBaseId": base, "dataSourceId": name, "status": "DELETING"}


def origin(record: Record) -> Origin:
    """Return where a data source's documents come from."""
    configuration = record["dataSourceConfiguration"]
    if configuration["type"] == "CUSTOM":
        return Origin("CUSTOM")
    if configuration["type"] == "S3":
        s3 = configuration["s3Configuration"]
        return Origin(
            "S3",
            bucket=s3["bucketArn"].rpartition(":")[2],
            prefixes=tuple(s3.get("inclusionPrefixes", ())),
        )
    return _connector(configuration["managedKnowledgeBaseConnectorConfiguration"])


def _connector(configuration: Mapping[str, Any]) -> Origin:
    parameters = _parameters(configuration)
    native = bool(parameters.get("aclEnabled", False))
    if parameters.get("type") == "CUSTOM":
        return Origin("CUSTOM", native_acl=native)
    kept = parameters.get("filterConfiguration", {})
    protection = configuration.get("deletionProtectionConfiguration", {})
    guarded = protection.get("deletionProtectionStatus") == "ENABLED"
    most = protection.get("deletionProtectionThreshold", 15)
    acl = parameters.get("aclConfiguration", {}) if native else {}
    return Origin(
        "S3",
        bucket=parameters["connectionConfiguration"]["bucketName"],
        prefixes=tuple(kept.get("inclusionPrefixes", ())),
        without=tuple(kept.get("exclusionPrefixes", ())),
        matching=tuple(re.compile(one) for one in kept.get("inclusionPatterns", ())),
        not_matching=tuple(re.compile(one) for one in kept.get("exclusionPatterns", ())),
        max_bytes=min(MAX_FILE, int(kept.get("maxFileSizeInMegaBytes", "500")) * _MEGABYTE),
        sidecars=parameters.get("metadataFilesPrefix", ""),
        native_acl=native,
        global_acl=acl.get("globalAccessControlListS3Uri", ""),
        most_deleted=most if guarded else None,
    )


def _parameters(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """A document, or the text of one: clients send both."""
    given = configuration.get("connectorParameters", {})
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError as error:
            raise AwsError("ValidationException", "connectorParameters is not JSON.") from error
    if not isinstance(given, dict):
        raise AwsError("ValidationException", "connectorParameters must be an object.")
    return given


def _stored(configuration: Mapping[str, Any]) -> dict[str, Any]:
    return dict(configuration)


def _check(
    base: Record, configuration: Mapping[str, Any], ingestion: Mapping[str, Any] | None
) -> None:
    kind = configuration["type"]
    allowed = ("MANAGED_KNOWLEDGE_BASE_CONNECTOR",) if bases.managed(base) else ("S3", "CUSTOM")
    if kind not in allowed:
        raise AwsError(
            "ValidationException",
            f"localaws has data sources of type {' and '.join(allowed)} for this knowledge base, "
            f"not {kind}.",
        )
    if kind == "S3" and "s3Configuration" not in configuration:
        raise AwsError("ValidationException", "s3Configuration is required for type S3.")
    if kind == "MANAGED_KNOWLEDGE_BASE_CONNECTOR":
        _check_connector(configuration)
    if _chunking(ingestion) is not None and bases.managed(base):
        chosen = base["knowledgeBaseConfiguration"].get("managedKnowledgeBaseConfiguration", {})
        if chosen.get("embeddingModelType", "MANAGED") == "MANAGED":
            raise AwsError(
                "ValidationException",
                "A chunking strategy cannot be specified with a managed embedding model.",
            )
    _check_chunking(_chunking(ingestion))


def _check_connector(configuration: Mapping[str, Any]) -> None:
    member = configuration.get("managedKnowledgeBaseConnectorConfiguration")
    if member is None:
        raise AwsError(
            "ValidationException", "managedKnowledgeBaseConnectorConfiguration is required."
        )
    parameters = _parameters(member)
    kind = parameters.get("type")
    if kind not in ("S3", "CUSTOM"):
        raise AwsError(
            "ValidationException",
            f"localaws has the connectors S3 and CUSTOM, not {kind}.",
        )
    if parameters.get("version") != "1":
        raise AwsError("ValidationException", "connectorParameters.version must be 1.")
    if kind == "S3" and not parameters.get("connectionConfiguration", {}).get("bucketName"):
        raise AwsError(
            "ValidationException",
            "connectorParameters.connectionConfiguration.bucketName is required.",
        )
    try:
        _connector(member)
    except (re.error, ValueError, TypeError, AttributeError) as error:
        raise AwsError(
            "ValidationException", "connectorParameters.filterConfiguration is invalid."
        ) from error


def _check_chunking(chunking: Mapping[str, Any] | None) -> None:
    if chunking is None:
        return
    strategy = chunking["chunkingStrategy"]
    if strategy == "SEMANTIC":
        raise AwsError(
            "ValidationException",
            "localaws does not chunk by meaning. Choose FIXED_SIZE, HIERARCHICAL or NONE.",
        )
    member = {
        "FIXED_SIZE": "fixedSizeChunkingConfiguration",
        "HIERARCHICAL": "hierarchicalChunkingConfiguration",
    }.get(strategy)
    if member is None:
        return
    if member not in chunking:
        raise AwsError(
            "ValidationException", f"{member} is required for the chunking strategy {strategy}."
        )
    if strategy == "HIERARCHICAL":
        levels = [one["maxTokens"] for one in chunking[member]["levelConfigurations"]]
        if levels[0] <= levels[1]:
            raise AwsError(
                "ValidationException", "A parent chunk must have more tokens than a child chunk."
            )


def _chunking(ingestion: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = (ingestion or {}).get("chunkingConfiguration")
    return found


def _native_acl(configuration: Mapping[str, Any]) -> bool:
    if configuration["type"] != "MANAGED_KNOWLEDGE_BASE_CONNECTOR":
        return False
    member = configuration["managedKnowledgeBaseConnectorConfiguration"]
    return bool(_parameters(member).get("aclEnabled", False))


def _asked(call: Call) -> Record:
    return records.data_source(
        call.state, call.params["knowledgeBaseId"], call.params["dataSourceId"]
    )


def _unique(call: Call, besides: str | None) -> None:
    base, wanted = call.params["knowledgeBaseId"], call.params["name"]
    found = records.everything(call.state, DATA_SOURCE, f"{base}/", "AVAILABLE")
    if any(one["name"] == wanted and one["id"] != besides for _, one in found):
        raise AwsError("ConflictException", f"DataSource with name {wanted} already exists.")
    if besides is None and len(found) >= MOST:
        raise AwsError(
            "ServiceQuotaExceededException",
            f"You have reached the maximum number of {MOST} data sources of a knowledge base.",
        )


def _shown(record: Record) -> dict[str, Any]:
    return {key: record[key] for key in _KEPT if key in record} | {
        "knowledgeBaseId": record["knowledgeBaseId"],
        "dataSourceId": record["id"],
        "status": record["status"],
        "dataDeletionPolicy": record["dataDeletionPolicy"],
        "createdAt": records.moment(record["createdAt"]),
        "updatedAt": records.moment(record["updatedAt"]),
    }


__all__ = ["KNOWLEDGE_BASE", "MAX_FILE", "Origin", "origin"]
