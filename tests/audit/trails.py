"""Records of questions as `rag.audit` writes them, without a search behind them."""

from __future__ import annotations

from collections.abc import Sequence

from rag.audit import Trail, write
from rag.ingest.context import Context
from rag.masked import Masked, fixed
from rag.records import Answer, Chunk, Citation, Hit, Usage
from rag.retrieve.pack import Packed, Passage

STAFF = ("user:ana", "group:staff")


def hit(number: int, text: Masked) -> Hit:
    chunk = Chunk(f"{number:032x}", f"{number:032x}", 0, fixed("Rules"), text, 20)
    return Hit(chunk, fixed("rules.txt"), 0.5, acl=("group:staff",), legs={"vector": number})


def write_answer(
    context: Context,
    question: Masked,
    texts: Sequence[Masked],
    who: Sequence[str] = STAFF,
    answer_id: str = "",
) -> str:
    """Record a question that was answered by the first of some passages; return its id."""
    hits = [hit(number, text) for number, text in enumerate(texts, start=1)]
    trail = Trail(context, answer_id, who)
    trail.question(question)
    trail.retrieved(hits, {"target": "embedded", "k": 12}, 0.01)
    kept = Packed(tuple(Passage(one, one.chunk.text, 20) for one in hits[:-1]), {})
    trail.packed(kept)
    trail.generated("embedded/extractive", "1", prompt_sha256="0" * 64)
    quote = hits[0].chunk.text.cut(0, 20)
    cited = Citation(hits[0].document, hits[0].chunk.document_id, hits[0].chunk.id, quote)
    trail.decided(Answer("", question, quote, False, (cited,), Usage(len(hits), 1, 20, 0.1)))
    write(context.ledger, trail)
    return trail.answer_id
