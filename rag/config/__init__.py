"""A corpus, declared: the schema of ``corpora/NAME.yaml``.

Every field has a default that works on a laptop, so the shortest corpus is a name and a URL.
`rag.corpus_file` reads the file and says what is wrong with it in words.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field, field_validator

from rag.config.fields import NAME, PRINCIPAL, Principal, Secret, Section, wrong
from rag.config.source import Acl, Glob, MaxDelete, PathRule, Source
from rag.config.steps import (
    Action,
    AnswerCache,
    Answering,
    Auditing,
    Aws,
    Chunking,
    Embedding,
    Guardrail,
    Limits,
    Override,
    Parse,
    Privacy,
    Recency,
    Rights,
    Rules,
    Search,
    Spending,
    Together,
    Vault,
    VaultKey,
)
from rag.config.targets import (
    Auth,
    EmbeddedTarget,
    KnowledgeBaseTarget,
    OpenSearchTarget,
    Target,
)

__all__ = [
    "NAME",
    "PRINCIPAL",
    "Acl",
    "Action",
    "AnswerCache",
    "Answering",
    "Auditing",
    "Auth",
    "Aws",
    "Chunking",
    "CorpusConfig",
    "EmbeddedTarget",
    "Embedding",
    "Glob",
    "Guardrail",
    "KnowledgeBaseTarget",
    "Limits",
    "MaxDelete",
    "OpenSearchTarget",
    "Override",
    "Parse",
    "PathRule",
    "Principal",
    "Privacy",
    "Recency",
    "Rights",
    "Rules",
    "Search",
    "Secret",
    "Section",
    "Source",
    "Spending",
    "Target",
    "Together",
    "Vault",
    "VaultKey",
    "json_schema",
    "wrong",
]

PRESETS = (
    "@once",
    "@continuous",
    "@hourly",
    "@daily",
    "@weekly",
    "@monthly",
    "@quarterly",
    "@yearly",
)


class CorpusConfig(Section):
    """One corpus."""

    corpus: str = Field(pattern=NAME, description="Its name; of its index and its DAG too")
    source: Source
    schedule: str | None = Field(None, description="Cron or preset; none: only when triggered")
    parse: Parse = Field(default_factory=Parse)
    privacy: Privacy = Field(default_factory=Privacy)
    chunk: Chunking = Field(default_factory=Chunking)
    embed: Embedding = Field(default_factory=Embedding)
    targets: tuple[Target, ...] = Field(
        (EmbeddedTarget(),), min_length=1, description="Kept equal; the first is searched"
    )
    search: Search = Field(default_factory=Search)
    answer: Answering = Field(default_factory=Answering)
    rights: Rights = Field(default_factory=Rights)
    audit: Auditing = Field(default_factory=Auditing)
    aws: Aws = Field(default_factory=Aws)
    shard_documents: int = Field(200, ge=1, description="Documents that one task handles")

    @field_validator("schedule")
    @classmethod
    def _cron_or_preset(cls, schedule: str | None) -> str | None:
        if schedule is None or schedule in PRESETS:
            return schedule
        if schedule.startswith("@"):
            raise wrong("is not a known preset", given=schedule, allowed=PRESETS)
        if re.fullmatch(r"([\d*/,\-A-Za-z#L?]+\s+){4}[\d*/,\-A-Za-z#L?]+", schedule) is None:
            raise wrong("is neither a preset such as @hourly nor five cron fields")
        from croniter import croniter  # what Airflow reads it with

        if not croniter.is_valid(schedule):
            raise wrong("has a cron field that is out of range")
        return schedule

    @field_validator("targets")
    @classmethod
    def _each_once(cls, targets: tuple[Target, ...]) -> tuple[Target, ...]:
        if len({target.kind for target in targets}) < len(targets):
            raise wrong("names a kind of target twice")
        return targets


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a corpus file, for editors."""
    schema = CorpusConfig.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Sluice corpus",
    }
