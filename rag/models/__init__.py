"""Models by URI: ``embedded/…`` runs in this process, ``bedrock/…`` and ``sagemaker/…`` on AWS.

A new one is a file with a class that has what `Embedder` lists, and a line in `_known`. Importing
this package loads no model and no runtime.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from rag.errors import ConfigError

if TYPE_CHECKING:
    import numpy
    from langchain_core.embeddings import Embeddings

    from rag.config import Aws
    from rag.masked import Masked

EMBEDDING_MODELS = ("embedded/minilm",)


class Tokens(Protocol):
    """Tokens as a model counts them, without those that it adds itself.

    White space always ends a token, so the parts of a text have as many as the whole.

    Attributes:
        max_tokens: That the model reads of a text; the rest is cut off.
    """

    max_tokens: int

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text."""
        ...

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Return start and end of each token in the text, in characters."""
        ...


class Embedder(Tokens, Protocol):
    """Texts to vectors.

    Attributes:
        dimensions: Of a vector.
        fingerprint: Changes when the same text would get another vector.
        padding: Share of padding in what the model computed in the last `embed`, 0 to 1.
        together: Texts to embed before their vectors are kept; few where a call may fail and is
            paid for.
    """

    dimensions: int
    fingerprint: str
    padding: float
    together: int

    def embed(self, texts: Sequence[Masked]) -> numpy.ndarray:
        """Return passages' L2-normalised embeddings, float32, shape (texts, dimensions), in order.

        Threads may share an embedder.

        Raises:
            NotMasked: One of the texts has not passed the gate.
            ServiceFailed, ServiceRefused: The model runs elsewhere and could not be had.
        """
        ...

    def embed_documents(self, texts: list[Masked]) -> list[list[float]]:
        """`embed` by LangChain's name for it."""
        ...

    def embed_query(self, text: Masked) -> list[float]:
        """Return the embedding of a question, which some models embed otherwise than passages."""
        ...


def embedder(
    uri: str, threads: int = 1, *, dimensions: int | None = None, aws: Aws | None = None
) -> Embedder:
    """Return the embedding model that `uri` names; a process loads each once, on first use.

    Args:
        threads: That it may use; 1 where several processes work side by side.
        dimensions: Of a vector, where the model leaves the choice.
        aws: Where AWS is, for models that run there.

    Raises:
        ConfigError: There is no such model; the message names the nearest.
    """
    family, name = _known(uri)
    if family == "embedded":
        return _minilm(threads)
    from rag.config import Aws

    return _remote(family, name, dimensions, (aws or Aws()).model_dump_json(), os.getpid())


def fingerprint(uri: str, dimensions: int | None = None) -> str:
    """Return the fingerprint of a model without loading it or calling it.

    Raises:
        ConfigError: There is no such model, or it has no vectors of so many dimensions.
    """
    family, name = _known(uri)
    if family == "bedrock":
        from rag.models import bedrock

        return bedrock.fingerprint(name, dimensions)
    if family == "sagemaker":
        from rag.models import sagemaker

        return sagemaker.fingerprint(name, dimensions)
    from rag.models import embedded

    return embedded.fingerprint()


def as_langchain(model: Embedder, mask: Callable[[str], Masked]) -> Embeddings:
    """Return `model` as an instance of LangChain's ``Embeddings``, for those who check.

    Args:
        mask: The gate, for the texts come from somebody else's program:
            ``lambda text: corpus.mask(text).text``.
    """
    from langchain_core.embeddings import Embeddings

    class Adapter(Embeddings):  # type: ignore[misc]  # LangChain's types are not followed
        def embed_documents(self, texts: list[Masked]) -> list[list[float]]:
            return model.embed_documents([mask(text) for text in texts])

        def embed_query(self, text: Masked) -> list[float]:
            return model.embed_query(mask(text))

    return Adapter()


def _known(uri: str) -> tuple[str, str]:
    """Return where a model runs, and its name there."""
    family, _, name = uri.partition("/")
    if uri in EMBEDDING_MODELS or (name and family in ("bedrock", "sagemaker")):
        return family, name
    from difflib import get_close_matches

    near = get_close_matches(uri, EMBEDDING_MODELS, 1, 0.3)
    meant = f'Did you mean "{near[0]}"? ' if near else ""
    there = f"There is {', '.join(EMBEDDING_MODELS)}, bedrock/MODEL_ID and sagemaker/ENDPOINT."
    raise ConfigError(f"There is no embedding model {uri!r}.", meant + there)


@lru_cache(maxsize=8)
def _remote(family: str, name: str, dimensions: int | None, aws: str, process: int) -> Embedder:
    """One a process and model, so that all who use it share what it learns of its limits."""
    from rag.config import Aws

    where = Aws.model_validate_json(aws)
    if family == "bedrock":
        from rag.models.bedrock import BedrockEmbedder

        return BedrockEmbedder(name, dimensions, where)
    from rag.models.sagemaker import SageMakerEmbedder

    return SageMakerEmbedder(name, dimensions, where)


@lru_cache(maxsize=2)
def _minilm(threads: int) -> Embedder:
    from rag.models.embedded import MiniLM

    return MiniLM(threads)
