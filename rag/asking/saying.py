"""The sentences of an answer: made, through the guardrail, within the tokens, then shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from rag.answer import Sentence, Silence
from rag.asking.gate import mask_reply, pay_guardrail
from rag.masked import SPACE, Masked, fixed
from rag.records import Cited, Event, Token

if TYPE_CHECKING:
    from rag.answer import Answerer, Sentences
    from rag.asking.stages import Stages
    from rag.asking.way import Way
    from rag.ingest.context import Context
    from rag.records import Citation


def said(
    way: Way, stages: Stages, count: Callable[[str], int], most: int | None, max_tokens: int
) -> Generator[Event, None, None]:
    """Yield sentences as the answerer makes them and the guardrail lets them pass.

    Args:
        most: Tokens that the answer may have; None: no limit but the model's own.
        max_tokens: That the model is asked for.
    """
    settings = way.context.config.answer
    by = stages.run(lambda: _answerer(way.context, max_tokens))
    sentences = by.sentences(way.understood, way.packed.passages, settings.min_support)
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
    pay_guardrail(len(text) + len(way.understood) + evidence)
    draft = Draft(text, tuple(citations), one.support, abstained=False)
    passed = guarded.answer(guardrail, draft, way.understood, way.packed.passages)
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
        mask=partial(mask_reply, context),
        checks=checks,
    )


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
