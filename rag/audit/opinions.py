"""What people thought of answers, and the answers with that: to evaluate and to train from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rag.audit.trail import who
from rag.errors import NotRecorded, SluiceError
from rag.ledger import audit, texts

if TYPE_CHECKING:
    from rag.ingest.context import Context
    from rag.ledger import Ledger
    from rag.ledger.audit import Record
    from rag.masked import Masked
    from rag.records import Principal

Rating = Literal["good", "bad"] | float
RATINGS = {"good": 1.0, "bad": 0.0}


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage that was found for a question.

    Attributes:
        rank: From 1.
        packed, cited: Whether the model was given it; whether the answer quotes it.
    """

    chunk: str
    document_id: str
    rank: int
    score: float
    packed: bool
    cited: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """A question with what became of it.

    Attributes:
        question, text: None where they were removed.
        ratings: 0 (bad) to 1 (good), oldest first; the last of each asker.
    """

    answer_id: str
    at: str
    question: Masked | None
    text: Masked | None
    abstained: bool
    passages: tuple[Passage, ...]
    ratings: tuple[float, ...] = ()


def feedback(
    context: Context,
    answer_id: str,
    rating: Rating,
    comment: str = "",
    *,
    principals: Sequence[Principal],
) -> None:
    """Record what somebody thought of an answer; the comment is masked.

    Args:
        rating: ``good``, ``bad``, or 0 (bad) to 1 (good).
        comment: Raw.

    Raises:
        SluiceError: There is no such rating, or nobody says it.
        NotRecorded: There is no such answer of this corpus.
        Blocked: The comment holds what the policy blocks.
    """
    value = RATINGS.get(rating, -1.0) if isinstance(rating, str) else float(rating)
    if not 0 <= value <= 1:
        raise SluiceError("There is no such rating.", "Say good, bad, or a number from 0 to 1.")
    if not principals:
        raise SluiceError("Nobody says it.", "Name who does: principals=['user:ana'].")
    said = context.question_masker.mask_text(comment).text if comment.strip() else None
    kept = texts.made(context.sealer, said) if said is not None else None
    body: dict[str, object] = {
        "corpus": context.corpus,
        "answer": answer_id,
        "who": who(context, principals),
        "rating": value,
    }
    if kept is not None:
        body["comment"] = kept.reference
    with context.ledger.write() as db:
        asked = audit.about(db, answer_id)
        if not any(one.body["corpus"] == context.corpus for one in asked):
            raise NotRecorded(answer_id, context.corpus)
        record = audit.append(db, "feedback", body)
        texts.put(db, context.corpus, [kept] if kept else [], record.seq)


def answers(ledger: Ledger, corpus: str) -> Iterator[Answered]:
    """Yield all answers of a corpus with their feedback, oldest first."""
    with ledger.read() as db:
        ratings: dict[str, dict[str, float]] = {}
        for one in audit.records(db, "feedback"):
            if one.body["corpus"] == corpus:
                own = ratings.setdefault(one.body["answer"], {})
                by = " ".join(one.body["who"])
                own.pop(by, None)  # the last one counts, in its place
                own[by] = one.body["rating"]
        for record in audit.records(db, "answer"):
            if record.body["corpus"] != corpus:
                continue
            said = [record.body.get("question"), record.body.get("text")]
            names = [one.removeprefix("text:") if one else "" for one in said]
            held = texts.held(db, corpus, filter(None, names))
            question, text = (held[one].text if one in held else None for one in names)
            yield Answered(
                answer_id=record.body["answer"],
                at=record.at,
                question=question,
                text=text,
                abstained=record.body["outcome"] != "answered",
                passages=_passages(record),
                ratings=tuple(ratings.get(record.body["answer"], {}).values()),
            )


def _passages(record: Record) -> tuple[Passage, ...]:
    packed = {one["chunk"] for one in record.body.get("packed", ())}
    cited = {one["chunk"] for one in record.body.get("citations", ())}
    return tuple(
        Passage(
            one["chunk"],
            one["document"],
            one["rank"],
            one["score"],
            one["chunk"] in packed,
            one["chunk"] in cited,
        )
        for one in record.body["hits"]
    )
