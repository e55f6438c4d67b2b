"""Reading from S3 in one request that fails when the object is no longer the one listed."""

from __future__ import annotations

from typing import Any

from rag.errors import ChangedWhileReading, TooLarge


def read(system: Any, path: str, limit: int | None, etag: str) -> tuple[bytes, str]:
    """Return an object's content and version.

    ``If-Match`` makes S3 itself refuse another version, so that content and version belong
    together without a second request.

    Raises:
        ChangedWhileReading: S3 has another version.
        TooLarge: S3 announces more bytes than `limit`.
    """
    from fsspec.asyn import sync

    bucket, key, _ = system.split_path(path)
    wanted = {"IfMatch": f'"{etag}"'} if etag else {}
    try:
        answer = system.call_s3("get_object", Bucket=bucket, Key=key, **wanted)
    except OSError as error:
        said = getattr(error.__cause__, "response", {}).get("Error", {}).get("Code")
        if said in ("PreconditionFailed", "412"):
            raise ChangedWhileReading("The document changed since it was listed.") from None
        raise
    body = answer["Body"]
    try:
        if limit is not None and answer["ContentLength"] > limit:
            raise TooLarge("The document is larger than the limit.")
        data: bytes = sync(system.loop, body.read)
    finally:
        body.close()
    return data, "etag:" + answer["ETag"].strip('"')
