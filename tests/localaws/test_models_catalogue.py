"""Which models there are, by all their names; reranking by ARN."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from localaws.models.rerank import rank
from tests.services.localaws import LocalAws

ARN = "arn:aws:bedrock:us-east-1"
HELLO = [{"role": "user", "content": [{"text": "hello"}]}]


def test_models_are_listed_and_described(aws: LocalAws) -> None:
    bedrock = aws.client("bedrock")
    listed = bedrock.list_foundation_models(byProvider="Amazon", byOutputModality="EMBEDDING")
    assert {one["modelId"] for one in listed["modelSummaries"]} == {
        "amazon.titan-embed-text-v1",
        "amazon.titan-embed-text-v2:0",
    }
    for one in bedrock.list_foundation_models()["modelSummaries"]:
        details = bedrock.get_foundation_model(modelIdentifier=one["modelId"])["modelDetails"]
        assert details == one
    with pytest.raises(ClientError, match="The provided model identifier is invalid"):
        bedrock.get_foundation_model(modelIdentifier="amazon.nothing-v1:0")


def test_inference_profiles_are_paged(aws: LocalAws) -> None:
    bedrock = aws.client("bedrock")
    pages = bedrock.get_paginator("list_inference_profiles").paginate(
        typeEquals="SYSTEM_DEFINED", PaginationConfig={"PageSize": 40}
    )
    names = [
        one["inferenceProfileId"] for page in pages for one in page["inferenceProfileSummaries"]
    ]
    assert len(names) == len(set(names)) > 80
    assert "global.anthropic.claude-sonnet-4-5-20250929-v1:0" in names
    found = bedrock.get_inference_profile(inferenceProfileIdentifier=names[0])
    assert names[0].endswith(found["models"][0]["modelArn"].rpartition("/")[2])


@pytest.mark.parametrize(
    "name",
    [
        "amazon.nova-lite-v1:0",
        "us.amazon.nova-lite-v1:0",
        f"{ARN}::foundation-model/amazon.nova-lite-v1:0",
        f"{ARN}:123456789012:inference-profile/eu.amazon.nova-lite-v1:0",
    ],
)
def test_a_model_answers_to_all_its_names(aws: LocalAws, name: str) -> None:
    answer = aws.client("bedrock-runtime").converse(modelId=name, messages=HELLO)
    assert answer["stopReason"] == "end_turn"


def test_an_application_s_profile_is_a_name_too_until_it_is_deleted(aws: LocalAws) -> None:
    bedrock, runtime = aws.client("bedrock"), aws.client("bedrock-runtime")
    made = bedrock.create_inference_profile(
        inferenceProfileName="team hr",
        modelSource={"copyFrom": f"{ARN}::foundation-model/amazon.nova-lite-v1:0"},
    )
    name = made["inferenceProfileArn"]
    found = bedrock.get_inference_profile(inferenceProfileIdentifier=name)
    assert found["models"][0]["modelArn"].endswith("/amazon.nova-lite-v1:0")
    assert runtime.converse(modelId=name, messages=HELLO)["stopReason"] == "end_turn"
    bedrock.delete_inference_profile(inferenceProfileIdentifier=name)
    with pytest.raises(ClientError, match="The provided model identifier is invalid"):
        runtime.converse(modelId=name, messages=HELLO)


def rerank(aws: LocalAws, sources: list[Any], model: str, **more: Any) -> dict[str, Any]:
    count = more.pop("count", None)
    bedrock: dict[str, Any] = {"modelConfiguration": {"modelArn": model}}
    if count is not None:
        bedrock["numberOfResults"] = count
    answer: dict[str, Any] = aws.client("bedrock-agent-runtime").rerank(
        queries=[{"type": "TEXT", "textQuery": {"text": "How long is parental leave?"}}],
        sources=[{"type": "INLINE", "inlineDocumentSource": one} for one in sources],
        rerankingConfiguration={
            "type": "BEDROCK_RERANKING_MODEL",
            "bedrockRerankingConfiguration": bedrock,
        },
        **more,
    )
    return answer


RERANKER = f"{ARN}::foundation-model/cohere.rerank-v3-5:0"


def test_texts_and_json_are_ranked_and_given_back(aws: LocalAws) -> None:
    weeks = {"topic": "parental leave", "length": "sixteen weeks"}
    answer = rerank(
        aws,
        [
            {"type": "TEXT", "textDocument": {"text": "The cafeteria opens at eight."}},
            {"type": "JSON", "jsonDocument": weeks},
        ],
        RERANKER,
    )
    assert [one["index"] for one in answer["results"]] == [1, 0]
    assert answer["results"][0]["document"] == {"type": "JSON", "jsonDocument": weeks}
    assert 1 >= answer["results"][0]["relevanceScore"] > answer["results"][1]["relevanceScore"] >= 0


def test_results_come_in_pages(aws: LocalAws) -> None:
    sources = [{"type": "TEXT", "textDocument": {"text": f"Leave {n}"}} for n in range(130)]
    first = rerank(aws, sources, RERANKER, count=120)
    second = rerank(aws, sources, RERANKER, count=120, nextToken=first["nextToken"])
    assert "nextToken" not in second
    places = [one["index"] for one in first["results"] + second["results"]]
    assert len(places) == len(set(places)) == 120


@pytest.mark.parametrize(
    ("model", "count", "told"),
    [
        (f"{ARN}::foundation-model/amazon.nova-lite-v1:0", None, "is no reranking model"),
        (RERANKER, 2, "exceeds the number of sources"),
    ],
)
def test_what_cannot_be_ranked_is_refused(
    aws: LocalAws, model: str, count: int | None, told: str
) -> None:
    with pytest.raises(ClientError, match=told):
        rerank(aws, [{"type": "TEXT", "textDocument": {"text": "x"}}], model, count=count)


@settings(max_examples=20, deadline=None)
@given(query=st.text(max_size=40), texts=st.lists(st.text(max_size=40), max_size=5))
def test_every_text_is_ranked_once_between_0_and_1(query: str, texts: list[str]) -> None:
    ranked = rank("amazon.rerank-v1:0", query, texts)
    assert sorted(place for place, _ in ranked) == list(range(len(texts)))
    scores = [score for _, score in ranked]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
