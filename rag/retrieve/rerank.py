"""The best of many candidates, ordered by a model that reads question and passage together.

``embedded/minilm-reranker`` in this process (`rag.models.relevance`), ``bedrock/MODEL_ID`` on
langchain-aws, or ``sagemaker/ENDPOINT`` that speaks as Text Embeddings Inference does. A reranker
only orders what the asker may read already; when it cannot answer, the order of the search stands.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rag.aws import client
from rag.aws.calls import Calls, side_by_side
from rag.aws.runtime import Runtime
from rag.errors import ServiceFailed
from rag.masked import Masked, require
from rag.retrieve.candidates import Candidate
from rag.telemetry import WARNING, event

if TYPE_CHECKING:
    import numpy

    from rag.config import Aws

BATCH = 32
"""Passages in a call to an endpoint: what Text Embeddings Inference takes unless told otherwise."""

SHARE, WORDS = 0.7, 12
"""The embedded reranker's say beside the search's, and in a question of more than 17 words
that of 12 of them: it learned from questions of six, and of long ones the search knows more
(``bench/retrieval.py``)."""

Scores = Callable[[Masked, Sequence[Masked]], list[tuple[int, float]]]
"""A question and texts to places and scores, best first."""

log = logging.getLogger(__name__)


def rerank(
    uri: str, question: Masked, hits: Sequence[Candidate], candidates: int, aws: Aws
) -> list[Candidate]:
    """Return `hits` with the first `candidates` in the reranker's order, with its scores.

    A reranker that cannot answer in time costs the better order, not the answer: the hits come
    back as they were, and the log says so.

    Args:
        uri: ``embedded/minilm-reranker``, ``bedrock/MODEL_ID`` or ``sagemaker/ENDPOINT``.
        candidates: So many are read; those after them stay there, with the scores they have.

    Raises:
        ServiceRefused: It will not do this at all, which somebody must mend.
    """
    read, rest = hits[:candidates], hits[candidates:]
    if len(read) < 2:
        return list(hits)
    require(question, "The reranker")
    texts = [require(hit.chunk.embedded_text, "The reranker") for hit in read]
    try:
        if uri.startswith("embedded/"):
            ranked = _embedded(question, texts, [hit.score for hit in read])
        else:
            ranked = _scores(uri, aws)(question, texts)
    except ServiceFailed as error:
        event(log, WARNING, "not reranked, the order of the search stands", error=error)
        return list(hits)
    ordered = [
        read[place].scored(score, {**read[place].legs, "rerank": rank})
        for rank, (place, score) in enumerate(ranked, start=1)
    ]
    return [*ordered, *rest]


def _embedded(
    question: Masked, texts: Sequence[Masked], found: Sequence[float]
) -> list[tuple[int, float]]:
    """Return the order that search and reranker make together, scored as the search does.

    Both are told in standard deviations over these texts.

    Args:
        found: The search's scores.
    """
    import numpy

    from rag.models import relevance
    from rag.models.readable import readable

    asked, *told = readable([question, *texts])
    own = numpy.array(found)
    share = min(SHARE, WORDS / max(1, len(question.split())))
    both = share * _standard(relevance.scores(asked, told)) + (1 - share) * _standard(own)
    scores = (own.mean() + own.std() * both).tolist()
    return sorted(enumerate(scores), key=lambda one: -one[1])


def _standard(values: numpy.ndarray) -> numpy.ndarray:
    spread = float(values.std())
    standard: numpy.ndarray = (values - values.mean()) / (spread if spread > 0 else 1.0)
    return standard


def _scores(uri: str, aws: Aws) -> Scores:
    family, _, name = uri.partition("/")
    runtime = _runtime(family, name, aws.model_dump_json(), os.getpid())
    if family == "bedrock":
        return lambda question, texts: _bedrock(runtime, name, aws, question, texts)
    return lambda question, texts: _sagemaker(runtime, name, aws, question, texts)


@lru_cache(maxsize=8)
def _runtime(family: str, name: str, aws_json: str, process: int) -> Runtime:
    """One a process and model, so that all who use it share what it learns of its limits."""
    from rag.config import Aws

    aws = Aws.model_validate_json(aws_json)
    title = "Bedrock" if family == "bedrock" else "SageMaker"
    service = "bedrock-agent-runtime" if family == "bedrock" else "sagemaker-runtime"
    calls = Calls(f"{title} {name}", aws.concurrency, aws.deadline_seconds)
    return Runtime(service, name, aws, calls)


def _bedrock(
    runtime: Runtime, model: str, aws: Aws, question: Masked, texts: Sequence[Masked]
) -> list[tuple[int, float]]:
    from langchain_aws import BedrockRerank

    arn = model
    if not model.startswith("arn:"):
        where = client("bedrock-agent-runtime", aws, once=True).meta
        arn = f"arn:{where.partition}:bedrock:{where.region_name}::foundation-model/{model}"
    found = BedrockRerank(model_arn=arn, client=runtime).rerank(
        list(texts), question, top_n=len(texts)
    )
    return _in_order(found, "relevance_score", len(texts), runtime.calls.name)


def _sagemaker(
    runtime: Runtime, endpoint: str, aws: Aws, question: Masked, texts: Sequence[Masked]
) -> list[tuple[int, float]]:
    def called(start: int) -> list[tuple[int, float]]:
        some = list(texts[start : start + BATCH])
        answer = runtime.invoke_endpoint(
            EndpointName=endpoint,
            ContentType="application/json",
            Accept="application/json",
            Body=json.dumps({"query": question, "texts": some, "truncate": True}),
        )
        found = _in_order(json.load(answer["Body"]), "score", len(some), runtime.calls.name)
        return [(start + place, score) for place, score in found]

    parts = side_by_side(called, range(0, len(texts), BATCH), aws.concurrency)
    return sorted((one for part in parts for one in part), key=lambda one: (-one[1], one[0]))


def _in_order(found: Any, score: str, texts: int, name: str) -> list[tuple[int, float]]:
    """Return places and scores, best first.

    Raises:
        ServiceFailed: That is not what came back.
    """
    try:
        ranked = [(int(one["index"]), float(one[score])) for one in found]
    except (KeyError, TypeError, ValueError):
        ranked = [(-1, 0.0)]
    places = [place for place, _ in ranked]
    if len(set(places)) < len(places) or not all(0 <= place < texts for place in places):
        raise ServiceFailed(f"{name} gave something that is no ranking.", "Try again.")
    return sorted(ranked, key=lambda one: (-one[1], one[0]))
