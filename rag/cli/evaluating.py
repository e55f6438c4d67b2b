"""Commands that say how good a corpus is, and how it could be better: evaluate, tune."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.cli.asking import principals_of
from rag.cli.output import CORPUS, JSON, ShowProgress, show, show_json, show_table

if TYPE_CHECKING:
    from rag.evaluate.files import Judgements, Question
    from rag.evaluate.intervals import Difference, Estimate
    from rag.evaluate.outcome import Outcome
    from rag.evaluate.ranking import Tell
    from rag.evaluate.subject import Subject
    from rag.evaluate.tune import Trial, Tuned

QUERIES = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help='JSON lines: {"_id": …, "text": …}'),
]
QRELS = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="Tab separated: query, document, grade."),
]
QUESTIONS = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="JSON lines: {_id, text, document?, answers?, answerable?}",
    ),
]
ASKER = Annotated[
    list[str] | None,
    typer.Option("--as", metavar="PRINCIPALS", help="Who asks; by default who may read all."),
]
REPORT = Annotated[
    Path | None, typer.Option(dir_okay=False, metavar="FILE.html", help="Write a page with plots.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for command in (evaluate, tune):
        app.command()(command)


def evaluate(
    corpus: CORPUS,
    queries: QUERIES = None,
    qrels: QRELS = None,
    questions: QUESTIONS = None,
    asker: ASKER = None,
    compare: Annotated[
        str | None,
        typer.Option(metavar="OTHER.yaml", help="Another corpus file, on the same questions."),
    ] = None,
    budgets: Annotated[
        str | None,
        typer.Option(metavar="TOKENS,…", help="Answer with these context sizes too."),
    ] = None,
    report: REPORT = None,
    per_query: Annotated[
        bool, typer.Option("--per-query", help="With --json: each query's figures, by id.")
    ] = False,
    as_json: JSON = False,
) -> None:
    """Score search and answers against judgements.

    Search in the BEIR layout (--queries, --qrels): nDCG@10, recall@100, MRR@10. Answers
    (--questions): right sentences and citations, abstention, cost, time. With 95 % intervals.
    """
    from rag.evaluate.outcome import as_json as plain

    outcome = _evaluated(
        corpus, _judged(queries, qrels, questions), asker, compare, _sizes(budgets), as_json
    )
    if report:
        from rag.evaluate.report import write

        write(outcome, report)
    if as_json:
        show_json(plain(outcome, per_query=per_query))
        return
    _show(outcome)
    if report:
        show(f"\nReport: {report}")


def tune(
    corpus: CORPUS,
    queries: QUERIES = None,
    qrels: QRELS = None,
    questions: QUESTIONS = None,
    asker: ASKER = None,
    trials: Annotated[int, typer.Option(min=1, max=10_000, help="Settings to try at most.")] = 40,
    minutes: Annotated[float, typer.Option(min=0.1, help="No trial begins after that.")] = 10.0,
    report: REPORT = None,
    as_json: JSON = False,
) -> None:
    """Try other settings on your own questions.

    Prints what no other trial beats in quality, latency and price, and what to change in the
    corpus file. Questions whose document is known (--questions) count as queries.
    """
    from rag.corpus import Corpus
    from rag.evaluate.report import write_tuned
    from rag.evaluate.tune import tune as tuned

    judged = _judged(queries, qrels, questions)
    known = [one for one in judged.questions if one.document and one.answerable is not False]
    texts = {**judged.queries, **{one.id: one.text for one in known}}
    judgements = {**judged.judgements, **{one.id: {one.document: 1} for one in known}}
    principals = principals_of(asker) if asker else None
    subject = Corpus.open(corpus).judged(judged.called(), principals=principals)
    with ShowProgress(as_json) as progress:
        found = tuned(
            subject, texts, judgements, trials=trials, minutes=minutes, tell=_tell(progress)
        )
    if report:
        write_tuned(found, corpus, report)
    if as_json:
        show_json(found)
        return
    _show_tuned(found, trials)
    if report:
        show(f"\nReport: {report}")


class _Judged:
    """What is asked: queries with judgements, questions with answers, or both."""

    def __init__(
        self,
        queries: Mapping[str, str],
        judgements: Judgements,
        questions: Sequence[Question],
    ) -> None:
        self.queries, self.judgements, self.questions = queries, judgements, questions

    def called(self) -> set[str]:
        """Return what judgements call documents."""
        judged = {document for graded in self.judgements.values() for document in graded}
        return judged | {one.document for one in self.questions if one.document}


def _judged(queries: Path | None, qrels: Path | None, questions: Path | None) -> _Judged:
    from rag.errors import ConfigError
    from rag.evaluate import read_qrels, read_queries, read_questions

    if (queries is None) != (qrels is None) or (queries is None and questions is None):
        raise ConfigError(
            "There is nothing to judge by.",
            "Give --queries with --qrels for search, --questions for answers, or all three.",
        )
    asked = read_queries(queries) if queries else {}
    judgements = read_qrels(qrels) if qrels else {}
    return _Judged(asked, judgements, read_questions(questions) if questions else ())


def _sizes(budgets: str | None) -> tuple[int, ...]:
    from rag.errors import ConfigError

    try:
        sizes = sorted({int(part) for part in (budgets or "").split(",") if part.strip()})
    except ValueError:
        sizes = [0]
    if any(size < 64 for size in sizes):
        raise ConfigError(
            "--budgets must be numbers of tokens, at least 64, joined by commas.",
            "For example: --budgets 250,500,1000,2000",
        )
    return tuple(sizes)


def _evaluated(
    corpus: str,
    judged: _Judged,
    asker: Sequence[str] | None,
    compare: str | None,
    budgets: Sequence[int],
    as_json: bool,
) -> Outcome:
    from rag.corpus import Corpus
    from rag.evaluate.answers import answer
    from rag.evaluate.outcome import Outcome

    principals = principals_of(asker) if asker else None
    subject = Corpus.open(corpus).judged(judged.called(), principals=principals)
    with ShowProgress(as_json) as progress:
        tell = _tell(progress)
        ranked, answered = _asked(subject, judged, tell)
        sizes = tuple(
            answer(subject, judged.questions, context_tokens=size, tell=tell)
            for size in (budgets if judged.questions else ())
        )
        if not compare:
            return Outcome(corpus, ranked, answered, budgets=sizes)
        second, same = _other(subject, compare, judged, principals)
        other = _asked(second, judged, tell)
    note = (
        "Both were asked over one index: they differ in how they search and answer."
        if same
        else "Each was asked over its own index."
    )
    return Outcome(corpus, ranked, answered, compare, *other, budgets=sizes, notes=(note,))


def _asked(subject: Subject, judged: _Judged, tell: Tell) -> tuple[Any, Any]:
    from rag.evaluate.answers import answer
    from rag.evaluate.ranking import TIMED, rank

    ranked = answered = None
    if judged.judgements:
        ranked = rank(subject, judged.queries, judged.judgements, timed=TIMED, tell=tell)
    if judged.questions:
        answered = answer(subject, judged.questions, tell=tell)
    return ranked, answered


def _other(
    subject: Subject, file: str, judged: _Judged, principals: Sequence[str] | None
) -> tuple[Subject, bool]:
    """Return what another corpus file asks, and whether it asks the same index."""
    from rag.corpus import Corpus
    from rag.evaluate.subject import other

    opened = Corpus.open(file)
    config = other(subject.context, opened.loaded.config)
    if config is not None:
        return subject.under(config), True
    return opened.judged(judged.called(), principals=principals), False


def _tell(progress: ShowProgress) -> Tell:
    from rag.ingest.local import Progress

    return lambda step, done, total: progress(Progress(step, done, total))


# Tables


def _show(outcome: Outcome) -> None:
    from rag.evaluate.metrics import METRICS
    from rag.evaluate.ranking import percentile

    if outcome.ranked:
        n = outcome.ranked.scores.queries
        show(f"Search, {n:,} queries (95 % intervals)\n")
        intervals = outcome.ranked.intervals
        show_table(["metric", "mean", "from", "to"], _rows(intervals, METRICS))
        if seconds := outcome.ranked.seconds:
            p50, p99 = (1000 * percentile(seconds, share) for share in (0.5, 0.99))
            show(f"\n10 passages take {p50:.0f} ms (p50), {p99:.0f} ms (p99)")
    if outcome.answered:
        _show_answers(outcome)
    if outcome.budgets:
        _show_budgets(outcome)
    if outcome.other:
        _show_comparison(outcome)


def _rows(intervals: Mapping[str, Estimate], names: Iterable[str]) -> list[Sequence[object]]:
    return [
        (name, *(f"{getattr(intervals[name], at):.4f}" for at in ("mean", "low", "high")))
        for name in names
    ]


def _show_answers(outcome: Outcome) -> None:
    from rag.evaluate.answers import SHARES
    from rag.evaluate.ranking import percentile

    answered = outcome.answered
    assert answered is not None
    show(f"\nAnswers, {len(answered.told):,} questions\n")
    rows = [
        (SHARES[measure], one.n, f"{one.mean:.1%}", f"{one.low:.1%}", f"{one.high:.1%}")
        for measure, one in answered.shares.items()
    ]
    show_table(["share of", "n", "mean", "from", "to"], rows)
    if area := answered.answerability:
        show(
            "\nSupport tells answerable questions: area under the curve "
            f"{area.mean:.3f} ({area.low:.3f} to {area.high:.3f})"
        )
    hidden = sum(one.hidden for one in answered.told)
    if hidden:
        show(f"Not judged by their sentence: {hidden:,} answers that masking hides")
    seconds = [one.seconds for one in answered.told]
    usd = "unknown" if answered.usd is None else f"{answered.usd:.4f} USD"
    show(
        f"Each takes {percentile(seconds, 0.5):.3f} s (p50), {percentile(seconds, 0.99):.3f} s "
        f"(p99); together {sum(one.tokens for one in answered.told):,} paid tokens, {usd}"
    )


def _show_budgets(outcome: Outcome) -> None:
    show("\nQuality by tokens of context\n")
    rows = []
    for one in outcome.budgets:
        shares = one.shares
        used = sum(told.context_tokens for told in one.told) / max(1, len(one.told))
        names = ("best_sentence_right", "right_or_rightly_silent")
        rows.append(
            (
                one.context_tokens,
                round(used),
                *(f"{shares[name].mean:.1%}" if name in shares else "-" for name in names),
            )
        )
    show_table(["at most", "used", "best sentence right", "right or rightly silent"], rows)


def _show_comparison(outcome: Outcome) -> None:
    from rag.evaluate.answers import SHARES
    from rag.evaluate.metrics import METRICS

    show(f"\nThe difference from {outcome.other}. {' '.join(outcome.notes)}\n")
    rows: list[Sequence[object]] = []
    if found := outcome.compared:
        rows += [_difference(metric, found.differences[metric]) for metric in METRICS]
    rows += [_difference(SHARES[name], one) for name, one in outcome.answers_compared.items()]
    show_table(["", "n", "difference", "from", "to", "p", ""], rows)
    if found and found.changed:
        shown = ", ".join(f"{query} ({change:+.2f})" for query, change in found.changed[:10])
        show(f"\nQueries that changed most (nDCG@10): {shown}")


def _show_tuned(found: Tuned, trials: int) -> None:
    few = " (there were no others, or the time was over)" if found.trials < trials else ""
    show(
        f"{found.trials} of {trials} other settings tried{few}. "
        "Not beaten in quality, latency and price at once:\n"
    )
    beaten = [] if any(not one.values for one in found.frontier) else [found.present]
    show_table(
        ["settings", "nDCG@10 held out", "from", "to", "p50 ms", "USD per 1,000"],
        [
            *(_trial(one) for one in found.frontier),
            *(("as it is (beaten)", *_trial(one)[1:]) for one in beaten),
        ],
    )
    show("\n" + " ".join(found.advice))
    if found.yaml:
        show(f"\nFor the corpus file:\n\n{found.yaml}")


def _trial(one: Trial) -> Sequence[object]:
    from rag.evaluate.tune import told

    held = one.held_out or one.chosen_by
    usd = "unknown" if one.usd is None else f"{one.usd:.4f}"
    means = (f"{held.mean:.4f}", f"{held.low:.4f}", f"{held.high:.4f}")
    return (told(one), *means, f"{one.p50:.1f}", usd)


def _difference(name: str, one: Difference) -> Sequence[object]:
    if one.none:
        return (name, one.n, "none", "", "", "", "")
    said = "" if one.significant else "may be chance"
    return (
        name,
        one.n,
        *(f"{v:+.4f}" for v in (one.mean, one.low, one.high)),
        f"{one.p:.4f}",
        said,
    )
