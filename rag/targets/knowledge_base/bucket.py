"""The objects of a data source's bucket: listed, read, written, deleted, several at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rag.errors import ServiceRefused
from rag.targets.knowledge_base.service import Service, batches

DELETED_AT_ONCE = 1000
"""Keys in one DeleteObjects call."""


@dataclass(frozen=True, slots=True)
class File:
    """An object as it is to be."""

    key: str
    body: bytes
    media_type: str = "text/plain; charset=utf-8"

    @property
    def etag(self) -> str:
        """As S3 gives it, unless the bucket is encrypted with a key of KMS."""
        return hashlib.md5(self.body, usedforsecurity=False).hexdigest()


class Bucket:
    """One bucket.

    Raises, from every method: `rag.errors.ServiceFailed`, `rag.errors.ServiceRefused`.
    """

    def __init__(self, service: Service, name: str) -> None:
        self._service = service
        self.name = name

    def keys(self, prefix: str) -> dict[str, str]:
        """Return keys and ETags under a prefix."""
        return self.keys_of([prefix])[0]

    def keys_of(self, prefixes: Sequence[str]) -> list[dict[str, str]]:
        """Return keys and ETags under each prefix."""

        def page(s3: Any, asked: tuple[str, str]) -> dict[str, Any]:
            prefix, token = asked
            more = {"ContinuationToken": token} if token else {}
            answer: dict[str, Any] = s3.list_objects_v2(Bucket=self.name, Prefix=prefix, **more)
            return answer

        found: list[dict[str, str]] = [{} for _ in prefixes]
        waiting = {number: (prefix, "") for number, prefix in enumerate(prefixes)}
        while waiting:
            answers = self._service.files(page, [*waiting.values()])
            for (number, (prefix, _)), answer in zip([*waiting.items()], answers, strict=True):
                for one in answer.get("Contents", []):
                    found[number][one["Key"]] = one["ETag"].strip('"')
                if answer.get("IsTruncated"):
                    waiting[number] = prefix, answer["NextContinuationToken"]
                else:
                    del waiting[number]
        return found

    def get(self, keys: Sequence[str]) -> list[bytes]:
        """Return the bytes of each object."""

        def one(s3: Any, key: str) -> bytes:
            body: bytes = s3.get_object(Bucket=self.name, Key=key)["Body"].read()
            return body

        return self._service.files(one, keys)

    def find(self, key: str) -> bytes | None:
        """Return the bytes of an object, or None where there is none."""
        try:
            return self.get([key])[0]
        except ServiceRefused as error:
            if error.code in ("NoSuchKey", "404"):
                return None
            raise

    def put(self, files: Sequence[File]) -> None:
        """Write objects."""

        def one(s3: Any, file: File) -> None:
            s3.put_object(
                Bucket=self.name, Key=file.key, Body=file.body, ContentType=file.media_type
            )

        self._service.files(one, files)

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; those that are not there are no error."""

        def some(s3: Any, part: Sequence[str]) -> None:
            s3.delete_objects(
                Bucket=self.name,
                Delete={"Objects": [{"Key": key} for key in part], "Quiet": True},
            )

        self._service.files(some, [*batches([*keys], DELETED_AT_ONCE)])
