"""One contract for every chat model: changing the URI is all it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
import yaml

from rag.answer import Draft, answerer, drafted
from rag.config import Aws
from rag.cost import metered
from rag.errors import ConfigError, ServiceFailed
from rag.retrieve.pack import Passage
from tests.answer.test_ground import CANTEEN, LEAVE
from tests.masked import masked
from tests.services.localaws import LocalAws

URIS = [
    "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "bedrock/anthropic.claude-3-haiku-20240307-v1:0",
    "bedrock/amazon.nova-lite-v1:0",
    "bedrock/meta.llama3-1-70b-instruct-v1:0",
    "bedrock/mistral.mistral-7b-instruct-v0:2",
    "bedrock/mistral.mistral-large-2407-v1:0",
    "sagemaker/llm-support",
]
AWS = Aws(region="us-east-1", deadline_seconds=30)
PASSAGES = [CANTEEN, LEAVE]
Say = Callable[..., None]


QUESTION = masked("How much vacation is there?")


def answer(uri: str, question: str, passages: Sequence[Passage] = PASSAGES) -> Draft:
    return drafted(answerer(uri, aws=AWS, mask=masked).sentences(masked(question), passages, 0.6))


@pytest.fixture
def say(aws: LocalAws) -> Iterator[Say]:
    """Have the models reply with these words to questions that hold those."""
    script = aws.state / "script.yaml"

    def write(match: str, reply: str, **how: float) -> None:
        script.write_text(yaml.safe_dump({"rules": [{"match": match, "reply": reply, **how}]}))

    yield write
    script.unlink(missing_ok=True)


@pytest.mark.parametrize("uri", URIS)
def test_a_question_is_answered_with_a_citation_and_metered(uri: str, aws: LocalAws) -> None:
    with metered() as meter:
        draft = answer(uri, "How many days of paid vacation are employees entitled to?")
    assert not draft.abstained
    assert "25 days" in draft.text
    assert "[1]" in draft.text
    assert draft.citations[0].chunk == "c1"
    assert draft.citations[0].quote in LEAVE.hit.chunk.text
    spent = meter.total()
    assert spent.calls == 1
    assert spent.input_tokens > 100
    assert spent.output_tokens > 5
    assert (spent.usd is None) == uri.startswith("sagemaker/")


@pytest.mark.parametrize("uri", URIS)
def test_what_no_passage_answers_is_not_answered(uri: str, aws: LocalAws) -> None:
    draft = answer(uri, "Who painted the Mona Lisa?")
    assert draft.abstained
    assert draft.citations == ()
    assert draft.text.startswith("No passage that you may read answers: Who painted")


@pytest.mark.parametrize("uri", URIS)
def test_a_sentence_that_its_passage_does_not_support_is_dropped(uri: str, say: Say) -> None:
    say(
        "vacation",
        "Staff get 25 paid vacation days each year [2]. After ten years they get 45 days [2]. "
        "Guests pay 9.80 euros for lunch [2]. The moon is made of cheese [5].",
    )
    draft = answer(uri, "How much vacation is there?")
    assert draft.text == "Staff get 25 paid vacation days each year [1]."
    assert len(draft.citations) == 1


@pytest.mark.parametrize("uri", URIS)
def test_an_invention_is_an_abstention(uri: str, say: Say) -> None:
    say("vacation", "Everybody gets 99 days of vacation and a car [1][2].")
    draft = answer(uri, "How much vacation is there?")
    assert draft.abstained


def test_without_passages_no_model_is_asked(aws: LocalAws) -> None:
    aws.forget_calls()
    draft = answer(URIS[0], "How much vacation is there?", [])
    assert draft.abstained
    assert draft.text == "Nothing that you may read was found for: How much vacation is there?"
    assert aws.calls() == 0


def test_a_throttled_model_is_asked_again(aws: LocalAws) -> None:
    with aws.faults({"fault": "throttle", "count": 2, "operation": "ConverseStream"}):
        draft = answer(URIS[0], "How many days of paid vacation are employees entitled to?")
    assert not draft.abstained


def test_a_model_that_is_down_fails_for_now(aws: LocalAws) -> None:
    soon = Aws(region="us-east-1", deadline_seconds=0.5)
    with (
        aws.faults({"fault": "status", "status": 503}),
        pytest.raises(ServiceFailed, match="nova-lite"),
    ):
        drafted(answerer(URIS[2], aws=soon, mask=masked).sentences(QUESTION, PASSAGES, 0.6))


def test_there_is_no_such_model() -> None:
    with pytest.raises(ConfigError) as raised:
        answerer("openai/gpt")
    assert "bedrock/MODEL_ID" in raised.value.hint
