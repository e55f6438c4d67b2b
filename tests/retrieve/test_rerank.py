"""Candidates ordered by a reranker; without it, as the search ordered them."""

from __future__ import annotations

import logging

import pytest

from rag.budget import Budget
from rag.config import Aws
from rag.cost import metered
from rag.errors import ServiceRefused
from rag.records import Chunk, Hit
from rag.retrieve.candidates import Candidate
from rag.retrieve.rerank import rerank
from tests.masked import masked
from tests.services.localaws import LocalAws

URIS = ["bedrock/amazon.rerank-v1:0", "bedrock/cohere.rerank-v3-5:0", "sagemaker/rerank-bge"]
EMBEDDED = "embedded/minilm-reranker"
AWS = Aws(region="us-east-1", deadline_seconds=30)
QUESTION = masked("When does the canteen open?")
TEXTS = [
    "Interest on overdrafts rises by a quarter of a percent in March.",
    "Infusion pumps are checked by the night shift every two weeks.",
    "The canteen opens at half past six.",
    *(f"Filters of type F{number} are changed every {number} weeks." for number in range(40)),
]
HITS = [
    Candidate.of(
        Hit(
            Chunk(f"c{place}", "d", place, masked(""), masked(text), 10),
            masked("doc.md"),
            1 / (60 + place),
            acl=("group:staff",),
            legs={"text": place + 1},
        )
    )
    for place, text in enumerate(TEXTS)
]


@pytest.mark.parametrize("uri", URIS)
def test_the_passage_that_answers_comes_first(uri: str, aws: LocalAws) -> None:
    with metered() as meter:
        ranked = rerank(uri, QUESTION, HITS, 50, AWS)
    assert ranked[0].chunk.id == "c2"
    assert ranked[0].legs == {"text": 3, "rerank": 1}
    assert ranked[0].acl == ("group:staff",)
    assert len({hit.chunk.id for hit in ranked}) == len(ranked) == len(HITS)
    assert [hit.score for hit in ranked] == sorted((hit.score for hit in ranked), reverse=True)
    assert meter.total().calls == (2 if uri.startswith("sagemaker/") else 1)


@pytest.mark.parametrize("uri", URIS)
def test_when_it_cannot_answer_the_order_of_the_search_stands_and_is_logged(
    uri: str, aws: LocalAws, caplog: pytest.LogCaptureFixture
) -> None:
    soon = Aws(region="us-east-1", deadline_seconds=0.3)
    with aws.faults({"fault": "status", "status": 503}), caplog.at_level(logging.WARNING):
        ranked = rerank(uri, QUESTION, HITS, 50, soon)
    assert ranked == HITS
    assert "not reranked" in caplog.text


def test_the_embedded_one_has_half_a_say_on_the_searchs_own_scale() -> None:
    ranked = rerank(EMBEDDED, QUESTION, HITS, 50, AWS)
    assert ranked[0].chunk.id == "c2"
    assert ranked[0].legs == {"text": 3, "rerank": 1}
    assert {hit.chunk.id for hit in ranked} == {hit.chunk.id for hit in HITS}
    assert [hit.score for hit in ranked] == sorted((hit.score for hit in ranked), reverse=True)
    mean = sum(hit.score for hit in HITS) / len(HITS)
    assert sum(hit.score for hit in ranked) / len(HITS) == pytest.approx(mean)


def test_the_longer_the_question_the_more_the_search_has_to_say() -> None:
    def gap(question: str) -> float:
        best = rerank(EMBEDDED, masked(question), HITS, 50, AWS)[0]
        return best.score - HITS[0].score

    aside = " ".join(["We asked at the gate and then at the desk of the house."] * 10)
    assert gap(str(QUESTION)) > gap(f"{QUESTION} {aside}")


@pytest.mark.parametrize("uri", [EMBEDDED, URIS[0]])
def test_what_is_not_read_stays_behind_what_is(uri: str, aws: LocalAws) -> None:
    ranked = rerank(uri, QUESTION, HITS, 4, AWS)
    assert ranked[0].chunk.id == "c2"
    assert {hit.chunk.id for hit in ranked[:4]} == {"c0", "c1", "c2", "c3"}
    assert ranked[4:] == HITS[4:]


def test_without_time_the_embedded_one_leaves_the_order_as_it_was(
    caplog: pytest.LogCaptureFixture,
) -> None:
    new = masked("When does the canteen close?")
    with Budget(seconds=1e-6).running(), caplog.at_level(logging.WARNING):
        assert rerank(EMBEDDED, new, HITS, 50, AWS) == HITS
    assert "not reranked" in caplog.text


def test_a_reranker_that_does_not_exist_must_be_mended(aws: LocalAws) -> None:
    with pytest.raises(ServiceRefused):
        rerank("sagemaker/none", QUESTION, HITS, 50, AWS)


def test_one_passage_needs_no_reranker(aws: LocalAws) -> None:
    aws.forget_calls()
    assert rerank(URIS[0], QUESTION, HITS[:1], 50, AWS) == HITS[:1]
    assert rerank(URIS[0], QUESTION, [], 50, AWS) == []
    assert aws.calls() == 0
