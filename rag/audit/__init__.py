"""The audit of questions: what was asked, found, packed, generated and decided, as records.

Who answers a question keeps a `Trail` and has it written when all is decided::

    with recorded(context, principals) as trail:      # written at the end, whatever happens
        trail.question(masked.text)
        with trail.timed("search"):
            hits = search(...)
        trail.retrieved(hits, {"target": "embedded", "k": 12})
        trail.packed(packed)
        trail.generated("bedrock/…", prompt="2", prompt_sha256="…", input_tokens=812, ...)
        trail.decided(answer, sentences)

Records go into the chain of `rag.ledger.audit`: ids, versions, scores and hashes. What was said
(question, evidence as it was packed, answer, quotes) lies beside it (`rag.ledger.texts`), under
its hash, so that it can be removed while the chain still verifies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rag.audit.trail import Trail, recorded, write

if TYPE_CHECKING:
    from rag.audit.opinions import Answered, answers

__all__ = ["Answered", "Trail", "answers", "recorded", "write"]


def __getattr__(name: str) -> Any:
    # They bring SQLAlchemy (half a second); a trail does not.
    if name in ("Answered", "answers"):
        from rag.audit import opinions

        return getattr(opinions, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
