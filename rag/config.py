"""A corpus, declared: the schema of ``corpora/NAME.yaml``.

Every field has a default that works on a laptop, so the shortest corpus is a name and a URL.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Principal = Annotated[str, StringConstraints(pattern=r"^(user|group):\S+$")]
Action = Literal["redact", "partial", "pseudonym", "block", "keep"]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Secret(Section):
    """Where a secret is; never the secret itself. Give one of the two."""

    env: str | None = Field(None, description="Name of an environment variable")
    connection: str | None = Field(None, description="Id of an Airflow connection; its password")


class PathRule(Section):
    glob: str = Field(description="Pattern on the document's key, for example hr/**")
    allow: tuple[Principal, ...] = Field(description="Who may read what matches")


class Acl(Section):
    """Who may read a document: its sidecar, else the first matching rule, else the default."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    origin: Literal["sidecar", "rules", "default"] = Field(
        "sidecar",
        alias="from",
        description="Where rights come from; each falls back on those after it",
    )
    sidecar_suffix: str = Field(".acl.yaml", description="FILE + suffix holds FILE's rights")
    rules: tuple[PathRule, ...] = ()
    default: tuple[Principal, ...] = Field((), description="Empty: nobody may read")


class Source(Section):
    connector: Literal["files"] = "files"
    url: str = Field(description="Folder, s3://bucket/prefix, sftp://host/path, or any fsspec URL")
    include: tuple[str, ...] = ("**/*",)
    exclude: tuple[str, ...] = ()
    acl: Acl = Acl()
    options: dict[str, str | int | float | bool | Secret] = Field(
        default_factory=dict,
        description="Passed to the filesystem (fsspec storage options); secrets as {env: NAME}",
    )
    max_delete: MaxDelete = Field(default_factory=lambda: MaxDelete())


class MaxDelete(Section):
    """More deletions than both of these stop the run before anything is deleted."""

    share: float = Field(0.2, ge=0, le=1, description="Of the documents indexed")
    count: int = Field(10, ge=0, description="Documents")


class Limits(Section):
    """What one document may cost before it is quarantined."""

    bytes: int = Field(64 * 2**20, gt=0, description="Size of a file")
    characters: int = Field(4_000_000, gt=0, description="Text in one document")
    seconds: float = Field(180, gt=0, description="Parsing time")
    memory_mb: int = Field(3072, ge=256, description="Memory of the parsing process")
    unpacked_bytes: int = Field(512 * 2**20, gt=0, description="An archive's content, unpacked")
    depth: int = Field(3, ge=0, description="Attachments within attachments")


class Parse(Section):
    ocr: bool = Field(True, description="Read scans and images")
    limits: Limits = Limits()


class Privacy(Section):
    profile: Literal["default"] = "default"
    actions: dict[str, Action] = Field(
        default_factory=dict,
        description="Action for an entity kind, over the profile's",
    )
    threshold: float = Field(0.4, ge=0, le=1, description="Least score of a finding")
    allow: tuple[str, ...] = Field((), description="Texts that are never personal")
    language: Literal["en"] = "en"
    key: Secret | None = Field(
        None, description="Pseudonym key; by default a file under SLUICE_HOME, made on first use"
    )
    guardrail: None = Field(None, description="Reserved for a second net over the masked text")


class Chunking(Section):
    strategy: Literal["by_title"] = "by_title"
    max_tokens: int = Field(256, ge=32, le=512)
    overlap_tokens: int = Field(32, ge=0, le=128)


class Embedding(Section):
    model: str = Field("embedded/minilm", description="Model URI: FAMILY/NAME")


class Target(Section):
    kind: Literal["embedded"] = "embedded"


class Answering(Section):
    model: str = Field("embedded/extractive", description="Model URI: FAMILY/NAME")
    context_tokens: int = Field(1500, ge=64)
    min_support: float = Field(0.6, ge=0, le=1, description="Abstain under this support")


class CorpusConfig(Section):
    """One corpus."""

    corpus: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
    source: Source
    schedule: str | None = Field(None, description="Cron or preset; none: only when triggered")
    parse: Parse = Parse()
    privacy: Privacy = Privacy()
    chunk: Chunking = Chunking()
    embed: Embedding = Embedding()
    targets: tuple[Target, ...] = (Target(),)
    answer: Answering = Answering()
    shard_documents: int = Field(200, ge=1, description="Documents that one task handles")
