"""The buckets that data sources read: on the S3 server of this process's environment.

``AWS_ENDPOINT_URL_S3`` (or ``AWS_ENDPOINT_URL``) says where it is; without one nothing is read.
``LOCALAWS_S3_ACCESS_KEY_ID`` and ``LOCALAWS_S3_SECRET_ACCESS_KEY`` say who reads, else boto3's
default chain, else the key that localaws itself knows.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any


class Unreachable(Exception):
    """A bucket or object cannot be read; says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One object: its key, version (ETag) and size in bytes."""

    key: str
    version: str
    size: int


def listing(bucket: str, prefix: str = "") -> Iterator[Entry]:
    """Yield the objects of a bucket under a prefix.

    Raises:
        Unreachable: The bucket cannot be listed.
    """
    with _Explained(f"s3://{bucket}/{prefix}"):
        pages = client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            for one in page.get("Contents", ()):
                yield Entry(one["Key"], one["ETag"].strip('"'), one["Size"])


def entry(uri: str) -> Entry | None:
    """Return one object as it stands, or None when there is none.

    Raises:
        Unreachable: The server does not answer, or says no.
    """
    from botocore.exceptions import ClientError

    bucket, key = parts(uri)
    with _Explained(uri):
        try:
            head = client().head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NotFound"):
                return None
            raise
        return Entry(key, head["ETag"].strip('"'), head["ContentLength"])


def read(uri: str) -> bytes:
    """Return an object's bytes.

    Raises:
        Unreachable: It is not there or cannot be read.
    """
    bucket, key = parts(uri)
    with _Explained(uri):
        return bytes(client().get_object(Bucket=bucket, Key=key)["Body"].read())


def parts(uri: str) -> tuple[str, str]:
    """Return bucket and key of an ``s3://`` URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def client() -> Any:
    """Return the S3 client, which threads may share.

    Raises:
        Unreachable: No endpoint is configured.
    """
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint:
        raise Unreachable(
            "localaws has no S3 server: start it with AWS_ENDPOINT_URL_S3 in its environment."
        )
    key = os.environ.get("LOCALAWS_S3_ACCESS_KEY_ID")
    return _client(endpoint, key, os.environ.get("LOCALAWS_S3_SECRET_ACCESS_KEY"))


@lru_cache(maxsize=8)
def _client(endpoint: str, key: str | None, secret: str | None) -> Any:
    import boto3
    from botocore.config import Config

    session = boto3.session.Session()
    if key is None and session.get_credentials() is None:
        key = os.environ.get("LOCALAWS_ACCESS_KEY_ID", "localaws")
        secret = os.environ.get("LOCALAWS_SECRET_ACCESS_KEY", "localaws-secret")
    return session.client(
        "s3",
        endpoint_url=endpoint,
        region_name=session.region_name or "us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(
            s3={"addressing_style": "path"},
            retries={"mode": "standard", "max_attempts": 4},
            connect_timeout=5,
            read_timeout=60,
        ),
    )


class _Explained:
    """Turns what boto3 raises into `Unreachable`."""

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: Any, trace: object) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        if isinstance(error, ClientError):
            code = error.response["Error"]["Code"]
            raise Unreachable(f"S3 answered {code} for {self._where}.") from error
        if isinstance(error, BotoCoreError):
            raise Unreachable(
                f"S3 did not answer for {self._where}: {type(error).__name__}."
            ) from error
