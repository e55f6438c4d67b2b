"""One question from its raw words to its last event, in the order in which it happens."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from rag.answer import Sentence, Silence
from rag.asking import refusing
from rag.asking.stages import Stages, Stopped, TimeUp
from rag.budget import Budget
from rag.errors import ConfigError, ServiceFailed, SluiceError
from rag.masked import EMPTY, SPACE, Masked, fixed
from rag.records import Answer, Cited, Done, Event, Hit, MaskedText, Principal, Token, Usage
from rag.retrieve.pack import Packed

if TYPE_CHECKING:
    from rag.answer import Answerer, Sentences
    from rag.asking.remembered import Given, Remembered
    from rag.audit import Trail
    from rag.ingest.context import Context
    from rag.records import Citation, Refusal, RefusalKind
    from rag.retrieve.filters import Filter
    from rag.retrieve.query import Where

ANSWER_HITS = 12
"""Passages that an answer may choose from, before the token budget."""

_RECORDING = 0.1
"""Of the time, but `_LEAST` seconds: by so much may the recording of the answer exceed it."""
_LEAST = 0.05


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks. Raw: it lives in memory only.

    Attributes:
        question: As it was written.
        principals: Who asks.
        where: Narrows the documents.
        target: Name of the target to search; None: the corpus's first.
        budget: With the corpus file's defaults in it.
    """

    question: str = field(repr=False)
    principals: tuple[Principal, ...]
    where: Where | Filter | str | None = None
    target: str | None = None
    budget: Budget = field(default_factory=Budget)


@dataclass(slots=True)
class Way:
    """What is known of a question so far; also what an answer is made of when it ends early."""

    context: Context
    asked: Asked
    trail: Trail
    started: float
    question: Masked = EMPTY
    where: Filter | None = None
    hits: Sequence[Hit] = ()
    packed: Packed = field(default_factory=lambda: Packed(()))
    context_tokens: int = 0
    text: Masked = EMPTY
    said: list[Sentence] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    support: float = 0.0
    refusal: Refusal | None = None
    partial: str = ""
    cached: str = ""

    def refuse(self, kind: RefusalKind, reason: Masked | None = None) -> None:
        """Decide that nothing is said."""
        self.refusal = refusing.refusal(kind, self.question, self.hits, reason)


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
        search = partial(searching.search, context, target, way.question, asked.principals)
        way.hits = stages.run(lambda: search(ANSWER_HITS, way.where))
    trail.retrieved(way.hits, searched(context, asked, ANSWER_HITS))

    with trail.timed("pack"):
        count = counter(settings.model, context.embedder)
        render = sent(settings.model, way.question, settings.prompt)
        limits = packing.limits(settings, asked.budget.tokens)
        way.packed = stages.run(
            lambda: packing.packed(way.hits, limits, count, way.question, render)
        )
        way.context_tokens = stages.run(lambda: count(render(way.packed.passages)))
    trail.packed(way.packed)
    if not way.hits:
        way.refuse("nothing_found")
        return
    if not way.packed.passages:
        way.refuse("tokens")
        return

    stages.run(lambda: _ready(context))
    most = None if asked.budget.tokens is None else asked.budget.tokens - way.context_tokens
    yield from _said(way, stages, count, most, limits.answer)


def _said(
    way: Way, stages: Stages, count: Callable[[str], int], most: int | None, max_tokens: int
) -> Generator[Event, None, None]:
    """Yield sentences as the answerer makes them and the guardrail lets them pass.

    Args:
        most: Tokens that the answer may have; None: no limit but the model's own.
        max_tokens: That the model is asked for.
    """
    settings = way.context.config.answer
    by = stages.run(lambda: _answerer(way.context, max_tokens))
    sentences = by.sentences(way.question, way.packed.passages, settings.min_support)
    began = time.perf_counter()
    try:
        while True:
            one = stages.run(lambda: _next(sentences), late=sentences.close)
            if not isinstance(one, Sentence):
                if one is not None and not way.said:
                    way.support = one.support
                    way.refuse("not_supported")
                return
            before = (way.text, len(way.citations))
            passed = stages.run(partial(_guarded, way, one))
            if passed is None:
                return
            if most is not None and count(passed.text) > most:
                way.partial = "tokens"
                if not way.said:
                    way.support = one.support
                    way.refuse("tokens")
                return
            way.text, way.citations[:] = passed.text, passed.citations
            way.said.append(one)
            way.support = max(way.support, one.support)
            yield Token(way.text[len(before[0]) :])
            for number, quoted in enumerate(way.citations[before[1] :], start=before[1] + 1):
                yield Cited(number, quoted)
    finally:
        _close(sentences)
        _generated(way, stages, time.perf_counter() - began)


def _next(sentences: Sentences) -> Sentence | Silence | None:
    try:
        return next(sentences)
    except StopIteration as end:
        found: Silence | None = end.value
        return found


def _close(sentences: Sentences) -> None:
    try:
        sentences.close()
    except ValueError:  # its stage was given up and still runs: it is closed there
        return


@dataclass(frozen=True, slots=True)
class _Passed:
    text: Masked
    citations: list[Citation]


def _guarded(way: Way, one: Sentence) -> _Passed | None:
    """Return the answer so far with one more sentence, as the guardrail lets it pass.

    None: it does not, or it would change what was shown already; the refusal is noted.
    """
    from rag import guarded
    from rag.answer import Draft

    citations = list(way.citations)
    for quoted in one.citations:
        if all((quoted.chunk, quoted.quote) != (c.chunk, c.quote) for c in citations):
            citations.append(quoted)
    text = way.text + SPACE + one.text if way.text else one.text
    guardrail = way.context.guardrail("answers")
    if guardrail is None:
        return _Passed(text, citations)
    evidence = sum(len(passage.shown) for passage in way.packed.passages)
    _pay_guardrail(len(text) + len(way.question) + evidence)
    draft = Draft(text, tuple(citations), one.support, abstained=False)
    passed = guarded.answer(guardrail, draft, way.question, way.packed.passages)
    if passed.abstained or not passed.text.startswith(way.text):
        reason = fixed("The guardrail withholds the rest of the answer.")
        way.refuse("guardrail", passed.text if passed.abstained else reason)
        return None
    return _Passed(passed.text, list(passed.citations))


def _answerer(context: Context, max_tokens: int) -> Answerer:
    from rag.answer import answerer

    config = context.config
    checks = None
    if not config.answer.model.startswith("embedded/extractive"):
        from rag.answer.chat import Checks

        checks = Checks(config.answer.unsupported, config.answer.self_check, config.answer.prompt)
    # To compare sentences the embedded model will do, which is free.
    embed = context.embedder.embed if config.embed.model.startswith("embedded/") else None
    return answerer(
        config.answer.model,
        embed,
        aws=config.aws,
        max_tokens=max_tokens,
        mask=partial(_mask_reply, context),
        checks=checks,
    )


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


def _generated(way: Way, stages: Stages, seconds: float) -> None:
    from rag.answer import prompt_version

    settings, usage = way.context.config.answer, stages.limits.meter.usage()
    model = settings.model
    spent = usage.get(model) or usage.get(model.partition("/")[2])
    version, digest = prompt_version(model, settings.prompt)
    way.trail.generated(
        model,
        version,
        spent.input_tokens if spent else 0,
        spent.output_tokens if spent else 0,
        spent.usd if spent else 0.0,
        seconds,
        prompt_sha256=digest,
    )


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


def searched(context: Context, asked: Asked, k: int) -> dict[str, str | int | float]:
    """Return the settings of a search as the audit keeps them: plain, in our own words."""
    search = context.config.search.model_dump(mode="json", exclude_none=True)
    told = {name: value for name, value in search.items() if isinstance(value, str | int | float)}
    return {
        **told,
        "target": asked.target or context.target_names[0],
        "embedding": context.config.embed.model,
        "k": k,
    }


def masked(context: Context, question: str) -> MaskedText:
    """Return a question as it leaves the gate and the guardrail.

    Raises:
        Blocked: It holds an identifier that the policy blocks.
        GuardrailBlocked: The guardrail refuses it.
        ServiceFailed, ServiceRefused: The guardrail did not answer.
    """
    from rag import guarded

    found = context.question_masker.mask_text(question)
    guardrail = context.guardrail("questions")
    if guardrail is None:
        return found
    _pay_guardrail(len(found.text))
    return guarded.question(guardrail, found)


def _pay_guardrail(characters: int) -> None:
    """See that the budget pays for a guardrail's reading, whatever policies it has.

    Raises:
        NotAffordable: It does not.
    """
    from rag.budget import limits
    from rag.models.chat import NotAffordable
    from rag.privacy.guardrail import USD_A_UNIT

    units = 3 + characters // 1000  # a text unit has up to 1,000 characters, of each text
    if not limits().affords(units * sum(USD_A_UNIT.values())):
        raise NotAffordable("the guardrail", known=True)


def _mask_reply(context: Context, text: str) -> Masked:
    """What a model wrote, through the gate; nothing of it where the policy blocks it."""
    from rag.privacy import Blocked

    try:
        return context.question_masker.mask_text(text).text
    except Blocked:
        return EMPTY
