"""A guardrail around a model: in Converse, its stream, and InvokeModel."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from tests.services.localaws import LocalAws

NOVA = "amazon.nova-lite-v1:0"
HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
NO_QUESTION, NO_ANSWER = "I cannot take this question.", "I cannot give this answer."


def ready(aws: LocalAws, **settings: Any) -> str:
    """Make a guardrail; return its id when it is ready."""
    bedrock = aws.client("bedrock")
    made: str = bedrock.create_guardrail(
        blockedInputMessaging=NO_QUESTION, blockedOutputsMessaging=NO_ANSWER, **settings
    )["guardrailId"]
    while bedrock.get_guardrail(guardrailIdentifier=made)["status"] != "READY":
        time.sleep(0.02)
    return made


@pytest.fixture(scope="module")
def guardrail(localaws: LocalAws) -> Iterator[str]:
    """Blocks the word zanzibar, masks e-mail addresses."""
    made = ready(
        localaws,
        name="around-models",
        wordPolicyConfig={"wordsConfig": [{"text": "zanzibar"}]},
        sensitiveInformationPolicyConfig={
            "piiEntitiesConfig": [{"type": "EMAIL", "action": "ANONYMIZE"}]
        },
    )
    yield made
    localaws.client("bedrock").delete_guardrail(guardrailIdentifier=made)


@pytest.fixture
def script(aws: LocalAws) -> Iterator[Callable[..., None]]:
    """A function that has the server answer by these rules, until the test ends."""
    file = aws.state / "script.yaml"

    def write(*rules: dict[str, Any]) -> None:
        file.write_text(yaml.safe_dump({"rules": list(rules)}))

    yield write
    file.unlink(missing_ok=True)


def config(guardrail: str, **more: Any) -> dict[str, Any]:
    return {
        "guardrailIdentifier": guardrail,
        "guardrailVersion": "DRAFT",
        "trace": "enabled",
        **more,
    }


def converse(aws: LocalAws, guardrail: str, *content: Any, **more: Any) -> dict[str, Any]:
    blocks = [{"text": one} if isinstance(one, str) else one for one in content]
    answer: dict[str, Any] = aws.client("bedrock-runtime").converse(
        modelId=NOVA,
        messages=[{"role": "user", "content": blocks}],
        guardrailConfig=config(guardrail),
        **more,
    )
    return answer


def stream(aws: LocalAws, guardrail: str, text: str, mode: str) -> list[dict[str, Any]]:
    answer = aws.client("bedrock-runtime").converse_stream(
        modelId=NOVA,
        messages=[{"role": "user", "content": [{"text": text}]}],
        guardrailConfig=config(guardrail, streamProcessingMode=mode),
    )
    return list(answer["stream"])


def said(answer: dict[str, Any]) -> str:
    return "".join(block["text"] for block in answer["output"]["message"]["content"])


def streamed(events: list[dict[str, Any]]) -> str:
    return "".join(
        event["contentBlockDelta"]["delta"]["text"]
        for event in events
        if "contentBlockDelta" in event
    )


def test_a_blocked_question_never_reaches_the_model(
    aws: LocalAws, guardrail: str, script: Callable[..., None]
) -> None:
    script({"reply": "the model spoke"})
    answer = converse(aws, guardrail, "Shall we go to Zanzibar?")
    assert (said(answer), answer["stopReason"]) == (NO_QUESTION, "guardrail_intervened")
    assert answer["usage"]["totalTokens"] == 0
    trace = answer["trace"]["guardrail"]
    words = trace["inputAssessment"][guardrail]["wordPolicy"]["customWords"]
    assert [(one["match"].lower(), one["action"]) for one in words] == [("zanzibar", "BLOCKED")]
    assert "outputAssessments" not in trace


def test_a_blocked_answer_is_replaced(
    aws: LocalAws, guardrail: str, script: Callable[..., None]
) -> None:
    script({"reply": "Go to Zanzibar."})
    answer = converse(aws, guardrail, "Where shall we go?")
    assert (said(answer), answer["stopReason"]) == (NO_ANSWER, "guardrail_intervened")
    assert answer["usage"]["outputTokens"] > 0
    (found,) = answer["trace"]["guardrail"]["outputAssessments"][guardrail]
    assert found["wordPolicy"]["customWords"][0]["action"] == "BLOCKED"
    assert answer["trace"]["guardrail"]["modelOutput"] == ["Go to Zanzibar."]


def test_what_is_masked_on_the_way_in_the_model_does_not_see(
    aws: LocalAws, guardrail: str, script: Callable[..., None]
) -> None:
    script({"match": "ada@example.com", "reply": "seen"}, {"match": "EMAIL", "reply": "hidden"})
    answer = converse(aws, guardrail, "Write to ada@example.com, please.")
    assert (said(answer), answer["stopReason"]) == ("hidden", "end_turn")


def test_what_is_masked_on_the_way_out_the_caller_does_not_see(
    aws: LocalAws, guardrail: str, script: Callable[..., None]
) -> None:
    script({"reply": "Write to ada@example.com today."})
    assert said(converse(aws, guardrail, "To whom?")) == "Write to {EMAIL} today."
    assert streamed(stream(aws, guardrail, "To whom?", "sync")) == "Write to {EMAIL} today."


def test_guarded_blocks_alone_are_read(
    aws: LocalAws, guardrail: str, script: Callable[..., None]
) -> None:
    script({"reply": "Fine."})
    guarded = {"guardContent": {"text": {"text": "Where shall we go?"}}}
    answer = converse(aws, guardrail, "Not Zanzibar.", guarded)
    assert answer["stopReason"] == "end_turn"
    guarded = {"guardContent": {"text": {"text": "Zanzibar?"}}}
    assert converse(aws, guardrail, "Hello.", guarded)["stopReason"] == "guardrail_intervened"


def test_an_answer_is_judged_by_the_sources_that_come_with_the_question(
    aws: LocalAws, script: Callable[..., None]
) -> None:
    filters = [{"type": "GROUNDING", "threshold": 0.6}]
    made = ready(aws, name="grounded", contextualGroundingPolicyConfig={"filtersConfig": filters})
    source = "Parental leave is sixteen weeks at full pay."
    evidence = [
        {"guardContent": {"text": {"text": source, "qualifiers": ["grounding_source"]}}},
        {"guardContent": {"text": {"text": "How long is leave?", "qualifiers": ["query"]}}},
    ]
    script({"reply": source})
    assert said(converse(aws, made, *evidence)) == source
    script({"reply": "The moon is made of green cheese and smells."})
    answer = converse(aws, made, *evidence)
    assert said(answer) == NO_ANSWER
    (found,) = answer["trace"]["guardrail"]["outputAssessments"][made]
    assert found["contextualGroundingPolicy"]["filters"][0]["action"] == "BLOCKED"
    assert converse(aws, made, "Cheese?")["stopReason"] == "end_turn"
    aws.client("bedrock").delete_guardrail(guardrailIdentifier=made)


def test_a_synchronous_stream_holds_back_what_is_blocked(
    aws: LocalAws, guardrail: str, script: Callable[..., None]
) -> None:
    script({"reply": "Go to Zanzibar."})
    events = stream(aws, guardrail, "Where shall we go?", "sync")
    assert streamed(events) == NO_ANSWER
    assert events[-2]["messageStop"]["stopReason"] == "guardrail_intervened"
    assert guardrail in events[-1]["metadata"]["trace"]["guardrail"]["outputAssessments"]


def test_an_asynchronous_stream_ends_where_it_is_blocked(
    aws: LocalAws, guardrail: str, script: Callable[..., None]
) -> None:
    script({"reply": "Go to Zanzibar." + " And on we go." * 200})
    events = stream(aws, guardrail, "Where shall we go?", "async")
    assert streamed(events).startswith("Go to Zanzibar.")
    assert streamed(events).endswith(NO_ANSWER)
    assert len(streamed(events)) < 1500
    assert events[-2]["messageStop"]["stopReason"] == "guardrail_intervened"


def test_a_blocked_question_is_refused_in_a_stream(aws: LocalAws, guardrail: str) -> None:
    events = stream(aws, guardrail, "Zanzibar?", "sync")
    assert [next(iter(event)) for event in events] == [
        *("messageStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata")
    ]
    assert streamed(events) == NO_QUESTION


def test_a_guardrail_that_is_not_there_is_refused(aws: LocalAws) -> None:
    with pytest.raises(ClientError) as refused:
        converse(aws, "nosuchthing0", "Hello?")
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def invoke(aws: LocalAws, guardrail: str, text: str, **more: Any) -> dict[str, Any]:
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 50,
        "messages": [{"role": "user", "content": text}],
        **more,
    }
    answer = aws.client("bedrock-runtime").invoke_model(
        modelId=HAIKU,
        body=json.dumps(body),
        guardrailIdentifier=guardrail,
        guardrailVersion="DRAFT",
        trace="ENABLED",
    )
    found: dict[str, Any] = json.loads(answer["body"].read())
    return found


def test_native_bodies_say_what_the_guardrail_did(
    aws: LocalAws, guardrail: str, script: Callable[..., None]
) -> None:
    script({"reply": "Fine."})
    passed = invoke(aws, guardrail, "Where?")
    assert passed["content"] == [{"type": "text", "text": "Fine."}]
    assert passed["amazon-bedrock-guardrailAction"] == "NONE"
    blocked = invoke(aws, guardrail, "Zanzibar?")
    assert blocked["content"] == [{"type": "text", "text": NO_QUESTION}]
    assert blocked["amazon-bedrock-guardrailAction"] == "INTERVENED"
    assert guardrail in blocked["amazon-bedrock-trace"]["guardrail"]["input"]


def test_tags_in_native_bodies_say_what_is_guarded(
    aws: LocalAws, guardrail: str, script: Callable[..., None]
) -> None:
    script({"reply": "Fine."})
    tag = "amazon-bedrock-guardrails-guardContent_x1"
    setting = {"amazon-bedrock-guardrailConfig": {"tagSuffix": "x1"}}
    outside = invoke(aws, guardrail, f"Not Zanzibar. <{tag}>Where?</{tag}>", **setting)
    assert outside["amazon-bedrock-guardrailAction"] == "NONE"
    inside = invoke(aws, guardrail, f"Hello. <{tag}>Zanzibar?</{tag}>", **setting)
    assert inside["amazon-bedrock-guardrailAction"] == "INTERVENED"
