"""Ours beside LangChain's and LlamaIndex's default hybrid: same chunks, embedder and questions.

    python -m bench.peers.retrieval --cisi DIR --squad DIR [--state DIR] [--venv DIR] [--json FILE]

Documents go through `sluice sync`, questions through the gate; the peers get our masked chunks and
questions and our embeddings of both, and rank them as each documents its hybrid search, with its
own settings but for how many passages are asked for (100 of each leg; by default LangChain asks
for 4, LlamaIndex for 2, with which there is no recall@100):

- LangChain: ``EnsembleRetriever`` (reciprocal ranks, equal weights) over ``BM25Retriever`` (words
  cut at white space) and an ``InMemoryVectorStore``;
- LlamaIndex: ``QueryFusionRetriever`` (``reciprocal_rerank``, one query, for there is no chat model
  that would write others) over ``BM25Retriever`` (English stems, no stop words) and the retriever
  of a ``VectorStoreIndex``.

They run in an environment of their own, made from ``requirements.txt`` beside this file. Figures
come with 95 % bootstrap intervals; p: paired randomisation test of ours against each.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.collections import Collection, beir, judged, sampled, squad, written
from rag.evaluate import METRICS, Scores, compare, estimate, read_qrels, score

if TYPE_CHECKING:
    from rag.evaluate.subject import Subject

HERE = Path(__file__).parent
PEERS = ("langchain", "llamaindex")
OURS = ("sluice", "sluice, rerank: null")


def environment(folder: Path) -> Path:
    """Make the peers' environment if it is not there; return its Python.

    LlamaIndex refuses files that are linked, so they are copied.
    """
    python = folder / "bin" / "python"
    if not python.exists():
        uv = str(Path(sys.executable).parent / "uv")
        subprocess.run([uv, "venv", "--quiet", folder, "--python", sys.executable], check=True)
        wanted = ["-r", str(HERE / "requirements.txt")]
        install = [uv, "pip", "install", "--quiet", "--link-mode", "copy", "--python", str(python)]
        subprocess.run([*install, *wanted], check=True)
    return python


def handed_over(subject: Subject, queries: dict[str, str], folder: Path) -> None:
    """Write what the peers need: our chunks, questions and vectors."""
    import lancedb

    from rag.asking.gate import masked
    from rag.asking.vectors import of_question
    from rag.targets.embedded import EmbeddedIndex

    context = subject.context
    target = next(iter(context.targets.values()))
    assert isinstance(target, EmbeddedIndex)
    table = lancedb.connect(target.folder).open_table(f"chunks_{target.dimensions}")
    rows = table.search().limit(None).to_arrow().to_pylist()
    with (folder / "chunks.jsonl").open("w", encoding="utf-8") as chunks:
        for row in rows:
            text = f"{row['heading']}\n{row['text']}" if row["heading"] else row["text"]
            one = {"id": row["id"], "document": subject.names[row["document_id"]], "text": text}
            chunks.write(json.dumps(one) + "\n")
    vectors = []
    with (folder / "queries.jsonl").open("w", encoding="utf-8") as asked:
        for query, raw in queries.items():
            question = masked(context, raw).text
            vectors.append(of_question(context.embedder, question))
            asked.write(json.dumps({"id": query, "text": question}) + "\n")
    np.savez(
        folder / "vectors.npz",
        chunks=np.asarray([row["vector"] for row in rows], np.float32),
        queries=np.asarray(vectors, np.float32),
    )


def measured(collection: Collection, python: Path, folder: Path) -> dict[str, Scores]:
    """Return scores by who ranked."""
    from rag.corpus import Corpus
    from rag.evaluate.ranking import rank

    corpus = Corpus.open(written(collection, folder, stem="peers"))
    corpus.sync()
    _, qrels = judged(collection, folder)
    judgements = read_qrels(qrels)
    subject = corpus.judged(document for graded in judgements.values() for document in graded)
    exchange = folder / "peers"
    exchange.mkdir(exist_ok=True)
    handed_over(subject, dict(collection.queries), exchange)
    subprocess.run([python, "-W", "ignore", HERE / "worker.py", exchange], check=True)
    config = subject.context.config
    plain = config.model_copy(update={"search": config.search.model_copy(update={"rerank": None})})
    found = {
        who: rank(ours, collection.queries, judgements).scores
        for who, ours in zip(OURS, (subject, subject.under(plain)), strict=True)
    }
    for peer in PEERS:
        told = json.loads((exchange / f"{peer}.json").read_text(encoding="utf-8"))
        found[peer] = score(told["rankings"], judgements)
    return found


def rows(name: str, found: dict[str, Scores]) -> list[dict[str, Any]]:
    made = []
    for who, scores in found.items():
        row: dict[str, Any] = {"collection": name, "who": who, "queries": scores.queries}
        for metric in METRICS:
            one = estimate(scores.values(metric))
            row[metric] = [round(value, 4) for value in (one.mean, one.low, one.high)]
            for ours in OURS if who in PEERS else ():
                change = compare(found[ours].values(metric), scores.values(metric))
                row[f"{ours} less: {metric}"] = [
                    round(value, 4) for value in (change.mean, change.low, change.high, change.p)
                ]
        made.append(row)
    return made


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--cisi", type=Path)
    arguments.add_argument("--squad", type=Path)
    arguments.add_argument("--queries", type=int, default=400, help="of a collection at most")
    arguments.add_argument("--state", type=Path, help="kept, so that the next run need not sync")
    arguments.add_argument("--venv", type=Path, help="the peers' environment, kept")
    arguments.add_argument("--json", type=Path)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        state = given.state or Path(temporary) / "state"
        os.environ["SLUICE_HOME"] = str(state / "home")
        python = environment(given.venv or Path(temporary) / "venv")
        made = []
        for read, folder in ((beir, given.cisi), (squad, given.squad)):
            if folder is not None:
                collection = sampled(read(folder), given.queries)
                (state / collection.name).mkdir(parents=True, exist_ok=True)
                found = measured(collection, python, state / collection.name)
                made += rows(collection.name, found)
    if given.json:
        given.json.write_text(json.dumps(made, indent=1), encoding="utf-8")
    _show(made)


def _show(made: list[dict[str, Any]]) -> None:
    print(f"| collection | who | {' | '.join(METRICS)} |")
    print("|---|---|---|---|---|")
    for row in made:
        cells = ["{:.3f} ({:.3f}–{:.3f})".format(*row[metric]) for metric in METRICS]
        print(f"| {row['collection']} | {row['who']} | {' | '.join(cells)} |")
    print(f"\n| collection | who | less | {' | '.join(METRICS)} |")
    print("|---|---|---|---|---|---|")
    for row in (one for one in made if one["who"] in PEERS):
        for ours in OURS:
            cells = [
                "{:+.3f} ({:+.3f} to {:+.3f}), p {:.4f}".format(*row[f"{ours} less: {metric}"])
                for metric in METRICS
            ]
            print(f"| {row['collection']} | {ours} | {row['who']} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
