"""Questions and answers through the guardrail, once the gate has masked them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.records import Citation, Masked, MaskedText

if TYPE_CHECKING:
    from rag.answer import Draft
    from rag.privacy.guardrail import Guardrail, Verdict
    from rag.retrieve.pack import Passage


def question(guardrail: Guardrail, masked: MaskedText) -> MaskedText:
    """Return the question as the guardrail lets it pass.

    Raises:
        GuardrailBlocked: It does not.
        ServiceFailed, ServiceRefused: The guardrail did not answer, so the question goes nowhere.
    """
    from rag.privacy.guardrail import GuardrailBlocked

    (verdict,) = guardrail.check([masked.text], "INPUT")
    if verdict.blocked:
        raise GuardrailBlocked(verdict.blocked)
    return replace(masked, text=verdict.text)


def answer(guardrail: Guardrail, draft: Draft, asked: Masked, passages: Sequence[Passage]) -> Draft:
    """Return the answer as the guardrail lets it pass, or a refusal that says by which kind.

    What it anonymises in the answer it anonymises in the quotes, too.

    Raises:
        ServiceFailed, ServiceRefused: The guardrail did not answer, so nothing is said.
    """
    from rag.privacy.guardrail import reasons

    if draft.abstained:
        return draft
    evidence = [passage.shown for passage in passages]
    verdict = guardrail.check_answer(draft.text, asked, evidence)
    if verdict.blocked:
        refusal = Masked(f"The guardrail withholds the answer: {reasons(verdict.blocked)}.")
        return replace(draft, text=refusal, citations=(), abstained=True)
    if verdict.text == draft.text:
        return draft
    citations = tuple(_quoted(one, draft.text, verdict) for one in draft.citations)
    return replace(draft, text=verdict.text, citations=citations)


def _quoted(citation: Citation, said: Masked, verdict: Verdict) -> Citation:
    if verdict.spans is None:
        return replace(citation, quote=Masked(""))
    quote = str(citation.quote)
    for span in verdict.spans:
        quote = quote.replace(said[span.start : span.end], f"{{{span.name}}}")
    return replace(citation, quote=Masked(quote))
