"""What somebody is told who gets no answer: what was looked for, why not, and what lies nearest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rag.masked import SPACE, Masked, fixed
from rag.records import Hit, Refusal, RefusalKind

_NEAREST = 3

_REASONS: Mapping[RefusalKind, Masked] = {
    "nothing_found": fixed("Nothing that you may read was found."),
    "not_supported": fixed("No passage that you may read answers."),
    "guardrail": fixed("The guardrail withholds the answer."),
    "time": fixed("The time allowed was over before anything could be answered."),
    "price": fixed("The money allowed does not pay for an answer."),
    "tokens": fixed("No passage with its answer fits into the tokens allowed."),
}


def refusal(
    kind: RefusalKind, question: Masked, hits: Sequence[Hit], reason: Masked | None = None
) -> Refusal:
    """Return a refusal.

    Args:
        question: As it left the gate; empty where it has not.
        hits: That the asker may read, best first.
        reason: In other words than the kind's.
    """
    nearest = tuple(dict.fromkeys(hit.document for hit in hits))[:_NEAREST]
    return Refusal(reason or _REASONS[kind], SPACE.join(question.split()), nearest, kind)


def told(one: Refusal) -> Masked:
    """Return a refusal as one text."""
    said = one.reason
    if one.looked_for:
        said = fixed("{}: {}", said.rstrip("."), one.looked_for)
    if one.nearest:
        said = fixed("{} The nearest documents are: {}.", said, fixed(", ").join(one.nearest))
    return said
