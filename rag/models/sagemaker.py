"""Embedding models behind an endpoint of Amazon SageMaker: ``sagemaker/ENDPOINT``.

The endpoint speaks as Text Embeddings Inference does: ``{"inputs": […], "truncate": true}`` in, a
list of vectors out. langchain-aws has no embeddings for SageMaker.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rag.aws.calls import Calls, side_by_side
from rag.aws.runtime import Runtime
from rag.errors import ConfigError
from rag.masked import Masked, require
from rag.models.vectors import normalised

if TYPE_CHECKING:
    import numpy

    from rag.config import Aws

CODE = 1
"""Part of the fingerprint: raise it when the same text gets another vector."""

BATCH = 32
"""Texts in a call: what Text Embeddings Inference takes unless told otherwise."""


class SageMakerEmbedder:
    """An embedding endpoint. See `rag.models.Embedder`.

    Nobody can tell from its name which model an endpoint serves: give an endpoint that serves
    another model another name, and what was embedded is embedded anew.

    Raises:
        ConfigError: Its dimensions are not said.
    """

    padding = 0.0
    max_tokens = 400  # of 512 that most models behind such endpoints read; see rag.models.bedrock

    def __init__(self, endpoint: str, dimensions: int | None, aws: Aws) -> None:
        self.fingerprint = fingerprint(endpoint, dimensions)
        self.endpoint = endpoint
        self.dimensions = dimensions or 0
        self._aws = aws
        self.together = aws.concurrency * BATCH
        self._calls = Calls(f"SageMaker {endpoint}", aws.concurrency, aws.deadline_seconds)

    def embed(self, texts: Sequence[Masked]) -> numpy.ndarray:
        """See `rag.models.Embedder.embed`. Longer texts are cut by the endpoint.

        Raises:
            ServiceFailed, ServiceRefused: One of them could not be embedded.
        """
        sent = [require(text, "The embedding model") for text in texts]
        batches = [list(sent[start : start + BATCH]) for start in range(0, len(sent), BATCH)]
        found = side_by_side(self._called, batches, self._aws.concurrency)
        rows = [row for batch in found for row in batch]
        return normalised(rows, len(texts), self.dimensions, self._calls.name)

    def embed_documents(self, texts: list[Masked]) -> list[list[float]]:
        """See `rag.models.Embedder.embed_documents`."""
        return self.embed(texts).tolist()  # type: ignore[no-any-return]

    def embed_query(self, text: Masked) -> list[float]:
        """See `rag.models.Embedder.embed_query`."""
        return self.embed([text])[0].tolist()  # type: ignore[no-any-return]

    def count(self, texts: Sequence[str]) -> list[int]:
        """See `rag.models.Embedder.count`; by the embedded model's tokenizer."""
        from rag.models import embedder

        return embedder("embedded/minilm").count(texts)

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """See `rag.models.Embedder.offsets`; by the embedded model's tokenizer."""
        from rag.models import embedder

        return embedder("embedded/minilm").offsets(text)

    @cached_property
    def _runtime(self) -> Runtime:
        def counted(request: Any, answer: Any) -> tuple[int, int]:
            return sum(self.count(request["inputs"])), 0

        return Runtime("sagemaker-runtime", self.endpoint, self._aws, self._calls, counted)

    def _called(self, texts: list[Masked]) -> list[list[float]]:
        answer = self._runtime.invoke_endpoint(
            EndpointName=self.endpoint,
            ContentType="application/json",
            Accept="application/json",
            Body=json.dumps({"inputs": [text.strip() or "." for text in texts], "truncate": True}),
        )
        vectors = json.load(answer["Body"])
        if isinstance(vectors, dict):  # as OpenAI's API wraps them
            vectors = [one.get("embedding", []) for one in vectors.get("data", ())]
        return [list(row) for row in vectors]


def fingerprint(endpoint: str, dimensions: int | None) -> str:
    """Return what the vectors depend on, without a call.

    Raises:
        ConfigError: The dimensions are not said.
    """
    if dimensions is None:
        raise ConfigError(
            "Of a SageMaker endpoint's vectors the dimensions must be said.",
            "Set embed.dimensions to what the model behind it gives.",
        )
    return f"sagemaker {endpoint} {dimensions} code-{CODE}"
