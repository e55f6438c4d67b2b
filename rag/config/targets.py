"""The places that a corpus is kept equal in."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from rag.config.fields import Secret, Section, wrong


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

    kind: Literal["opensearch"] = Field(description="Kind of index")
    url: str = Field(pattern=r"^https?://\S+$", description="Endpoint; several, with commas")
    auth: Auth = Field(default_factory=Auth)
    index: str | None = Field(
        None,
        pattern=r"^[a-z0-9][a-z0-9_-]{0,200}$",
        description="Alias that searches use; by default sluice-CORPUS",
    )
    engine: Literal["lucene", "faiss"] = Field(
        "lucene", description="Of k-NN search; faiss is the default for OpenSearch Serverless"
    )
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

    @model_validator(mode="before")
    @classmethod
    def _engine_of_a_collection(cls, given: Any) -> Any:
        if isinstance(given, dict) and "engine" not in given:
            auth = given.get("auth")
            service = (
                auth.get("service") if isinstance(auth, dict) else getattr(auth, "service", "")
            )
            return given | ({"engine": "faiss"} if service == "aoss" else {})
        return given

    @model_validator(mode="after")
    def _engine_has_method(self) -> Self:
        if self.auth.service == "aoss" and self.engine != "faiss":
            raise wrong("OpenSearch Serverless has engine faiss alone")
        if self.method == "ivf" and self.engine != "faiss":
            raise wrong("method ivf needs engine faiss")
        return self


class KnowledgeBaseTarget(Section):
    """A knowledge base of Amazon Bedrock, which embeds by itself."""

    kind: Literal["knowledge_base"] = Field(description="Kind of index")
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
        if self.ingest == "s3" and not (self.url or "").removeprefix("s3://").partition("/")[2]:
            raise wrong("ingest s3 needs url: s3://BUCKET/PREFIX of the data source")
        return self


Target = Annotated[
    EmbeddedTarget | OpenSearchTarget | KnowledgeBaseTarget, Field(discriminator="kind")
]
"""A place that is kept equal."""
