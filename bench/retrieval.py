"""How well search ranks, and what each of its parts is worth, through the product's own search.

    nice -n 10 python -m bench.retrieval [--cisi DIR] [--squad DIR] [--own] [--ablate] [--json F]
        [--target embedded] [--target opensearch] [--target knowledge_base]

DIR holds BEIR files (cisi: ``corpus.jsonl``, ``queries.jsonl``, ``qrels/test.tsv``) or paragraphs
with their questions (squad: ``corpus.jsonl``, ``questions.jsonl``, of which every fifth one that
can be answered is asked). ``--own``: three collections that are generated here. All texts are cut
as a corpus's are, embedded with the embedded model, and searched in the embedded index, or in the
targets that are named: a real OpenSearch and a knowledge base of localaws are started for it.
Nothing is masked, so that the rows differ by ranking alone. Each figure is a mean over the
questions with its 95 % bootstrap interval; ``*`` marks a difference from RRF (of a knowledge base:
from the order in which it gives them) that chance hardly makes (paired randomisation test,
p < 0.05).
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import numpy as np

from bench.collections import Collection, beir, sampled, squad
from bench.made_collections import coded, dated, paraphrased
from bench.targets import Kind, Place, reranked, running
from rag.config import Chunking, Recency, Search
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
PLAIN = {
    "centred": False,
    "feedback": 0,
    "related": 0,
    "exact": False,
    "collapse": False,
    "rerank": None,
}
ROWS: Mapping[str, Search] = {
    "BM25": Search(**PLAIN),
    "vectors": Search(**PLAIN),
    "RRF": Search(fusion="ranks", **PLAIN),
    "ours, rerank: null": Search(rerank=None),
    "ours": Search(),
}
THEIRS: Mapping[str, Search] = {
    "vectors": Search(**PLAIN),
    "as it answers": Search(**PLAIN),
    "ours, rerank: null": Search(rerank=None),
    "ours": Search(),
}
"""Rows of a target that embeds and joins by itself."""
ABLATED: Mapping[str, Search] = {
    "ours, fusion: ranks": Search(fusion="ranks"),
    "ours, centred: false": Search(centred=False),
    "ours, feedback: 0": Search(feedback=0),
    "ours, related: 0": Search(related=0),
    "ours, exact: false": Search(exact=False),
    "ours, collapse: false": Search(collapse=False),
    "ours, diversity: 0.2": Search(diversity=0.2),
    "ours, recency: {}": Search(recency=Recency()),
}


def _every_fifth(collection: Collection) -> Collection:
    return sampled(collection, len(collection.queries) // 5)


def measured(
    collection: Collection, folder: Path, kinds: Sequence[Kind], ablate: bool
) -> dict[str, object]:
    """Return each target's rows over the collection: means, intervals, differences."""
    model = MiniLM()
    documents = _cut(collection, model, embedded=set(kinds) != {"knowledge_base"})
    asked = [masked(text) for text in collection.queries.values()]
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
    for key, text, vector in zip(collection.queries, asked, vectors, strict=True):
        hits = search(
            target,
            EMPTY if row == "vectors" and not target.embeds else text,
            None if row == "BM25" else vector,
            EVERYBODY,
            HITS,
            settings=settings,
            reranked=reranked(settings, text),
        )
        ranking = by_document(hits, lambda hit: hit.chunk.document_id)
        for metric, value in scored(ranking, collection.judgements[key]).items():
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
    for one in collection.documents:
        key, title, text = one.id, one.title, one.text or one.title
        elements = tuple(MaskedElement("text", masked(part)) for part in text.split("\n\n") if part)
        document = MaskedDocument("text/plain", masked(title), elements)
        chunks = tuple(chunk(document, key, Chunking(), model))
        if chunks:
            vectors = (
                model.embed([piece.embedded_text for piece in chunks])
                if embedded
                else np.zeros((len(chunks), model.dimensions), np.float32)
            )
            name: Masked = masked(key)
            made.append(
                IndexedDocument(
                    key,
                    name,
                    masked(title),
                    "text/plain",
                    "1",
                    EVERYBODY,
                    chunks,
                    vectors,
                    one.modified,
                )
            )
    return made


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
    today = datetime.now(UTC).date()
    collections = [paraphrased(), coded(), dated(today)] if given.own else []
    collections += [beir(given.cisi, "cisi")] if given.cisi else []
    collections += [_every_fifth(squad(given.squad, "squad2"))] if given.squad else []
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
