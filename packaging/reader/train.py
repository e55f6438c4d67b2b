"""Train the reader's upper layers (`rag/models/reader.py`); numpy, reproducible by its seed.

    python packaging/reader/train.py QUESTIONS_FOLDER --out rag/models/reader.npz

The folder holds ``corpus.jsonl`` ({_id, title, text}) and ``questions.jsonl`` ({_id, text,
document, answers, answerable}), SQuAD 2.0 for example. Its questions are learned as they are and as
the gate masks them, beside generated ones on handbooks and records (`generate.py`). With ``--fold``
a part of the subjects is kept apart and measured; without, all are learned. One core, some 45
minutes. What is committed learned half of SQuAD 2.0's development split.

Tried and left out, for they made what can be answered told worse: questions that plain sentences
were turned into, questions spoiled so that nothing answers them, paragraphs that only look alike.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np
from generate import generated
from layers import Arrays, backward, forward

from bench.answers import area, part
from rag.masked import Masked
from rag.masked.passed import passed
from rag.models import bert, embedded, reader, relevance, upper
from rag.models.readable import readable
from rag.sentences import split

DENSE = ("query", "key", "value", "attended", "wide", "narrow")
HEAD_RATE = 10
"""The heads begin at nothing and learn so much faster."""
AWAY = 0.5
"""Share of questions beside which a window without their answer is learned."""
MASKED_MOST = 0.5
TOLD = 8
"""Numbers that `matches` tells of a token."""
WORD = re.compile(r"\w{3,}")


@dataclass(frozen=True, slots=True)
class Text:
    """A question and a paragraph, by sentence, and what of it answers.

    Attributes:
        place: Of the only sentence that answers; None: any that has an answer.
    """

    question: str
    sentences: list[str]
    answers: list[str]
    place: int | None = None


@dataclass(slots=True)
class Example:
    """A window; `start` and `end` are the places of answers, [0] where there is none."""

    window: reader.Window
    start: list[int]
    end: list[int]
    lower: Any = None
    match: Any = None

    @property
    def right(self) -> list[bool]:
        return [any(a <= place < b for place in self.start if place) for a, b in self.window.spans]


E = TypeVar("E", bound=Example)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question; examples in each of its two forms, the best one first."""

    subject: str
    answerable: bool
    forms: tuple[list[Example], list[Example]]


Loaded = tuple[str, bool, tuple[Text, Text]]


def load(folder: Path) -> list[Loaded]:
    """Return subject, answerability and both forms of each question with its paragraph."""
    from rag.corpus import Corpus

    paragraphs = {}
    for line in (folder / "corpus.jsonl").open():
        one = json.loads(line)
        paragraphs[one["_id"]] = (one["title"], one["text"])
    questions = [json.loads(line) for line in (folder / "questions.jsonl").open()]
    with tempfile.TemporaryDirectory() as root:
        os.environ["SLUICE_HOME"] = root
        Path(root, "docs").mkdir()
        file = Path(root, "reader.yaml")
        file.write_text(
            'corpus: reader\nsource: {connector: files, url: docs, acl: {default: ["group:any"]}}\n'
            "privacy: {vault: {on: false}}\ntargets: [{kind: embedded}]\n"
        )
        mask = Corpus.open(file).mask
        hidden = {name: mask(text).text for name, (_, text) in paragraphs.items()}
        found = []
        for one in questions:
            text = paragraphs[one["document"]][1]
            asked = mask(one["text"]).text
            own = hidden[one["document"]]
            shown = [
                answer if answer.lower() in own.lower() else mask(answer).text
                for answer in one["answers"]
            ]
            raw = Text(one["text"], sentences(passed(text)), one["answers"])
            read = readable([asked, *sentences(own), *map(passed, shown)])
            count = len(read) - len(shown)
            masked = Text(str(read[0]), list(read[1:count]), list(read[count:]))
            found.append((paragraphs[one["document"]][0], one["answerable"], (raw, masked)))
    return found


def sentences(text: Masked) -> list[Masked]:
    return [text[start:end] for start, end in split(text)]


def examples(text: Text) -> list[Example]:
    """Windows of a text; those with an answer first, then by the words shared with the question."""
    made = []
    asked = set(WORD.findall(text.question.lower()))
    ranked = []
    for window in reader.windows(text.question, text.sentences):
        start, end = [], []
        said = text.sentences[window.first : window.first + len(window.spans)]
        for at, ((first, last), sentence) in enumerate(zip(window.spans, said, strict=True)):
            if text.place not in (None, window.first + at):
                continue
            for a, b in answers(sentence, text.answers):
                if first + b < last:
                    start.append(first + a)
                    end.append(first + b)
        made.append(Example(window, sorted(set(start)) or [0], sorted(set(end)) or [0]))
        ranked.append(len(asked & set(WORD.findall(" ".join(said).lower()))))
    order = sorted(range(len(made)), key=lambda at: (made[at].start == [0], -ranked[at]))
    return [made[at] for at in order]


def answers(sentence: str, wanted: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield first and last token of each answer that stands in a sentence."""
    places = None
    for answer in wanted:
        for match in re.finditer(re.escape(answer.lower()), sentence.lower()):
            if places is None:
                encoded = embedded.whole().encode(sentence, add_special_tokens=False)
                places = encoded.offsets
            within = [
                at for at, (a, b) in enumerate(places) if a < match.end() and b > match.start()
            ]
            if within:
                yield within[0], within[-1]


def invented(count: int, seed: int) -> list[Asked]:
    """Return generated questions; they have one form only."""
    found = []
    for one in islice(generated(seed), count):
        answers = [one.answer] if one.answer else []
        form = examples(Text(one.question, one.sentences, answers, one.place))
        found.append(Asked("generated", bool(answers), (form, form)))
    return found


def lowered(made: Sequence[Example], layers: int) -> None:
    """Compute what the lower layers make of each window: (tokens, dimensions) of float16.

    Args:
        layers: That are above these.
    """
    lower = upper.lower(bert.layers(relevance.weights()) - layers)
    request = embedded.compile_model(lower, 1).create_infer_request()
    for batch, feed in reader.feeds([one.window for one in made]):
        hidden = request.infer(feed)[0]
        for row, place in enumerate(batch):
            made[place].lower = hidden[row, : len(made[place].window.ids)].astype(np.float16)
            made[place].match = matches(made[place].window, made[place].lower)


def matches(window: reader.Window, lower: Any) -> Any:
    """Return what `upper` tells the layers of each token: (tokens, 8)."""
    ids, types = np.array(window.ids), np.array(window.types)
    told = (ids != upper.CLS) & (ids != upper.SEP)
    other = (types[:, None] != types) & told
    same = (ids[:, None] == ids) & other
    unit = lower.astype(np.float32)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    near = np.where(other, unit @ unit.T, -1).max(axis=1)
    pairs = (same[1:, 1:] & same[:-1, :-1]).any(axis=1)
    beside = [np.append(False, pairs), np.append(pairs, False)]
    found = [same.any(axis=1), (near - upper.NEAR) * upper.SPREAD, *beside]
    every = np.stack(found, axis=1) * told[:, None]
    passage = types[:, None]
    return np.concatenate([every * (1 - passage), every * passage], axis=1).astype(np.float32)


def pretrained(layers: int, heads: int = 2) -> Arrays:
    """Return the reranker's upper layers, so many, and heads that know nothing yet."""
    file = relevance.weights()
    below = bert.layers(file) - layers
    weights: Arrays = {}
    for name, value in plain(file).items():
        number, _, own = name.partition(".")
        if number.isdigit() and int(number) >= below:
            weights[f"{int(number) - below}.{own}"] = value
    size = weights["0.query.weight"].shape[0]
    weights["match.weight"] = np.zeros((size, TOLD), np.float32)
    weights["head.weight"] = (
        np.random.default_rng(0).normal(0, 0.02, (heads, size)).astype(np.float32)
    )
    weights["head.bias"] = np.zeros(heads, np.float32)
    return weights


def together(some: Sequence[Example]) -> tuple[Any, Any, Any, Any, Any]:
    """Return hidden states, matches, mask, which places may answer, and which do."""
    length = max(len(one.window.ids) for one in some)
    x = np.zeros((len(some), length, some[0].lower.shape[1]), np.float32)
    match = np.zeros((len(some), length, TOLD), np.float32)
    mask = np.zeros((len(some), length), np.float32)
    may = np.zeros((len(some), length), np.float32)
    do = np.zeros((len(some), length, 2), np.float32)
    for row, one in enumerate(some):
        x[row, : len(one.lower)] = one.lower
        match[row, : len(one.lower)] = one.match
        mask[row, : len(one.lower)] = 1
        may[row, 0] = may[row, one.window.spans[0][0] : one.window.spans[-1][1]] = 1
        do[row, one.start, 0] = do[row, one.end, 1] = 1
    return x, match, mask, may, do


def softened(logits: Any, may: Any) -> Any:
    logits = np.where(may[..., None] > 0, logits, np.float32(-1e9))
    share = np.exp(logits - logits.max(axis=1, keepdims=True))
    return share / share.sum(axis=1, keepdims=True)


def learned(weights: Arrays, some: Sequence[Example], rng: Any, gradients: Arrays) -> float:
    """Put the gradients of a batch into `gradients`; return its loss a window and head, in nats."""
    x, match, mask, may, do = together(some)
    x += match @ weights["match.weight"].T
    hidden, kept = forward(weights, bert.layers(weights), x, mask, rng)
    share = softened(hidden @ weights["head.weight"].T + weights["head.bias"], may)
    right = share * do
    total = np.maximum(right.sum(axis=1, keepdims=True), 1e-9)
    back = (share - right / total) / np.float32(2 * len(some))
    for gradient in gradients.values():
        gradient.fill(0)
    gradients["head.weight"] += np.einsum("btk,btd->kd", back, hidden)
    gradients["head.bias"] += back.sum(axis=(0, 1))
    back = backward(weights, kept, back @ weights["head.weight"], gradients)
    gradients["match.weight"] += np.einsum("btd,btk->dk", back, match)
    return float(-np.log(total).mean())


class Adam:
    """AdamW (Loshchilov, Hutter, ICLR 2019) on gradients of a norm of at most one."""

    def __init__(self, weights: Arrays, rate: float, steps: int) -> None:
        self.mean = {name: np.zeros_like(value) for name, value in weights.items()}
        self.square = {name: np.zeros_like(value) for name, value in weights.items()}
        self.rate, self.steps, self.step = rate, steps, 0

    def update(self, weights: Arrays, gradients: Arrays) -> None:
        self.step += 1
        warm = self.steps // 10
        if self.step < warm:
            share = self.step / warm
        else:
            share = 0.5 * (1 + math.cos(math.pi * (self.step - warm) / (self.steps - warm + 1)))
        norm = math.sqrt(sum(float((one * one).sum()) for one in gradients.values()))
        for name, value in weights.items():
            gradient = gradients[name] * np.float32(1 / max(norm, 1.0))
            mean, square = self.mean[name], self.square[name]
            mean += np.float32(0.1) * (gradient - mean)
            square += np.float32(0.001) * (gradient * gradient - square)
            rate = self.rate * share * (HEAD_RATE if name.startswith(("head", "match")) else 1)
            rate *= math.sqrt(1 - 0.999**self.step) / (1 - 0.9**self.step)
            if name.endswith("weight") and value.ndim == 2:
                value *= np.float32(1 - 0.01 * self.rate * share)
            value -= np.float32(rate) * mean / (np.sqrt(square) + np.float32(1e-8))


def drawn(asked: Sequence[Asked], rng: random.Random) -> list[Example]:
    """Return the windows of an epoch: one form of each question, and windows that do not answer."""
    found = []
    for one in asked:
        first, *others = one.forms[rng.random() < MASKED_MOST]
        found.append(first)
        if others and rng.random() < AWAY:
            found.append(rng.choice(others))
    rng.shuffle(found)
    return found


def batches(made: list[E], size: int, rng: random.Random) -> list[list[E]]:
    """Group by length within pools, so that little is padded."""
    found = []
    for at in range(0, len(made), size * 32):
        pool = sorted(made[at : at + size * 32], key=lambda one: len(one.window.ids))
        found += [pool[place : place + size] for place in range(0, len(pool), size)]
    rng.shuffle(found)
    return found


def logits_of(weights: Arrays, made: Sequence[Example]) -> list[Any]:
    found: list[Any] = [None] * len(made)
    order = sorted(range(len(made)), key=lambda at: len(made[at].window.ids))
    for at in range(0, len(order), 16):
        some = order[at : at + 16]
        x, match, mask, _, _ = together([made[place] for place in some])
        x += match @ weights["match.weight"].T
        hidden, _ = forward(weights, bert.layers(weights), x, mask, None)
        logits = hidden @ weights["head.weight"].T + weights["head.bias"]
        for row, place in enumerate(some):
            found[place] = logits[row]
    return found


def measured(weights: Arrays, asked: Sequence[Asked], form: int) -> tuple[float, float, float]:
    """Best sentence right; area under the curve, answerable; right or silent at the best place."""
    made = [(at, one) for at, q in enumerate(asked) for one in q.forms[form]]
    best = [(-math.inf, False)] * len(asked)
    for (at, one), logits in zip(made, logits_of(weights, [one for _, one in made]), strict=True):
        for score, right in zip(
            reader.sentence_scores(logits, one.window.spans), one.right, strict=True
        ):
            best[at] = max(best[at], (score, right), key=lambda pair: pair[0])
    yes = np.array([one.answerable for one in asked])
    score = np.array([pair[0] for pair in best])
    right = np.array([pair[1] for pair in best])
    silent = max(np.where(score >= at, right, ~yes).mean() for at in np.arange(-12, 12, 0.25))
    return float(right[yes].mean()), area(score, yes), float(silent)


def plain(file: Arrays) -> Arrays:
    """Return a file's weights as float32, without their scales."""
    made: Arrays = {}
    for name, value in file.items():
        if name.endswith(".scale"):
            continue
        scale = file.get(name.removesuffix("weight") + "scale") if name.endswith("weight") else None
        own = value.astype(np.float32)
        made[name] = own if scale is None else own * scale[:, None]
    return made


def saved(weights: Arrays, path: Path) -> None:
    """Write dense weights as int8 with a scale for each output, all else as float16."""
    kept: Arrays = {}
    for name, value in weights.items():
        if name.rpartition(".")[0].rpartition(".")[2] in DENSE and name.endswith("weight"):
            scale = np.abs(value).max(axis=1) / 127
            kept[name] = np.round(value / scale[:, None]).astype(np.int8)
            kept[name.removesuffix("weight") + "scale"] = scale.astype(np.float32)
        else:
            kept[name] = value.astype(np.float16)
    np.savez_compressed(path, **kept)


def options(told: str) -> argparse.ArgumentParser:
    """Return what every training is asked on the command line.

    Args:
        told: The script's own description.
    """
    arguments = argparse.ArgumentParser(description=told.splitlines()[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--out", type=Path)
    arguments.add_argument("--epochs", type=int, default=2)
    arguments.add_argument("--batch", type=int, default=16)
    arguments.add_argument("--rate", type=float, default=2e-4)
    arguments.add_argument("--layers", type=int, default=6, help="that are learned")
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--fold", type=int)
    arguments.add_argument("--folds", type=int, default=4)
    return arguments


def apart(loaded: Sequence[Loaded], given: argparse.Namespace) -> set[str]:
    """Return the subjects of the fold that is kept apart; none where no fold is given."""
    if given.fold is None:
        return set()
    return part((subject for subject, _, _ in loaded), given.fold, given.folds)


def descend(
    weights: Arrays,
    given: argparse.Namespace,
    count: int,
    epoch: Callable[[], list[list[E]]],
    step: Callable[[Arrays, list[E], Any, Arrays], float],
    measure: Callable[[], None],
) -> None:
    """Change `weights` batch by batch; save and measure them after each epoch.

    Args:
        count: Batches of an epoch, more or less.
        epoch: Draws those of the next one.
        step: Puts a batch's gradients into the last argument, and returns its loss in nats.
    """
    began = time.perf_counter()
    dropping = np.random.default_rng(given.seed)
    gradients = {name: np.zeros_like(value) for name, value in weights.items()}
    adam, loss = Adam(weights, given.rate, count * given.epochs), 0.0
    for number in range(given.epochs):
        for at, batch in enumerate(epoch()):
            one = step(weights, batch, dropping, gradients)
            adam.update(weights, gradients)
            loss = one if not loss else 0.98 * loss + 0.02 * one
            if at % 20 == 0:
                seconds = time.perf_counter() - began
                print(f"epoch {number} {at}/{count} loss {loss:.3f} {seconds:.0f} s", flush=True)
        if given.out:
            saved(weights, given.out)
        measure()


def main() -> None:
    arguments = options(__doc__)
    arguments.add_argument("--generated", type=int, default=2000)
    arguments.set_defaults(layers=9)
    given = arguments.parse_args()
    rng = random.Random(given.seed)

    loaded = load(given.folder)
    asked = [
        Asked(subject, answerable, (examples(raw), examples(masked)))
        for subject, answerable, (raw, masked) in loaded
    ]
    fold = apart(loaded, given)
    train = [one for one in asked if one.subject not in fold]
    train += invented(given.generated, given.seed)
    test = [one for one in asked if one.subject in fold]
    began = time.perf_counter()
    every = {id(one): one for q in (*train, *test) for form in q.forms for one in form}
    lowered(list(every.values()), given.layers)
    print(f"{len(train)} questions, {time.perf_counter() - began:.0f} s for the lower layers")

    weights = pretrained(given.layers)

    def measure() -> None:
        for form, name in enumerate(("as it is", "masked") if test else ()):
            sentence, told, silent = measured(weights, test, form)
            print(f"{name}: sentence {sentence:.3f}, area {told:.3f}, right {silent:.3f}")

    count = -(-len(drawn(train, random.Random(0))) // given.batch)
    descend(
        weights,
        given,
        count,
        lambda: batches(drawn(train, rng), given.batch, rng),
        learned,
        measure,
    )


if __name__ == "__main__":
    main()
