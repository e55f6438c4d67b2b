"""Questions and answers through the guardrail, once the gate has masked them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.masked import EMPTY, Masked, fixed
from rag.records import Citation, MaskedText

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


_MARKERS = re.compile(r" ?(?:\[\d{1,3}\])+(?=[.!?…])")
"""Where a chat model's answer names its citations: ``… of discharge [1][2].``"""


def answer(guardrail: Guardrail, draft: Draft, asked: Masked, passages: Sequence[Passage]) -> Draft:
    """Return the answer as the guardrail lets it pass, or a refusal that says by which kind.

    What it anonymises in the answer it anonymises in the quotes, too. Markers of citations are no
    claims: it reads the answer without them, for their numbers stand in no passage.

    Raises:
        ServiceFailed, ServiceRefused: The guardrail did not answer, so nothing is said.
    """
    from rag.privacy.guardrail import reasons

    if draft.abstained:
        return draft
    evidence = [passage.shown for passage in passages]
    markers = list(_MARKERS.finditer(draft.text)) if draft.citations else []
    said = draft.text.sub(_MARKERS, EMPTY) if markers else draft.text
    verdict = guardrail.check_answer(said, asked, evidence)
    if verdict.blocked:
        refusal = fixed("The guardrail withholds the answer: {}.", reasons(verdict.blocked))
        return replace(draft, text=refusal, citations=(), abstained=True)
    if verdict.text == said:
        return draft
    citations = tuple(_quoted(one, said, verdict) for one in draft.citations)
    return replace(draft, text=_marked(draft.text, said, markers, verdict), citations=citations)


def _marked(
    draft: Masked, said: Masked, markers: Sequence[re.Match[str]], verdict: Verdict
) -> Masked:
    """Put the markers back between what was anonymised; where no place is known, leave them out."""
    from rag.privacy.guardrail.aligning import replaced

    if verdict.spans is None:
        return verdict.text
    pieces: list[Masked] = []
    place = removed = 0
    for marker in markers:
        end = marker.start() - removed
        pieces += (replaced(said, verdict.spans, place, end), draft.cut(*marker.span()))
        place, removed = end, removed + len(marker[0])
    pieces.append(replaced(said, verdict.spans, place))
    return EMPTY.join(pieces)


def _quoted(citation: Citation, said: Masked, verdict: Verdict) -> Citation:
    if verdict.spans is None:
        return replace(citation, quote=EMPTY)
    from rag.privacy.guardrail.aligning import replaced

    quote = citation.quote
    for span in verdict.spans:
        quote = quote.replace(
            said.cut(span.start, span.end), replaced(said, [span], span.start, span.end)
        )
    return replace(citation, quote=quote)
