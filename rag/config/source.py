"""Where a corpus's documents are, which of them count, and who may read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, Field, field_validator

from rag.config.fields import Principal, Secret, Section, names_secret, wrong


def _pattern(glob: str) -> str:
    if not glob.strip():
        raise wrong("is an empty pattern")
    if glob.startswith(("/", "./")) or ".." in glob.split("/"):
        raise wrong("starts from the source's folder: leave out /, ./ and ..")
    return glob


Glob = Annotated[str, AfterValidator(_pattern)]


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
