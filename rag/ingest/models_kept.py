"""An index holds vectors of one model: the corpus file must name the one that it was made with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.errors import ConfigError

if TYPE_CHECKING:
    from rag.config import Embedding
    from rag.ingest.context import Context


def check_model(context: Context) -> None:
    """See that the corpus file names the model that the served index was embedded with.

    Raises:
        ConfigError: It names another: the index would hold vectors of two models.
    """
    if not any(target.kind == "opensearch" for target in context.config.targets):
        return
    wanted = context.config.embed
    for name, target in context.targets.items():
        served = target.model()
        if served is not None and _fingerprint(served) != _fingerprint(wanted):
            raise ConfigError(
                f"The index of target {name} was embedded with {_named(served)}, and the corpus "
                f"file says {_named(wanted)}.",
                f"Exchange the index with: sluice reindex {context.corpus}",
            )


def _fingerprint(embedding: Embedding) -> str:
    from rag.models import fingerprint

    return fingerprint(embedding.model, embedding.dimensions)


def _named(embedding: Embedding) -> str:
    size = f" of {embedding.dimensions} dimensions" if embedding.dimensions else ""
    return f"{embedding.model}{size}"
