"""Fit the weights of the check of answers, and say what it catches.

    python -m bench.fit_grounding [--corpus FILE] [--paragraphs 72] [--every 2] [--seed 1]
        [--checker FILE]

Claims are made by rule (`bench.claims`) of the corpus's own chunks, as they are masked, and of
generated paragraphs. Figures come from five-fold cross-validation by document and field: no text is
on both sides. The constants printed are fitted on everything; as the
corpus gets other pseudonyms each time, they differ a little from run to run.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.answers import area
from bench.claims import Claim, frames, spoken_of
from rag.answer import ground
from rag.answer.compare import FEATURES, WEIGHTS, compared
from rag.answer.ground import evidence
from rag.masked.passed import passed as masked
from rag.models import checker, embedder
from rag.records import Chunk, Hit
from rag.retrieve.pack import Passage

POSITIVE = frozenset({"cosine", "cover", "both", "whole", "context", "within"})
THRESHOLD = 0.6
PENALTY = 0.08
PRIOR = np.array(
    (
        -7.0,
        5.0,
        5.5,
        0,
        1.0,
        0,
        0,
        -2.0,
        -1.0,
        -3.0,
        -1.5,
        -2.0,
        -1.0,
        -1.0,
        -1.0,
        -1.0,
        -1.0,
        0,
        0,
        0,
    )
)
"""Weights by hand, which the fit starts from."""
WRONGLY = 0.18
"""Share of false claims let through that is aimed at, before anything is read."""
WRONGLY_READ = 0.07
"""The same once it is read."""


def chunks(corpus: Path) -> list[tuple[str, str]]:
    """Text and document of each chunk of a corpus, synced into a temporary folder."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["SLUICE_HOME"] = home
        from rag.corpus import Corpus

        opened = Corpus.open(corpus)
        opened.sync()
        import lancedb

        found = []
        for folder in (Path(home) / "corpora").iterdir():
            database = lancedb.connect(folder)
            for name in database.list_tables().tables:
                rows = database.open_table(name).to_arrow().drop_columns(["vector"]).to_pylist()
                found += [(row["text"], row["document_id"]) for row in rows]
        return found


def passage_of(text: str) -> Passage:
    said = masked(text)
    chunk = Chunk(f"{hash(text)}", "d", 0, masked(""), said, 0)
    return Passage(Hit(chunk, masked("d"), 0.0), said, 0)


def look(claims: Sequence[Claim], embed: Any) -> list[Any]:
    """Features of each claim's candidates, shape (candidates, features); None: vetoed by facts."""
    passages = [[passage_of(claim.passage)] for claim in claims]
    texts = [masked(claim.text) for claim in claims]
    firm = evidence(texts, passages, embed, reads=False)
    rows = compared(texts, passages, embed)
    return [
        np.array([features for _, features in own[0]]) if found[0].support > 0 and own[0] else None
        for own, found in zip(rows, firm, strict=True)
    ]


def logistic(features: Any, labels: Any, centre: Any, penalty: float = PENALTY) -> Any:
    """Weights by Newton's method; the bias is a feature.

    Rule-made claims are no sample of what models write, so weights are drawn to `centre`: an L2
    penalty on the difference, of standardised features.
    """
    scale = features.std(axis=0)
    scale[scale == 0] = 1
    z, drawn = features / scale, centre * scale
    w = np.zeros(len(drawn))
    ridge = penalty * len(z) * np.eye(len(w))
    ridge[0, 0] = 0
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(z @ w, -30, 30)))
        hessian = (z * (p * (1 - p))[:, None]).T @ z + ridge + 1e-9 * np.eye(len(w))
        step = np.linalg.solve(hessian, z.T @ (p - labels) + ridge @ (w - drawn))
        w -= step
        if np.abs(step).max() < 1e-7:
            break
    return w / scale


def fit(found: Sequence[Any], true: Any, start: Any) -> Any:
    """Weights; of each claim's candidates the best by the weights before counts, a few times."""
    known = [at for at, features in enumerate(found) if features is not None]
    labels = true[known].astype(float)
    weights = start
    for _ in range(6):
        best = np.array([found[at][(found[at] @ weights).argmax()] for at in known])
        used = list(range(1, len(FEATURES)))
        while True:
            columns = [0, *used]
            own = logistic(best[:, columns], labels, start[columns])
            signs = [1 if FEATURES[c] in POSITIVE else -1 for c in used]
            wrong = [c for c, w, s in zip(used, own[1:], signs, strict=True) if w * s < 0]
            if not wrong:
                break
            used = [c for c in used if c not in wrong]
        weights = np.zeros(len(FEATURES))
        weights[columns] = own
    scores = np.array([(found[at] @ weights).max() for at in known])
    false = scores[labels == 0]
    vetoed = (~true).sum() - len(false)
    allowed = int(WRONGLY * (len(false) + vetoed))
    weights[0] += np.log(THRESHOLD / (1 - THRESHOLD)) - np.sort(false)[::-1][allowed]
    return weights


def read(claims: Sequence[Claim], found: Sequence[Any], weights: Any) -> Any:
    """What is told of each claim once it was read: (claims, 3), as `ground.READ` weighs it."""
    passages = [[passage_of(claim.passage)] for claim in claims]
    texts = [masked(claim.text) for claim in claims]
    nearest = ground.nearest(texts, passages, embedder("embedded/minilm").embed)
    told = ground.said(texts, nearest)
    near = [-30.0 if one is None else (one @ weights).max() for one in found]
    columns = [near, [own[0] for own in told]]
    bounded = [np.clip(column, -ground.FAR, ground.FAR) for column in columns]
    return np.stack([np.ones(len(claims)), *bounded], axis=1)


def fit_read(features: Any, true: Any) -> Any:
    """Weights of what was read, so that as many false claims are let through as are aimed at."""
    weights = logistic(features, true.astype(float), np.zeros(3), penalty=1e-3)
    false = np.sort(features[~true] @ weights)[::-1]
    weights[0] += np.log(THRESHOLD / (1 - THRESHOLD)) - false[int(WRONGLY_READ * len(false))]
    return weights


def scored(found: Sequence[Any], weights: Any) -> Any:
    odds = [-30.0 if one is None else (one @ weights).max() for one in found]
    return 1 / (1 + np.exp(-np.array(odds)))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--corpus", type=Path, default=Path("corpora/handbook.yaml"))
    arguments.add_argument("--paragraphs", type=int, default=72)
    arguments.add_argument("--every", type=int, default=2, help="of the corpus's chunks")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--checker", type=Path, help="other than the one in use")
    given = arguments.parse_args()
    if given.checker:
        checker.WEIGHTS = given.checker

    rng = random.Random(given.seed)
    claims = spoken_of(chunks(given.corpus)[:: given.every], rng, 1) + frames(rng, given.paragraphs)
    true = np.array([claim.true for claim in claims])
    print(f"{len(claims)} claims, {true.sum()} of them true")
    found = look(claims, embedder("embedded/minilm").embed)
    groups = sorted({claim.group for claim in claims})
    rng.shuffle(groups)
    folds = np.array([groups.index(claim.group) % 5 for claim in claims])

    start = PRIOR
    scores = np.zeros(len(claims))
    for fold in range(5):
        inside = np.flatnonzero(folds != fold)
        weights = fit([found[at] for at in inside], true[inside], start)
        outside = np.flatnonzero(folds == fold)
        scores[outside] = scored([found[at] for at in outside], weights)
    for name, own in (("as it is now", scored(found, start)), ("cross-validated", scores)):
        report(name, claims, own, true)
    weights = fit(found, true, start)
    print("WEIGHTS = (" + ", ".join(f"{weight:.2f}" for weight in weights) + ")")
    for name, weight in zip(FEATURES, weights, strict=True):
        print(f"  {name:12} {weight:6.2f}")

    features = read(claims, found, np.array(WEIGHTS))
    odds = np.zeros(len(claims))
    for fold in range(5):
        odds[folds == fold] = features[folds == fold] @ fit_read(
            features[folds != fold], true[folds != fold]
        )
    firm = np.array([one is not None for one in found])
    report("read, cross-validated", claims, np.where(firm, 1 / (1 + np.exp(-odds)), 0), true)
    told = ", ".join(f"{weight:.2f}" for weight in fit_read(features, true))
    print(f"READ = ({told})")


def report(name: str, claims: Sequence[Claim], scores: Any, true: Any) -> None:
    kept = scores >= THRESHOLD
    print(f"{name}: area {area(scores, true):.3f}, kept of true {kept[true].mean():.3f}, "
          f"of false {kept[~true].mean():.3f}")  # fmt: skip
    for how in sorted({claim.how for claim in claims if not claim.true}):
        own = np.array([claim.how == how and not claim.true for claim in claims])
        print(f"  let through {how:12} {kept[own].mean():.3f} of {own.sum()}")
    for how in ("as it is", "said otherwise", "synonyms", "shortened", "reworded", "moved"):
        own = np.array([claim.how == how and claim.true for claim in claims])
        if own.any():
            print(f"  kept        {how:12} {kept[own].mean():.3f} of {own.sum()}")


if __name__ == "__main__":
    main()
