"""OpenSearch Serverless as it meets a client, before a real OpenSearch.

It refuses what a vector search collection refuses and passes on the rest: AWS documentation,
"Supported operations and plugins in Amazon OpenSearch Serverless" and "Choosing a collection
type". What is written is found a while later, as the node refreshes by itself. The node has no
faiss, so an index of that engine is made with Lucene's; both search the same graph by the same
scores.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from localaws.operations import AwsError
from localaws.signature import Credentials, verify
from localaws.signature import Request as Signed
from tests.services.forwarding import Answer, Forward, Request, before

KEY, SECRET = "collection", "collection-secret"
LARGEST = 10 * 2**20
_NAME = r"[^/_][^/]*"
_SUPPORTED = (
    ("GET|HEAD|PUT|DELETE", rf"/{_NAME}"),
    ("GET", rf"/{_NAME}/_(mapping|settings|alias)"),
    ("POST", r"/_aliases"),
    ("GET|PUT|DELETE", rf"/_index_template/{_NAME}"),
    ("POST|PUT", rf"/({_NAME}/)?_bulk"),
    ("DELETE", rf"/{_NAME}/_doc/[^/]+"),
    ("GET|POST", rf"/({_NAME}/)?_(search|msearch|count)"),
)
_NOT_OURS = {"number_of_shards", "number_of_replicas", "refresh_interval"}


@dataclass
class Collection:
    """A running stand-in.

    Attributes:
        refused: What was refused so far: status, method and path.
        lose: Answers of bulk requests to lose, after they were done.
    """

    url: str = ""
    refused: list[tuple[int, str, str]] = field(default_factory=list)
    lose: int = 0

    def deal(self, request: Request, forward: Forward) -> Answer:
        path, query = urlsplit(request.path).path, urlsplit(request.path).query
        try:
            _check_signature(request, path, query)
            if not any(
                re.fullmatch(methods, request.method) and re.fullmatch(pattern, path)
                for methods, pattern in _SUPPORTED
            ):
                raise _Refused(404, "not supported by OpenSearch Serverless")
            if {"refresh", "routing", "scroll"} & {name for name, _ in parse_qsl(query)}:
                raise _Refused(400, "parameter not supported")
            if len(request.body) > LARGEST:
                raise _Refused(413, "Request size exceeded 10485760 bytes")
            if path.endswith("/_bulk"):
                return self._bulk(request, forward)
            if request.method == "PUT" and not path.startswith("/_index_template"):
                request = _shape(request)
        except _Refused as refused:
            self.refused.append((refused.status, request.method, path))
            return refused.answer
        return forward(request)

    def _bulk(self, request: Request, forward: Forward) -> Answer:
        lines = request.body.splitlines()
        place = 0
        while place < len(lines):
            ((action, address),) = json.loads(lines[place]).items()
            if action != "delete" and ("_id" in address or "routing" in address):
                raise _Refused(
                    400, "Document ID is not supported in create/index operation request"
                )
            if action == "update" or "routing" in address:
                raise _Refused(400, f"{action} is not supported")
            place += 1 if action == "delete" else 2
        answer = forward(request)
        if self.lose:
            self.lose -= 1
            return Answer(504, b"{}")
        return answer


class _Refused(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        said = {"type": "illegal_argument_exception", "reason": reason}
        self.answer = Answer(status, json.dumps({"status": status, "error": said}).encode())


def _check_signature(request: Request, path: str, query: str) -> None:
    signed = Signed(request.method, path, query, list(request.headers.items()), request.body)
    try:
        if "x-amz-content-sha256" not in request.headers:
            raise AwsError("InvalidSignatureException", "x-amz-content-sha256 is missing")
        verify(signed, {KEY: Credentials(KEY, SECRET)}, ["aoss"], datetime.now(UTC))
    except AwsError:
        raise _Refused(403, "403 Forbidden") from None


def _shape(request: Request) -> Request:
    """Check an index's settings, and make it one that the node can have."""
    shape: Any = json.loads(request.body or b"{}")
    if _NOT_OURS & shape.get("settings", {}).get("index", {}).keys():
        raise _Refused(400, "unknown setting")
    vector = shape["mappings"]["properties"]["vector"]
    if vector.get("method", {}).get("engine", "faiss") != "faiss":
        raise _Refused(400, "engine is not supported")
    if "method" in vector:
        vector["method"]["engine"] = "lucene"
    body = json.dumps(shape).encode()
    return Request(request.method, request.path, request.headers, body)


@contextmanager
def collection(url: str) -> Iterator[Collection]:
    """Serve a collection before a node until the block ends."""
    made = Collection()
    with before(url, made.deal) as made.url:
        yield made
