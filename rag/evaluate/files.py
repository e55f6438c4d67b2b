"""Judgements in the BEIR layout, and questions with their answers, from files.

BEIR: Thakur et al., A Heterogeneous Benchmark for Zero-shot Evaluation of Information Retrieval
Models, NeurIPS 2021.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from rag.errors import ConfigError

T = TypeVar("T")

Judgements = Mapping[str, Mapping[str, int]]
"""Query id to document id to grade; 0 and below: not relevant."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question and what is known of its answer.

    Attributes:
        id: Names it in reports, which never show its text.
        text: Raw.
        document: Id of the document that answers it, or would if any did; empty: not known.
        answers: Texts, one of which a right answer holds; empty: not known.
        answerable: Whether the corpus answers it; None: not known.
    """

    id: str
    text: str = field(repr=False)
    document: str = ""
    answers: tuple[str, ...] = field(default=(), repr=False)
    answerable: bool | None = None


def read_queries(path: Path) -> dict[str, str]:
    """``queries.jsonl``: lines of ``{"_id": …, "text": …}`` to text by id.

    Raises:
        ConfigError: a line has not that form; it is named by its number.
    """
    hint = 'Write one JSON object a line: {"_id": "1", "text": "…"}.'
    return dict(_lines(path, lambda one: (str(one["_id"]), str(one["text"])), "query", hint))


def read_questions(path: Path) -> list[Question]:
    """``questions.jsonl``: lines of ``{_id, text, document?, answers?, answerable?}``.

    A question with answers and no ``answerable`` is answerable.

    Raises:
        ConfigError: a line has not that form; it is named by its number.
    """
    hint = (
        'Write one JSON object a line: {"_id": "1", "text": "…", "document": "…", '
        '"answers": ["…"], "answerable": true}.'
    )
    return list(_lines(path, _question, "question", hint))


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """``qrels.tsv``: query id, document id and grade by tabs; a first line of names is skipped.

    Raises:
        ConfigError: a line has not that form; it is named by its number.
    """
    judgements: dict[str, dict[str, int]] = {}
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip() or (number == 1 and line.startswith("query-id")):
                continue
            try:
                query, document, grade = line.rstrip("\r\n").split("\t")
                judgements.setdefault(query, {})[document] = int(grade)
            except ValueError:
                raise ConfigError(
                    f"{path.name}, line {number}: not a judgement.",
                    "Write three columns with tabs between: query-id, corpus-id, score.",
                ) from None
    return judgements


def _question(one: Any) -> Question:
    answers = one.get("answers") or ()
    if isinstance(answers, str):
        raise TypeError
    known = one.get("answerable")
    return Question(
        id=str(one["_id"]),
        text=str(one["text"]),
        document=str(one.get("document") or ""),
        answers=tuple(str(answer) for answer in answers),
        answerable=(True if answers else None) if known is None else bool(known),
    )


def _lines(path: Path, made: Callable[[Any], T], what: str, hint: str) -> Iterator[T]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                yield made(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError):
                raise ConfigError(f"{path.name}, line {number}: not a {what}.", hint) from None
