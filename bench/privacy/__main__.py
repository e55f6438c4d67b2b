"""Measure detection of personal data on generated texts: ``python -m bench.privacy``."""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path

from bench.privacy import detectors
from bench.privacy.generate import cases
from bench.privacy.measure import Detect, Miss, Score, Tally, score


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.privacy", description=__doc__)
    parser.add_argument("--part", choices=("dev", "held"), default="dev")
    parser.add_argument("--n", type=int, default=400, help="Texts to generate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--profile", default="default", help="Of the privacy section")
    parser.add_argument("--stock", action="store_true", help="Also stock Presidio, side by side")
    parser.add_argument("--misses", type=int, default=0, help="Examples to show; dev only")
    parser.add_argument("--extras", type=int, default=0, help="Wrongly masked, to show; dev only")
    parser.add_argument("--entity", help="Show examples of this kind only")
    parser.add_argument("--json", type=Path, help="Write every figure to this file")
    options = parser.parse_args()
    if options.part == "held" and (options.misses or options.extras):
        parser.error("held-out texts are for figures only; look at misses with --part dev")

    from rag.config import Privacy

    # Before ours: Presidio's loader looks recognizers up among all classes of that name.
    stock = detectors.stock() if options.stock else None
    detect, gate = detectors.ours(Privacy(profile=options.profile))
    kinds = {kind for kind, action in gate.policy.actions.items() if action != "keep"}
    texts = cases(options.part, options.n, options.seed)
    runs: dict[str, Detect] = {"ours": detect}
    if stock:
        runs["stock"] = stock
    report: dict[str, object] = {}
    for name, run in runs.items():
        begin = time.perf_counter()
        result = score(texts, run([case.text for case in texts]), kinds)
        seconds = time.perf_counter() - begin
        report[name] = {**result.figures(), "seconds": round(seconds, 2)}
        print(f"\n{name}: {options.part}, {len(texts)} texts, seed {options.seed}, {seconds:.1f} s")
        show(result)
        if name == "ours":
            examples("missed", result.misses, options.misses, options.entity)
            examples("wrongly masked", result.extras, options.extras, options.entity)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


def show(result: Score) -> None:
    """Print the figures of one detector."""
    print(f"{'':28}{'spans':>7}{'fully masked':>14}{'characters':>12}")
    _row("direct identifiers", result.direct)
    for entity, tally in sorted(result.entities.items(), key=lambda pair: -pair[1].spans):
        _row(f"  {entity}", tally)
    wrong = sorted(result.wrong.items(), key=lambda pair: -pair[1])
    print(
        f"character precision {result.precision:.2%}; wrongly masked characters: "
        + ", ".join(f"{kind} {count}" for kind, count in wrong if count)
    )
    for title, group in (("locale", result.locales), ("family", result.families)):
        worst = sorted(group.items(), key=lambda pair: pair[1].whole / pair[1].spans)[:12]
        print(
            f"lowest by {title}: "
            + ", ".join(f"{key} {t.whole}/{t.spans}" for key, t in worst if t.whole < t.spans)
        )


def _row(name: str, tally: Tally) -> None:
    figures = tally.figures()
    print(
        f"{name:28}{tally.spans:>7}{figures['fully_masked']:>14.2%}"
        f"{figures['character_recall']:>12.2%}"
    )


def examples(title: str, misses: list[Miss], most: int, entity: str | None) -> None:
    """Print some of the misses: the kind, the span, what is left of it, and the text."""
    if entity:
        misses = [miss for miss in misses if miss.entity == entity]
    for miss in random.Random(0).sample(misses, min(most, len(misses))):
        start, end = miss.span
        case = miss.case
        around = case.text[max(start - 60, 0) : end + 40]
        print(f"{title} {miss.entity} [{case.locale}, {case.family}] {case.text[start:end]!r}")
        print(f"    left {miss.rest!r} in {around!r}")


if __name__ == "__main__":
    main()
