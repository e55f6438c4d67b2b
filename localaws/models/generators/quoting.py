"""The honest generator: it quotes the sentences of the prompt's passages that answer, or says that
none does. It writes nothing that the prompt does not say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator as Running

from localaws.models import tools
from localaws.models.generators.passages import Given, Reading, read
from localaws.models.prompt import Piece, Prompt, Said

SUPPORT = 0.6
"""Likelihood that a sentence answers, under which it is not quoted."""

_WORD = re.compile(r"\s*\S+")

NOTHING_GIVEN = "The request gives no passage to quote an answer from."
NOTHING_ANSWERS = "None of the passages given answers the question."


def generate(prompt: Prompt) -> Running[Piece, None, None]:
    """Write; see `localaws.models.generators.Generator`."""
    reading = read(prompt)

    def answer() -> str:
        return "".join(piece.text for piece in _quoted(prompt, reading))

    use = None if _auto_but_given(prompt, reading) else tools.wanted(prompt, answer)
    if use is not None:
        yield use
    elif prompt.answer_schema is not None:
        filled = tools.fill(prompt.answer_schema, reading.question, answer)
        yield Said(json.dumps(filled, ensure_ascii=False))
    else:
        for piece in _quoted(prompt, reading):
            if piece.cites:
                yield piece
            else:  # word by word, as models write
                yield from map(Said, _WORD.findall(piece.text))


def _auto_but_given(prompt: Prompt, reading: Reading) -> bool:
    return prompt.tool_choice == "auto" and bool(reading.passages)


def _quoted(prompt: Prompt, reading: Reading) -> list[Said]:
    from rag.answer.extractive import Extractive
    from rag.masked.received import received
    from rag.records import Chunk, Hit
    from rag.retrieve.pack import Passage

    if not reading.passages:
        return [Said(NOTHING_GIVEN)]
    passages = []
    for at, given in enumerate(reading.passages):
        text, title = received(given.text), received(given.title)
        chunk = Chunk(str(at), given.label, at, title, text, tokens=0)
        passages.append(Passage(Hit(chunk, received(given.label), 0.0), text, tokens=0))
    draft = Extractive().answer(received(reading.question), passages, SUPPORT)
    if draft.abstained:
        results = [p for p in prompt.turns[-1].parts if p.kind == "tool_result" and p.text]
        if results:  # a tool's bare result is an answer, though no sentence
            return [Said("\n".join(part.text for part in results))]
        return [Said(reading.abstention or NOTHING_ANSWERS)]
    return [
        _said(
            str(citation.quote), reading.passages[int(citation.chunk)], reading.marked, first=not at
        )
        for at, citation in enumerate(draft.citations)
    ]


def _said(quote: str, given: Given, marked: bool, first: bool) -> Said:
    words = " ".join(quote.split())
    if given.cited:
        start = given.text.find(quote)
        return Said(words if first else f" {words}", ((given.place, start, start + len(quote)),))
    if marked:
        # Before the full stop, so that the marker stays with its sentence.
        bare = words.rstrip(".!?…")
        words = f"{bare} [{given.label}]{words[len(bare) :] or '.'}"
    return Said(words if first else f" {words}")
