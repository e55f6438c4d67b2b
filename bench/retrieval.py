"""How well search ranks, and what each of its parts is worth, through the product's own search.

    nice -n 10 python -m bench.retrieval [--cisi DIR] [--squad DIR] [--own] [--ablate] [--json F]
        [--target embedded] [--target opensearch] [--target knowledge_base]

DIR holds BEIR files (cisi: ``corpus.jsonl``, ``queries.jsonl``, ``qrels/test.tsv``) or paragraphs
with their questions (squad: ``corpus.jsonl``, ``questions.jsonl``, of which every fifth one that
can be answered is asked). ``--own``: two collections that are generated here. All texts are cut as
a corpus's are, embedded with the embedded model, and searched in the embedded index, or in the
targets that are named: a real OpenSearch and a knowledge base of localaws are started for it.
Nothing is masked, so that the rows differ by ranking alone. Each figure is a mean over the
questions with its 95 % bootstrap interval; ``*`` marks a difference from RRF (of a knowledge base:
from the order in which it gives them) that chance hardly makes (paired randomisation test,
p < 0.05).
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from bench.targets import Kind, Place, running
from rag.config import Chunking, Search
from rag.evaluate import METRICS, by_document, compare, estimate
from rag.evaluate.metrics import measured as scored
from rag.ingest.chunk import chunk
from rag.masked import EMPTY, Masked
from rag.masked.passed import passed as masked
from rag.models.embedded import MiniLM
from rag.records import IndexedDocument, MaskedDocument, MaskedElement
from rag.retrieve.search import search

EVERYBODY = ("group:all",)
HITS = 300
PLAIN = {"centred": False, "feedback": 0, "exact": False, "collapse": False}
ROWS: Mapping[str, Search] = {
    "BM25": Search(**PLAIN),
    "vectors": Search(**PLAIN),
    "RRF": Search(fusion="ranks", **PLAIN),
    "ours": Search(),
}
THEIRS: Mapping[str, Search] = {
    "vectors": Search(**PLAIN),
    "as it answers": Search(**PLAIN),
    "ours": Search(),
}
"""Rows of a target that embeds and joins by itself."""
ABLATED: Mapping[str, Search] = {
    "ours, fusion: ranks": Search(fusion="ranks"),
    "ours, centred: false": Search(centred=False),
    "ours, feedback: 0": Search(feedback=0),
    "ours, exact: false": Search(exact=False),
    "ours, collapse: false": Search(collapse=False),
    "ours, diversity: 0.2": Search(diversity=0.2),
}


@dataclass(frozen=True, slots=True)
class Collection:
    """Documents (id, title, text), questions by id, and grades by question and document."""

    name: str
    documents: Sequence[tuple[str, str, str]]
    questions: Mapping[str, str]
    grades: Mapping[str, Mapping[str, int]]


def cisi(folder: Path) -> Collection:
    """Return a collection in the BEIR layout."""
    questions = {one["_id"]: one["text"] for one in _lines(folder / "queries.jsonl")}
    grades: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels/test.tsv").read_text().splitlines()[1:]:
        question, document, grade = line.split("\t")
        grades.setdefault(question, {})[document] = int(grade)
    asked = {question: questions[question] for question in grades}
    return Collection("cisi", _documents(folder), asked, grades)


def squad(folder: Path) -> Collection:
    """Return paragraphs, and questions whose paragraph is to be found."""
    asked = [one for one in _lines(folder / "questions.jsonl") if one["answerable"]][::5]
    return Collection(
        "squad2",
        _documents(folder),
        {one["_id"]: one["text"] for one in asked},
        {one["_id"]: {one["document"]: 1} for one in asked},
    )


_TOPICS = {
    "heat exchanger": ("heat transfer unit", "thermal exchanger", "HX"),
    "boundary layer": ("shear layer at the wall", "viscous wall region", "BL"),
    "fatigue crack": ("crack under cyclic load", "cyclic damage", "FC"),
    "radio receiver": ("wireless receiver", "signal intake", "RX"),
    "soil moisture": ("water in the ground", "ground wetness", "SM"),
    "protein folding": ("folding of polypeptides", "chain collapse", "PF"),
    "traffic queue": ("line of waiting cars", "vehicle backlog", "TQ"),
    "battery ageing": ("loss of cell capacity", "cell degradation", "BA"),
    "glacier flow": ("movement of ice", "ice creep", "GF"),
    "speech recognition": ("transcription of speech", "spoken word decoding", "ASR"),
}
_ASPECTS = {
    "measurement": ("was measured with probes", "is observed by sensors", "readings were taken"),
    "simulation": ("is computed numerically", "a numerical model", "was solved on a grid"),
    "cost": ("what it costs", "expenses over the lifetime", "the price per unit"),
    "failure": ("breaks down when", "stops working after", "the collapse of"),
    "control": ("is regulated by feedback", "a regulator keeps", "steering the process"),
    "temperature": ("at high heat", "warm and cold conditions", "degrees above ambient"),
}
_FILLERS = (
    "The work extends an earlier report.",
    "Results agree with theory within a few percent.",
    "Two configurations are considered in turn.",
    "A table of values is given.",
    "Limits of the method are discussed.",
    "Further study is suggested.",
)


def paraphrased(seed: int = 8) -> Collection:
    """Return abstracts that name a topic and an aspect in other words than the questions do."""
    chance = random.Random(seed)
    documents: list[tuple[str, str, str]] = []
    relevant: dict[tuple[str, str], dict[str, int]] = {}
    for topic, names in _TOPICS.items():
        for aspect, phrases in _ASPECTS.items():
            for number in range(8):
                said = chance.choice((topic, *names))
                again = chance.choice((topic, *names))
                texts = [
                    f"The {said} {chance.choice(phrases)}.",
                    f"For the {again}, {chance.choice(phrases)} in case {number}.",
                    *chance.sample(_FILLERS, 3),
                ]
                chance.shuffle(texts)
                key = f"{topic}-{aspect}-{number}"
                documents.append((key, f"On the {chance.choice(names)}", " ".join(texts)))
                relevant.setdefault((topic, aspect), {})[key] = 1
    questions = {
        f"{topic}/{aspect}": f"What is known about {aspect} of a {topic}?"
        for topic, aspect in relevant
    }
    grades = {f"{topic}/{aspect}": found for (topic, aspect), found in relevant.items()}
    return Collection("paraphrased", documents, questions, grades)


def coded(seed: int = 9) -> Collection:
    """Return maintenance notes that differ by their part's code, and questions that name it."""
    chance = random.Random(seed)
    parts = ("pump", "valve", "relay", "sensor", "filter", "bearing")
    acts = ("Replace", "Inspect", "Lubricate", "Calibrate")
    documents, questions, grades = [], {}, {}
    for number in range(400):
        part, act = chance.choice(parts), chance.choice(acts)
        code = f"{chance.choice('ABCDEF')}{chance.choice('KLMN')}-{100 + number}"
        text = f"{act} the {part} {code} after {chance.randrange(10, 90) * 10} hours. "
        documents.append((code, f"Maintenance of the {part}", text + chance.choice(_FILLERS)))
        if number % 4 == 0:
            questions[code] = f"How often must the {part} {code} be looked after?"
            grades[code] = {code: 1}
    return Collection("coded", documents, questions, grades)


def measured(
    collection: Collection, folder: Path, kinds: Sequence[Kind], ablate: bool
) -> dict[str, object]:
    """Return each target's rows over the collection: means, intervals, differences."""
    model = MiniLM()
    documents = _cut(collection, model, embedded=set(kinds) != {"knowledge_base"})
    asked = [masked(text) for text in collection.questions.values()]
    vectors = [vector.tolist() for vector in model.embed(asked)]
    tables: dict[str, object] = {}
    with running(kinds, model.dimensions, folder) as places:
        for kind, place in places.items():
            place.fill(documents)
            rows, baseline = (
                (THEIRS, "as it answers")
                if place.target.embeds
                else ({**ROWS, **(ABLATED if ablate else {})}, "RRF")
            )
            values = {
                row: _asked(collection, place, row, settings, asked, vectors)
                for row, settings in rows.items()
            }
            tables[kind] = {
                row: _told(collection.name, kind, row, values[row], values[baseline])
                for row in values
            }
    return tables


def _asked(
    collection: Collection,
    place: Place,
    row: str,
    settings: Search,
    asked: Sequence[Masked],
    vectors: Sequence[Sequence[float]],
) -> dict[str, list[float]]:
    """Return each metric of each question, searched as the row says."""
    found: dict[str, list[float]] = {metric: [] for metric in METRICS}
    target = place.semantic if row == "vectors" else place.target
    for key, text, vector in zip(collection.questions, asked, vectors, strict=True):
        hits = search(
            target,
            EMPTY if row == "vectors" and not target.embeds else text,
            None if row == "BM25" else vector,
            EVERYBODY,
            HITS,
            settings=settings,
        )
        ranking = by_document(hits, lambda hit: hit.chunk.document_id)
        for metric, value in scored(ranking, collection.grades[key]).items():
            found[metric].append(value)
    return found


def _told(
    collection: str,
    kind: Kind,
    row: str,
    found: Mapping[str, Sequence[float]],
    baseline: Mapping[str, Sequence[float]],
) -> dict[str, Any]:
    """Print a row of the table; return it."""
    line = {}
    for metric, each in found.items():
        mean = estimate(each)
        p = compare(each, baseline[metric]).p
        line[metric] = {"mean": mean.mean, "low": mean.low, "high": mean.high, "p": p}
    cells = (
        f"{one['mean']:.3f} ({one['low']:.3f}–{one['high']:.3f}){'*' if one['p'] < 0.05 else ''}"
        for one in line.values()
    )
    print(f"| {collection} | {kind.replace('_', ' ')} | {row} | {' | '.join(cells)} |", flush=True)
    return line


def _cut(collection: Collection, model: MiniLM, *, embedded: bool) -> list[IndexedDocument]:
    """Return documents as targets take them; who embeds by itself needs no vectors."""
    made = []
    for key, title, text in collection.documents:
        elements = tuple(MaskedElement("text", masked(part)) for part in text.split("\n\n") if part)
        document = MaskedDocument("text/plain", masked(title), elements)
        chunks = tuple(chunk(document, key, Chunking(), model))
        if chunks:
            vectors = (
                model.embed([one.embedded_text for one in chunks])
                if embedded
                else np.zeros((len(chunks), model.dimensions), np.float32)
            )
            name: Masked = masked(key)
            made.append(
                IndexedDocument(
                    key, name, masked(title), "text/plain", "1", EVERYBODY, chunks, vectors
                )
            )
    return made


def _documents(folder: Path) -> list[tuple[str, str, str]]:
    return [
        (one["_id"], one["title"], one["text"] or one["title"])
        for one in _lines(folder / "corpus.jsonl")
    ]


def _lines(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cisi", type=Path)
    parser.add_argument("--squad", type=Path)
    parser.add_argument("--own", action="store_true")
    parser.add_argument("--ablate", action="store_true")
    parser.add_argument("--target", action="append", choices=get_args(Kind))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    collections = [paraphrased(), coded()] if given.own else []
    collections += [cisi(given.cisi)] if given.cisi else []
    collections += [squad(given.squad)] if given.squad else []
    tables = {}
    print(f"| collection | target | ranking | {' | '.join(METRICS)} |")
    print("|---|---|---|---|---|---|")
    for collection in collections:
        with tempfile.TemporaryDirectory() as folder:
            tables[collection.name] = measured(
                collection, Path(folder), given.target or ["embedded"], given.ablate
            )
    if given.json:
        given.json.write_text(json.dumps(tables, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
