"""A chat model's answer while it is written: in time, within its price, and stopped when left."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
import yaml

from rag.answer import Answerer, answerer
from rag.answer.chat import Checks
from rag.budget import Budget
from rag.config import Aws
from rag.cost import metered, price
from rag.errors import ServiceFailed
from rag.models.chat import NotAffordable, affordable, generate_stream
from tests.answer.test_chat_contract import AWS, PASSAGES, QUESTION, Say, say
from tests.masked import masked
from tests.services.localaws import LocalAws

__all__ = ["say"]

NOVA = "bedrock/amazon.nova-lite-v1:0"
ENDPOINT = "sagemaker/llm-support"
FIRST = "Staff get 25 paid vacation days each year [1]."
SAID = "Staff get 25 paid vacation days each year [2]."
NEXT = "The line manager approves vacation requests"
LONG = f"{SAID} {NEXT} [2]. {'More ' * 400}"


def asked(uri: str, aws: Aws = AWS) -> Answerer:
    return answerer(uri, aws=aws, mask=masked)


def streams(aws: LocalAws) -> dict[str, int]:
    """Streamed calls by how they ended."""
    return {
        one["status"]: one["count"] for one in aws.call_counts() if "Stream" in one["operation"]
    }


def until(aws: LocalAws, status: str, count: int = 1) -> bool:
    """Whether so many streamed calls end so, soon: the server counts one after its last byte."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if streams(aws).get(status, 0) >= count:
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def counted(aws: LocalAws) -> Iterator[LocalAws]:
    aws.forget_calls()
    yield aws
    aws.forget_calls()


@pytest.mark.parametrize("uri", [NOVA, ENDPOINT])
def test_the_first_sentence_is_out_before_the_rest_is_written_and_closing_stops_the_model(
    uri: str, counted: LocalAws, say: Say
) -> None:
    say("vacation", LONG, pause=0.02)
    with metered() as meter:
        sentences = asked(uri).sentences(QUESTION, PASSAGES, 0.6)
        assert next(sentences).text == FIRST
        assert streams(counted) == {}, "the model still writes"
        sentences.close()
    assert until(counted, "disconnected"), "the server sees that the connection has ended"
    spent = meter.total()
    assert spent.calls == 1
    assert spent.input_tokens > 100
    assert 0 < spent.output_tokens < 400


@pytest.mark.parametrize("uri", [NOVA, ENDPOINT])
def test_no_answer_outlives_the_budgets_time(uri: str, counted: LocalAws, say: Say) -> None:
    say("vacation", LONG, pause=0.05)
    said: list[str] = []
    began = time.monotonic()
    with Budget(seconds=2.5).running(), pytest.raises(ServiceFailed):
        said.extend(sentence.text for sentence in asked(uri).sentences(QUESTION, PASSAGES, 0.6))
    assert time.monotonic() - began < 10, "it would take 20 seconds to the end"
    assert said[:1] == [FIRST]
    assert until(counted, "disconnected")


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "reset_mid_stream", "after": 20},
        {"fault": "error_mid_stream", "after": 20, "code": "ModelStreamErrorException"},
        {"fault": "malformed", "how": "json"},
    ],
)
def test_a_stream_that_breaks_off_is_a_failure(
    fault: dict[str, object], aws: LocalAws, say: Say
) -> None:
    say("vacation", LONG)
    soon = Aws(region="us-east-1", deadline_seconds=1.0)
    broken = {**fault, "operation": "ConverseStream"}
    with aws.faults(broken), pytest.raises(ServiceFailed, match="nova-lite"):
        list(generate_stream(NOVA, soon, 100, masked("Be brief."), QUESTION))


def test_what_fails_before_the_first_word_is_tried_again(aws: LocalAws, say: Say) -> None:
    say("vacation", SAID)
    broken = {"fault": "error_mid_stream", "after": 0, "code": "InternalServerException"}
    with aws.faults({**broken, "count": 2, "operation": "ConverseStream"}):
        pieces = generate_stream(NOVA, AWS, 100, masked("Be brief."), QUESTION)
        assert "".join(pieces) == SAID


@pytest.mark.parametrize("usd", [0.00002, 0.00004, 0.0001])
def test_no_call_costs_more_than_is_left(usd: float, aws: LocalAws, say: Say) -> None:
    say("vacation", LONG)
    with Budget(usd=usd).running() as limits:
        with suppress(NotAffordable):
            list(generate_stream(NOVA, AWS, 512, masked("Be brief."), QUESTION))
        spent = limits.meter.total().usd
    assert spent is not None
    assert spent <= usd


def test_fewer_tokens_are_asked_for_where_the_budget_pays_for_fewer(
    aws: LocalAws, say: Say
) -> None:
    say("vacation", LONG)
    nova = price("amazon.nova-lite-v1:0")
    assert nova is not None
    with Budget(usd=nova.output * 0.06).running(), metered() as meter:
        list(generate_stream(NOVA, AWS, 512, masked("Be brief."), QUESTION))
    assert 16 <= meter.total().output_tokens < 60
    with Budget(usd=1.0).running():
        assert affordable(NOVA, 512, QUESTION)[0] == 512


def test_a_model_of_unknown_price_is_not_called_within_a_price(counted: LocalAws) -> None:
    with Budget(usd=1.0).running(), pytest.raises(NotAffordable, match="No price is known"):
        list(asked(ENDPOINT).sentences(QUESTION, PASSAGES, 0.6))
    assert counted.calls() == 0


def test_a_refused_answer_shows_nothing_before_it_is_whole(aws: LocalAws, say: Say) -> None:
    say("vacation", f"{SAID} Everybody gets a company car [2].")
    by = answerer(NOVA, aws=AWS, mask=masked, checks=Checks(unsupported="refuse"))
    assert list(by.sentences(QUESTION, PASSAGES, 0.6)) == []


def test_the_self_check_drops_what_the_model_itself_does_not_find_in_its_quotes(
    counted: LocalAws,
) -> None:
    script = counted.state / "script.yaml"
    rules = [
        {"match": "1\\. Sentence", "reply": "1: no\n2: yes"},
        {"match": "vacation", "reply": f"{SAID} {NEXT} [2]."},
    ]
    script.write_text(yaml.safe_dump({"rules": rules}))
    try:
        by = answerer(NOVA, aws=AWS, mask=masked, checks=Checks(self_check=True))
        said = [one.text for one in by.sentences(QUESTION, PASSAGES, 0.6)]
    finally:
        script.unlink()
    assert said == [f"{NEXT} [1]."]
    assert until(counted, "200", 2)
    assert streams(counted) == {"200": 2}
