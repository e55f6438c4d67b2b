"""Train the checker's upper layers (`rag/models/checker.py`); numpy, reproducible by its seed.

    python packaging/reader/check.py QUESTIONS_FOLDER --epochs 1 --out rag/models/checker.npz

The folder is that of ``train.py``, whose paragraphs and questions become claims (`stated.py`), as
do generated passages on handbooks and records. With ``--fold`` a part of the subjects is kept apart
and measured; without, all are learned. One core, some thirty minutes. What is committed learned
half of SQuAD 2.0's development split.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import train as reading  # first: it sets the number of threads, and the path

# isort: split
import numpy as np
from generate import generated
from layers import Arrays, backward, forward
from stated import Stated, of_paragraph, of_question, vocabulary

from bench.answers import area
from rag.models import bert, checker, reader

GENERATED = 260
"""Generated passages whose sentences become claims."""
ASKED = 700
"""Generated questions that do."""
TIMES = 2
"""So often a question that can be answered becomes claims: people put things as no rule does."""


@dataclass(slots=True)
class Held(reading.Example):
    """A claim held against sentences, in one window."""

    true: bool = False
    how: str = ""


def stated(loaded: Sequence[reading.Loaded], seed: int) -> list[Stated]:
    """Return claims about all paragraphs, each in one of its two forms, and of all questions."""
    rng = random.Random(seed)
    paragraphs = {}
    for subject, _, forms in loaded:
        paragraphs.setdefault(tuple(forms[0].sentences), (subject, forms))
    every = vocabulary([one for sentences in paragraphs for one in sentences])
    made = []
    for subject, forms in paragraphs.values():
        text = forms[rng.random() < reading.MASKED_MOST]
        made += of_paragraph(text.sentences, subject, every, rng)
    for subject, answerable, forms in loaded:
        for _ in range(TIMES if answerable else 1):
            text = forms[rng.random() < reading.MASKED_MOST]
            made += of_question(text.question, text.answers, text.sentences, subject, rng)
    invented = list(islice(generated(seed), ASKED))
    for one in invented[:GENERATED]:
        made += of_paragraph(one.sentences, "generated", every, rng)
    for one in invented:
        answers = [one.answer] if one.answer else []
        made += of_question(one.question, answers, one.sentences, "generated", rng)
    return made


def held(claims: Sequence[Stated]) -> Iterator[Held]:
    for one in claims:
        windows = reader.windows(one.claim, one.sentences, checker.CLAIM)
        if len(windows) == 1:
            yield Held(windows[0], [0], [0], true=one.true, how=one.how)


def odds(weights: Arrays, some: Sequence[Held], rng: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return log-odds (claims,), and what the way back needs."""
    x, match, mask, _, _ = reading.together(some)
    x += match @ weights["match.weight"].T
    hidden, kept = forward(weights, bert.layers(weights), x, mask, rng)
    return hidden[:, 0] @ weights["head.weight"][0] + weights["head.bias"][0], (hidden, kept, match)


def learned(weights: Arrays, some: Sequence[Held], rng: Any, gradients: Arrays) -> float:
    """Put the gradients of a batch into `gradients`; return its loss a claim, in nats."""
    z, (hidden, kept, match) = odds(weights, some, rng)
    true = np.array([one.true for one in some], np.float32)
    share = 1 / (1 + np.exp(-z))
    wrong = (share - true) / np.float32(len(some))
    for gradient in gradients.values():
        gradient.fill(0)
    gradients["head.weight"][0] += wrong @ hidden[:, 0]
    gradients["head.bias"][0] += wrong.sum()
    back = np.zeros_like(hidden)
    back[:, 0] = wrong[:, None] * weights["head.weight"][0]
    back = backward(weights, kept, back, gradients)
    gradients["match.weight"] += np.einsum("btd,btk->dk", back, match)
    return float(-np.log(np.maximum(np.where(true > 0, share, 1 - share), 1e-9)).mean())


def report(weights: Arrays, test: Sequence[Held]) -> None:
    z = np.zeros(len(test))
    order = sorted(range(len(test)), key=lambda at: len(test[at].window.ids))
    for at in range(0, len(order), 32):
        places = order[at : at + 32]
        z[places], _ = odds(weights, [test[place] for place in places], None)
    true = np.array([one.true for one in test])
    print(f"area {area(z, true):.3f}, right {((z > 0) == true).mean():.3f} of {len(test)}")
    for how, said in sorted({(one.how, one.true) for one in test}):
        own = np.array([(one.how, one.true) == (how, said) for one in test])
        kind = "true" if said else "false"
        print(f"  {kind:5} {how:14} said to be true {(z[own] > 0).mean():.3f} of {own.sum()}")
    sys.stdout.flush()


def main() -> None:
    given = reading.options(__doc__).parse_args()
    rng = random.Random(given.seed)

    loaded = reading.load(given.folder)
    fold = reading.apart(loaded, given)
    claims = stated(loaded, given.seed)
    train = list(held([one for one in claims if one.group not in fold]))
    test = list(held([one for one in claims if one.group in fold]))
    began = time.perf_counter()
    reading.lowered([*train, *test], given.layers)
    print(f"{len(train)} claims, {time.perf_counter() - began:.0f} s for the lower layers")

    weights = reading.pretrained(given.layers, heads=1)

    def epoch() -> list[list[Held]]:
        rng.shuffle(train)
        return reading.batches(train, given.batch, rng)

    def measure() -> None:
        if test:
            report(weights, test)

    reading.descend(weights, given, -(-len(train) // given.batch), epoch, learned, measure)


if __name__ == "__main__":
    main()
