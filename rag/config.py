"""A corpus, declared: the schema of ``corpora/NAME.yaml``.

Every field has a default that works on a laptop, so the shortest corpus is a name and a URL.
`rag.corpus_file` reads the file and says what is wrong with it in words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

PRINCIPAL = r"^(user|group):\S+$"
NAME = r"^[a-z][a-z0-9_-]{0,62}$"
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

EMBEDDERS = ("embedded/minilm", "bedrock/", "sagemaker/")
ANSWERERS = ("embedded/extractive", "bedrock/", "sagemaker/")
RERANKERS = ("bedrock/", "sagemaker/")
"""Models by URI; an entry that ends in a slash stands for every name after it."""

NOT_SECRET = {"host_key", "host_key_policy", "key_filename", "token_file", "sse_kms_key_id"}
"""Options whose names sound like a secret and are none."""

Principal = Annotated[str, StringConstraints(pattern=PRINCIPAL)]
Action = Literal["redact", "partial", "pseudonym", "block", "keep"]


def wrong(problem: str, *, given: str = "", allowed: tuple[str, ...] = ()) -> PydanticCustomError:
    """Return an error that `rag.corpus_file` words: the problem, what is allowed, what is near.

    Args:
        problem: Never holds the value: it may be a secret in the wrong place.
        given: The value, where it cannot be one.
    """
    return PydanticCustomError(
        "sluice",
        "{problem}",  # type: ignore[arg-type]  # a literal for pydantic
        {"problem": problem, "given": given, "allowed": allowed},
    )


def names_secret(option: str) -> bool:
    """Whether an option's or query parameter's name is one of a secret."""
    words = r"pass(word|phrase|wd)?|pwd|secret|token|keys?|credentials?|sas|sig(nature)?"
    named = re.search(rf"(^|[^a-z])({words})($|[^a-z])", option.lower().replace("_", " "))
    return option not in NOT_SECRET and (named is not None or "connection_string" in option)


def _pattern(glob: str) -> str:
    if not glob.strip():
        raise wrong("is an empty pattern")
    if glob.startswith(("/", "./")) or ".." in glob.split("/"):
        raise wrong("starts from the source's folder: leave out /, ./ and ..")
    return glob


def _model(*known: str) -> AfterValidator:
    def check(uri: str) -> str:
        family, _, name = uri.partition("/")
        if uri not in known and not (name and f"{family}/" in known):
            shown = tuple(f"{one}NAME" if one.endswith("/") else one for one in known)
            raise wrong("is not a known model", given=uri, allowed=shown)
        return uri

    return AfterValidator(check)


Glob = Annotated[str, AfterValidator(_pattern)]


class Section(BaseModel):
    """A mapping of the file: no unknown fields, not changed after reading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, validate_by_name=True
    )


class Secret(Section):
    """Where a secret is; never the secret itself. Give one of the two."""

    env: str | None = Field(None, min_length=1, description="Name of an environment variable")
    connection: str | None = Field(
        None, min_length=1, description="Id of an Airflow connection; its password"
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.env is None) == (self.connection is None):
            raise wrong("names one place: {env: NAME} or {connection: ID}")
        return self


class PathRule(Section):
    """Who may read documents whose key matches."""

    glob: Glob = Field(description="Pattern on the document's key, for example hr/**")
    allow: tuple[Principal, ...] = Field(description="Who may read what matches")


class Acl(Section):
    """Who may read a document: its sidecar, else the first matching rule, else the default."""

    origin: Literal["sidecar", "rules", "default"] = Field(
        "sidecar",
        alias="from",
        description="Where rights come from; each falls back on those after it",
    )
    sidecar_suffix: str = Field(
        ".acl.yaml",
        pattern=r"^[^/]*\.[^/.]+$",
        description="FILE + suffix holds FILE's rights; the suffix alone, its folder's",
    )
    rules: tuple[PathRule, ...] = Field((), description="The first that matches counts")
    default: tuple[Principal, ...] = Field((), description="Empty: nobody may read")


class MaxDelete(Section):
    """More deletions than both of these stop the run before anything is deleted."""

    share: float = Field(0.2, ge=0, le=1, description="Of the documents indexed")
    count: int = Field(10, ge=0, description="Documents")


class Source(Section):
    """Where the documents are, which of them count, and who may read them."""

    connector: Literal["files"] = Field("files", description="Kind of source")
    url: str = Field(
        min_length=1,
        description="Folder, s3://bucket/prefix, sftp://host/path, or any fsspec URL",
    )
    include: tuple[Glob, ...] = Field(("**/*",), description="Patterns of keys that count")
    exclude: tuple[Glob, ...] = Field((), description="Patterns of keys that do not")
    acl: Acl = Field(default_factory=Acl)
    options: dict[str, str | int | float | bool | Secret] = Field(
        default_factory=dict,
        description="Passed to the filesystem (fsspec storage options); secrets as {env: NAME} "
        "or {connection: ID}",
    )
    max_delete: MaxDelete = Field(default_factory=MaxDelete)

    @field_validator("url")
    @classmethod
    def _no_secret_in_url(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            secret = parts.password is not None
        except ValueError:
            raise wrong("is not a URL") from None
        if "://" in url and (
            secret or any(names_secret(name) for name, _ in parse_qsl(parts.query))
        ):
            raise wrong(
                "holds a secret; take it out, and write "
                "options: {password: {env: NAME}} or {password: {connection: ID}}"
            )
        return url

    @field_validator("options")
    @classmethod
    def _no_secret_in_options(cls, options: Mapping[str, Any]) -> Mapping[str, Any]:
        for name, value in options.items():
            if isinstance(value, str) and names_secret(name):
                raise wrong(
                    f"{name} holds a secret; write {name}: {{env: NAME}}, the name of an "
                    f"environment variable, or {name}: {{connection: ID}}, an Airflow connection"
                )
        return options


class Limits(Section):
    """What one document may cost before it is quarantined."""

    bytes: int = Field(64 * 2**20, gt=0, description="Size of a file")
    characters: int = Field(4_000_000, gt=0, description="Text in one document")
    seconds: float = Field(180, gt=0, description="Parsing time")
    memory_mb: int = Field(3072, ge=256, description="Memory of the parsing process")
    unpacked_bytes: int = Field(512 * 2**20, gt=0, description="An archive's content, unpacked")
    depth: int = Field(3, ge=0, description="Attachments within attachments")


class Parse(Section):
    """How documents are read."""

    ocr: bool = Field(True, description="Read scans and images")
    limits: Limits = Field(default_factory=Limits)


class Guardrail(Section):
    """A Bedrock guardrail that reads what the gate has masked; when it cannot answer, nothing
    passes.
    """

    id: str = Field(pattern=r"^[a-z0-9]+$|^arn:aws\S+$", description="Guardrail id or ARN")
    version: str = Field("DRAFT", pattern=r"^([1-9]\d{0,7}|DRAFT)$", description="Number, or DRAFT")
    on: tuple[Literal["documents", "questions", "answers"], ...] = Field(
        ("documents", "questions", "answers"), min_length=1, description="What it reads"
    )


class Privacy(Section):
    """What happens to personal data before anything is written."""

    profile: Literal["default"] = Field("default", description="Kinds looked for, and actions")
    actions: dict[str, Action] = Field(
        default_factory=dict,
        description="Action for an entity kind, over the profile's",
    )
    threshold: float = Field(0.4, ge=0, le=1, description="Least score of a finding")
    allow: tuple[str, ...] = Field((), description="Texts that are never personal")
    language: Literal["en"] = Field("en", description="Of the documents")
    key: Secret | None = Field(
        None, description="Pseudonym key; by default a file under SLUICE_HOME, made on first use"
    )
    guardrail: Guardrail | None = Field(None, description="A second net over the masked text")


class Chunking(Section):
    """How documents are cut into passages."""

    strategy: Literal["by_title"] = Field("by_title", description="Where cuts may be")
    max_tokens: int = Field(256, ge=32, le=512, description="Of a passage with its heading")
    overlap_tokens: int = Field(32, ge=0, le=128, description="Repeated from the passage before")

    @model_validator(mode="after")
    def _some_progress(self) -> Self:
        if self.overlap_tokens * 2 > self.max_tokens:
            raise wrong("overlap_tokens must be at most half of max_tokens")
        return self


class Embedding(Section):
    """What turns passages into vectors."""

    model: Annotated[str, _model(*EMBEDDERS)] = Field(
        "embedded/minilm",
        description="Model URI: embedded/minilm, bedrock/MODEL_ID or sagemaker/ENDPOINT",
    )
    dimensions: int | None = Field(
        None, ge=64, le=4096, description="Of a vector, where the model leaves the choice"
    )


class EmbeddedTarget(Section):
    """An index in a folder under SLUICE_HOME."""

    kind: Literal["embedded"] = Field("embedded", description="Kind of index")


class Auth(Section):
    """How a server knows us."""

    kind: Literal["none", "basic", "sigv4"] = Field("none", description="Kind of credentials")
    user: str | None = Field(None, min_length=1, description="For basic")
    password: Secret | None = Field(None, description="For basic")
    service: Literal["es", "aoss"] = Field(
        "es", description="For sigv4: es, an OpenSearch domain; aoss, OpenSearch Serverless"
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "basic" and not (self.user and self.password):
            raise wrong("basic needs user and password: {env: NAME} or {connection: ID}")
        return self


class OpenSearchTarget(Section):
    """An OpenSearch cluster, a domain of Amazon OpenSearch Service, or a Serverless collection."""

    kind: Literal["opensearch"]
    url: str = Field(pattern=r"^https?://\S+$", description="Endpoint; several, with commas")
    auth: Auth = Field(default_factory=Auth)
    index: str | None = Field(
        None,
        pattern=r"^[a-z0-9][a-z0-9_-]{0,200}$",
        description="Alias that searches use; by default sluice-CORPUS",
    )
    engine: Literal["lucene", "faiss"] = Field("lucene", description="Of k-NN search")
    method: Literal["hnsw", "ivf", "exact"] = Field("hnsw", description="Of k-NN search")
    m: int = Field(16, ge=2, le=100, description="Neighbours a node, for hnsw")
    ef_construction: int = Field(128, ge=2, le=4096, description="Candidates when building")
    ef_search: int = Field(128, ge=1, le=10_000, description="Candidates when searching")
    shards: int = Field(1, ge=1, le=1024, description="Primary shards")
    replicas: int = Field(1, ge=0, le=10, description="Copies of each shard")
    analyzer: str = Field(
        "english", pattern=r"^[a-z_]+$", description="Language analyzer of the text fields"
    )
    bulk_bytes: int = Field(8 * 2**20, ge=10_000, le=100 * 2**20, description="Of one request")

    @field_validator("url")
    @classmethod
    def _no_secret_in_url(cls, url: str) -> str:
        if any(urlsplit(one).password is not None for one in url.split(",")):
            raise wrong("holds a password; take it out, and use auth: {kind: basic, …}")
        return url

    @model_validator(mode="after")
    def _engine_has_method(self) -> Self:
        if self.method == "ivf" and self.engine != "faiss":
            raise wrong("method ivf needs engine faiss")
        return self


class KnowledgeBaseTarget(Section):
    """A knowledge base of Amazon Bedrock, which embeds by itself."""

    kind: Literal["knowledge_base"]
    id: str = Field(pattern=r"^[0-9a-zA-Z]{10}$", description="Knowledge base id")
    data_source: str = Field(pattern=r"^[0-9a-zA-Z]{10}$", description="Data source id")
    ingest: Literal["s3", "direct"] = Field(
        "s3",
        description="s3: files and metadata into the data source's bucket, then an ingestion job; "
        "direct: documents handed over by API",
    )
    url: str | None = Field(
        None,
        pattern=r"^s3://[a-z0-9][a-z0-9.-]+(/\S*)?$",
        description="For s3: the data source's bucket and prefix",
    )
    search: Literal["hybrid", "semantic"] = Field(
        "hybrid", description="hybrid needs a vector store that has text search"
    )
    user_context: bool = Field(
        False, description="Also pass the asker's user id, for knowledge bases with native ACLs"
    )

    @model_validator(mode="after")
    def _has_bucket(self) -> Self:
        if self.ingest == "s3" and not self.url:
            raise wrong("ingest s3 needs url: s3://BUCKET/PREFIX of the data source")
        return self


Target = Annotated[
    EmbeddedTarget | OpenSearchTarget | KnowledgeBaseTarget, Field(discriminator="kind")
]
"""A place that is kept equal."""


class Aws(Section):
    """Where AWS is and who we are there; credentials are never in this file.

    Endpoints come from ``AWS_ENDPOINT_URL_…`` variables or from the connection.
    """

    region: str | None = Field(
        None, pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="Else AWS_REGION or the profile's"
    )
    connection: str | None = Field(
        None,
        min_length=1,
        description="Id of an Airflow connection of type aws; else boto3's default chain",
    )
    concurrency: int = Field(8, ge=1, le=256, description="Most calls under way to one model")
    deadline_seconds: float = Field(
        120, gt=0, description="Longest that one call may take with all its retries"
    )


class Search(Section):
    """How passages are ranked."""

    rerank: Annotated[str, _model(*RERANKERS)] | None = Field(
        None, description="Reranker URI: bedrock/MODEL_ID or sagemaker/ENDPOINT"
    )
    candidates: int = Field(50, ge=1, le=1000, description="Passages that the reranker reads")


class Answering(Section):
    """How questions are answered."""

    model: Annotated[str, _model(*ANSWERERS)] = Field(
        "embedded/extractive",
        description="Model URI: embedded/extractive, bedrock/MODEL_ID or sagemaker/ENDPOINT",
    )
    max_tokens: int = Field(512, ge=16, le=8192, description="Of an answer by a chat model")
    context_tokens: int = Field(1500, ge=64, description="Most evidence that a model is given")
    min_support: float = Field(0.6, ge=0, le=1, description="Abstain under this support")


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
