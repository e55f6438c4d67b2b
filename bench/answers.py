"""How well questions are answered through the product: its gate, search, packing and answerer.

    python -m bench.answers --squad QUESTIONS_FOLDER [--questions 200] [--seed 1] [--json FILE]
        [--reader FILE --fold 0] [--unmasked]

The folder holds ``corpus.jsonl`` ({_id, title, text}) and ``questions.jsonl`` ({_id, text,
document, answers, answerable}), SQuAD 2.0 for example. The corpus is synced with default settings,
masking included, into a folder of its own. An answer that the gate masks counts as found in what
the gate makes of it; "revealed" also in what somebody reads there who may look behind pseudonyms.
Best sentences are asked for with ``min_support`` 0, silence with the default.

The reader has learned half of SQuAD 2.0's development split. To ask about what it has not learned,
give one that ``packaging/reader/train.py --fold`` made, and its fold: that fold's subjects alone
are asked about. ``--unmasked`` keeps all identifiers.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np

from rag.models import reader
from rag.privacy.pseudonym import MASK

CORPUS = """corpus: answers
source: {connector: files, url: docs, include: ["**/*"], acl: {default: ["group:any"]}}
targets: [{kind: embedded}]
answer: {min_support: 0.0}
privacy: PRIVACY
"""
ANYBODY = ("group:any",)
DEFAULT_SUPPORT = 0.6


def area(scores: Any, positive: Any) -> float:
    """Area under the receiver operating characteristic curve; ties count half."""
    yes, no = scores[positive], scores[~positive]
    return float(np.mean((yes[:, None] > no) + 0.5 * (yes[:, None] == no)))


def part(subjects: Iterable[str], fold: int, folds: int) -> set[str]:
    """Return the subjects of one fold, which `packaging/reader/train.py` can keep apart."""
    return set(sorted(set(subjects))[fold::folds])


def measured(
    folder: Path,
    count: int,
    seed: int,
    fold: tuple[int, int] | None = None,
    *,
    unmasked: bool = False,
) -> dict[str, float]:
    """Ask `count` questions of a folder; return the figures, shares of 1.

    Args:
        fold: Which part of the subjects is asked about, and of how many parts; None: all.
    """
    from rag.corpus import Corpus
    from rag.privacy.profiles import KINDS

    kept = dict.fromkeys(sorted(KINDS), "keep") if unmasked else {}
    privacy = json.dumps({"vault": {"reveal": ANYBODY}, "actions": kept})
    documents = [json.loads(line) for line in (folder / "corpus.jsonl").open()]
    questions = [json.loads(line) for line in (folder / "questions.jsonl").open()]
    if fold:
        titles = {one["_id"]: one["title"] for one in documents}
        subjects = part(titles.values(), *fold)
        questions = [one for one in questions if titles[one["document"]] in subjects]
    asked = random.Random(seed).sample(questions, min(count, len(questions)))
    with tempfile.TemporaryDirectory() as root:
        os.environ["SLUICE_HOME"] = str(Path(root, "home"))
        Path(root, "docs").mkdir()
        for one in documents:
            title = one["title"].replace("_", " ")
            Path(root, "docs", f"{one['_id']}.txt").write_text(f"{title}\n\n{one['text']}")
        Path(root, "answers.yaml").write_text(CORPUS.replace("PRIVACY", privacy))
        corpus = Corpus.open(Path(root, "answers.yaml"))
        corpus.sync(workers=1)
        rows = [_row(corpus, question) for question in asked]
    first, right, revealed, support = (np.array(column) for column in zip(*rows, strict=True))
    answerable = np.array([question["answerable"] for question in asked])
    said = support >= DEFAULT_SUPPORT
    figures = {
        "questions": len(asked),
        "right paragraph first": float(first.mean()),
        "best sentence right": float(right[answerable].mean()),
        "area under the curve, answerable": area(support, answerable),
        "right or rightly silent": float(np.where(said, right, ~answerable).mean()),
        "answered": float(said.mean()),
    }
    if not unmasked:
        figures["best sentence right, revealed"] = float(revealed[answerable].mean())
        figures["right or rightly silent, revealed"] = float(
            np.where(said, revealed, ~answerable).mean()
        )
    return figures


def _row(corpus: Any, question: dict[str, Any]) -> tuple[bool, bool, bool, float]:
    hits = corpus.search(question["text"], principals=ANYBODY, k=1)
    first = bool(hits) and Path(hits[0].document).stem == question["document"]
    answer = corpus.ask(question["text"], principals=ANYBODY)
    quote = answer.citations[0].quote if answer.citations else ""
    wanted = {one.casefold() for one in question["answers"]}
    also = {corpus.mask(one).text.casefold() for one in question["answers"]}
    right = any(one in quote.casefold() for one in wanted | also)
    revealed = any(one in text.casefold() for text in _revealed(corpus, quote) for one in wanted)
    return first, right, right or revealed, answer.support


def _revealed(corpus: Any, quote: str) -> Iterator[str]:
    """Yield a quote with originals for its pseudonyms, in each of the ways they are spelt."""
    masks = sorted({one for one in MASK.findall(quote) if not one.startswith("<")})
    if not masks:
        return
    told = corpus.reveal(masks, principals=ANYBODY, purpose="a benchmark")
    spellings = [one.originals or (one.asked,) for one in told]
    for chosen in islice(product(*spellings), 1000):
        text = quote
        for mask, original in zip(masks, chosen, strict=True):
            text = text.replace(mask, original)
        yield text


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--squad", type=Path, required=True)
    arguments.add_argument("--questions", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--json", type=Path)
    arguments.add_argument("--reader", type=Path)
    arguments.add_argument("--fold", type=int)
    arguments.add_argument("--folds", type=int, default=4)
    arguments.add_argument("--unmasked", action="store_true")
    given = arguments.parse_args()
    if given.reader:
        reader.WEIGHTS = given.reader
    fold = None if given.fold is None else (given.fold, given.folds)
    figures = measured(given.squad, given.questions, given.seed, fold, unmasked=given.unmasked)
    for name, value in figures.items():
        print(f"{name}: {value:.3f}" if name != "questions" else f"{name}: {value:.0f}")
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
