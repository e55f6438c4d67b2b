"""Chat models by URI: ``bedrock/…``, ``sagemaker/…``, and ``embedded/smollm2`` for trying out.

All of Bedrock's families are reached through Converse, so that changing the URI is all it takes.
Calls are bounded, patient and metered (`rag.aws.runtime`), and never outlive the running budget or
cost more than it has (`rag.budget`).
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rag import cost
from rag.aws.calls import Calls
from rag.aws.runtime import Runtime, spoken
from rag.budget import limits
from rag.errors import ConfigError, ServiceFailed
from rag.masked import Masked, require
from rag.models.bedrock import plain_id, provider

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from rag.config import Aws

WITHOUT_SYSTEM = (
    "mistral.mistral-7b",
    "mistral.mixtral-8x7b",
    "amazon.titan-text",
    "ai21.j2",
    "cohere.command-text",
    "cohere.command-light",
)
"""Models that take no system prompt in Converse
(https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html)."""


SMOLLM2 = "embedded/smollm2"
"""Invents freely: for tests and demonstrations, not for answering people."""

LEAST_TOKENS = 16
"""Of an answer; a model that may write less is not asked."""

_TEMPLATE_TOKENS = 64  # that a model's own template adds to a prompt, at most


class NotAffordable(ServiceFailed):
    """What is left of the budget does not pay for an answer, so the model was not asked.

    Args:
        known: Whether the model's price is.
    """

    def __init__(self, uri: str, *, known: bool) -> None:
        super().__init__(
            f"What is left of the budget does not pay for an answer by {uri}."
            if known
            else f"No price is known of {uri}, so no answer can be promised within a budget.",
            "Raise the budget's usd." if known else "Give a budget without usd.",
        )


def chat(uri: str, aws: Aws, max_tokens: int) -> BaseChatModel:
    """Return the chat model that `uri` names, as LangChain has it; a process makes each once.

    Args:
        uri: ``bedrock/MODEL_ID`` or ``sagemaker/ENDPOINT``.
        max_tokens: Of an answer.

    Raises:
        ConfigError: There is no such model.
    """
    family, _, name = uri.partition("/")
    if family not in ("bedrock", "sagemaker") or not name:
        raise ConfigError(
            f"There is no chat model {uri!r}.", "Use bedrock/MODEL_ID or sagemaker/ENDPOINT."
        )
    return _made(family, name, aws.model_dump_json(), max_tokens, os.getpid())


def generate_stream(
    uri: str, aws: Aws, max_tokens: int, system: Masked, user: Masked
) -> Generator[str, None, bool]:
    """Have the chat model of `uri` write, and yield what it writes piece by piece.

    What comes is not masked: a model may write names that nobody gave it. Closing the generator
    ends the connection, and the model stops.

    Args:
        max_tokens: That it writes at most; fewer where the running budget pays for fewer.

    Returns:
        Whether the model was stopped at its limit, so that the last sentence may be half.

    Raises:
        NotMasked: It was to be sent something that has not passed the gate.
        NotAffordable: The budget does not pay for an answer.
        ServiceFailed, ServiceRefused: The model could not be had, or not to the end, or not in
            time.
        ConfigError: There is no such model, or it is not installed.
    """
    for text in (system, user):
        require(text, "The chat model")
    most, usd = affordable(uri, max_tokens, system, user)
    with limits().holding(usd) as may:
        if not may:
            raise NotAffordable(uri, known=True)
        return (yield from _stream(uri, aws, max_tokens, most, system, user))


def _stream(
    uri: str, aws: Aws, usual: int, most: int, system: Masked, user: Masked
) -> Generator[str, None, bool]:
    if uri == SMOLLM2:
        return (yield from _smollm2(most, system, user))
    prompt = messages(uri, system, user)
    if uri.startswith("sagemaker/"):
        return (yield from _endpoint(chat(uri, aws, usual), most, prompt))
    reason = ""
    stream = chat(uri, aws, usual).stream(prompt, max_tokens=most)
    try:
        with closing(stream):
            for chunk in stream:
                reason = chunk.response_metadata.get("stopReason", reason)
                if text := str(chunk.text):
                    yield text
    except ConnectionError:  # langchain-aws's word for a stream without its last event
        raise _broken(uri) from None
    return reason == "max_tokens"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a chat model wrote: not masked, for it may write names that nobody gave it.

    Attributes:
        cut: The model was stopped at its limit, so the last sentence may be half.
    """

    text: str = field(repr=False)
    cut: bool


def generate(uri: str, aws: Aws, max_tokens: int, system: Masked, user: Masked) -> Reply:
    """Return all of `generate_stream`, and raise what it raises."""
    said: list[str] = []
    cut = yield_into(generate_stream(uri, aws, max_tokens, system, user), said)
    return Reply("".join(said), cut)


def yield_into(pieces: Generator[str, None, bool], into: list[str]) -> bool:
    """Gather what a generator yields, and return what it returns."""
    while True:
        try:
            into.append(next(pieces))
        except StopIteration as end:
            return bool(end.value)


def affordable(uri: str, max_tokens: int, *texts: Masked) -> tuple[int, float | None]:
    """Return how many tokens an answer may have, so that the call costs no more than is left, and
    what it costs at worst in USD; None where nobody knows.

    Args:
        max_tokens: Where money does not matter.
        texts: That the model reads.

    Raises:
        NotAffordable: Too few for an answer.
    """
    left = limits().usd_left()
    if uri == SMOLLM2:
        return max_tokens, 0.0
    price = cost.price(uri.partition("/")[2])
    if left == math.inf:
        return max_tokens, None
    if price is None:
        raise NotAffordable(uri, known=False)
    read = price.call + price.input * (at_most(*texts) + _TEMPLATE_TOKENS) / 1000
    most = max_tokens
    if price.output:
        most = min(max_tokens, int((left - read) * 1000 / price.output))
    if read > left or most < min(LEAST_TOKENS, max_tokens):
        raise NotAffordable(uri, known=True)
    return most, min(left, read + most * price.output / 1000)  # not over it by rounding


def at_most(*texts: str) -> int:
    """Return the tokens that texts may have together at most, for a model of unknown tokenizer.

    None of theirs makes more of a text than a token for three and a half bytes of UTF-8, or than
    the embedded model's plus a fifth, whichever is more.
    """
    from rag.models import embedder

    counts = embedder("embedded/minilm").count(texts)
    return sum(
        max(-(-own * 6 // 5), -(-len(text.encode()) * 2 // 7))
        for own, text in zip(counts, texts, strict=True)
    )


def messages(uri: str, system: Masked, user: Masked) -> list[Any]:
    """Return instructions and a question as the model of `uri` takes them."""
    from langchain_core.messages import HumanMessage, SystemMessage

    if plain_id(uri.partition("/")[2]).startswith(WITHOUT_SYSTEM):
        return [HumanMessage(f"{system}\n\n{user}")]
    return [SystemMessage(system), HumanMessage(user)]


@lru_cache(maxsize=8)
def _made(family: str, name: str, aws_json: str, max_tokens: int, process: int) -> BaseChatModel:
    from rag.config import Aws

    aws = Aws.model_validate_json(aws_json)
    return (_bedrock if family == "bedrock" else _sagemaker)(name, aws, max_tokens)


def _bedrock(model: str, aws: Aws, max_tokens: int) -> BaseChatModel:
    from langchain_aws import ChatBedrockConverse

    if "application-inference-profile" in model:
        raise ConfigError(
            "An application inference profile does not tell which model it is.",
            "Set answer.model to the model's id, or to its inference profile (us.…).",
        )

    def counted(request: Any, said: Any) -> tuple[int, int]:
        blocks = [
            *request.get("system", ()),
            *(b for m in request["messages"] for b in m["content"]),
        ]
        return at_most(*(block.get("text", "") for block in blocks)), at_most(str(said))

    calls = Calls(f"Bedrock {model}", aws.concurrency, aws.deadline_seconds)
    runtime = Runtime("bedrock-runtime", model, aws, calls, counted)
    found: BaseChatModel = ChatBedrockConverse(
        model=model,
        provider=provider(plain_id(model)),
        client=runtime,
        bedrock_client=runtime,  # asked for application inference profiles only
        max_tokens=max_tokens,
        temperature=0,
    )
    return found


def _sagemaker(endpoint: str, aws: Aws, max_tokens: int) -> BaseChatModel:
    """Text Generation Inference's body, which LMI containers take too."""
    from langchain_aws.chat_models.sagemaker_endpoint import (
        ChatModelContentHandler,
        ChatSagemakerEndpoint,
    )
    from langchain_core.messages import AIMessage

    from rag.models import embedder

    class TextGeneration(ChatModelContentHandler):  # type: ignore[misc]
        content_type = "application/json"
        accepts = "application/json"

        def transform_input(self, prompt: Sequence[dict[str, Any]], model_kwargs: Any) -> bytes:
            said = [str(message["content"]) for message in prompt]
            return json.dumps(_body(said, model_kwargs.get("max_tokens", max_tokens))).encode()

        def transform_output(self, output: Any) -> AIMessage:
            answer = _generated(json.load(output))
            reason = (answer.get("details") or {}).get("finish_reason", "")
            stop = "max_tokens" if reason == "length" else "end_turn"
            return AIMessage(answer["generated_text"], response_metadata={"stopReason": stop})

    def counted(request: Any, answer: Any) -> tuple[int, int]:
        told = _generated(answer)
        asked, written = embedder("embedded/minilm").count(
            [request["inputs"], told["generated_text"]]
        )
        return asked, int((told.get("details") or {}).get("generated_tokens") or written)

    calls = Calls(f"SageMaker {endpoint}", aws.concurrency, aws.deadline_seconds)
    found: BaseChatModel = ChatSagemakerEndpoint(
        endpoint_name=endpoint,
        client=Runtime("sagemaker-runtime", endpoint, aws, calls, counted),
        content_handler=TextGeneration(),
        disable_streaming=True,
    )
    return found


def _body(said: Sequence[str], max_tokens: int) -> dict[str, Any]:
    """Text Generation Inference's body for a prompt of instructions and a question."""
    parameters = {"max_new_tokens": max_tokens, "do_sample": False, "details": True}
    return {
        "inputs": "\n\n".join([*said, "Answer:"]),
        "parameters": {**parameters, "return_full_text": False},
    }


def _endpoint(model: Any, max_tokens: int, prompt: Sequence[Any]) -> Generator[str, None, bool]:
    """LangChain's own way leaves the connection open when it is given up."""
    body = {**_body([str(one.content) for one in prompt], max_tokens), "stream": True}
    events = model.client.invoke_endpoint_with_response_stream(
        EndpointName=model.endpoint_name,
        Body=json.dumps(body).encode(),
        ContentType="application/json",
        Accept="text/event-stream",
    )
    reason = ""
    with closing(events):
        parts = (event.get("PayloadPart", {}).get("Bytes", b"") for event in events)
        for text, why in spoken(parts):
            reason = why or reason
            if text:
                yield text
    if not reason:
        raise _broken(f"sagemaker/{model.endpoint_name}")
    return reason == "length"


def _smollm2(max_tokens: int, system: Masked, user: Masked) -> Generator[str, None, bool]:
    from rag.models.smollm2 import TEMPLATE_TOKENS, counter, written

    started = time.monotonic()
    said: list[str] = []
    asked = [{"role": "system", "content": system}, {"role": "user", "content": user}]
    try:
        stream = written(asked, max_tokens, seconds_left=limits().seconds_left)
        reason = yield from _kept(stream, said)
    finally:
        read, wrote = sum(counter().count([system, user])), counter().count(["".join(said)])[0]
        cost.record(
            SMOLLM2,
            input_tokens=read + TEMPLATE_TOKENS,
            output_tokens=wrote,
            seconds=time.monotonic() - started,
            usd=0.0,
        )
    return reason == "length"


def _kept(pieces: Generator[str, None, str], into: list[str]) -> Generator[str, None, str]:
    with closing(pieces):
        while True:
            try:
                piece = next(pieces)
            except StopIteration as end:
                return str(end.value)
            into.append(piece)
            yield piece


def _broken(uri: str) -> ServiceFailed:
    return ServiceFailed(f"The answer of {uri} broke off.", "Try again.")


def _generated(answer: Any) -> dict[str, Any]:
    """What an endpoint generated; some wrap it in a list, some call it ``outputs``."""
    first = answer[0] if isinstance(answer, list) and answer else answer
    told = first if isinstance(first, dict) else {}
    text = told.get("generated_text", told.get("outputs", ""))
    return {**told, "generated_text": text if isinstance(text, str) else ""}
