"""From passages to a cited answer, or to an abstention. A URI picks who answers.

An answerer is one file with a class that has `Answerer.answer`, and one line in `answerer`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rag.errors import ConfigError
from rag.records import Citation, Masked
from rag.retrieve.pack import Passage

if TYPE_CHECKING:
    from rag.answer.extractive import Embed


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer, or an abstention.

    Attributes:
        text: The answer; for an abstention, what was looked for and what lies nearest.
        citations: One a sentence at least, in order; each quote stands literally in its chunk.
        support: How well the evidence answers the question, 0 to 1.
    """

    text: Masked
    citations: tuple[Citation, ...]
    support: float
    abstained: bool


class Answerer(Protocol):
    """Whoever answers from passages and from nothing else."""

    def answer(self, question: Masked, passages: Sequence[Passage], min_support: float) -> Draft:
        """Answer `question` from `passages`, or abstain when support is under `min_support`."""


def answerer(uri: str, embed: Embed | None = None) -> Answerer:
    """The answerer that `uri` names.

    Args:
        uri: ``embedded/extractive``.
        embed: Texts to L2-normalised vectors of shape (texts, dimensions), for those who compare
            meanings; by default ``embedded/minilm``.

    Raises:
        ConfigError: there is no such answerer.
    """
    if uri == "embedded/extractive":
        from rag.answer.extractive import Extractive

        if embed is None:
            from rag.models import embedder

            embed = embedder("embedded/minilm").embed
        return Extractive(embed)
    raise ConfigError(
        f"There is no answering model {uri!r}.", "Set answer.model to embedded/extractive."
    )
