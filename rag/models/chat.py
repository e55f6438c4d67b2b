"""Chat models by URI, as LangChain's `BaseChatModel`: ``bedrock/…`` and ``sagemaker/…``.

All of Bedrock's families are reached through Converse, so that changing the URI is all it takes.
Calls are bounded, patient and metered (`rag.aws.runtime`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rag.aws.calls import Calls
from rag.aws.runtime import Runtime
from rag.errors import ConfigError
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


def chat(uri: str, aws: Aws, max_tokens: int) -> BaseChatModel:
    """Return the chat model that `uri` names; a process makes each once.

    Args:
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


@dataclass(frozen=True, slots=True)
class Reply:
    """What a chat model wrote: not masked, for it may write names that nobody gave it.

    Attributes:
        cut: The model was stopped at its limit, so the last sentence may be half.
    """

    text: str = field(repr=False)
    cut: bool


def generate(uri: str, aws: Aws, max_tokens: int, system: Masked, user: Masked) -> Reply:
    """Have the chat model of `uri` write.

    Raises:
        NotMasked: It was to be sent something that has not passed the gate.
        ServiceFailed, ServiceRefused: The model could not be had.
    """
    for text in (system, user):
        require(text, "The chat model")
    reply = chat(uri, aws, max_tokens).invoke(messages(uri, system, user))
    return Reply(str(reply.text), reply.response_metadata.get("stopReason") == "max_tokens")


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
    calls = Calls(f"Bedrock {model}", aws.concurrency, aws.deadline_seconds)
    runtime = Runtime("bedrock-runtime", model, aws, calls)
    found: BaseChatModel = ChatBedrockConverse(
        model=model,
        provider=provider(plain_id(model)),
        client=runtime,
        bedrock_client=runtime,  # asked for application inference profiles only
        max_tokens=max_tokens,
        temperature=0,
        disable_streaming=True,
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
            said = "\n\n".join(str(message["content"]) for message in prompt)
            parameters = {"max_new_tokens": max_tokens, "do_sample": False, "details": True}
            body = {
                "inputs": f"{said}\n\nAnswer:",
                "parameters": {**parameters, "return_full_text": False},
            }
            return json.dumps(body).encode()

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


def _generated(answer: Any) -> dict[str, Any]:
    """What an endpoint generated; some wrap it in a list, some call it ``outputs``."""
    first = answer[0] if isinstance(answer, list) and answer else answer
    told = first if isinstance(first, dict) else {}
    text = told.get("generated_text", told.get("outputs", ""))
    return {**told, "generated_text": text if isinstance(text, str) else ""}
