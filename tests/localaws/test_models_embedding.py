"""Embedding models: real meanings in the bodies of Titan and Cohere."""

from __future__ import annotations

import json
from typing import Any

import numpy
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localaws.models import embedding
from localaws.models.catalogue import MODELS
from tests.services.localaws import LocalAws

TITAN = "amazon.titan-embed-text-v2:0"
COHERE = "cohere.embed-english-v3"
DOG, HOUND, TAX = (
    "My dog sleeps in the garden.",
    "The hound naps outside on the lawn.",
    "Income tax is due at the end of April.",
)


def invoke(aws: LocalAws, model: str, **body: Any) -> tuple[dict[str, Any], dict[str, str]]:
    answer = aws.client("bedrock-runtime").invoke_model(modelId=model, body=json.dumps(body))
    return json.loads(answer["body"].read()), answer["ResponseMetadata"]["HTTPHeaders"]


def refusal(aws: LocalAws, model: str, **body: Any) -> str:
    with pytest.raises(ClientError) as refused:
        invoke(aws, model, **body)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    return str(refused.value.response["Error"]["Message"])


def cosine(one: Any, other: Any) -> float:
    one, other = numpy.array(one), numpy.array(other)
    return float(one @ other / numpy.linalg.norm(one) / numpy.linalg.norm(other))


@pytest.mark.parametrize("dimensions", [256, 512, 1024])
def test_titan_puts_like_meanings_near_each_other(aws: LocalAws, dimensions: int) -> None:
    dog, hound, tax = (
        invoke(aws, TITAN, inputText=text, dimensions=dimensions)[0]["embedding"]
        for text in (DOG, HOUND, TAX)
    )
    assert len(dog) == dimensions
    assert numpy.linalg.norm(dog) == pytest.approx(1, abs=1e-5)
    assert cosine(dog, hound) > cosine(dog, tax) + 0.2


def test_titan_counts_tokens_in_body_and_header(aws: LocalAws) -> None:
    body, headers = invoke(aws, TITAN, inputText=DOG)
    assert body["inputTextTokenCount"] == embedding.count([DOG])[0] == 7
    assert headers["x-amzn-bedrock-input-token-count"] == "7"
    assert int(headers["x-amzn-bedrock-invocation-latency"]) > 0


def test_titan_gives_the_types_that_are_asked_for(aws: LocalAws) -> None:
    body, _ = invoke(aws, TITAN, inputText=DOG, embeddingTypes=["float", "binary"])
    assert body["embedding"] == body["embeddingsByType"]["float"]
    signs = [int(value > 0) for value in body["embedding"]]
    assert body["embeddingsByType"]["binary"] == signs
    alone, _ = invoke(aws, TITAN, inputText=DOG, embeddingTypes=["binary"])
    assert "embedding" not in alone


def test_titan_normalises_unless_told_not_to(aws: LocalAws) -> None:
    body, _ = invoke(aws, TITAN, inputText=DOG, normalize=False)
    unit, _ = invoke(aws, TITAN, inputText=DOG)
    assert numpy.linalg.norm(body["embedding"]) > 1.5
    assert cosine(body["embedding"], unit["embedding"]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "#: required key [inputText] not found"),
        ({"inputText": ""}, "#/inputText: expected minLength: 1, actual: 0"),
        ({"inputText": 3}, "#/inputText: expected type: String, found: Integer"),
        ({"inputText": "x", "texts": []}, "#: extraneous key [texts] is not permitted"),
        ({"inputText": "x", "dimensions": 100}, "#/dimensions: 100 is not a valid enum value"),
        ({"inputText": "x" * 50_001}, "expected maxLength: 50000, actual: 50001"),
    ],
)
def test_titan_says_what_is_wrong_with_a_body(
    aws: LocalAws, body: dict[str, Any], told: str
) -> None:
    message = refusal(aws, TITAN, **body)
    assert message.startswith("Malformed input request: ")
    assert message.endswith(", please reformat your input and try again.")
    assert told in message


def test_titan_reads_8192_tokens_and_no_more(aws: LocalAws) -> None:
    assert invoke(aws, TITAN, inputText="dog " * 8192)[0]["inputTextTokenCount"] == 8192
    assert "Max input tokens: 8192, request input token count: 8193" in refusal(
        aws, TITAN, inputText="dog " * 8193
    )


def test_the_end_of_a_long_text_counts() -> None:
    filler = "The minutes of the meeting were read. " * 120
    plain, ended = embedding.embed(TITAN, [filler, filler + "Wombats dig burrows. " * 100])
    wombats = embedding.embed(TITAN, ["Wombats dig burrows."])[0]
    assert ended @ wombats > plain @ wombats + 0.2


def test_cohere_embeds_up_to_96_texts(aws: LocalAws) -> None:
    texts = [f"Text number {number}" for number in range(96)]
    body, headers = invoke(aws, COHERE, texts=texts, input_type="search_document")
    assert body["response_type"] == "embeddings_floats"
    assert numpy.array(body["embeddings"]).shape == (96, 1024)
    assert headers["x-amzn-bedrock-input-token-count"] == str(sum(embedding.count(texts)))
    assert "#/texts: expected maximum item count: 96, found: 97" in refusal(
        aws, COHERE, texts=[*texts, "x"], input_type="search_document"
    )


def test_cohere_wants_to_know_what_its_texts_are_for(aws: LocalAws) -> None:
    assert "required key [input_type] not found" in refusal(aws, COHERE, texts=["x"])
    assert "expected maxLength: 2048, actual: 2049" in refusal(
        aws, COHERE, texts=["x" * 2049], input_type="search_query"
    )


def test_cohere_v4_quantises_as_asked(aws: LocalAws) -> None:
    kinds = ["float", "int8", "uint8", "binary", "ubinary"]
    body, _ = invoke(
        aws,
        "us.cohere.embed-v4:0",
        texts=[DOG],
        input_type="search_document",
        output_dimension=256,
        embedding_types=kinds,
    )
    found = {kind: rows[0] for kind, rows in body["embeddings"].items()}
    assert {kind: len(row) for kind, row in found.items()} == {
        **dict.fromkeys(("float", "int8", "uint8"), 256),
        **dict.fromkeys(("binary", "ubinary"), 32),
    }
    assert cosine(found["float"], found["int8"]) > 0.99
    assert numpy.unpackbits(numpy.array(found["ubinary"], numpy.uint8)).tolist() == [
        int(value > 0) for value in found["float"]
    ]


def test_vectors_of_two_models_do_not_compare() -> None:
    for model in ("cohere.embed-english-v3", "cohere.embed-multilingual-v3"):
        theirs = embedding.embed(model, [DOG], 1024)[0]
        assert abs(embedding.embed(TITAN, [DOG], 1024)[0] @ theirs) < 0.3


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    texts=st.lists(st.text(min_size=1, max_size=60), min_size=2, max_size=3),
    model=st.sampled_from([TITAN, COHERE, "cohere.embed-v4:0"]),
)
def test_more_dimensions_keep_every_cosine(texts: list[str], model: str) -> None:
    own = embedding.meanings(texts)
    wide = embedding.embed(model, texts, MODELS[model].dimensions[0])
    assert numpy.allclose(wide @ wide.T, own @ own.T, atol=1e-4)
