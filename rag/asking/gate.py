"""Questions and replies through the gate, and questions through the guardrail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.masked import EMPTY

if TYPE_CHECKING:
    from rag.ingest.context import Context
    from rag.masked import Masked
    from rag.records import MaskedText


def masked(context: Context, question: str) -> MaskedText:
    """Return a question as it leaves the gate and the guardrail.

    Raises:
        Blocked: It holds an identifier that the policy blocks.
        GuardrailBlocked: The guardrail refuses it.
        ServiceFailed, ServiceRefused: The guardrail did not answer.
    """
    from rag import guarded

    found = context.question_masker.mask_text(question)
    guardrail = context.guardrail("questions")
    if guardrail is None:
        return found
    pay_guardrail(len(found.text))
    return guarded.question(guardrail, found)


def pay_guardrail(characters: int) -> None:
    """See that the budget pays for a guardrail's reading, whatever policies it has.

    Raises:
        NotAffordable: It does not.
    """
    from rag.budget import limits
    from rag.models.chat import NotAffordable
    from rag.privacy.guardrail import USD_A_UNIT

    units = 3 + characters // 1000  # a text unit has up to 1,000 characters, of each text
    if not limits().affords(units * sum(USD_A_UNIT.values())):
        raise NotAffordable("the guardrail", known=True)


def mask_reply(context: Context, text: str) -> Masked:
    """What a model wrote, through the gate; nothing of it where the policy blocks it."""
    from rag.privacy import Blocked

    try:
        return context.question_masker.mask_text(text).text
    except Blocked:
        return EMPTY
