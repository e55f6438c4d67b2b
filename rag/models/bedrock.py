"""Embedding models of Amazon Bedrock, on langchain-aws: ``bedrock/MODEL_ID``.

Calls are bounded, patient and metered (`rag.aws.runtime`). Tokens are counted with the tokenizer of
the embedded model, for none of these models' tokenizers is public: English text has about as many
in each, and `Family.max_tokens` keeps a fifth below what the model reads.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rag.aws.calls import Calls, side_by_side
from rag.aws.runtime import Runtime
from rag.errors import ConfigError
from rag.masked import Masked, fixed, require
from rag.models.vectors import normalised

if TYPE_CHECKING:
    import numpy

    from rag.config import Aws

ROUNDS = 8
"""Calls after one another, at least, before vectors are kept: that is what a failure loses."""

CODE = 1
"""Part of the fingerprint: raise it when the same text gets another vector."""


@dataclass(frozen=True, slots=True)
class Family:
    """What models whose id starts alike have in common.

    Attributes:
        dimensions: That may be chosen; the first is taken when none is.
        max_tokens: Of a text, as we count.
        max_characters: Of a text; longer ones are cut.
        batch: Texts in a call.
    """

    dimensions: tuple[int, ...]
    max_tokens: int
    max_characters: int
    batch: int = 1


FAMILIES = {
    # https://docs.aws.amazon.com/bedrock/latest/userguide/titan-embedding-models.html
    "amazon.titan-embed-text-v2": Family((1024, 512, 256), 6_500, 50_000),
    "amazon.titan-embed-text-v1": Family((1536,), 6_500, 50_000),
    # …/model-parameters-embed.html (v3), …/model-parameters-embed-v4.html
    "cohere.embed-english-v3": Family((1024,), 400, 2_048, batch=96),
    "cohere.embed-multilingual-v3": Family((1024,), 400, 2_048, batch=96),
    "cohere.embed-v4": Family((1536, 1024, 512, 256), 100_000, 500_000, batch=96),
    # …/nova-embeddings.html
    "amazon.nova-2-multimodal-embeddings": Family((3072, 1024, 384, 256), 6_500, 50_000),
}


class BedrockEmbedder:
    """A Bedrock embedding model. See `rag.models.Embedder`.

    Args:
        model: Its id, an inference profile (``us.…``), or the ARN of either.
        dimensions: Of a vector; None: the model's own.

    Raises:
        ConfigError: The model is not known, or has no such vectors.
    """

    padding = 0.0

    def __init__(self, model: str, dimensions: int | None, aws: Aws) -> None:
        family = _family(model)
        self.model = model
        self.dimensions = _dimensions(model, family, dimensions)
        self.max_tokens = family.max_tokens
        self.fingerprint = fingerprint(model, dimensions)
        self._family = family
        self._aws = aws
        self.together = aws.concurrency * max(ROUNDS, family.batch)
        self._calls = Calls(f"Bedrock {model}", aws.concurrency, aws.deadline_seconds)

    def embed(self, texts: Sequence[Masked]) -> numpy.ndarray:
        """See `rag.models.Embedder.embed`. Longer texts are cut at the model's limit.

        Raises:
            ServiceFailed, ServiceRefused: One of them could not be embedded.
        """
        sent = [self._sent(text) for text in texts]
        size = self._family.batch
        batches = [sent[start : start + size] for start in range(0, len(sent), size)]
        found = side_by_side(self._langchain.embed_documents, batches, self._aws.concurrency)
        rows = [row for batch in found for row in batch]
        return normalised(rows, len(texts), self.dimensions, self._calls.name)

    def embed_documents(self, texts: list[Masked]) -> list[list[float]]:
        """See `rag.models.Embedder.embed_documents`."""
        return self.embed(texts).tolist()  # type: ignore[no-any-return]

    def embed_query(self, text: Masked) -> list[float]:
        """See `rag.models.Embedder.embed_query`. Cohere's models embed questions differently."""
        row = self._langchain.embed_query(self._sent(text))
        return normalised([row], 1, self.dimensions, self._calls.name)[0].tolist()  # type: ignore[no-any-return]

    def count(self, texts: Sequence[str]) -> list[int]:
        """See `rag.models.Embedder.count`; by the embedded model's tokenizer."""
        from rag.models import embedder

        return embedder("embedded/minilm").count(texts)

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """See `rag.models.Embedder.offsets`; by the embedded model's tokenizer."""
        from rag.models import embedder

        return embedder("embedded/minilm").offsets(text)

    def _sent(self, text: Masked) -> Masked:
        """What is sent of a text: within the limit; a full stop where there is nothing to read,
        for the service refuses empty texts.
        """
        require(text, "The embedding model")
        if len(text) > self.max_tokens:  # a token has a character at least
            spans = self.offsets(text[: self._family.max_characters])
            if spans:
                text = text[: spans[min(len(spans), self.max_tokens) - 1][1]]
        return text[: self._family.max_characters].strip() or fixed(".")

    @cached_property
    def _langchain(self) -> Any:
        from langchain_aws.embeddings import BedrockEmbeddings

        # It logs every error with its traceback, and raises it besides.
        logging.getLogger(BedrockEmbeddings.__module__).setLevel(logging.CRITICAL)

        def counted(request: Any, answer: Any) -> tuple[int, int]:
            read = request.get("texts") or [request.get("inputText", "")]
            return int(answer.get("inputTextTokenCount") or sum(self.count(read))), 0

        plain = plain_id(self.model)
        return BedrockEmbeddings(
            client=Runtime("bedrock-runtime", self.model, self._aws, self._calls, counted),
            model_id=self.model,
            provider=provider(plain),
            dimensions=self.dimensions if len(self._family.dimensions) > 1 else None,
        )


def fingerprint(model: str, dimensions: int | None) -> str:
    """Return what the vectors depend on, without a call.

    Raises:
        ConfigError: The model is not known, or has no such vectors.
    """
    size = _dimensions(model, _family(model), dimensions)
    return f"bedrock {plain_id(model)} {size} code-{CODE}"


def plain_id(model: str) -> str:
    """Return a model's own id: without ARN, and without the region of an inference profile."""
    name = model.rpartition("/")[2]
    region, _, rest = name.partition(".")
    return rest if "." in rest and region in REGIONS else name


REGIONS = frozenset({"us", "us-gov", "eu", "apac", "jp", "au", "ca", "sa", "me", "af", "global"})
"""First parts of inference profiles' ids."""


def provider(plain: str) -> str:
    """Return the maker's name in a model's own id."""
    return plain.partition(".")[0]


def _family(model: str) -> Family:
    plain = plain_id(model)
    for prefix, family in FAMILIES.items():
        if plain.startswith(prefix):
            return family
    from difflib import get_close_matches

    near = get_close_matches(plain, FAMILIES, 1, 0.5)
    known = f"Did you mean bedrock/{near[0]}…?" if near else f"Known are {', '.join(FAMILIES)}."
    raise ConfigError(f"There is no embedding model {model!r} of Bedrock.", known)


def _dimensions(model: str, family: Family, chosen: int | None) -> int:
    if chosen is not None and chosen not in family.dimensions:
        sizes = " or ".join(map(str, sorted(family.dimensions)))
        raise ConfigError(
            f"{model} has no vectors of {chosen} dimensions.", f"Set embed.dimensions to {sizes}."
        )
    return chosen or family.dimensions[0]
