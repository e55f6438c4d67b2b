"""Clients of the model services, with `Calls` between them and the wire, and metered.

langchain-aws takes a client and gives each of its calls one try; handed a `Runtime` it is patient.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

from rag import cost
from rag.aws import client
from rag.aws.calls import Calls

if TYPE_CHECKING:
    from rag.config import Aws

Count = Callable[[Any, Any], tuple[int, int]]
"""A request's and an answer's JSON to input and output tokens."""

_INPUT = "x-amzn-bedrock-input-token-count"
_OUTPUT = "x-amzn-bedrock-output-token-count"


class Runtime:
    """What boto3's client of ``bedrock-runtime`` or ``sagemaker-runtime`` does for models.

    A body is read whole, and must be JSON, before an attempt counts as a success.

    Args:
        service: As boto3 names it.
        model: What is paid for: model id or endpoint.
        calls: That all go through.
        count: Of tokens, where the service does not say.
    """

    def __init__(
        self,
        service: str,
        model: str,
        aws: Aws,
        calls: Calls,
        count: Count | None = None,
    ) -> None:
        self.service = service
        self.model = model
        self.calls = calls
        self._aws = aws
        self._count = count

    def invoke_model(self, **params: Any) -> dict[str, Any]:
        """Call a Bedrock model with its native body."""
        return self._read("invoke_model", "body", params)

    def invoke_endpoint(self, **params: Any) -> dict[str, Any]:
        """Call a SageMaker endpoint."""
        return self._read("invoke_endpoint", "Body", params)

    def converse(self, **params: Any) -> dict[str, Any]:
        """Call a Bedrock chat model."""
        started = time.monotonic()
        answer = self._call("converse", params)
        usage = answer.get("usage", {})
        self._record(started, usage.get("inputTokens", 0), usage.get("outputTokens", 0))
        return answer

    def rerank(self, **params: Any) -> dict[str, Any]:
        """Call a Bedrock reranker (service ``bedrock-agent-runtime``)."""
        started = time.monotonic()
        answer = self._call("rerank", params)
        queries = -(-len(params.get("sources", ())) // 100)  # up to 100 passages are one
        cost.record(self.model, queries=queries, seconds=time.monotonic() - started)
        return answer

    @property
    def _client(self) -> Any:
        """The process's; asked for at each attempt, for new credentials make a new one."""
        return client(self.service, self._aws, once=True)

    def _call(self, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        def once() -> dict[str, Any]:
            found: dict[str, Any] = getattr(self._client, operation)(**params)
            return found

        return self.calls(once)

    def _read(self, operation: str, member: str, params: Mapping[str, Any]) -> dict[str, Any]:
        def once() -> tuple[dict[str, Any], bytes, Any]:
            found = getattr(self._client, operation)(**params)
            body = found[member].read()
            return found, body, _json(body)

        started = time.monotonic()
        found, body, said = self.calls(once)
        headers = found.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        if _INPUT in headers:
            tokens = int(headers[_INPUT]), int(headers.get(_OUTPUT, 0))
        elif self._count is not None:
            tokens = self._count(json.loads(params[member]), said)
        else:
            tokens = 0, 0
        self._record(started, *tokens)
        return {**found, member: BytesIO(body)}

    def _record(self, started: float, input_tokens: int, output_tokens: int) -> None:
        cost.record(
            self.model,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            seconds=time.monotonic() - started,
        )


def _json(body: bytes) -> Any:
    """Return the body, parsed.

    Raises:
        ResponseParserError: It is no JSON; another attempt may bring some.
    """
    from botocore.parsers import ResponseParserError

    try:
        return json.loads(body)
    except ValueError:
        raise ResponseParserError("The body is not JSON.") from None
