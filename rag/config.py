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

EMBEDDERS = ("embedded/minilm",)
ANSWERERS = ("embedded/extractive",)

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
        if uri not in known:
            raise wrong("is not a known model", given=uri, allowed=known)
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
    guardrail: None = Field(None, description="Reserved for a second net over the masked text")


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
        "embedded/minilm", description="Model URI: FAMILY/NAME"
    )


class Target(Section):
    """A place that is kept equal."""

    kind: Literal["embedded"] = Field("embedded", description="Kind of index")


class Answering(Section):
    """How questions are answered."""

    model: Annotated[str, _model(*ANSWERERS)] = Field(
        "embedded/extractive", description="Model URI: FAMILY/NAME"
    )
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
        (Target(),), min_length=1, description="Kept equal; the first is searched"
    )
    answer: Answering = Field(default_factory=Answering)
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
