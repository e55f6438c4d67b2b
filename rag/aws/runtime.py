"""Clients of the model services, with `Calls` between them and the wire, and metered.

langchain-aws takes a client and gives each of its calls one try; handed a `Runtime` it is patient.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

from rag import cost
from rag.aws import client
from rag.aws.calls import Calls
from rag.aws.streams import Event, Events, opened
from rag.budget import limits

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

    def converse_stream(self, **params: Any) -> dict[str, Any]:
        """Call a Bedrock chat model that answers while it writes; see `rag.aws.streams`.

        An answer that is given up costs what was written of it: as `count` says, for the service
        then does not.
        """
        started = time.monotonic()
        said: list[str] = []
        told: dict[str, int] = {}

        def heard(event: Event) -> None:
            said.append(event.get("contentBlockDelta", {}).get("delta", {}).get("text", ""))
            told.update(event.get("metadata", {}).get("usage", {}))

        def ended() -> None:
            if told:
                tokens = told.get("inputTokens", 0), told.get("outputTokens", 0)
            elif self._count is not None:
                tokens = self._count(params, "".join(said))
            else:
                tokens = 0, 0
            self._record(started, *tokens)

        def start() -> Any:
            return self._client.converse_stream(**params)["stream"]

        return {"stream": opened(self.calls, start, self._seconds_left(started), heard, ended)}

    def invoke_endpoint_with_response_stream(self, **params: Any) -> Events:
        """Call a SageMaker endpoint that answers while it writes, and return its events."""
        started = time.monotonic()
        parts: list[bytes] = []

        def heard(event: Event) -> None:
            parts.append(event.get("PayloadPart", {}).get("Bytes", b""))

        def ended() -> None:
            if self._count is not None:
                text = "".join(said for said, _ in spoken(parts))
                request = json.loads(params["Body"])
                self._record(started, *self._count(request, {"generated_text": text}))

        def start() -> Any:
            return self._client.invoke_endpoint_with_response_stream(**params)["Body"]

        return opened(self.calls, start, self._seconds_left(started), heard, ended)

    def _seconds_left(self, started: float) -> Callable[[], float]:
        """Of the corpus's deadline for a call, and of the budget that it is made within."""
        until = started + self._aws.deadline_seconds
        running = limits()
        return lambda: min(until - time.monotonic(), running.seconds_left())

    def rerank(self, **params: Any) -> dict[str, Any]:
        """Call a Bedrock reranker (service ``bedrock-agent-runtime``)."""
        started = time.monotonic()
        answer = self._call("rerank", params)
        queries = -(-len(params.get("sources", ())) // 100)  # up to 100 passages are one
        cost.record(self.model, queries=queries, seconds=time.monotonic() - started)
        return answer

    def count_tokens(self, **params: Any) -> dict[str, Any]:
        """Have a Bedrock model count what it would be sent, which costs nothing."""
        return self._call("count_tokens", params)

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


def spoken(parts: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """Yield text and, at the end, why it ended, from an endpoint's server-sent events.

    Text Generation Inference's (``token.text``), LMI's, and OpenAI's (``choices``) are understood;
    an event may come in several parts.
    """
    buffer = b""
    for part in parts:
        *lines, buffer = (buffer + part).split(b"\n")
        yield from filter(any, map(_said, lines))
    yield from filter(any, map(_said, [buffer]))


def _said(line: bytes) -> tuple[str, str]:
    try:
        event = json.loads(line.removeprefix(b"data:"))
    except ValueError:  # an empty line, a comment, the last "[DONE]"
        return "", ""
    if not isinstance(event, dict):
        return "", ""
    if choices := event.get("choices"):
        delta = choices[0].get("delta") or {}
        return delta.get("content") or "", choices[0].get("finish_reason") or ""
    token = event.get("token") or {}
    details = event.get("details") or {}
    text = "" if token.get("special") else token.get("text", "")
    return text, str(details.get("finish_reason") or "")


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
