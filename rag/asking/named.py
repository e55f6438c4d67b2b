"""Who is meant by a surname alone: in a question it has another pseudonym than the whole name.

It is searched for under every whole name that the corpus knows for it (`rag.ledger.aliases`). What
is found within the asker's rights then says which one is meant; who is in nothing that they may
read is not named to them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from rag.masked import SPACE, Masked
from rag.privacy.pseudonym import PERSON

if TYPE_CHECKING:
    from rag.ingest.context import Context
    from rag.records import Hit

MOST = 40
"""Whole names that a shorter one is searched for as; one that has more says too little."""

Names = Mapping[str, tuple[Masked, ...]]
"""By a question's pseudonym, those of the whole names that it may mean."""


def meant(context: Context, question: Masked) -> Names:
    """Return the whole names that a question's may mean, where there are some."""
    from rag.ledger import aliases

    asked = set(PERSON.findall(question))
    if not asked:
        return {}
    with context.ledger.read() as db:
        found = {one: aliases.of(db, context.corpus, one, MOST + 1) for one in asked}
    return {one: whole for one, whole in found.items() if 0 < len(whole) <= MOST}


def widened(question: Masked, names: Names) -> Masked:
    """Return a question with every name that may be meant beside its own."""
    return _exchanged(question, names, lambda own: SPACE.join([own, *names[own]]))


def understood(question: Masked, names: Names, hits: Sequence[Hit]) -> Masked:
    """Return a question with the names that are meant.

    Of several the one is meant of whom a sentence says most that is asked; of equal ones the one
    that was found first.

    Args:
        hits: Best first, as the asker may read them.
    """
    from rag.answer.extractive import terms
    from rag.sentences import split

    asked = terms(question)
    said = [
        (text, 1 / rank)
        for rank, hit in enumerate(hits, start=2)
        for text in (
            hit.chunk.heading,
            *(hit.chunk.text[start:end] for start, end in split(hit.chunk.text)),
        )
    ]

    def best(own: Masked) -> Masked:
        def found(name: Masked) -> float:
            about = (len(asked & terms(text)) + near for text, near in said if name in text)
            return max(about, default=0.0)

        return max([own, *names[own]], key=found)  # where none is found: its own

    return _exchanged(question, names, best)


def _exchanged(question: Masked, names: Names, name: Callable[[Masked], Masked]) -> Masked:
    def exchanged(match: re.Match[str]) -> Masked:
        own = question.cut(*match.span())
        return name(own) if own in names else own

    return question.sub(PERSON, exchanged)
