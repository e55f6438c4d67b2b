"""The service that keeps a knowledge base: its statuses, jobs and documents, over boto3."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from rag.aws import client
from rag.aws.calls import Calls
from rag.config import Aws, KnowledgeBaseTarget

T = TypeVar("T")
R = TypeVar("R")

BATCH = 10
"""Documents in one call of the API (`KnowledgeBaseDocuments`, `DocumentIdentifiers`)."""
PAGE = 1000

MOVING = frozenset({"PENDING", "STARTING", "IN_PROGRESS", "DELETING", "DELETE_IN_PROGRESS"})
"""Statuses that pass."""
GONE = frozenset({"NOT_FOUND"})
HELD = "INDEXED"


@dataclass(frozen=True, slots=True)
class Status:
    """What the service says of one of its documents.

    Attributes:
        name: The object's URI, or the id that it was handed over under.
        state: `DocumentStatus` of the API.
        reason: Of a failure; may be empty. As the service words it: not to be shown.
    """

    name: str
    state: str
    reason: str = ""


class Service:
    """Calls to one knowledge base and data source.

    Raises, from every method: `rag.errors.ServiceFailed`, `rag.errors.ServiceRefused`.
    """

    def __init__(self, target: KnowledgeBaseTarget, aws: Aws) -> None:
        self._aws = aws
        self.ids = {"knowledgeBaseId": target.id, "dataSourceId": target.data_source}
        self._agent = Calls(f"Knowledge base {target.id}", aws.concurrency, aws.deadline_seconds)
        self._files = Calls(f"S3 {target.url or ''}", aws.concurrency, aws.deadline_seconds)
        self._runtime = Calls(
            f"Retrieval from knowledge base {target.id}", aws.concurrency, aws.deadline_seconds
        )

    def agent(self, function: Callable[[Any], R]) -> R:
        """Return `function` of the client that keeps knowledge bases."""
        return self._agent(lambda: function(client("bedrock-agent", self._aws)))

    def agents(self, function: Callable[[Any, T], R], items: Iterable[T]) -> list[R]:
        """Return `function` of that client and each item, in order, several at once."""
        return self._agent.map(lambda one: function(client("bedrock-agent", self._aws), one), items)

    def files(self, function: Callable[[Any, T], R], items: Iterable[T]) -> list[R]:
        """Return `function` of the S3 client and each item, in order, several at once."""
        return self._files.map(lambda one: function(client("s3", self._aws), one), items)

    def retrieve(self, requests: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the answer to each Retrieve request, in order, several at once."""

        def one(request: Mapping[str, Any]) -> dict[str, Any]:
            found: dict[str, Any] = client("bedrock-agent-runtime", self._aws).retrieve(
                knowledgeBaseId=self.ids["knowledgeBaseId"], **request
            )
            return found

        return self._runtime.map(one, requests)

    def statuses(self) -> list[Status]:
        """Return what the service says of every document of the data source."""
        found: list[Status] = []
        more: dict[str, str] = {}
        while True:
            page = self.agent(
                lambda agent, more=more: agent.list_knowledge_base_documents(  # type: ignore[misc]
                    **self.ids, maxResults=PAGE, **more
                )
            )
            found += [_status(one) for one in page["documentDetails"]]
            if not page.get("nextToken"):
                return found
            more = {"nextToken": page["nextToken"]}


def _status(detail: Mapping[str, Any]) -> Status:
    where = detail.get("identifier") or {}
    name = where["s3"]["uri"] if "s3" in where else where.get("custom", {}).get("id", "")
    return Status(name, detail["status"], detail.get("statusReason") or "")


def batches(items: Sequence[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    """Cut items into what one call takes."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
