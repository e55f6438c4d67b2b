"""InvokeModel and its stream: each family's own body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.services.localaws import LocalAws

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
NOVA = "amazon.nova-micro-v1:0"
LLAMA = "meta.llama3-1-8b-instruct-v1:0"
MISTRAL_7B = "mistral.mistral-7b-instruct-v0:2"
MISTRAL = "mistral.mistral-large-2407-v1:0"

ASKED = """Cite passages as [1].

[1] Parental leave is sixteen weeks at full pay.

Question: How long is parental leave?"""
ANSWER = "Parental leave is sixteen weeks at full pay [1]."
TOOL = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def claude(**more: Any) -> dict[str, Any]:
    return {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": ASKED}],
        **more,
    }


def invoke(aws: LocalAws, model: str, body: Any, **more: Any) -> dict[str, Any]:
    payload = body if isinstance(body, bytes) else json.dumps(body)
    answer = aws.client("bedrock-runtime").invoke_model(modelId=model, body=payload, **more)
    found: dict[str, Any] = json.loads(answer["body"].read())
    return found


def stream(aws: LocalAws, model: str, body: Any, **more: Any) -> list[dict[str, Any]]:
    answer = aws.client("bedrock-runtime").invoke_model_with_response_stream(
        modelId=model, body=json.dumps(body), **more
    )
    return [json.loads(event["chunk"]["bytes"]) for event in answer["body"]]


def refusal(aws: LocalAws, model: str, body: Any, **more: Any) -> str:
    with pytest.raises(ClientError) as refused:
        invoke(aws, model, body, **more)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    return str(refused.value.response["Error"]["Message"])


def path(value: Any, *steps: Any) -> Any:
    for step in steps:
        value = value[step]
    return value


BODIES: Mapping[str, tuple[str, dict[str, Any], tuple[Any, ...], tuple[Any, ...], str]] = {
    "anthropic": (HAIKU, claude(), ("content", 0, "text"), ("stop_reason",), "end_turn"),
    "nova": (
        *(NOVA, {"messages": [{"role": "user", "content": [{"text": ASKED}]}]}),
        *(("output", "message", "content", 0, "text"), ("stopReason",), "end_turn"),
    ),
    "llama": (LLAMA, {"prompt": ASKED}, ("generation",), ("stop_reason",), "stop"),
    "llama template": (
        LLAMA,
        {
            "prompt": "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief."
            f"<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n{ASKED}<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n"
        },
        *(("generation",), ("stop_reason",), "stop"),
    ),
    "mistral": (
        *(MISTRAL_7B, {"prompt": f"<s>[INST] {ASKED} [/INST]"}),
        *(("outputs", 0, "text"), ("outputs", 0, "stop_reason"), "stop"),
    ),
    "mistral chat": (
        *(MISTRAL, {"messages": [{"role": "user", "content": ASKED}]}),
        *(("choices", 0, "message", "content"), ("choices", 0, "stop_reason"), "stop"),
    ),
}


@pytest.mark.parametrize("name", BODIES)
def test_every_family_is_answered_in_its_own_body(aws: LocalAws, name: str) -> None:
    model, body, text, reason, wanted = BODIES[name]
    answer = invoke(aws, model, body)
    assert path(answer, *text) == ANSWER
    assert path(answer, *reason) == wanted


@pytest.mark.parametrize("name", BODIES)
def test_a_stream_ends_with_the_invocation_s_metrics(aws: LocalAws, name: str) -> None:
    model, body, *_ = BODIES[name]
    chunks = stream(aws, model, body)
    metrics = chunks[-1]["amazon-bedrock-invocationMetrics"]
    assert metrics["outputTokenCount"] == 12
    assert metrics["inputTokenCount"] > 20
    assert metrics["firstByteLatency"] <= metrics["invocationLatency"]
    assert not any("amazon-bedrock-invocationMetrics" in chunk for chunk in chunks[:-1])


def test_claude_s_events_come_in_order(aws: LocalAws) -> None:
    chunks = stream(aws, HAIKU, claude())
    kinds = [chunk["type"] for chunk in chunks]
    assert kinds[:3] == ["message_start", "content_block_start", "content_block_delta"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    said = [chunk["delta"]["text"] for chunk in chunks if chunk["type"] == "content_block_delta"]
    assert "".join(said) == ANSWER
    assert chunks[0]["message"]["usage"]["input_tokens"] > 20
    assert chunks[-2]["usage"] == {"output_tokens": 12}


def test_token_counts_come_as_headers(aws: LocalAws) -> None:
    answer = aws.client("bedrock-runtime").invoke_model(modelId=HAIKU, body=json.dumps(claude()))
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    usage = json.loads(answer["body"].read())["usage"]
    assert headers["x-amzn-bedrock-input-token-count"] == str(usage["input_tokens"])
    assert headers["x-amzn-bedrock-output-token-count"] == str(usage["output_tokens"])


def test_claude_s_tools_speak_anthropic(aws: LocalAws) -> None:
    tools = [{"name": "get_weather", "description": "Weather of a city", "input_schema": TOOL}]
    body = claude(
        tools=tools,
        tool_choice={"type": "any"},
        messages=[{"role": "user", "content": "Is it raining in Ghent?"}],
    )
    (block,) = invoke(aws, HAIKU, body)["content"]
    assert (block["type"], block["name"], block["input"]) == (
        *("tool_use", "get_weather"),
        {"city": "Ghent"},
    )
    chunks = stream(aws, HAIKU, body)
    assert json.loads(chunks[2]["delta"]["partial_json"]) == {"city": "Ghent"}
    assert chunks[-2]["delta"]["stop_reason"] == "tool_use"
    unanswered = [*body["messages"], {"role": "assistant", "content": [block]}, *body["messages"]]
    assert "were found without `tool_result` blocks immediately after" in refusal(
        aws, HAIKU, {**body, "messages": unanswered}
    )


def test_mistral_s_tools_speak_chat_completion(aws: LocalAws) -> None:
    function = {"name": "get_weather", "description": "Weather of a city", "parameters": TOOL}
    body = {
        "messages": [{"role": "user", "content": "Is it raining in Ghent?"}],
        "tools": [{"type": "function", "function": function}],
        "tool_choice": "any",
    }
    choice = invoke(aws, MISTRAL, body)["choices"][0]
    (call,) = choice["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"city": "Ghent"}
    assert choice["stop_reason"] == "tool_calls"


@pytest.mark.parametrize(
    ("model", "body", "told"),
    [
        (HAIKU, {"prompt": "hi"}, "#: required key [anthropic_version] not found"),
        (HAIKU, claude(max_tokens=0), "#/max_tokens: 0 is not greater or equal to 1"),
        (HAIKU, claude(max_tokens=9999), "max_tokens: 9999 > 4096"),
        (HAIKU, claude(colour=1), "#: extraneous key [colour] is not permitted"),
        (HAIKU, claude(anthropic_version="x"), "#/anthropic_version: x is not a valid enum value"),
        (HAIKU, claude(messages=[{"role": "assistant", "content": "x"}]), 'use the "user" role'),
        (NOVA, {"messages": "hi"}, "#/messages: expected type: JSONArray, found: String"),
        (NOVA, {"messages": [{"role": "user", "content": [{"colour": 1}]}]}, "colour"),
        (
            HAIKU,
            claude(messages=[{"role": "user", "content": [{"type": "text", "text": 5}]}]),
            "/text",
        ),
        (HAIKU, claude(tools=[{"name": 5}]), "#/tools/0/name: expected type: String"),
        (NOVA, {"messages": [{"role": "user", "content": [{"text": 5}]}]}, "text"),
        (NOVA, {"messages": [], "toolConfig": {"tools": 5}}, "toolConfig.tools"),
        (MISTRAL, {"messages": [{"role": "user", "content": "x"}], "tools": [{}]}, "[function]"),
        (LLAMA, {"prompt": "hi", "max_gen_len": 5000}, "5000 is not less or equal to 4096"),
        (LLAMA, {"prompt": "hi", "temperature": 2}, "#/temperature: 2 is not less or equal to 1"),
        (MISTRAL, {"temperature": 0.5}, "required key [prompt] not found"),
        (HAIKU, b"no json", "the body is no JSON"),
        ("amazon.titan-embed-text-v2:0", [1], "#: expected type: JSONObject, found: JSONArray"),
    ],
)
def test_a_body_that_a_model_does_not_take_is_refused(
    aws: LocalAws, model: str, body: Any, told: str
) -> None:
    assert told in refusal(aws, model, body)


def test_only_json_is_taken_and_only_writers_stream(aws: LocalAws) -> None:
    assert "not supported" in refusal(aws, HAIKU, claude(), contentType="text/plain")
    with pytest.raises(ClientError, match="The model is unsupported for streaming"):
        stream(aws, "amazon.titan-embed-text-v2:0", {"inputText": "x"})


def test_cohere_rerank_takes_its_own_body(aws: LocalAws) -> None:
    body = {
        "query": "How long is parental leave?",
        "documents": ["The cafeteria opens at eight.", "Parental leave is sixteen weeks."],
        "top_n": 1,
        "api_version": 2,
    }
    (best,) = invoke(aws, "cohere.rerank-v3-5:0", body)["results"]
    assert best["index"] == 1
    assert 0.5 < best["relevance_score"] <= 1
    del body["api_version"]
    assert "required key [api_version]" in refusal(aws, "cohere.rerank-v3-5:0", body)


def test_counting_gives_what_invoking_is_charged(aws: LocalAws) -> None:
    counted = aws.client("bedrock-runtime").count_tokens(
        modelId=HAIKU, input={"invokeModel": {"body": json.dumps(claude())}}
    )
    assert counted["inputTokens"] == invoke(aws, HAIKU, claude())["usage"]["input_tokens"]
