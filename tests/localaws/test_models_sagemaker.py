"""SageMaker's runtime: endpoints by name, in their containers' bodies."""

from __future__ import annotations

import json
from typing import Any

import numpy
import pytest
from botocore.exceptions import ClientError

from tests.services.localaws import LocalAws

ASKED = """Cite passages as [1].

[1] Parental leave is sixteen weeks at full pay.

Question: How long is parental leave?"""
ANSWER = "Parental leave is sixteen weeks at full pay [1]."


def invoke(aws: LocalAws, endpoint: str, body: Any) -> Any:
    answer = aws.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, ContentType="application/json", Body=json.dumps(body)
    )
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    return json.loads(answer["Body"].read())


def stream(aws: LocalAws, endpoint: str, body: Any) -> list[str]:
    answer = aws.client("sagemaker-runtime").invoke_endpoint_with_response_stream(
        EndpointName=endpoint, ContentType="application/json", Body=json.dumps(body)
    )
    received = b"".join(event["PayloadPart"]["Bytes"] for event in answer["Body"])
    return [line.removeprefix("data:").strip() for line in received.decode().split("\n\n") if line]


def test_an_embedding_endpoint_embeds_as_text_embeddings_inference(aws: LocalAws) -> None:
    texts = ["A dog sleeps.", "A hound naps.", "Income tax is due."]
    rows = numpy.array(invoke(aws, "tei-minilm", {"inputs": texts, "truncate": True}))
    assert rows.shape == (3, 384)
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.2
    (alone,) = invoke(aws, "embedder", {"inputs": texts[0]})
    assert numpy.array(alone) @ rows[0] > 0.99


def test_a_reranking_endpoint_ranks(aws: LocalAws) -> None:
    texts = ["The cafeteria opens at eight.", "Parental leave is sixteen weeks."]
    body = {"query": "How long is parental leave?", "texts": texts, "return_text": True}
    best, worst = invoke(aws, "rerank-large", body)
    assert (best["index"], best["text"], worst["index"]) == (1, texts[1], 0)
    assert best["score"] > worst["score"]


def test_a_generating_endpoint_takes_inputs_and_chats(aws: LocalAws) -> None:
    made = invoke(aws, "llm", {"inputs": ASKED, "parameters": {"max_new_tokens": 50}})
    assert made == [{"generated_text": ANSWER}]
    short = {"max_new_tokens": 3, "details": True}
    (cut,) = invoke(aws, "llm", {"inputs": ASKED, "parameters": short})
    assert cut["generated_text"] == "Parental leave is"
    assert cut["details"] == {"finish_reason": "length", "generated_tokens": 3}
    chat = invoke(aws, "llm", {"messages": [{"role": "user", "content": ASKED}]})
    assert chat["choices"][0]["message"]["content"] == ANSWER
    assert chat["choices"][0]["finish_reason"] == "stop"
    assert chat["usage"]["completion_tokens"] == 12


def test_a_generating_endpoint_streams_server_sent_events(aws: LocalAws) -> None:
    events = [json.loads(line) for line in stream(aws, "llm", {"inputs": ASKED, "stream": True})]
    assert "".join(event["token"]["text"] for event in events) == ANSWER
    assert events[-1]["generated_text"] == ANSWER
    assert all(event["generated_text"] is None for event in events[:-1])
    lines = stream(aws, "llm", {"messages": [{"role": "user", "content": ASKED}], "stream": True})
    assert lines[-1] == "[DONE]"
    deltas = [json.loads(line)["choices"][0]["delta"]["content"] for line in lines[:-1]]
    assert "".join(deltas) == ANSWER


def test_an_endpoint_that_is_not_there_is_not_found(aws: LocalAws) -> None:
    with pytest.raises(ClientError) as refused:
        invoke(aws, "pictures", {"inputs": "x"})
    assert refused.value.response["Error"] == {
        "Code": "ValidationError",
        "Message": "Endpoint pictures of account 123456789012 not found.",
    }


@pytest.mark.parametrize(
    ("endpoint", "body", "status"),
    [
        ("tei", {}, 424),
        ("rerank", {"query": "x"}, 424),
        ("llm", {"inputs": 3}, 424),
        ("llm", [], 400),
        ("tei", {"inputs": ["x"] * 33}, 413),
    ],
)
def test_a_body_that_the_container_refuses_is_a_model_error(
    aws: LocalAws, endpoint: str, body: Any, status: int
) -> None:
    with pytest.raises(ClientError) as refused:
        invoke(aws, endpoint, body)
    response = refused.value.response
    assert response["Error"]["Code"] == "ModelError"
    assert response["OriginalStatusCode"] == status
    assert "Received " in response["Error"]["Message"]
    assert endpoint in response["LogStreamArn"]
