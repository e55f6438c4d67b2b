"""Commands that ask a corpus: search, ask."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag import days
from rag.cli.output import CORPUS, JSON, show, show_json, visible

if TYPE_CHECKING:
    from rag.records import Answer, Event
    from rag.retrieve.filters import Filter

QUESTION = Annotated[str, typer.Argument(metavar="QUESTION", help="In quotes.")]
ASKER = Annotated[
    list[str],
    typer.Option("--as", metavar="PRINCIPALS", help="Who asks: user:NAME,group:NAME"),
]
TARGET = Annotated[
    str | None,
    typer.Option(metavar="KIND", help="Which target to search, where the corpus has several."),
]
WHERE = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILTER",
        help='Only such passages: name=pay.txt, or type = "application/pdf" and page >= 3.',
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for command in (search, ask):
        app.command()(command)


def search(
    corpus: CORPUS,
    question: QUESTION,
    asker: ASKER,
    k: Annotated[int, typer.Option("--k", min=1, max=1000, help="Passages.")] = 10,
    where: WHERE = None,
    target: TARGET = None,
    as_json: JSON = False,
) -> None:
    """Find passages that the asker may read."""
    from rag.corpus import Corpus

    principals = principals_of(asker)
    hits = Corpus.open(corpus).search(
        question, principals=principals, k=k, where=_narrowed(where), target=target
    )
    if as_json:
        show_json(
            [
                {
                    "document": hit.document,
                    "chunk": hit.chunk.id,
                    "text": hit.chunk.text,
                    "score": hit.score,
                    "page": hit.chunk.page,
                    "section": list(hit.chunk.section),
                    "modified": days.told(hit.modified),
                }
                for hit in hits
            ]
        )
        return
    for rank, hit in enumerate(hits, start=1):
        show(f"{rank}. {_place(hit.document, hit.chunk.page, hit.chunk.section)}")
        show(_indented(hit.chunk.text) + "\n")
    if not hits:
        show("Nothing found that these principals may read.")


def ask(
    corpus: CORPUS,
    question: QUESTION,
    asker: ASKER,
    where: WHERE = None,
    target: TARGET = None,
    tokens: Annotated[
        int | None, typer.Option("--budget-tokens", min=1, help="Of context and answer together.")
    ] = None,
    usd: Annotated[
        float | None, typer.Option("--budget-usd", min=0, help="List price of all calls to models.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--budget-seconds", help="Until the last word.")
    ] = None,
    stream: Annotated[
        bool | None,
        typer.Option(help="Show words as they come; by default on a terminal.", show_default=False),
    ] = None,
    as_json: JSON = False,
) -> None:
    """Answer with citations, or abstain.

    From nothing that the asker may not read.
    """
    from rag.budget import Budget
    from rag.corpus import Corpus

    opened = Corpus.open(corpus)
    events = opened.stream(
        question,
        principals=principals_of(asker),
        where=_narrowed(where),
        target=target,
        budget=Budget(tokens, usd, seconds),
    )
    live = not as_json and (sys.stdout.isatty() if stream is None else stream)
    with events:
        answer = _told(events, live=live)
    if as_json:
        show_json(_answer(answer))
        return
    if not live:
        show(answer.text)
    for number, one in enumerate(answer.citations, start=1):
        show(f"\n[{number}] {_place(one.document, one.page, one.section)}")
        show(_indented(f"“{one.quote}”"))
    if answer.partial:
        show(f"\nThe answer ends early: its {answer.partial} is used up.")


def _told(events: Iterable[Event], *, live: bool) -> Answer:
    """Return the answer that events end with; show its words as they come if `live`."""
    from rag.records import Done, Refusal, Token

    said = False
    for event in events:
        if isinstance(event, Done):
            if live and not event.answer.abstained:
                show()
            return event.answer
        if live and isinstance(event, Token):
            sys.stdout.write(visible(event.text))
            sys.stdout.flush()
            said = True
        elif live and isinstance(event, Refusal):
            from rag.asking.refusing import told

            show(f"\n\n{told(event)}" if said else told(event))
    raise AssertionError("a stream ends with Done, or raises")


def _answer(answer: Answer) -> dict[str, Any]:
    """An answer as programs read it."""
    refusal = answer.refusal
    return {
        "answer_id": answer.answer_id,
        "question": answer.question,
        "text": answer.text,
        "abstained": answer.abstained,
        "reason": refusal.kind if refusal else None,
        "nearest": list(refusal.nearest) if refusal else [],
        "support": answer.support,
        "partial": answer.partial or None,
        "cached": answer.cached or None,
        "citations": [
            {
                "document": one.document,
                "document_id": one.document_id,
                "chunk": one.chunk,
                "quote": one.quote,
                "page": one.page,
                "section": list(one.section),
                "score": one.score,
            }
            for one in answer.citations
        ],
        "usage": answer.usage,
        "left_out": answer.left_out,
    }


def _narrowed(where: Sequence[str] | None) -> Filter | None:
    from rag.retrieve.filters import together

    return together(where) if where else None


def principals_of(given: Sequence[str]) -> tuple[str, ...]:
    from rag.config import PRINCIPAL
    from rag.errors import ConfigError

    principals = [part.strip() for text in given for part in text.split(",") if part.strip()]
    if not principals or not all(re.fullmatch(PRINCIPAL.strip("^$"), one) for one in principals):
        raise ConfigError(
            "--as must be principals: user:NAME or group:NAME, joined by commas.",
            "For example: --as user:ana,group:staff",
        )
    return tuple(dict.fromkeys(principals))


def _place(document: str, page: int | None, section: Sequence[Any]) -> str:
    parts = [document, f"page {page}" if page else "", " › ".join(section)]
    return ", ".join(part for part in parts if part)


def _indented(text: str) -> str:
    return "\n".join(f"   {line}" for line in text.splitlines())
