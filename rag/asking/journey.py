"""One question from its raw words to its last event, in the order in which it happens."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from rag.asking import refusing
from rag.asking.gate import masked
from rag.asking.saying import said
from rag.asking.stages import Stages, Stopped, TimeUp
from rag.asking.way import Asked, Way
from rag.errors import ConfigError, ServiceFailed, SluiceError
from rag.records import Answer, Cited, Done, Event, Token, Usage

if TYPE_CHECKING:
    from rag.asking.remembered import Given, Remembered
    from rag.ingest.context import Context
    from rag.records import Hit
    from rag.retrieve.filters import Filter

ANSWER_HITS = 12
"""Passages that an answer may choose from, before the token budget."""

_RECORDING = 0.1
"""Of the time, but `_LEAST` seconds: by so much may the recording of the answer exceed it."""
_LEAST = 0.05


def journey(
    asked: Asked, context: Context, stages: Stages, remembered: Remembered | None = None
) -> Iterator[Event]:
    """Yield a question's events; the last one is `Done`, or what failed is raised.

    However it ends, it is in the audit before it is over. Closing the iterator stops the model.

    Raises:
        ConfigError: There is no such target, or the audit cannot be written.
        Blocked, GuardrailBlocked: The question holds what may not be asked.
        NotIndexed, TargetFailed, ServiceFailed, ServiceRefused: As they say.
    """
    from rag.audit import Trail

    way = Way(
        context,
        asked,
        Trail(context, uuid4().hex, asked.principals),
        time.perf_counter(),
    )
    try:
        yield from _answered(way, stages, remembered)
    except TimeUp:
        _ended(way, "time")
    except (ServiceFailed, Stopped) as error:
        if not (why := _used_up(error, stages)):
            _failed(way, stages, error)
            raise
        _ended(way, why)
    except BaseException as error:
        _failed(way, stages, error)
        raise
    answer = _answer(way, stages)
    way.trail.decided(answer, way.said)
    _record(way, stages)
    if remembered and not answer.partial:
        remembered.keep(way, answer)
    if answer.refusal:
        yield answer.refusal
    yield Done(answer)


def _answered(
    way: Way, stages: Stages, remembered: Remembered | None
) -> Generator[Event, None, None]:
    from rag.answer import counter, sent
    from rag.asking import packing, searching

    context, asked, trail = way.context, way.asked, way.trail
    settings = context.config.answer

    with trail.timed("mask"):
        way.question = stages.run(lambda: masked(context, asked.question)).text
        way.where = stages.run(lambda: searching.narrowed(context, asked.where))
    trail.question(way.question)

    if remembered and (given := stages.run(lambda: remembered.find(way))):
        yield from _again(way, given)
        return

    target = stages.run(lambda: searching.chosen(context, asked.target))
    with trail.timed("search"):
        search = partial(searching.understood, context, target, way.question, asked.principals)
        way.understood, way.hits = stages.run(lambda: search(ANSWER_HITS, way.where))
    trail.understood(way.understood)
    trail.retrieved(way.hits, searched(context, asked, ANSWER_HITS, way.where, way.hits))

    with trail.timed("pack"):
        count = counter(settings.model, context.embedder)
        render = sent(settings.model, way.understood, settings.prompt)
        limits = packing.limits(settings, asked.budget.tokens)
        exactly = None
        if settings.count == "service":
            from rag.models.counting import counted

            exactly = counted(settings.model, context.config.aws)
        way.packed, way.context_tokens = stages.run(
            lambda: packing.packed(way.hits, limits, count, way.understood, render, exactly)
        )
    trail.packed(way.packed)
    if not way.hits:
        way.refuse("nothing_found")
        return
    if not way.packed.passages:
        way.refuse("tokens")
        return

    stages.run(lambda: _ready(context))
    most = None if asked.budget.tokens is None else asked.budget.tokens - way.context_tokens
    yield from said(way, stages, count, most, limits.answer)


def _again(way: Way, kept: Given) -> Generator[Event, None, None]:
    """Yield an answer that was given before to the same question in other words."""
    before = kept.answer
    way.hits, way.packed, way.said = kept.hits, kept.packed, list(kept.said)
    way.text, way.citations[:] = before.text, before.citations
    way.support, way.cached = before.support, before.answer_id
    way.trail.retrieved(way.hits, {"cached": before.answer_id})
    way.trail.packed(way.packed)
    if before.refusal:
        way.refuse(before.refusal.kind)
        return
    yield Token(way.text)
    for number, quoted in enumerate(way.citations, start=1):
        yield Cited(number, quoted)


def _used_up(error: BaseException, stages: Stages) -> str:
    """Which limit of the budget an error tells of, or none: it is a failure of its own."""
    from rag.models.chat import NotAffordable

    if isinstance(error, NotAffordable):
        return "price"
    if isinstance(error, ServiceFailed) and stages.limits.expired and not stages.stopped:
        return "time"
    return ""


def _ended(way: Way, why: str) -> None:
    """Keep what was said; refuse where nothing was."""
    way.partial = why
    if not way.said:
        way.refuse("price" if why == "price" else "time")


def _answer(way: Way, stages: Stages) -> Answer:
    spent = stages.limits.meter.total()
    refusal = way.refusal
    return Answer(
        answer_id=way.trail.answer_id,
        question=way.question,
        text=refusing.told(refusal) if refusal else way.text,
        abstained=refusal is not None,
        citations=() if refusal else tuple(way.citations),
        usage=Usage(
            hits=len(way.hits),
            packed=len(way.packed.passages),
            context_tokens=way.context_tokens if way.packed.passages else 0,
            seconds=round(time.perf_counter() - way.started, 3),
            model=way.context.config.answer.model,
            input_tokens=spent.input_tokens,
            output_tokens=spent.output_tokens,
            usd=spent.usd,
        ),
        left_out=way.packed.left_out,
        support=way.support,
        refusal=refusal,
        partial="" if refusal else way.partial,
        cached=way.cached,
    )


def _record(way: Way, stages: Stages) -> None:
    """Write the trail; where that takes longer than a late answer may, nothing is answered.

    Raises:
        ConfigError: It cannot be written.
        OverBudget: Not in time.
    """
    from rag.audit import write
    from rag.budget import OverBudget

    seconds = math.inf
    if (limit := way.asked.budget.seconds) is not None and not stages.stopped:
        seconds = stages.limits.seconds_left() + max(_RECORDING * limit, _LEAST) * 0.8
    try:
        stages.run(lambda: write(way.context.ledger, way.trail), seconds=seconds)
    except TimeUp:
        raise OverBudget("The audit could not be written in time: nothing is answered.") from None


def _ready(context: Context) -> None:
    """See that the audit can be written before anything is shown that must be in it.

    Raises:
        ConfigError: It cannot.
    """
    from sqlalchemy.exc import DBAPIError

    try:
        with context.ledger.write():
            pass
    except DBAPIError as error:
        raise ConfigError(
            f"The audit cannot be written ({type(error.orig).__name__}): nothing is answered.",
            "See that the ledger's database is there, writable and not full, and ask again.",
        ) from None


def _failed(way: Way, stages: Stages, error: BaseException) -> None:
    """Record what was shown and how it ended, while another error is on its way."""
    if way.said:
        way.partial = "stopped"
        way.trail.decided(_answer(way, stages), way.said)
    way.trail.failed(error if not isinstance(error, Stopped) else GeneratorExit())
    try:
        _record(way, stages)
    except (SluiceError, Stopped, TimeUp):
        return


def searched(
    context: Context, asked: Asked, k: int, where: Filter | None, hits: Sequence[Hit]
) -> dict[str, str | int | float]:
    """Return the settings of a search as the audit keeps them: plain, in our own words.

    A setting inside another is called by both: ``weights.text``. ``filter`` is masked text.

    Args:
        where: What narrowed the search, as it left the gate.
        hits: What was found.
    """
    from rag.asking.filtered import written
    from rag.retrieve.filters import EVERYTHING

    told = {
        **_flat(context.config.search.model_dump(mode="json", exclude_none=True)),
        "target": asked.target or context.target_names[0],
        "embedding": context.config.embed.model,
        "k": k,
    }
    if where not in (None, EVERYTHING):
        told["filter"] = written(where, hits)
    return told


def _flat(settings: Mapping[str, Any], before: str = "") -> dict[str, str | int | float]:
    found: dict[str, str | int | float] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{before}{name}.")
        else:
            found[f"{before}{name}"] = value
    return found
