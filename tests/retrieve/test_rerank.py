"""Candidates ordered by a reranker; without it, as the search ordered them."""

from __future__ import annotations

import logging

import pytest

from rag.config import Aws
from rag.cost import metered
from rag.errors import ServiceRefused
from rag.records import Chunk, Hit
from rag.retrieve.rerank import rerank
from tests.masked import masked
from tests.services.localaws import LocalAws

URIS = ["bedrock/amazon.rerank-v1:0", "bedrock/cohere.rerank-v3-5:0", "sagemaker/rerank-bge"]
AWS = Aws(region="us-east-1", deadline_seconds=30)
QUESTION = masked("When does the canteen open?")
TEXTS = [
    "Interest on overdrafts rises by a quarter of a percent in March.",
    "Infusion pumps are checked by the night shift every two weeks.",
    "The canteen opens at half past six.",
    *(f"Filters of type F{number} are changed every {number} weeks." for number in range(40)),
]
HITS = [
    Hit(
        Chunk(f"c{place}", "d", place, masked(""), masked(text), 10),
        masked("doc.md"),
        1 / (60 + place),
        acl=("group:staff",),
        legs={"text": place + 1},
    )
    for place, text in enumerate(TEXTS)
]


@pytest.mark.parametrize("uri", URIS)
def test_the_passage_that_answers_comes_first(uri: str, aws: LocalAws) -> None:
    with metered() as meter:
        ranked = rerank(uri, QUESTION, HITS, 5, AWS)
    assert ranked[0].chunk.id == "c2"
    assert ranked[0].legs == {"text": 3, "rerank": 1}
    assert ranked[0].acl == ("group:staff",)
    assert len({hit.chunk.id for hit in ranked}) == len(ranked) == 5
    assert [hit.score for hit in ranked] == sorted((hit.score for hit in ranked), reverse=True)
    assert meter.total().calls == (2 if uri.startswith("sagemaker/") else 1)


@pytest.mark.parametrize("uri", URIS)
def test_when_it_cannot_answer_the_order_of_the_search_stands_and_is_logged(
    uri: str, aws: LocalAws, caplog: pytest.LogCaptureFixture
) -> None:
    soon = Aws(region="us-east-1", deadline_seconds=0.3)
    with aws.faults({"fault": "status", "status": 503}), caplog.at_level(logging.WARNING):
        ranked = rerank(uri, QUESTION, HITS, 5, soon)
    assert ranked == HITS[:5]
    assert "not reranked" in caplog.text


def test_a_reranker_that_does_not_exist_must_be_mended(aws: LocalAws) -> None:
    with pytest.raises(ServiceRefused):
        rerank("sagemaker/none", QUESTION, HITS, 5, AWS)


def test_one_passage_needs_no_reranker(aws: LocalAws) -> None:
    aws.forget_calls()
    assert rerank(URIS[0], QUESTION, HITS[:1], 5, AWS) == HITS[:1]
    assert rerank(URIS[0], QUESTION, [], 5, AWS) == []
    assert aws.calls() == 0
