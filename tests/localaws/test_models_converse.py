"""Converse and ConverseStream over HTTP."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError
from PIL import Image

from tests.services.localaws import LocalAws

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "amazon.nova-lite-v1:0"
LLAMA = "meta.llama3-1-8b-instruct-v1:0"
MISTRAL = "mistral.mistral-large-2407-v1:0"
FAMILIES = [CLAUDE, NOVA, LLAMA, MISTRAL]

LEAVE = """Answer from the passages and cite them as [1].

[1] Parental leave is sixteen weeks at full pay.
[2] The cafeteria opens at eight in the morning.

Question: How long is parental leave?"""

WEATHER = {
    "toolSpec": {
        "name": "get_weather",
        "description": "Get the weather forecast of a city",
        "inputSchema": {
            "json": {
                "type": "object",
                "properties": {
                    "city": {"type": "string"},
                    "days": {"type": "integer", "minimum": 1, "maximum": 7},
                    "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
                },
                "required": ["city", "days"],
            }
        },
    }
}


def user(*content: Any) -> dict[str, Any]:
    blocks = [{"text": one} if isinstance(one, str) else one for one in content]
    return {"role": "user", "content": blocks}


def assistant(*content: Any) -> dict[str, Any]:
    return {**user(*content), "role": "assistant"}


def converse(aws: LocalAws, model: str, *messages: Any, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = aws.client("bedrock-runtime").converse(
        modelId=model, messages=list(messages), **more
    )
    return answer


def stream(aws: LocalAws, model: str, *messages: Any, **more: Any) -> list[dict[str, Any]]:
    answer = aws.client("bedrock-runtime").converse_stream(
        modelId=model, messages=list(messages), **more
    )
    return list(answer["stream"])


def refusal(aws: LocalAws, model: str, *messages: Any, **more: Any) -> str:
    with pytest.raises(ClientError) as refused:
        converse(aws, model, *messages, **more)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    return str(refused.value.response["Error"]["Message"])


def text(answer: dict[str, Any]) -> str:
    return "".join(one.get("text", "") for one in answer["output"]["message"]["content"])


def streamed(events: list[dict[str, Any]]) -> str:
    return "".join(
        event["contentBlockDelta"]["delta"].get("text", "")
        for event in events
        if "contentBlockDelta" in event
    )


@pytest.fixture
def script(aws: LocalAws) -> Iterator[Callable[..., None]]:
    """A function that has the server answer by these rules, until the test ends."""
    file = aws.state / "script.yaml"

    def write(*rules: dict[str, Any]) -> None:
        file.write_text(yaml.safe_dump({"rules": list(rules)}))

    yield write
    file.unlink(missing_ok=True)


@pytest.mark.parametrize("model", FAMILIES)
def test_every_family_answers_from_the_passages_it_is_given(aws: LocalAws, model: str) -> None:
    answer = converse(aws, model, user(LEAVE))
    assert text(answer) == "Parental leave is sixteen weeks at full pay [1]."
    assert answer["stopReason"] == "end_turn"
    assert answer["metrics"]["latencyMs"] >= 0


@pytest.mark.parametrize("model", FAMILIES)
def test_a_stream_says_the_same_in_the_right_order(aws: LocalAws, model: str) -> None:
    events = stream(aws, model, user(LEAVE))
    assert streamed(events) == text(converse(aws, model, user(LEAVE)))
    kinds = [next(iter(event)) for event in events]
    deltas = kinds.count("contentBlockDelta")
    assert kinds == [
        "messageStart",
        *["contentBlockDelta"] * deltas,
        *("contentBlockStop", "messageStop", "metadata"),
    ]


def test_usage_counts_what_was_read_and_written(aws: LocalAws) -> None:
    answer = converse(aws, NOVA, user(LEAVE), system=[{"text": "Be brief."}])
    usage = answer["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]
    counted = aws.client("bedrock-runtime").count_tokens(
        modelId=NOVA,
        input={"converse": {"messages": [user(LEAVE)], "system": [{"text": "Be brief."}]}},
    )
    assert counted["inputTokens"] == usage["inputTokens"]
    events = stream(aws, NOVA, user(LEAVE), system=[{"text": "Be brief."}])
    assert events[-1]["metadata"]["usage"] == usage


def test_writing_ends_at_the_token_limit(aws: LocalAws, script: Callable[..., None]) -> None:
    script({"reply": "one two three four five six"})
    answer = converse(aws, CLAUDE, user("count"), inferenceConfig={"maxTokens": 3})
    assert text(answer) == "one two three"
    assert answer["stopReason"] == "max_tokens"
    assert answer["usage"]["outputTokens"] == 3


def test_writing_ends_before_a_stop_sequence_wherever_it_begins(
    aws: LocalAws, script: Callable[..., None]
) -> None:
    script({"reply": "one two three, four"})
    for stop, kept in [("three", "one two "), ("two th", "one "), ("e, f", "one two thre")]:
        more = {
            "inferenceConfig": {"stopSequences": ["absent", stop]},
            "additionalModelResponseFieldPaths": ["/stop_sequence"],
        }
        answer = converse(aws, CLAUDE, user("count"), **more)
        assert text(answer) == kept
        assert answer["stopReason"] == "stop_sequence"
        assert answer["additionalModelResponseFields"] == {"stop_sequence": stop}
        assert streamed(stream(aws, CLAUDE, user("count"), **more)) == kept


def test_rules_are_read_anew_when_the_file_changes(
    aws: LocalAws, script: Callable[..., None]
) -> None:
    script({"match": "(?i)hello", "model": "anthropic.*", "reply": "Good day."})
    assert text(converse(aws, CLAUDE, user("Hello?"))) == "Good day."
    assert text(converse(aws, NOVA, user("Hello?"))) != "Good day."
    script({"match": "(?i)hello", "reply": "Good night, everyone.", "stop_reason": "max_tokens"})
    answer = converse(aws, NOVA, user("Hello?"))
    assert (text(answer), answer["stopReason"]) == ("Good night, everyone.", "max_tokens")


def test_a_script_that_is_wrong_says_where(aws: LocalAws, script: Callable[..., None]) -> None:
    script({"reply": "x", "colour": "red"})
    with pytest.raises(ClientError, match="a rule has no colour"):
        converse(aws, CLAUDE, user("hello"))


@pytest.mark.parametrize("model", [CLAUDE, NOVA, MISTRAL])
@pytest.mark.parametrize("choice", [{"any": {}}, {"tool": {"name": "get_weather"}}])
def test_a_tool_that_must_be_used_is_used_with_what_its_schema_wants(
    aws: LocalAws, model: str, choice: dict[str, Any]
) -> None:
    config = {"tools": [WEATHER], "toolChoice": choice}
    asked = user("Will it rain in Ghent over the next 3 days?")
    answer = converse(aws, model, asked, toolConfig=config)
    (block,) = answer["output"]["message"]["content"]
    assert answer["stopReason"] == "tool_use"
    assert block["toolUse"]["name"] == "get_weather"
    assert block["toolUse"]["input"] == {"city": "Ghent", "days": 3}
    events = stream(aws, model, asked, toolConfig=config)
    given = "".join(
        event["contentBlockDelta"]["delta"]["toolUse"]["input"]
        for event in events
        if "contentBlockDelta" in event
    )
    assert json.loads(given) == {"city": "Ghent", "days": 3}
    assert events[1]["contentBlockStart"]["start"]["toolUse"]["name"] == "get_weather"
    assert events[-2]["messageStop"]["stopReason"] == "tool_use"


def test_a_tool_may_be_used_or_not(aws: LocalAws) -> None:
    config = {"tools": [WEATHER]}
    used = converse(aws, NOVA, user("What is the weather in Ghent?"), toolConfig=config)
    assert used["stopReason"] == "tool_use"
    assert converse(aws, NOVA, user(LEAVE), toolConfig=config)["stopReason"] == "end_turn"


def test_a_tool_s_result_is_answered_from(aws: LocalAws) -> None:
    asked = user("What is the weather in Ghent tomorrow?")
    use = {"toolUseId": "tooluse_1", "name": "get_weather", "input": {"city": "Ghent", "days": 1}}
    told = {"text": "Ghent tomorrow: light rain, 12 degrees."}
    result = user({"toolResult": {"toolUseId": "tooluse_1", "content": [told]}})
    answer = converse(
        aws, CLAUDE, asked, assistant({"toolUse": use}), result, toolConfig={"tools": [WEATHER]}
    )
    assert "12 degrees" in text(answer)
    assert answer["stopReason"] == "end_turn"


def test_a_scripted_tool_use_comes_once(aws: LocalAws, script: Callable[..., None]) -> None:
    script(
        {"match": "order", "tool_use": {"name": "get_weather", "input": {"city": "X", "days": 2}}},
        {"match": "order", "reply": "Done."},
    )
    config = {"tools": [WEATHER]}
    first = converse(aws, CLAUDE, user("my order"), toolConfig=config)["output"]["message"]
    used = first["content"][0]["toolUse"]
    assert used["input"] == {"city": "X", "days": 2}
    result = user({"toolResult": {"toolUseId": used["toolUseId"], "content": [{"text": "ok"}]}})
    assert (
        text(converse(aws, CLAUDE, user("my order"), first, result, toolConfig=config)) == "Done."
    )


USE = assistant({"toolUse": {"toolUseId": "a", "name": "get_weather", "input": {}}})
RESULT = user({"toolResult": {"toolUseId": "a", "content": [{"text": "x"}]}})


@pytest.mark.parametrize(
    ("messages", "told"),
    [
        ([assistant("hi")], "A conversation must start with a user message."),
        ([user("a"), user("b")], "A conversation must alternate between user and assistant roles."),
        (
            [user(" ")],
            "The text field in the ContentBlock object at messages.0.content.0 is blank.",
        ),
        (
            [{"role": "user", "content": []}],
            "The content field in the Message object at messages.0",
        ),
        ([user("a"), USE, user("b")], "Expected toolResult blocks at messages.2.content for the"),
        ([RESULT], "The number of toolResult blocks at messages.0.content exceeds the number of"),
        (
            [user("a"), USE, RESULT, assistant("b"), RESULT],
            "The number of toolResult blocks at messages.4.content exceeds",
        ),
    ],
)
def test_a_conversation_out_of_order_is_refused_in_aws_words(
    aws: LocalAws, messages: list[Any], told: str
) -> None:
    assert refusal(aws, CLAUDE, *messages, toolConfig={"tools": [WEATHER]}).startswith(told)


@pytest.mark.parametrize(
    ("model", "more", "told"),
    [
        ("mistral.mistral-7b-instruct-v0:2", {"system": [{"text": "x"}]}, "system messages"),
        ("mistral.mistral-7b-instruct-v0:2", {"toolConfig": {"tools": [WEATHER]}}, "tool use"),
        (LLAMA, {"toolConfig": {"tools": [WEATHER], "toolChoice": {"any": {}}}}, "toolChoice.any"),
        (CLAUDE, {"inferenceConfig": {"temperature": 0.5, "topP": 0.5}}, "Please use only one"),
        ("anthropic.claude-opus-5", {"inferenceConfig": {"temperature": 0}}, "is deprecated"),
        (CLAUDE, {"inferenceConfig": {"maxTokens": 64001}}, "exceeds the model limit of 64000"),
        (CLAUDE, {"inferenceConfig": {"temperature": 1.5}}, "less than or equal to 1"),
        ("amazon.titan-embed-text-v2:0", {}, "not supported by the model"),
        ("anthropic.claude-9", {}, "The provided model identifier is invalid."),
    ],
)
def test_what_a_model_does_not_take_is_refused(
    aws: LocalAws, model: str, more: dict[str, Any], told: str
) -> None:
    client = aws.client("bedrock-runtime", parameter_validation=False)
    with pytest.raises(ClientError) as refused:
        client.converse(modelId=model, messages=[user("hello")], **more)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert told in refused.value.response["Error"]["Message"]
    with pytest.raises(ClientError) as refused:  # before the stream begins, not in it
        client.converse_stream(modelId=model, messages=[user("hello")], **more)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_llama_uses_tools_only_when_it_does_not_stream(aws: LocalAws) -> None:
    asked = user("What is the weather in Ghent?")
    assert converse(aws, LLAMA, asked, toolConfig={"tools": [WEATHER]})["stopReason"] == "tool_use"
    with pytest.raises(ClientError, match="doesn't support tool use in streaming mode"):
        stream(aws, LLAMA, asked, toolConfig={"tools": [WEATHER]})


def test_an_image_is_read_by_models_that_see(aws: LocalAws) -> None:
    drawn = io.BytesIO()
    Image.new("RGB", (750, 100)).save(drawn, "png")
    image = {"image": {"format": "png", "source": {"bytes": drawn.getvalue()}}}
    blind = converse(aws, NOVA, user("What is this?"))["usage"]["inputTokens"]
    assert converse(aws, NOVA, user("What is this?", image))["usage"]["inputTokens"] == blind + 100
    assert "image content block" in refusal(aws, LLAMA, user("What is this?", image))
    broken = {"image": {"format": "png", "source": {"bytes": b"no image"}}}
    assert "Could not process image" in refusal(aws, NOVA, user("What is this?", broken))


def test_a_document_is_answered_from_and_cited(aws: LocalAws) -> None:
    handbook = b"Offices close at noon on Fridays.\nParental leave is sixteen weeks at full pay."
    document = {
        "format": "txt",
        "name": "Handbook",
        "source": {"bytes": handbook},
        "citations": {"enabled": True},
    }
    asked = user({"document": document}, "How long is parental leave?")
    (block,) = converse(aws, CLAUDE, asked)["output"]["message"]["content"]
    (citation,) = block["citationsContent"]["citations"]
    place = citation["location"]["documentChar"]
    assert (
        handbook[place["start"] : place["end"]].decode()
        == block["citationsContent"]["content"][0]["text"]
    )
    assert citation["title"] == "Handbook"
    events = stream(aws, CLAUDE, asked)
    deltas = [e["contentBlockDelta"]["delta"] for e in events if "contentBlockDelta" in e]
    assert {"citation": citation} in deltas


def test_a_search_result_is_answered_from(aws: LocalAws) -> None:
    result = {
        "source": "s3://b/handbook",
        "title": "Handbook",
        "content": [{"text": "Parental leave is sixteen weeks at full pay."}],
    }
    answer = converse(aws, NOVA, user({"searchResult": result}, "How long is parental leave?"))
    assert text(answer) == "Parental leave is sixteen weeks at full pay."


def test_an_answer_takes_the_form_of_a_schema(aws: LocalAws) -> None:
    schema = {
        "type": "object",
        "properties": {"answer": {"type": "string"}, "weeks": {"type": "integer", "minimum": 1}},
        "required": ["answer", "weeks"],
    }
    form = {"type": "json_schema", "structure": {"jsonSchema": {"schema": json.dumps(schema)}}}
    answer = converse(aws, CLAUDE, user(LEAVE), outputConfig={"textFormat": form})
    filled = json.loads(text(answer))
    assert filled["answer"] == "Parental leave is sixteen weeks at full pay [1]."
    assert filled["weeks"] >= 1


def test_what_no_passage_answers_is_not_answered(aws: LocalAws) -> None:
    asked = LEAVE.replace("How long is parental leave?", "Who discovered penicillin?")
    assert text(converse(aws, CLAUDE, user(asked))) == (
        "None of the passages given answers the question."
    )
    told = asked + '\n\nIf nothing answers, reply with "NO ANSWER".'
    assert text(converse(aws, CLAUDE, user(told))) == "NO ANSWER"


def test_a_client_that_leaves_stops_the_writing(aws: LocalAws, script: Callable[..., None]) -> None:
    script({"reply": "word " * 500, "pause": 0.02})
    aws.forget_calls()
    answer = aws.client("bedrock-runtime").converse_stream(modelId=NOVA, messages=[user("talk")])
    next(iter(answer["stream"]))
    answer["stream"].close()
    deadline = time.monotonic() + 5  # the whole would take ten seconds
    while not aws.calls("ConverseStream") and time.monotonic() < deadline:
        time.sleep(0.02)
    assert aws.calls("ConverseStream", "disconnected") == 1


def test_the_small_model_writes_the_same_at_temperature_0(
    aws: LocalAws, script: Callable[..., None]
) -> None:
    script({"match": "fairy tale", "generator": "model"})
    asked = user("Tell me a fairy tale.")
    config = {"maxTokens": 8, "temperature": 0}
    first = converse(aws, LLAMA, asked, inferenceConfig=config)
    assert (first["stopReason"], first["usage"]["outputTokens"]) == ("max_tokens", 8)
    assert len(text(first).split()) >= 4
    events = stream(aws, LLAMA, asked, inferenceConfig=config)
    assert streamed(events) == text(first)
    assert sum("contentBlockDelta" in event for event in events) > 2
