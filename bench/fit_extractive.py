"""Fit the two models of the extractive answerer, and say how well they do.

    python -m bench.fit_extractive QUESTIONS_FOLDER --reader FILE --fold 0 [--questions 900]
        [--plain]

The folder holds ``corpus.jsonl`` ({_id, title, text}) and ``questions.jsonl`` ({_id, text,
document, answers, answerable}), SQuAD 2.0 for example. Three kinds of questions are asked of the
product's own search: answerable ones; unanswerable ones beside a passage that looks right; and
answerable ones while everything on their subject is hidden. Figures come from five-fold
cross-validation by paragraph; the constants printed are fitted on everything. The reader
(`rag/models/reader.py`) must not have learned the questions that it is weighed by: give one that
``packaging/reader/train.py --fold`` made, and its fold, and only that fold's subjects are asked.
`named` is not fitted: such collections have no pseudonyms.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.answers import area, part
from bench.targets import reranked
from rag import config
from rag.answer.compare import Embed, remembering
from rag.answer.extractive import FEATURES, candidates
from rag.masked.passed import passed as masked
from rag.models import embedder, reader
from rag.records import Chunk, IndexedDocument
from rag.retrieve.candidates import Candidate
from rag.retrieve.pack import Passage, pack
from rag.retrieve.search import search
from rag.targets import Target, open_target

ANYBODY = ("group:any",)
READ = (
    ("reader", "relevance", "passage"),
    ("reader", "relevance", "passage", "cover_passage"),
)
PLAIN = (
    ("cosine", "cover_near", "cover_passage", "number", "pieces"),
    ("cosine", "cover", "cover_near", "cover_passage"),
)
"""What sentences are ranked by, and what supports the best one."""
BUDGET = 1500
HITS = 12
THRESHOLD = 0.6
"""Where an answer and silence are equally right: half of the log-odds lie on either side."""


def index(paragraphs: Sequence[dict[str, str]], embed: Embed, root: Path) -> Target:
    corpus = config.CorpusConfig(corpus="fit", source=config.Source(url="nowhere"))
    target = open_target(corpus.targets[0], corpus, 384, root)
    documents = []
    for paragraph in paragraphs:
        title = masked(paragraph["title"].replace("_", " "))
        name = paragraph["_id"]
        chunk = Chunk(f"{name}/0", name, 0, title, masked(paragraph["text"]), 0)
        vectors = embed([chunk.embedded_text])
        documents.append(
            IndexedDocument(
                name, masked(name), title, "text/plain", "1", ANYBODY, (chunk,), vectors
            )
        )
    target.apply(documents, [])
    target.compact()
    return target


def logistic(features: Any, labels: Any, penalty: float = 1e-3) -> Any:
    """Weights (the bias is a feature) by Newton's method; L2 penalty on standardised features."""
    scale = features.std(axis=0)
    scale[scale == 0] = 1
    z = features / scale
    w = np.zeros(z.shape[1])
    ridge = penalty * len(z) * np.eye(len(w))
    ridge[0, 0] = 0
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(z @ w, -30, 30)))
        hessian = (z * (p * (1 - p))[:, None]).T @ z + ridge
        step = np.linalg.solve(hessian, z.T @ (p - labels) + ridge @ w)
        w -= step
        if np.abs(step).max() < 1e-8:
            break
    return w / scale


def softmax(found: Sequence[tuple[Any, Any]], names: Sequence[str], steps: int = 1500) -> Any:
    """Weights that make a right sentence of each question likely among all its sentences.

    Gradient ascent on the log of the right ones' share; L2 penalty on standardised features.
    """
    columns = [FEATURES.index(name) for name in names]
    known = [(features[:, columns], right) for features, right in found if right.any()]
    scale = np.vstack([features for features, _ in known]).std(axis=0)
    z = np.vstack([features for features, _ in known]) / scale
    right = np.concatenate([labels for _, labels in known])
    sizes = [len(labels) for _, labels in known]
    starts, place = np.r_[0, np.cumsum(sizes)[:-1]], np.repeat(np.arange(len(sizes)), sizes)
    w = np.zeros(len(columns))
    for _ in range(steps):
        logits = z @ w
        e = np.exp(logits - np.maximum.reduceat(logits, starts)[place])
        share = e / np.add.reduceat(e, starts)[place]
        among = e * right / np.maximum(np.add.reduceat(e * right, starts), 1e-12)[place]
        w += 0.5 * (z.T @ (among - share) / len(sizes) - 2e-3 * w)
    whole = np.zeros(len(FEATURES))
    whole[columns] = w / scale
    return whole


def fit(features: Any, labels: Any, names: Sequence[str]) -> Any:
    """`logistic` on some of the features; the others weigh nothing, nor does a negative one."""
    used = [name for name in FEATURES[1:] if name in names]
    while True:
        columns = [0, *(FEATURES.index(name) for name in used)]
        weights = logistic(features[:, columns], labels)
        worst = min(range(len(used)), key=lambda at: weights[at + 1], default=None)
        if worst is None or weights[worst + 1] >= 0:
            break
        used.pop(worst)
    whole = np.zeros(len(FEATURES))
    whole[columns] = weights
    return whole


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--questions", type=int, default=900)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--reader", type=Path)
    arguments.add_argument("--fold", type=int)
    arguments.add_argument("--folds", type=int, default=4)
    arguments.add_argument("--plain", action="store_true", help="for extractive-plain")
    given = arguments.parse_args()

    model = embedder("embedded/minilm")
    embed = remembering(model.embed)
    corpus = [json.loads(line) for line in (given.folder / "corpus.jsonl").open()]
    titles = {paragraph["_id"]: paragraph["title"] for paragraph in corpus}
    questions = [json.loads(line) for line in (given.folder / "questions.jsonl").open()]
    if given.reader:
        reader.WEIGHTS = given.reader
    if given.fold is not None:
        subjects = part(titles.values(), given.fold, given.folds)
        questions = [one for one in questions if titles[one["document"]] in subjects]
    random.Random(given.seed).shuffle(questions)
    half = given.questions // 2
    answerable = [question for question in questions if question["answerable"]][:half]
    beside = [question for question in questions if not question["answerable"]][:half]
    asked = [(question, "answerable") for question in answerable]
    asked += [(question, "beside") for question in beside]
    asked += [(question, "hidden") for question in answerable[::2]]

    found: list[tuple[Any, Any]] = []
    default = config.Search()
    with tempfile.TemporaryDirectory() as root:
        target = index(corpus, embed, Path(root))
        for question, kind in asked:
            vector = embed([masked(question["text"])])[0]
            hits = search(target, masked(question["text"]), vector, ANYBODY, 200)
            subject = titles[question["document"]]
            if kind == "hidden":
                hits = [hit for hit in hits if titles[hit.chunk.document_id] != subject]
            text = masked(question["text"])
            better = reranked(default, text)
            assert better is not None  # by default
            hits = [one.hit for one in better([Candidate.of(hit) for hit in hits])]
            passages = pack(hits[:HITS], BUDGET, lambda text: model.count([text])[0]).passages
            found.append(look(question, kind, passages, reads=not given.plain))
            if len(found) % 50 == 0:
                print(f"{len(found)} of {len(asked)} questions", flush=True)
    place = {paragraph["_id"]: at for at, paragraph in enumerate(corpus)}
    folds = np.array([place[question["document"]] % 5 for question, _ in asked])
    report(asked, found, folds, *(PLAIN if given.plain else READ))


def look(
    question: dict[str, Any], kind: str, passages: Sequence[Passage], *, reads: bool
) -> tuple[Any, Any]:
    """Features (sentences, features) and whether each sentence holds the answer."""
    sentences = candidates(masked(question["text"]), passages, reads=reads)
    answers = [answer.casefold() for answer in question["answers"]]
    right = [
        kind == "answerable"
        and sentence.passage.hit.chunk.document_id == question["document"]
        and any(answer in sentence.text.casefold() for answer in answers)
        for sentence in sentences
    ]
    return np.array([sentence.features for sentence in sentences]), np.array(right, float)


def models(
    found: Sequence[tuple[Any, Any]], kinds: Any, ranked: Sequence[str], supported: Sequence[str]
) -> tuple[Any, Any]:
    """The two of `extractive.Weights`."""
    trained = [pair for pair, kind in zip(found, kinds, strict=True) if kind == "answerable"]
    rank = softmax(trained, ranked)
    best = np.array([features[(features @ rank).argmax()] for features, _ in found])
    support = fit(best, (kinds == "answerable").astype(float), supported)
    support[0] += np.log(THRESHOLD / (1 - THRESHOLD))
    return rank, support


def report(
    asked: Sequence[tuple[Any, str]],
    found: Sequence[Any],
    folds: Any,
    ranked: Sequence[str],
    supported: Sequence[str],
) -> None:
    kinds = np.array([kind for _, kind in asked])
    scores, right = np.zeros(len(found)), np.zeros(len(found))
    for fold in range(5):
        inside = [at for at in range(len(found)) if folds[at] != fold]
        rank, support = models([found[at] for at in inside], kinds[inside], ranked, supported)
        for at in np.flatnonzero(folds == fold):
            features, labels = found[at]
            best = (features @ rank).argmax()
            scores[at] = 1 / (1 + np.exp(-features[best] @ support))
            right[at] = labels[best]
    yes, no, hidden = (kinds == kind for kind in ("answerable", "beside", "hidden"))
    print(f"best sentence holds the answer: {right[yes].mean():.3f}")
    print(f"area under the curve, beside a passage: {area(scores[yes | no], yes[yes | no]):.3f}")
    print(
        f"area under the curve, subject hidden: {area(scores[yes | hidden], yes[yes | hidden]):.3f}"
    )
    for threshold in (0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8):
        said = scores >= threshold
        well = np.where(said, right, ~yes)[yes | no].mean()
        rates = ", ".join(f"{said[kind].mean():.2f}" for kind in (yes, no, hidden))
        print(f"min_support {threshold}: right or rightly silent {well:.3f}; answers {rates}")
    whole = models(found, kinds, ranked, supported)
    for name, weights in zip(("rank", "support"), whole, strict=True):
        print(f"{name} = ({', '.join(f'{weight:.2f}' for weight in weights)})")


if __name__ == "__main__":
    main()
