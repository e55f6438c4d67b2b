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

from rag.audit.trail import Trail, recorded, write

__all__ = ["Trail", "recorded", "write"]
