"""Better settings for a corpus, found on its user's own questions and judged on others of them.

Settings of searching come first, for a search by other settings mostly asks its legs the same;
then those that need another index. Many are tried on few questions, few on many (successive
halving: Jamieson, Talwalkar, AISTATS 2016). A part of the questions takes no part in the choice,
and only it says how good the choice is.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rag.evaluate.files import Judgements
from rag.evaluate.intervals import Difference, Estimate, compare, estimate
from rag.evaluate.knobs import Knob, Values, snippet, turned, usable
from rag.evaluate.metrics import by_document, measured
from rag.evaluate.ranking import JUDGED_HITS, SHOWN_HITS, Tell, percentile
from rag.evaluate.replay import Replayed, temporary
from rag.evaluate.subject import Subject

if TYPE_CHECKING:
    from rag.masked import Masked
    from rag.targets import Target

_HELD_OUT = 0.4
"""Of the questions, that only judge the choice."""
_FEWEST = 10
"""Held-out questions under which nothing can be said."""
_FIRST = 0.34
"""Of the other questions, that all trials are tried on at first."""
_TIMED = 30
_INDEXES = 3
"""Other indexes built at most, each as dear as embedding the corpus."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Settings that were tried.

    Attributes:
        values: What they change in the corpus file; empty: the file as it is.
        chosen_by: nDCG@10 on the questions that choose.
        held_out: On those that do not; known for the best ones.
        against: Those less the present settings', on the held-out questions.
        p50: Milliseconds of a search for 10 passages, without replay.
        usd: List price of 1,000 searches; None: not known.
    """

    values: Values
    chosen_by: Estimate
    held_out: Estimate | None = None
    against: Difference | None = None
    p50: float = 0.0
    usd: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Tuned:
    """What tuning found.

    Attributes:
        present: The corpus file as it is.
        frontier: What no other trial beats in quality, latency and price at once, best first.
        advice: Sentences for people.
        yaml: To paste into the corpus file; empty: leave it as it is.
    """

    trials: int
    present: Trial
    frontier: tuple[Trial, ...]
    advice: tuple[str, ...]
    yaml: str


@dataclass(slots=True)
class _Bench:
    """What trials share: questions, targets that remember, and what is known of each trial."""

    subject: Subject
    questions: Mapping[str, Masked]
    judgements: Judgements
    stack: ExitStack
    tell: Tell
    until: float
    targets: dict[str, Target] = field(default_factory=dict)
    known: dict[tuple[str, str], float] = field(default_factory=dict)

    def measure(self, values: Values, queries: Sequence[str]) -> list[float]:
        """Return nDCG@10 of each query under these settings."""
        from rag.asking.searching import search

        config = turned(self.subject.context.config, values)
        assert config is not None  # `usable` has looked
        subject = self.subject.under(config)
        target = self.target(subject, values)
        for query in queries:
            key = (repr(values), query)
            if key in self.known:
                continue
            hits = search(
                subject.context, target, self.questions[query], subject.principals, JUDGED_HITS
            )
            ranking = by_document(hits, lambda hit: subject.names.get(hit.chunk.document_id, ""))
            self.known[key] = measured(ranking, self.judgements[query])["ndcg@10"]
        return [self.known[repr(values), query] for query in queries]

    def target(self, subject: Subject, values: Values) -> Target:
        """Return the index that these settings need, which remembers its answers."""
        own = {name: value for name, value in values.items() if name.startswith("chunk.")}
        key = repr((sorted(own.items()), subject.context.config.targets[0]))
        if key not in self.targets:
            opened = (
                self.stack.enter_context(
                    temporary(subject, lambda done, total: self.tell("index", done, total))
                )
                if own
                else next(iter(subject.context.targets.values()))
            )
            self.targets[key] = Replayed(opened)  # type: ignore[assignment]  # only searched
        return self.targets[key]

    def cost(self, values: Values, queries: Sequence[str]) -> tuple[float, float | None]:
        """Return the median of a search in milliseconds, and the price of 1,000 in USD."""
        from rag.asking.searching import search
        from rag.cost import metered

        config = turned(self.subject.context.config, values)
        assert config is not None
        subject = self.subject.under(config)
        replayed = self.target(subject, values)
        target: Target = replayed._target if isinstance(replayed, Replayed) else replayed
        seconds = []
        with metered() as meter:
            for query in queries[:_TIMED]:
                began = time.perf_counter()
                text = self.questions[query]
                search(subject.context, target, text, subject.principals, SHOWN_HITS)
                seconds.append(time.perf_counter() - began)
        usd = meter.total().usd
        per_thousand = None if usd is None else 1000 * usd / max(1, len(seconds))
        return 1000 * percentile(seconds, 0.5), per_thousand


def tune(
    subject: Subject,
    queries: Mapping[str, str],
    judgements: Judgements,
    *,
    trials: int = 40,
    minutes: float = 10.0,
    seed: int = 8,
    tell: Tell = lambda *_: None,
) -> Tuned:
    """Try other settings on judged questions.

    Args:
        trials: Settings tried at most, the present ones not counted.
        minutes: No trial begins after that.
        seed: The same draws the same trials and the same held-out questions.

    Raises:
        ConfigError: There are too few judged questions.
    """
    from rag.asking.gate import masked
    from rag.errors import ConfigError
    from rag.privacy import Blocked

    texts: dict[str, Masked] = {}
    for query, graded in judgements.items():
        if query in queries and any(grade > 0 for grade in graded.values()):
            try:
                texts[query] = masked(subject.context, queries[query]).text
            except Blocked:
                continue
    chance = random.Random(seed)  # noqa: S311  # nothing secret is drawn
    names = sorted(texts)
    chance.shuffle(names)
    judging = names[: int(len(names) * _HELD_OUT)]
    choosing = names[len(judging) :]
    if len(judging) < _FEWEST:
        raise ConfigError(
            f"{len(names)} judged questions are too few to tune by.",
            f"Give {int(_FEWEST / _HELD_OUT) + 1} at least, better 100.",
        )
    with ExitStack() as stack:
        until = time.monotonic() + 60 * minutes
        bench = _Bench(subject, texts, judgements, stack, tell, until)
        return _tuned(bench, choosing, judging, trials, chance)


def told(trial: Trial) -> str:
    """Return what a trial changes, on one line."""
    changes = ", ".join(f"{name}: {value}" for name, value in trial.values.items())
    return changes or "as it is"


def _tuned(
    bench: _Bench,
    choosing: Sequence[str],
    judging: Sequence[str],
    trials: int,
    chance: random.Random,
) -> Tuned:
    knobs = usable(bench.subject.context.config)
    quick = [knob for knob in knobs if not knob.index]
    candidates = _drawn(quick, trials, chance)
    present = _mean(bench.measure({}, choosing))
    kept, tried = _halved(bench, candidates, choosing)
    best: Values = kept[0] if kept and _mean(bench.measure(kept[0], choosing)) > present else {}
    for knob in (knob for knob in knobs if knob.index):
        some = knob.values[:_INDEXES]
        for value in some:
            if time.monotonic() > bench.until or tried >= trials:
                break
            values: Values = {**best, knob.field: value}
            if turned(bench.subject.context.config, values) is None:
                continue
            bench.measure(values, choosing)
            tried += 1
            kept.append(values)
        kept.sort(key=lambda one: -_mean(bench.measure(one, choosing)))
        if kept and _mean(bench.measure(kept[0], choosing)) > present:
            best = kept[0]
    finalists = list({repr(one): one for one in ({}, *kept[:5])}.values())
    before = bench.measure({}, judging)
    found = []
    for values in finalists:
        after = bench.measure(values, judging)
        p50, usd = bench.cost(values, judging)
        found.append(
            Trial(
                values,
                estimate(bench.measure(values, choosing)),
                estimate(after),
                compare(after, before) if values else None,
                p50,
                usd,
            )
        )
        bench.tell("judge", len(found), len(finalists))
    return _advised(found, best, tried)


def _drawn(knobs: Sequence[Knob], trials: int, chance: random.Random) -> list[Values]:
    """Return each change by itself, then changes together, without repetition."""
    found: dict[str, Values] = {}
    alone = [{knob.field: value} for knob in knobs for value in knob.values]
    for values in alone[: max(1, trials)]:
        found[repr(values)] = values
    for _ in range(20 * trials):
        if len(found) >= trials or len(knobs) < 2:
            break
        some = chance.sample(list(knobs), chance.randint(2, min(4, len(knobs))))
        together = {knob.field: chance.choice(knob.values) for knob in some}
        drawn = dict(sorted(together.items()))
        found.setdefault(repr(drawn), drawn)
    return list(found.values())


def _halved(
    bench: _Bench, candidates: Sequence[Values], choosing: Sequence[str]
) -> tuple[list[Values], int]:
    """Return the best of the candidates on all choosing questions, best first, and how many."""
    size, tried = max(_FEWEST, int(len(choosing) * _FIRST)), 0
    left = list(candidates)
    while left:
        some = choosing[:size]
        scored: list[tuple[float, Values]] = []
        for values in left:
            if time.monotonic() > bench.until and scored:
                break
            scored.append((_mean(bench.measure(values, some)), values))
            bench.tell(f"try on {len(some)} questions", len(scored), len(left))
        tried = max(tried, len(scored))
        scored.sort(key=lambda one: -one[0])
        left = [values for _, values in scored]
        if size >= len(choosing):
            break
        left = left[: max(4, len(left) // 3)]
        size = min(len(choosing), size * 3)
    return left, tried


def _advised(found: Sequence[Trial], best: Values, tried: int) -> Tuned:
    present = next(one for one in found if not one.values)
    chosen = next((one for one in found if one.values == best), present)
    frontier = tuple(
        sorted(
            (one for one in found if not any(_beats(other, one) for other in found)),
            key=lambda one: -_quality(one),
        )
    )
    if not chosen.values or chosen.against is None:
        return Tuned(tried, present, frontier, ("Nothing beat the present settings.",), "")
    change = chosen.against
    said = (
        f"On {change.n} questions that took no part in the choice, nDCG@10 changes by "
        f"{change.mean:+.4f} ({change.low:+.4f} to {change.high:+.4f}, p {change.p:.3f})."
    )
    if change.significant and change.mean > 0:
        return Tuned(tried, present, frontier, (said,), snippet(chosen.values))
    doubt = (
        "That may be chance: of so many trials the luckiest is seen. Judge more questions before "
        "you change the file."
    )
    return Tuned(tried, present, frontier, (said, doubt), snippet(chosen.values))


def _beats(one: Trial, other: Trial) -> bool:
    """Whether a trial is as good in all and better in something; of equals none beats."""
    pairs = [
        (_quality(one), _quality(other)),
        (-one.p50, -other.p50),
        (-(one.usd or 0.0), -(other.usd or 0.0)),
    ]
    return all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)


def _quality(trial: Trial) -> float:
    return trial.held_out.mean if trial.held_out else trial.chosen_by.mean


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
