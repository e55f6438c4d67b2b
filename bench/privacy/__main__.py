"""Measure detection of personal data on generated texts: ``python -m bench.privacy``."""

from __future__ import annotations

import argparse
import json
import random
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from bench.privacy import detectors, prose, speed
from bench.privacy.generate import cases, documents, plain
from bench.privacy.measure import Detect, Miss, Score, Tally, score

if TYPE_CHECKING:
    from rag.privacy.gate import Masker


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
    parser.add_argument("--prose", action="store_true", help="Also texts with nothing personal")
    parser.add_argument("--shared", type=Path, help="Also natural texts below this folder")
    parser.add_argument("--documents", type=int, default=0, help="Also as many of 4 kB")
    parser.add_argument("--speed", action="store_true", help="Also words a second, by recognizer")
    parser.add_argument("--ablate", action="store_true", help="Also with one means off at a time")
    parser.add_argument("--json", type=Path, help="Write every figure to this file")
    options = parser.parse_args()
    if options.part == "held" and (options.misses or options.extras):
        parser.error("held-out texts are for figures only; look at misses with --part dev")

    from rag.config import Privacy

    # Before ours: Presidio's loader looks recognizers up among all classes of that name.
    stock = detectors.stock() if options.stock or options.ablate else None
    detect, gate = detectors.ours(Privacy(profile=options.profile))
    kinds = {kind for kind, action in gate.policy.actions.items() if action != "keep"}
    runs: dict[str, Detect] = {"ours": detect}
    if stock and options.stock:
        runs["stock"] = stock
    report: dict[str, dict[str, object]] = {}
    for name, run in runs.items():
        print(f"\n{name}: {options.part}, {options.profile}, seed {options.seed}")
        report[name] = quality(options, run, kinds, name == "ours") | natural(options, run)
        if options.speed:
            report[name] |= fast(options, run, gate if name == "ours" else None)
    if options.ablate:
        report["ablation"] = ablation(options, detect, gate, kinds)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


def quality(
    options: argparse.Namespace, run: Detect, kinds: set[str], shown: bool
) -> dict[str, object]:
    """Measure generated texts, and print figures and what examples were asked for."""
    sets = {"texts": cases(options.part, options.n, options.seed)}
    if options.documents:
        sets["documents"] = documents(options.part, options.documents, options.seed)
    figures: dict[str, object] = {}
    for name, texts in sets.items():
        begin = time.perf_counter()
        result = score(texts, run([case.text for case in texts]), kinds)
        print(f"{len(texts)} {name}, {time.perf_counter() - begin:.1f} s")
        show(result)
        figures[name] = result.figures()
        if shown:
            examples("missed", result.misses, options.misses, options.entity)
            examples("wrongly masked", result.extras, options.extras, options.entity)
    return figures


def natural(options: argparse.Namespace, run: Detect) -> dict[str, object]:
    """Count what is masked in natural texts."""
    collections = {"own prose": plain(options.part)} if options.prose else {}
    if options.shared:
        collections |= prose.shared(options.shared)
    figures = {}
    for name, texts in collections.items():
        result = prose.read(texts, run)
        figures[name] = result.figures()
        print(f"{name}: {figures[name]}")
        if options.part == "dev" and options.extras:
            for entity, text in result.examples[: options.extras]:
                print(f"    {entity} {text!r}")
    return {"natural": figures} if figures else {}


def fast(options: argparse.Namespace, run: Detect, gate: Masker | None) -> dict[str, object]:
    """Measure words a second on one thread over documents of 4 kB, with shares if it is ours."""
    if options.shared:
        fresh = prose.joined(options.shared, 4_000)
    else:
        fresh = [case.text for case in documents(options.part, 150, options.seed + 1)]
    batches = [fresh[start::5] for start in range(5)]
    words = speed.words_per_second(run, batches[:4])
    print(f"{words:,.0f} words a second of one core, texts of 4 kB")
    figures: dict[str, object] = {"words_per_second": round(words)}
    if gate:
        parts = speed.shares(gate, batches[4])
        print("  " + ", ".join(f"{name} {share:.1%}" for name, share in parts.items()))
        figures["shares"] = parts
    return {"speed": figures}


def ablation(
    options: argparse.Namespace, detect: Detect, gate: Masker, kinds: set[str]
) -> dict[str, object]:
    """Measure with each means switched off by itself."""
    from bench.privacy import ablate

    texts = cases(options.part, options.n, options.seed)
    texts += documents(options.part, max(options.n // 50, 1), options.seed)
    figures: dict[str, object] = {}
    print(f"\n{'without':60}{'direct':>8}{'person':>8}{'address':>8}{'precision':>11}")
    for means in (None, *ablate.SWITCHES):
        with ablate.off(gate, means) if means else nullcontext():
            result = score(texts, detect([case.text for case in texts]), kinds)
        person, address = (result.entities[kind] for kind in ("PERSON", "STREET_ADDRESS"))
        print(
            f"{means or 'nothing':60}{result.direct.share:8.2%}{person.share:8.2%}"
            f"{address.share:8.2%}{result.precision:11.2%}"
        )
        figures[means or "nothing"] = {
            "direct": round(result.direct.share, 4),
            "entities": {kind: round(t.share, 4) for kind, t in result.entities.items()},
            "character_precision": round(result.precision, 4),
        }
    return figures


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
