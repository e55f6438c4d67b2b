"""An evaluation as one page: plots inside it, nothing fetched, ids instead of texts."""

from __future__ import annotations

import html
import io
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.evaluate.metrics import METRICS
from rag.evaluate.outcome import Outcome
from rag.evaluate.ranking import percentile

if TYPE_CHECKING:
    from rag.evaluate.intervals import Difference, Estimate
    from rag.evaluate.tune import Tuned

_INK, _OURS, _OTHER = "#7a7f87", "#3b82c4", "#d98324"
"""Colours that can be read on white and on black."""
_NAMED = 15
"""Queries in the plot of those that changed most."""
_METRICS = {
    "ndcg@10": ("nDCG@10", "how near the first ten documents come to the best order of all"),
    "recall@100": ("recall@100", "share of the relevant documents among the first hundred"),
    "mrr@10": ("MRR@10", "1 over the place of the first relevant document; 0 beyond the tenth"),
}
"""What a reader who knows none of them needs."""
_LABEL = 34
"""Characters of a line beside a plot."""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>{title}</title><style>
:root {{
  color-scheme: light dark;
  --ink: #1d2127; --page: #fff; --line: #d9dde3; --soft: #5d6570; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ink: #e6e8eb; --page: #14171b; --line: #343a42; --soft: #a3abb6; }} }}
* {{ box-sizing: border-box; }}
body {{ font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page);
  max-width: 52rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }}
h1 {{ font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; }}
h2 {{ font-size: 1.15rem; margin: 2.5rem 0 .5rem; }}
p {{ color: var(--soft); margin: .3rem 0; }}
figure {{ margin: 1rem 0; }} svg {{ width: 100%; height: auto; display: block; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }}
th, td {{ text-align: right; padding: .35rem .6rem; border-bottom: 1px solid var(--line);
  white-space: nowrap; }}
th:first-child, td:first-child {{ text-align: left; padding-left: 0; white-space: normal;
  min-width: 11rem; }}
th {{ color: var(--soft); font-weight: 500; white-space: normal; }}
</style></head><body>
<h1>{title}</h1>
{body}
</body></html>
"""


def write(outcome: Outcome, path: Path) -> None:
    """Write an evaluation as an HTML page.

    Raises:
        ConfigError: It cannot be written there.
    """
    _written(path, page(outcome))


def write_tuned(tuned: Tuned, corpus: str, path: Path) -> None:
    """Write what tuning found as an HTML page.

    Raises:
        ConfigError: It cannot be written there.
    """
    title = f"Tuning of {Path(corpus).stem}"
    _written(path, _PAGE.format(title=_e(title), body="\n".join(_tuned(tuned))))


def page(outcome: Outcome) -> str:
    """Return an evaluation as an HTML page of its own."""
    title = f"Evaluation of {Path(outcome.corpus).stem}"
    if outcome.other:
        title += f", beside {Path(outcome.other).stem}"
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    parts = [
        f"<p>{_e(made)}. Figures come with 95 % intervals, by bootstrap over questions: had other "
        "questions of the kind been asked, the figure would likely lie within. One of no width "
        "says only that all questions went the same way.</p>",
        *(f"<p>{_e(note)}</p>" for note in outcome.notes),
    ]
    parts += [*_ranking(outcome), *_comparison(outcome), *_answers(outcome), *_budgets(outcome)]
    return _PAGE.format(title=_e(title), body="\n".join(parts))


def _written(path: Path, text: str) -> None:
    from rag.errors import ConfigError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{path.name} cannot be written ({type(error).__name__}).", "Check its folder."
        ) from None


def _tuned(tuned: Tuned) -> Iterable[str]:
    from rag.evaluate.tune import told

    tried = "1 other setting" if tuned.trials == 1 else f"{tuned.trials:,} other settings"
    yield f"<p>{tried} tried. {_e(' '.join(tuned.advice))}</p>"
    yield (
        "<p>Shown is what no other beats in quality, latency and price at once, and the file as it "
        "is (orange). Quality is that on questions that took no part in the choice, with its 95 % "
        "interval.</p>"
    )
    yield "<h2>Quality and latency</h2>"
    shown = list(dict.fromkeys(told(one) for one in (tuned.present, *tuned.frontier)))
    trials = {told(one): one for one in (tuned.present, *tuned.frontier)}

    def drawn(axes: Any) -> None:
        for place, name in enumerate(shown):
            one = trials[name]
            held = one.held_out or one.chosen_by
            axes.errorbar(
                one.p50,
                held.mean,
                [[held.mean - held.low], [held.high - held.mean]],
                fmt="o",
                color=_OTHER if name == told(tuned.present) else _OURS,
                ecolor=_INK,
                capsize=3,
            )
            axes.annotate(str(place + 1), (one.p50, held.mean), (6, 4), textcoords="offset points")
        axes.set_xlabel("milliseconds (p50)")
        axes.set_ylabel("nDCG@10, held out")

    yield _plot(drawn, "Quality and latency of the frontier", 3.2)
    rows = []
    for place, name in enumerate(shown):
        one = trials[name]
        usd = "not known" if one.usd is None else f"{one.usd:.4f}"
        figures = _figures(one.held_out or one.chosen_by)
        rows.append((f"{place + 1}. {name}", *figures, f"{one.p50:.1f}", usd))
    yield _table(("settings", "nDCG@10", "from", "to", "p50 ms", "USD per 1,000"), rows)
    if tuned.yaml:
        yield f"<h2>For the corpus file</h2><pre>{_e(tuned.yaml)}</pre>"


def _ranking(outcome: Outcome) -> Iterable[str]:
    if not (ranked := outcome.ranked):
        return
    yield f"<h2>Search, {ranked.scores.queries:,} queries</h2>"
    sides = [("", ranked.intervals)]
    if outcome.other_ranked:
        ours, theirs = _sides(outcome)
        sides = [(ours, ranked.intervals), (theirs, outcome.other_ranked.intervals)]
    said = (f"{name}: {meaning}" for name, meaning in _METRICS.values())
    yield f"<p>{_e('; '.join(said))}. All are 0 to 1, the more the better.</p>"
    labels = {name: _METRICS[name][0] for name in METRICS}
    yield _plot(lambda axes: _bars(axes, labels, sides), "Metrics with their intervals", 2.4)
    rows = [
        (f"{labels[name]}, {side}" if side else labels[name], *_figures(found[name]))
        for name in METRICS
        for side, found in sides
    ]
    yield _table(("metric", "mean", "from", "to"), rows)
    if ranked.seconds:
        yield "<h2>How long a search takes</h2>"
        yield _latency(ranked.seconds, "Ten passages")


def _comparison(outcome: Outcome) -> Iterable[str]:
    found = outcome.compared
    if not found and not outcome.answers_compared:
        return
    yield "<h2>The difference</h2>"
    rows = (
        [_difference(_METRICS[metric][0], found.differences[metric]) for metric in METRICS]
        if found
        else []
    )
    rows += [_difference(_said(name), one) for name, one in outcome.answers_compared.items()]
    less = " less ".join(_sides(outcome))
    yield _table((less, "n", "difference", "from", "to", "p"), rows)
    yield (
        "<p>p: how often chance alone makes a difference so large (paired randomisation test over "
        "the n questions that both are judged by).</p>"
    )
    if found and found.changed:
        yield "<h2>Queries that changed most (nDCG@10)</h2>"
        some = found.changed[:_NAMED]
        yield _plot(
            lambda axes: _changes(axes, some, less), "Differences by query", 0.9 + 0.28 * len(some)
        )


def _answers(outcome: Outcome) -> Iterable[str]:
    if not (answered := outcome.answered):
        return
    yield f"<h2>Answers, {len(answered.told):,} questions</h2>"
    shares = answered.shares
    sides = [("", shares)]
    if outcome.other_answered:
        ours, theirs = _sides(outcome)
        sides = [(ours, shares), (theirs, outcome.other_answered.shares)]
    labels = {name: textwrap.fill(_said(name), _LABEL) for name in shares}
    yield _plot(
        lambda axes: _bars(axes, labels, sides),
        "Shares with their intervals",
        0.9 + 0.55 * len(labels),
    )
    yield _table(
        ("share of", "n", "mean", "from", "to"),
        [(_said(name), f"{one.n:,}", *_percent(one)) for name, one in shares.items()],
    )
    if area := answered.answerability:
        yield (
            "<p>Support tells answerable questions from others: area under the curve "
            f"{area.mean:.3f} ({area.low:.3f} to {area.high:.3f}).</p>"
        )
    usd = "not known" if answered.usd is None else f"{answered.usd:.4f} USD"
    tokens = sum(one.tokens for one in answered.told)
    yield f"<p>All questions together: {tokens:,} paid tokens, {usd}.</p>"
    yield "<h2>How long an answer takes</h2>"
    yield _latency([one.seconds for one in answered.told], "An answer")


def _budgets(outcome: Outcome) -> Iterable[str]:
    if not outcome.budgets:
        return
    yield "<h2>Quality by tokens of context</h2>"
    names = ("best_sentence_right", "right_or_rightly_silent")
    sizes = [one.context_tokens for one in outcome.budgets]

    def drawn(axes: Any) -> None:
        for name, colour in zip(names, (_OURS, _OTHER), strict=True):
            found = [
                (size, one.shares[name])
                for size, one in zip(sizes, outcome.budgets, strict=True)
                if name in one.shares
            ]
            if not found:
                continue
            x = [size for size, _ in found]
            means = [one.mean for _, one in found]
            axes.plot(x, means, "o-", color=colour, label=_said(name))
            axes.fill_between(
                x,
                [one.low for _, one in found],
                [one.high for _, one in found],
                color=colour,
                alpha=0.18,
                linewidth=0,
            )
        axes.set_xlabel("tokens of context, at most")
        axes.set_xticks(sizes)
        axes.set_ylim(0, 1)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False, labelcolor=_INK, fontsize=9)

    yield _plot(drawn, "Quality by tokens of context", 3.2)
    yield _table(
        ("tokens at most", *(_said(name) for name in names)),
        [
            (
                f"{one.context_tokens:,}",
                *(_percent(one.shares[name])[0] if name in one.shares else "-" for name in names),
            )
            for one in outcome.budgets
        ],
    )


def _latency(seconds: Sequence[float], what: str) -> str:
    unit, scale = ("seconds", 1) if percentile(seconds, 0.5) >= 1 else ("milliseconds", 1000)
    scaled = [scale * one for one in seconds]

    def drawn(axes: Any) -> None:
        axes.hist(scaled, bins=min(40, max(5, len(scaled) // 4)), color=_OURS)
        axes.set_xlabel(unit)
        axes.set_ylabel("questions")

    p50, p99 = (percentile(scaled, share) for share in (0.5, 0.99))
    said = (
        f"<p>{what}: half take up to {p50:.1f} {unit} (p50), all but one in a hundred up to "
        f"{p99:.1f} (p99); {len(seconds):,} timed.</p>"
    )
    return said + _plot(drawn, f"Times of {what}", 2.4)


# Plots


def _plot(draw: Callable[[Any], None], label: str, height: float) -> str:
    """Return a figure as SVG in the page: 6.4 inches wide, `height` inches high."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    style: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": "sluice",
        "font.family": "sans-serif",
        "text.color": _INK,
        "axes.labelcolor": _INK,
        "axes.edgecolor": _INK,
        "xtick.color": _INK,
        "ytick.color": _INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "font.size": 10,
    }
    with rc_context(style):
        figure = Figure(figsize=(6.4, height), layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure.add_subplot())
        written = io.StringIO()
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    svg = written.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # Ids of two plots in one page must not meet.
    prefix = re.sub(r"\W+", "-", label.lower())
    svg = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{prefix}-", svg)
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{_e(label)}"', 1)
    return f"<figure>{svg}</figure>"


def _bars(
    axes: Any, labels: Mapping[str, str], sides: Sequence[tuple[str, Mapping[str, Estimate]]]
) -> None:
    size = 0.8 / len(sides)
    for place, (side, found) in enumerate(sides):
        there = [(at, found[name]) for at, name in enumerate(labels) if name in found]
        means = [one.mean for _, one in there]
        spread = [
            [max(0.0, one.mean - one.low) for _, one in there],
            [max(0.0, one.high - one.mean) for _, one in there],
        ]
        at = [row + (place - (len(sides) - 1) / 2) * size for row, _ in there]
        axes.barh(
            at,
            means,
            size * 0.9,
            xerr=spread,
            label=side,
            color=(_OURS, _OTHER)[place],
            alpha=0.75,
            error_kw={"ecolor": _INK, "capsize": 4, "elinewidth": 2},
        )
    axes.set_yticks(range(len(labels)), list(labels.values()))
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    if len(sides) > 1:
        # Above the plot: beside the bars there is no place that is always free.
        where = {"loc": "lower right", "bbox_to_anchor": (1, 1), "ncols": len(sides)}
        axes.legend(frameon=False, labelcolor=_INK, fontsize=9, borderaxespad=0, **where)


def _changes(axes: Any, changed: Sequence[tuple[str, float]], less: str) -> None:
    colours = [_OURS if change > 0 else _OTHER for _, change in changed]
    axes.barh(range(len(changed)), [change for _, change in changed], color=colours)
    axes.set_yticks(range(len(changed)), [query for query, _ in changed])
    axes.invert_yaxis()
    axes.axvline(0, color=_INK, linewidth=0.8)
    axes.set_xlabel(f"nDCG@10, {less}")


# Tables


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{_e(name)}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{_e(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody>'
        "</table></div>"
    )


def _figures(one: Estimate) -> tuple[str, str, str]:
    return f"{one.mean:.4f}", f"{one.low:.4f}", f"{one.high:.4f}"


def _percent(one: Estimate) -> tuple[str, str, str]:
    return f"{one.mean:.1%}", f"{one.low:.1%}", f"{one.high:.1%}"


def _difference(name: str, one: Difference) -> tuple[str, ...]:
    if one.none:
        return (name, f"{one.n:,}", "none", "", "", "")
    chance = "" if one.significant else " (may be chance)"
    figures = (f"{value:+.4f}" for value in (one.mean, one.low, one.high))
    return (name, f"{one.n:,}", *figures, f"{one.p:.4f}{chance}")


def _sides(outcome: Outcome) -> tuple[str, str]:
    """Return what the two that are compared are called."""
    ours, theirs = Path(outcome.corpus).stem, Path(outcome.other).stem
    return (ours, theirs) if ours != theirs else ("this", "other")


def _said(name: str) -> str:
    from rag.evaluate.answers import SHARES

    return SHARES.get(name, name)


def _e(text: str) -> str:
    return html.escape(text)
