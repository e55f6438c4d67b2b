"""Raw text where only masked text may go: each line that must be an error says so.

mypy reads this file in ``make check`` with ``warn_unused_ignores``: a line that it would accept is
an error there. Nothing here is run.
"""

from __future__ import annotations

import logging

from rag.answer import Answerer, answerer
from rag.config import Aws
from rag.ingest.store import Store
from rag.masked import Masked, fixed, require
from rag.models import Embedder
from rag.models.chat import generate
from rag.privacy.guardrail import Guardrail
from rag.records import (
    Chunk,
    IndexedDocument,
    MaskedDocument,
    MaskedElement,
    MaskedFailure,
    MaskedText,
    ParsedDocument,
)
from rag.retrieve.query import Query
from rag.retrieve.rerank import rerank
from rag.targets import Target
from rag.telemetry import INFO, event

log = logging.getLogger(__name__)


def nobody_makes_it(raw: str) -> None:
    Masked(raw)  # type: ignore[arg-type]
    text: Masked = raw  # type: ignore[assignment]
    fixed("A name: {}", raw)  # type: ignore[arg-type]
    require(text, "A test")


def models(raw: str, embedder: Embedder, by: Answerer, aws: Aws) -> None:
    embedder.embed([raw])  # type: ignore[list-item]
    embedder.embed_query(raw)  # type: ignore[arg-type]
    rerank("bedrock/any", raw, (), 1, aws)  # type: ignore[arg-type]
    generate("bedrock/any", aws, 10, fixed("Answer."), raw)  # type: ignore[arg-type]
    by.sentences(raw, (), 0.0)  # type: ignore[arg-type]
    answerer("bedrock/any", mask=lambda text: text)  # type: ignore[arg-type, return-value]


def guardrails(raw: str, guardrail: Guardrail) -> None:
    guardrail.check([raw])  # type: ignore[list-item]
    guardrail.check_answer(fixed("Yes."), raw, ())  # type: ignore[arg-type]


def targets(raw: str, masked: Masked, target: Target) -> None:
    Query(raw, None, ())  # type: ignore[arg-type]
    Chunk("c", "d", 0, masked, raw, 1)  # type: ignore[arg-type]
    Chunk("c", "d", 0, masked, f"{masked} and more", 1)  # type: ignore[arg-type]
    Chunk("c", "d", 0, masked, masked + raw, 1)  # type: ignore[arg-type]
    Chunk("c", "d", 0, masked, masked.replace("a", raw), 1)  # type: ignore[arg-type]
    IndexedDocument("d", raw, masked, "text/plain", "", (), (), None)  # type: ignore[arg-type]
    target.apply([raw], ())  # type: ignore[list-item]


def stores(raw: str, store: Store, parsed: ParsedDocument) -> None:
    store.keep_masked("c", "f", parsed)  # type: ignore[arg-type]
    MaskedElement("text", raw)  # type: ignore[arg-type]
    MaskedDocument("text/plain", raw, ())  # type: ignore[arg-type]
    MaskedFailure("parse", "empty", fixed("Empty."), fixed("Mend it."), raw)  # type: ignore[arg-type]
    MaskedText(raw)  # type: ignore[arg-type]


def logs(raw: str, error: Exception) -> None:
    event(log, INFO, "a name was found", name=raw)  # type: ignore[arg-type]
    event(log, INFO, "a name was found", name=f"{error}")  # type: ignore[arg-type]


def what_is_cut_and_joined_of_masked_text_is_masked(one: Masked, other: Masked) -> list[Masked]:
    return [
        one[1:],
        one[0],
        one.cut(1, 2),
        one.strip() + other,
        fixed(", ").join([one, other]),
        fixed("{}: {}", one, 7),
        one.replace("a", other),
        *one.split(),
        *one.splitlines(),
        one.partition(" ")[0],
        one.lower(),
        one.escaped(),
    ]
