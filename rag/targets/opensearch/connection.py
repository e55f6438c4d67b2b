"""A connection to OpenSearch: who we are there, and patience with a cluster that is busy."""

from __future__ import annotations

import base64
import logging
import os
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from rag.errors import TargetFailed

if TYPE_CHECKING:
    from rag import config

T = TypeVar("T")

BUSY = frozenset({429, 502, 503, 504})
"""HTTP statuses of a request, or of one item of a bulk, that may succeed a little later."""
PATIENCE = 60.0
"""Seconds without any progress after which we give up."""
LONGEST_WAIT = 5.0
TIMEOUT = 60.0
THREADS = 10

# The one says which host did not answer, at each attempt; the other, what was sent: passages.
logging.getLogger("opensearch").setLevel(logging.ERROR)
logging.getLogger("opensearchpy.trace").setLevel(logging.CRITICAL)


class Connection:
    """A client for each process that asks (a fork must not share its parent's sockets).

    Attributes:
        serverless: A collection of OpenSearch Serverless: fewer operations, its own ids.
    """

    def __init__(self, target: config.OpenSearchTarget, aws: config.Aws) -> None:
        self._target = target
        self._aws = aws
        self._made: tuple[int, Any] | None = None
        self.serverless = target.auth.kind == "sigv4" and target.auth.service == "aoss"

    @property
    def client(self) -> Any:
        """The ``opensearchpy.OpenSearch`` of this process; threads may share it."""
        if self._made is None or self._made[0] != os.getpid():
            self._made = (os.getpid(), _client(self._target, self._aws))
        return self._made[1]

    def ask(self, request: Callable[[Any], T], missing: T | None = None) -> T | None:
        """Return what the cluster answers; ask again while it is busy or not to be reached.

        Args:
            request: Sends one request with the client; one that may be sent twice.
            missing: What to return when there is no such index.

        Raises:
            TargetFailed: It refuses, or is not back within a minute.
        """
        from opensearchpy.exceptions import NotFoundError, TransportError

        started, attempt = time.monotonic(), 0
        while True:
            try:
                return request(self.client)
            except NotFoundError:
                return missing
            except TransportError as error:
                late = time.monotonic() - started > PATIENCE
                if late or not is_busy(error):
                    raise failed(error) from None
                time.sleep(pause(attempt))
                attempt += 1


def pause(attempt: int) -> float:
    """Seconds to wait before trying again: exponential, with full jitter."""
    return random.uniform(0, min(LONGEST_WAIT, 0.1 * 2**attempt))  # noqa: S311


def is_busy(error: Any) -> bool:
    """Whether a transport error may pass by itself: no connection, a time-out, too much to do."""
    return not isinstance(error.status_code, int) or error.status_code in BUSY


def failed(error: Any) -> TargetFailed:
    """An error in our words: status and kind, never the server's sentences."""
    status = error.status_code
    if not isinstance(status, int):
        return TargetFailed(
            "OpenSearch cannot be reached.",
            "Check targets.url in the corpus file, and that the cluster is up.",
        )
    if status in (401, 403):
        return TargetFailed(
            f"OpenSearch does not let us in (HTTP {status}).",
            "Check targets.auth in the corpus file, and what this identity may do there: "
            "fine-grained access control, or a data access policy for Serverless.",
        )
    if status in BUSY:
        return TargetFailed(
            f"OpenSearch was too busy for a minute (HTTP {status}).",
            "Run again later; see the cluster's health and its thread pools.",
        )
    kind = error.error if isinstance(error.error, str) and error.error.isidentifier() else "error"
    return TargetFailed(
        f"OpenSearch refused a request (HTTP {status}, {kind}).",
        "Its log says why; `sluice reindex` builds the index anew.",
    )


def _client(target: config.OpenSearchTarget, aws: config.Aws) -> Any:
    from opensearchpy import OpenSearch

    hosts = [_host(url) for url in target.url.split(",")]
    return OpenSearch(
        hosts=hosts,
        http_auth=_auth(target.auth, aws),
        pool_maxsize=THREADS,
        serializer=_json(),
        timeout=TIMEOUT,
        # Another node is tried at once; anything else is `Connection.ask`'s, which waits.
        max_retries=len(hosts) - 1,
        retry_on_status=(),
    )


def _json() -> Any:
    """Return the client's JSON, read by orjson: vectors of 200 hits in a fifth of the time."""
    import orjson
    from opensearchpy.exceptions import SerializationError
    from opensearchpy.serializer import JSONSerializer

    class Json(JSONSerializer):  # type: ignore[misc]
        def loads(self, s: str) -> Any:
            try:
                return orjson.loads(s)
            except orjson.JSONDecodeError:
                raise SerializationError("", None) from None

    return Json()


def _host(url: str) -> dict[str, Any]:
    parts = urlsplit(url.strip())
    secure = parts.scheme == "https"
    return {
        "host": parts.hostname,
        "port": parts.port or (443 if secure else 80),
        "use_ssl": secure,
        "url_prefix": parts.path.strip("/"),
    }


def _auth(auth: config.Auth, aws: config.Aws) -> Any:
    if auth.kind == "basic":
        assert auth.password
        from rag.keys import resolve

        told = base64.b64encode(f"{auth.user}:{resolve(auth.password)}".encode()).decode()
        # The client's own way knows Latin-1 alone.
        return lambda *_: {"Authorization": f"Basic {told}"}
    if auth.kind == "sigv4":
        from opensearchpy import Urllib3AWSV4SignerAuth

        from rag.aws import credentials

        found, region = credentials(aws)
        return Urllib3AWSV4SignerAuth(found, region, auth.service)
    return None
