"""A search without an answer, on its way and into the audit."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rag.asking import searching
from rag.asking.gate import masked
from rag.asking.journey import searched
from rag.asking.stages import Stages, TimeUp
from rag.audit import recorded
from rag.budget import OverBudget

if TYPE_CHECKING:
    from rag.asking.way import Asked
    from rag.ingest.context import Context
    from rag.records import Hit


def stages(asked: Asked, *, leaving: bool = False) -> Stages:
    """Return the stages of a search."""
    return Stages(asked.budget, leaving=leaving)


def search(asked: Asked, context: Context, k: int, within: Stages) -> list[Hit]:
    """Return the `k` best passages that the asker may read, best first.

    Raises:
        ConfigError: There is no such target, or the audit cannot be written.
        OverBudget: The time is over.
    """

    def found() -> list[Hit]:
        target = searching.chosen(context, asked.target)
        with recorded(context, asked.principals, "search") as trail:
            with trail.timed("mask"):
                question = masked(context, asked.question).text
                where = searching.narrowed(context, asked.where)
            trail.question(question)
            with trail.timed("search"):
                hits = searching.search(context, target, question, asked.principals, k, where)
            trail.retrieved(hits, searched(context, asked, k, where, hits))
        return hits

    try:
        return within.run(found)
    except TimeUp:
        raise OverBudget("The time allowed was over before the search was.") from None


async def asearch(asked: Asked, context: Context, k: int) -> list[Hit]:
    """`search` in a thread; a task that is cancelled gives it up."""
    within = stages(asked, leaving=True)
    try:
        return await asyncio.to_thread(search, asked, context, k, within)
    finally:
        within.stop()
