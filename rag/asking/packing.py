"""How many tokens of context and answer one question may have, and what is packed into them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.masked import Masked, fixed
from rag.retrieve.pack import Count, Packed, Passage, pack

if TYPE_CHECKING:
    from rag.config import Answering
    from rag.records import Hit

Exactly = Callable[[Masked], int | None]
"""Tokens of a text as the model itself counts; None: it does not say."""

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
    count: Count,
    question: Masked,
    render: Callable[[Sequence[Passage]], Masked],
    exactly: Exactly | None = None,
) -> tuple[Packed, int]:
    """Pack what fits, prompt and all; return it, and the tokens of all that is sent with it.

    Args:
        count: An estimate, never too low.
        render: Passages to all that is sent with them.
        exactly: The model's own count, which the estimate is scaled by and which has the last
            word.
    """
    if exactly and hits and (told := _exactly(hits, limits, count, question, render, exactly)):
        return told
    found = _estimated(hits, limits, count, question, render)
    return found, count(render(found.passages))


def _exactly(
    hits: Sequence[Hit],
    limits: TokenLimits,
    count: Count,
    question: Masked,
    render: Callable[[Sequence[Passage]], Masked],
    exactly: Exactly,
) -> tuple[Packed, int] | None:
    """Pack by the model's own count; None: it says nothing, or what was packed is too much."""
    whole = _together([hit.chunk.embedded_text for hit in hits])
    told, estimate = exactly(whole), count(whole)
    if told is None or told >= estimate:
        return None
    share = told / estimate
    found = _estimated(hits, limits, lambda text: math.ceil(share * count(text)), question, render)
    evidence = exactly(_together([passage.shown for passage in found.passages]))
    every = exactly(render(found.passages))
    if evidence is None or every is None or evidence > limits.evidence:
        return None
    return None if limits.prompt is not None and every > limits.prompt else (found, every)


def _estimated(
    hits: Sequence[Hit],
    limits: TokenLimits,
    count: Count,
    question: Masked,
    render: Callable[[Sequence[Passage]], Masked],
) -> Packed:
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


def _together(texts: Sequence[Masked]) -> Masked:
    return fixed("\n").join(texts)
