"""Makes ready what a question needs, so that the first one takes as long as the others."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from rag.asking.vectors import of_question
from rag.masked import EMPTY, fixed

if TYPE_CHECKING:
    from rag.ingest.context import Context

NOBODY = "sluice:nobody"
"""A principal that no document names."""


def warm(context: Context, *, freeze: bool) -> None:
    """Load models and open indexes by a question that nobody asks and nothing records.

    Models that cost money are not called.

    Args:
        freeze: Whether all that is loaded by then is taken out of the garbage collector's sight.
            It walks some million objects of libraries again and again, 50 to 150 ms at a time
            (https://docs.python.org/3/library/gc.html#gc.freeze).
    """
    from rag.models import checker, relevance
    from rag.retrieve.search import search

    question = context.question_masker.mask_text("Who keeps this ready?").text
    for target in context.targets.values():
        if target.embeds:  # each question costs its service a model's call
            continue
        embedding = target.model() or context.config.embed
        vector = None
        if embedding.model.startswith("embedded/"):
            vector = of_question(context.embedder_of(embedding), question)
        search(
            target,
            question,
            vector,
            (NOBODY,),
            embedding=embedding,
            settings=context.config.search,
        )
    reranker = context.config.search.rerank
    if reranker and reranker.startswith("embedded/"):
        relevance.scores(question, [question])
    if context.config.answer.model.startswith("embedded/extractive"):
        _read(context)
    else:  # what it writes is checked
        checker.odds([question], [[question]])
    if freeze:
        gc.collect()
        gc.freeze()


def _read(context: Context) -> None:
    """Have the extractive answerer read a passage."""
    from rag.answer import answerer
    from rag.records import Chunk, Hit
    from rag.retrieve.pack import Passage

    said = fixed("The caretaker keeps this ready.")
    hit = Hit(Chunk("", "", 0, EMPTY, said, 0), EMPTY, 0.0)
    by = answerer(context.config.answer.model)
    list(by.sentences(fixed("Who keeps this ready?"), [Passage(hit, said, 0)], 0.0))
