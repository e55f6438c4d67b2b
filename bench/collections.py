"""Judged collections for the benchmarks: read from a folder, never copied, or made on the spot.

A collection is documents, questions and judgements. `written` puts its documents into a folder and
a corpus file beside it, so that what is measured goes through the product from end to end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag.evaluate import Question, read_qrels, read_queries, read_questions


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it is written into a file.

    Attributes:
        modified: Day of its version (`rag.days`), where it has one.
    """

    id: str
    title: str
    text: str
    modified: int | None = None


@dataclass(frozen=True, slots=True)
class Collection:
    """Documents, questions and judgements.

    Attributes:
        queries: Text by query id; only those that are judged.
        judgements: Query id to document id to grade.
        subjects: What a query belongs to, for cross-validation: queries of one subject share
            documents and words. A query's own id where nothing is known.
        questions: For answers, with those that nothing answers; empty: only ranking is judged.
    """

    name: str
    documents: tuple[Document, ...]
    queries: Mapping[str, str]
    judgements: Mapping[str, Mapping[str, int]]
    subjects: Mapping[str, str]
    questions: tuple[Question, ...] = field(default=())


def beir(folder: Path, name: str = "") -> Collection:
    """Read ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/test.tsv``."""
    judgements = {
        query: graded
        for query, graded in read_qrels(folder / "qrels" / "test.tsv").items()
        if any(grade > 0 for grade in graded.values())
    }
    asked = read_queries(folder / "queries.jsonl")
    queries = {query: asked[query] for query in judgements if query in asked}
    return Collection(
        name or folder.name,
        _documents(folder),
        queries,
        {query: judgements[query] for query in queries},
        {query: query for query in queries},
    )


def squad(folder: Path, name: str = "") -> Collection:
    """Read ``corpus.jsonl`` and ``questions.jsonl``: a paragraph is a document.

    Judged is whether a question finds its paragraph, for questions that have an answer in it; all
    questions are in `Collection.questions`. A subject is an article.
    """
    documents = _documents(folder)
    article = {one.id: one.title for one in documents}
    questions = tuple(read_questions(folder / "questions.jsonl"))
    asked = [one for one in questions if one.answerable and one.document in article]
    return Collection(
        name or folder.name,
        documents,
        {one.id: one.text for one in asked},
        {one.id: {one.document: 1} for one in asked},
        {one.id: article.get(one.document, one.id) for one in questions},
        questions,
    )


def written(collection: Collection, folder: Path, settings: str = "", stem: str = "corpus") -> Path:
    """Write documents as text files, and a corpus file; return the corpus file's path.

    The rest of the corpus file is the product's default, but for `settings`: lines of YAML.
    """
    source = folder / "documents"
    source.mkdir(parents=True, exist_ok=True)
    for one in collection.documents:
        text = f"{one.title}\n\n{one.text}" if one.title else one.text
        (source / f"{_file(one.id)}.txt").write_text(text, encoding="utf-8")
    path = folder / f"{stem}.yaml"
    path.write_text(
        f"corpus: {_file(collection.name).lower()}\n"
        f'source: {{url: {json.dumps(str(source))}, acl: {{default: ["group:all"]}}}}\n'
        f"{settings}",
        encoding="utf-8",
    )
    return path


def judged(collection: Collection, folder: Path) -> tuple[Path, Path]:
    """Write ``queries.jsonl`` and ``qrels.tsv`` as `sluice evaluate` takes them."""
    folder.mkdir(parents=True, exist_ok=True)
    queries, qrels = folder / "queries.jsonl", folder / "qrels.tsv"
    with queries.open("w", encoding="utf-8") as lines:
        for query, text in collection.queries.items():
            lines.write(json.dumps({"_id": query, "text": text}) + "\n")
    with qrels.open("w", encoding="utf-8") as lines:
        lines.write("query-id\tcorpus-id\tscore\n")
        for query, graded in collection.judgements.items():
            for document, grade in graded.items():
                lines.write(f"{query}\t{_file(document)}\t{grade}\n")
    return queries, qrels


def sampled(collection: Collection, most: int) -> Collection:
    """Return the collection with at most so many queries, evenly over all of them."""
    if len(collection.queries) <= most:
        return collection
    step = len(collection.queries) / most
    names = list(collection.queries)
    kept = {names[int(place * step)] for place in range(most)}
    return Collection(
        collection.name,
        collection.documents,
        {query: text for query, text in collection.queries.items() if query in kept},
        {query: graded for query, graded in collection.judgements.items() if query in kept},
        collection.subjects,
        collection.questions,
    )


def folds(collection: Collection, count: int) -> Sequence[frozenset[str]]:
    """Return the queries in so many parts, a subject wholly in one of them."""
    subjects = sorted({collection.subjects.get(query, query) for query in collection.queries})
    part = {subject: place % count for place, subject in enumerate(subjects)}
    return [
        frozenset(
            query
            for query in collection.queries
            if part[collection.subjects.get(query, query)] == place
        )
        for place in range(count)
    ]


def _documents(folder: Path) -> tuple[Document, ...]:
    return tuple(
        Document(str(one["_id"]), str(one.get("title") or ""), str(one["text"]))
        for one in _lines(folder / "corpus.jsonl")
    )


def _lines(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def _file(name: str) -> str:
    return re.sub(r"[^\w.-]", "_", name)
