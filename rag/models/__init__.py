"""Models by URI: ``embedded/minilm`` runs in this process, others will run elsewhere.

A new family is one file with a class that has `Embedder`'s methods, and one line in `_FAMILIES`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from rag.errors import ConfigError

if TYPE_CHECKING:
    import numpy

EMBEDDING_MODELS = ("embedded/minilm",)


class Embedder(Protocol):
    """Texts to vectors, and tokens as the model counts them.

    Attributes:
        dimensions: Of a vector.
        max_tokens: That the model reads of a text; the rest would be cut off.
        fingerprint: Changes when the same text would get another vector.
    """

    dimensions: int
    max_tokens: int
    fingerprint: str

    def embed(self, texts: Sequence[str]) -> numpy.ndarray:
        """Return L2-normalised embeddings, float32, shape (texts, dimensions), in order."""
        ...

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the tokens of each text, without those that the model adds itself."""
        ...

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Return start and end of each token in the text, in characters."""
        ...


def embedder(uri: str, threads: int = 1) -> Embedder:
    """Return the embedding model that `uri` names; a process loads each once.

    Args:
        threads: That it may use; 1 where several processes work side by side.

    Raises:
        ConfigError: There is no such model; the message names the nearest.
    """
    _known(uri)
    return _minilm(threads)


def fingerprint(uri: str) -> str:
    """Return the fingerprint of a model without loading it.

    Raises:
        ConfigError: There is no such model.
    """
    _known(uri)
    from rag.models.embedded import fingerprint

    return fingerprint()


def _known(uri: str) -> None:
    if uri in EMBEDDING_MODELS:
        return
    from difflib import get_close_matches

    near = get_close_matches(uri, EMBEDDING_MODELS, 1, 0.3)
    meant = f'Did you mean "{near[0]}"?' if near else f"There is {', '.join(EMBEDDING_MODELS)}."
    raise ConfigError(f"There is no embedding model {uri!r}.", meant)


@lru_cache(maxsize=2)
def _minilm(threads: int) -> Embedder:
    from rag.models.embedded import MiniLM

    return MiniLM(threads)
