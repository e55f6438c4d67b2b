"""How many tokens of context and answer one question may have, and what is packed into them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.masked import Masked
from rag.retrieve.pack import Packed, Passage, pack

if TYPE_CHECKING:
    from rag.config import Answering
    from rag.records import Hit

_ANSWER_SHARE = 0.25
"""Of a budget of tokens, that is kept for the answer."""
LEAST_ANSWER = 16


@dataclass(frozen=True, slots=True)
class TokenLimits:
    """Tokens.

    Attributes:
        evidence: Of the passages as they are sent, without the rest of the prompt.
        prompt: Of all that is sent; None: no limit.
        answer: That the model may write.
    """

    evidence: int
    prompt: int | None
    answer: int


def limits(settings: Answering, tokens: int | None) -> TokenLimits:
    """Share a budget of tokens between context and answer."""
    if tokens is None:
        return TokenLimits(settings.context_tokens, None, settings.max_tokens)
    answer = min(settings.max_tokens, max(LEAST_ANSWER, int(tokens * _ANSWER_SHARE)))
    left = max(0, tokens - answer)
    return TokenLimits(min(settings.context_tokens, left), left, answer)


def packed(
    hits: Sequence[Hit],
    limits: TokenLimits,
    count: Callable[[str], int],
    question: Masked,
    render: Callable[[Sequence[Passage]], Masked],
) -> Packed:
    """Pack what fits, prompt and all.

    Args:
        render: Passages to all that is sent with them.
    """
    empty = count(render(())) if limits.prompt is not None else 0
    budget = limits.evidence
    if limits.prompt is not None:
        budget = min(budget, limits.prompt - empty)
    while budget > 0:
        found = pack(hits, budget, count, question)
        if limits.prompt is None or not found.passages:
            return found
        over = count(render(found.passages)) - limits.prompt
        if over <= 0:
            return found
        budget -= max(over, 1)
    return pack(hits, 0, count, question)
