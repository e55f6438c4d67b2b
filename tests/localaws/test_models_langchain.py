"""langchain-aws, unchanged, finds what it expects of Bedrock and SageMaker."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import numpy
import pytest
from langchain_aws import (
    BedrockEmbeddings,
    BedrockLLM,
    BedrockRerank,
    ChatBedrock,
    ChatBedrockConverse,
    SagemakerEndpoint,
)
from langchain_aws.chat_models.sagemaker_endpoint import (
    ChatModelContentHandler,
    ChatSagemakerEndpoint,
)
from langchain_aws.llms.sagemaker_endpoint import LLMContentHandler
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from pydantic import BaseModel, Field

from tests.services.localaws import LocalAws

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
NOVA = "amazon.nova-lite-v1:0"
LLAMA = "meta.llama3-1-8b-instruct-v1:0"
MISTRAL = "mistral.mistral-large-2402-v1:0"

SYSTEM = "Answer from the passages. End each sentence with its passage's number, like [1]."
ASKED = """<passages>
<passage number="1">
Parental leave is sixteen weeks at full pay.
</passage>
<passage number="2">
The cafeteria opens at eight in the morning.
</passage>
</passages>

Question: How long is parental leave?"""
ANSWER = "Parental leave is sixteen weeks at full pay [1]."

pytestmark = pytest.mark.usefixtures("aws")


@tool
def get_weather(city: str) -> str:
    """Get the weather of a city."""
    return f"In {city} it rains."


class Verdict(BaseModel):
    """What the passages say."""

    answer: str = Field(description="The answer")
    weeks: int = Field(ge=1, description="Number of weeks")


@pytest.mark.parametrize("model", [CLAUDE, NOVA, LLAMA, MISTRAL])
def test_chat_converse_answers_whole_and_streamed(model: str) -> None:
    chat = ChatBedrockConverse(model=model, temperature=0, max_tokens=200)
    asked = [SystemMessage(SYSTEM), HumanMessage(ASKED)]
    answer = chat.invoke(asked)
    assert answer.text == ANSWER
    assert answer.response_metadata["stopReason"] == "end_turn"
    chunks = list(chat.stream(asked))
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    assert whole.text == ANSWER
    assert whole.usage_metadata == answer.usage_metadata
    assert asyncio.run(chat.ainvoke(asked)).text == ANSWER


def test_an_agent_s_turn_with_a_tool() -> None:
    chat = ChatBedrockConverse(model=NOVA).bind_tools([get_weather])
    asked = HumanMessage("What is the weather in Ghent?")
    use = chat.invoke([asked])
    (call,) = use.tool_calls
    assert (call["name"], call["args"]) == ("get_weather", {"city": "Ghent"})
    result: ToolMessage = get_weather.invoke(call)
    assert "it rains" in chat.invoke([asked, use, result]).text


@pytest.mark.parametrize("model", [CLAUDE, NOVA])
def test_structured_output_is_filled(model: str) -> None:
    chat = ChatBedrockConverse(model=model).with_structured_output(Verdict)
    verdict = chat.invoke(ASKED)
    assert isinstance(verdict, Verdict)
    assert verdict.answer.startswith("Parental leave is sixteen weeks")


@pytest.mark.parametrize("kind", [ChatBedrockConverse, ChatBedrock])
def test_chat_models_count_tokens_as_they_are_charged(kind: type[Any]) -> None:
    chat = kind(model=CLAUDE)
    counted = chat.get_num_tokens_from_messages([HumanMessage(ASKED)])
    assert counted == chat.invoke(ASKED).usage_metadata["input_tokens"]


@pytest.mark.parametrize("model", [HAIKU, CLAUDE])
def test_chat_over_native_messages_answers_whole_and_streamed(model: str) -> None:
    chat = ChatBedrock(model=model, max_tokens=200)
    asked = [SystemMessage(SYSTEM), HumanMessage(ASKED)]
    answer = chat.invoke(asked)
    assert answer.text == ANSWER
    assert answer.usage_metadata["output_tokens"] > 5
    chunks = list(chat.stream(asked))
    assert "".join(chunk.text for chunk in chunks) == ANSWER
    used = [chunk.usage_metadata for chunk in chunks if chunk.usage_metadata]
    assert sum(one["output_tokens"] for one in used) >= answer.usage_metadata["output_tokens"]
    assert asyncio.run(chat.ainvoke(asked)).text == ANSWER


def test_chat_over_native_messages_uses_tools() -> None:
    chat = ChatBedrock(model=HAIKU).bind_tools([get_weather], tool_choice="any")
    asked = HumanMessage("What is the weather in Ghent?")
    use = chat.invoke([asked])
    (call,) = use.tool_calls
    assert call["args"] == {"city": "Ghent"}
    said = chat.invoke([asked, use, get_weather.invoke(call)])
    assert isinstance(said, AIMessage)


@pytest.mark.parametrize("model", [LLAMA, MISTRAL])
def test_chat_over_prompts_answers_whole_and_streamed(model: str) -> None:
    chat = ChatBedrock(model=model, beta_use_converse_api=False)
    asked = [HumanMessage(f"{SYSTEM}\n\n{ASKED}")]
    assert chat.invoke(asked).text == ANSWER
    assert "".join(chunk.text for chunk in chat.stream(asked)) == ANSWER


@pytest.mark.parametrize("model", [LLAMA, MISTRAL])
def test_completion_models_answer(model: str) -> None:
    complete = BedrockLLM(model=model)
    assert complete.invoke(f"{SYSTEM}\n\n{ASKED}") == ANSWER
    assert "".join(complete.stream(f"{SYSTEM}\n\n{ASKED}")) == ANSWER


@pytest.mark.parametrize(
    ("model", "dimensions"),
    [
        ("amazon.titan-embed-text-v1", None),
        ("amazon.titan-embed-text-v2:0", 512),
        ("cohere.embed-english-v3", None),
        ("cohere.embed-v4:0", 512),
    ],
)
def test_embeddings_put_the_answer_next_to_the_question(model: str, dimensions: int | None) -> None:
    embeddings = BedrockEmbeddings(model_id=model, dimensions=dimensions)
    rows = numpy.array(
        embeddings.embed_documents(
            ["The cafeteria opens at eight.", "Parental leave is sixteen weeks."]
        )
    )
    query = numpy.array(embeddings.embed_query("How long may parents stay at home?"))
    assert int((rows @ query).argmax()) == 1
    assert asyncio.run(embeddings.aembed_query("x")) == embeddings.embed_query("x")


@pytest.mark.parametrize("model", ["amazon.rerank-v1:0", "cohere.rerank-v3-5:0"])
def test_rerank_puts_the_answer_first(model: str) -> None:
    compressor = BedrockRerank(
        model_arn=f"arn:aws:bedrock:us-east-1::foundation-model/{model}",
        region_name="us-east-1",
        top_n=1,
    )
    documents = [Document("The cafeteria opens at eight."), Document("Leave is sixteen weeks.")]
    (best,) = compressor.compress_documents(documents, "How many weeks of leave?")
    assert best.page_content == "Leave is sixteen weeks."
    assert 0 < best.metadata["relevance_score"] <= 1


class Generated(LLMContentHandler):
    content_type = "application/json"
    accepts = "application/json"

    def transform_input(self, prompt: str, model_kwargs: dict[str, Any]) -> bytes:
        return json.dumps({"inputs": prompt, "parameters": model_kwargs}).encode()

    def transform_output(self, output: Any) -> str:
        if hasattr(output, "read"):
            return str(json.load(output)[0]["generated_text"])
        line = output.decode()
        return str(json.loads(line[5:])["token"]["text"]) if line.startswith("data:") else ""


class Chatted(ChatModelContentHandler):
    content_type = "application/json"
    accepts = "application/json"

    def transform_input(self, prompt: Any, model_kwargs: dict[str, Any]) -> bytes:
        return json.dumps({"messages": prompt, **model_kwargs}).encode()

    def transform_output(self, output: Any) -> AIMessage:
        return AIMessage(json.load(output)["choices"][0]["message"]["content"])


def test_a_sagemaker_endpoint_completes_and_chats(aws: LocalAws) -> None:
    complete = SagemakerEndpoint(
        endpoint_name="llm-small", region_name="us-east-1", content_handler=Generated()
    )
    assert complete.invoke(f"{SYSTEM}\n\n{ASKED}") == ANSWER
    assert "".join(complete.stream(f"{SYSTEM}\n\n{ASKED}")) == ANSWER
    chat = ChatSagemakerEndpoint(
        endpoint_name="llm-small",
        client=aws.client("sagemaker-runtime"),
        content_handler=Chatted(),
        disable_streaming=True,
    )
    assert chat.invoke([SystemMessage(SYSTEM), HumanMessage(ASKED)]).text == ANSWER
