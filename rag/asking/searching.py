"""The search of one question: in which target, with which model, within which money."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.asking.vectors import of_question
from rag.budget import Budget, limits
from rag.cost import price_of
from rag.errors import ConfigError, ModelChanged, NotIndexed

if TYPE_CHECKING:
    from rag.config import Embedding
    from rag.ingest.context import Context
    from rag.masked import Masked
    from rag.records import Hit, Principal
    from rag.retrieve.candidates import Candidate
    from rag.retrieve.filters import Filter
    from rag.retrieve.query import Where
    from rag.retrieve.search import Reranked
    from rag.targets import Target

MODEL_CHANGES = 5
"""How often a question is embedded, when the index is exchanged for one of another model."""

_NAMED = 10
"""Passages at least that say who is meant."""
_RERANK_SHARE = 0.4
"""Of the time left: a reranker that takes longer costs the better order, not the answer."""
_PASSAGES_A_QUERY = 100
"""Passages that a reranker's price for one query covers (https://aws.amazon.com/bedrock/pricing)."""


def chosen(context: Context, name: str | None) -> Target:
    """Return the target of this name; the corpus's first where none is named.

    Raises:
        ConfigError: The corpus has no such target.
    """
    if name is None:
        return next(iter(context.targets.values()))
    if name not in context.target_names:
        raise ConfigError(
            f"The corpus {context.corpus} has no target {name}.",
            f"It has: {', '.join(context.target_names)}.",
        )
    return context.targets[name]


def search(
    context: Context,
    target: Target,
    question: Masked,
    principals: Sequence[Principal],
    k: int,
    where: Filter | None = None,
) -> list[Hit]:
    """Return the `k` best passages that the asker may read, best first.

    Raises:
        As `understood`.
    """
    return understood(context, target, question, principals, k, where)[1]


def understood(
    context: Context,
    target: Target,
    question: Masked,
    principals: Sequence[Principal],
    k: int,
    where: Filter | None = None,
) -> tuple[Masked, list[Hit]]:
    """Return the question with the names that are meant, and what `search` finds for it.

    Raises:
        NotIndexed: The corpus was never synced.
        TargetFailed: The target did not answer.
    """
    meant, hits = _found(context, target, question, principals, k, where)
    if not hits and not synced(context):
        raise NotIndexed(
            f"The corpus {context.corpus} was never synced into this state folder.",
            f"Sync it (sluice sync {context.corpus}), or set SLUICE_HOME to where it was.",
        )
    return meant, hits


def narrowed(context: Context, where: Where | Filter | str | None) -> Filter | None:
    """Return a filter with its names, titles and headings through the gate.

    Raises:
        FilterWrong: It cannot be read.
    """
    from rag.retrieve.filters import mapped, parse
    from rag.retrieve.query import Where

    if where is None:
        return None
    asked = parse(where) if isinstance(where, str) else where
    masker = context.question_masker

    def masked(field: str, text: str) -> str:
        if field == "name":
            return masker.mask_name(text)
        return masker.mask_text(text).text if field in ("title", "section") else text

    return mapped(asked.filter if isinstance(asked, Where) else asked, masked)


def synced(context: Context) -> bool:
    """Return whether the corpus was ever synced."""
    from rag.ledger import runs

    with context.ledger.read() as db:
        return bool(runs.latest(db, context.corpus, 1))


def _found(
    context: Context,
    target: Target,
    question: Masked,
    principals: Sequence[Principal],
    k: int,
    where: Filter | None,
) -> tuple[Masked, list[Hit]]:
    """Search with the model of the index that is served, whatever the corpus file says.

    Between the two, a reindex may serve another index: the question is embedded again. A question
    with a surname alone is searched for twice: under every name that may be meant, and then
    under the one that is.
    """
    from rag.asking import named
    from rag.retrieve.search import search as within

    def found(asked: Masked, most: int, *, reranks: bool) -> list[Hit]:
        return within(
            target,
            asked,
            vector,
            principals,
            most,
            where,
            embedding,
            context.config.search,
            _reranked(context, asked) if reranks else None,
        )

    names = named.meant(context, question)
    for left in reversed(range(MODEL_CHANGES)):
        embedding = None if target.embeds else target.model() or context.config.embed
        if embedding and not _pays_embedding(embedding, question):
            embedding = None  # by words only, which costs nothing
        vector = of_question(context.embedder_of(embedding), question) if embedding else None
        try:
            meant = question
            if names:
                first = found(named.widened(question, names), max(k, _NAMED), reranks=False)
                meant = named.understood(question, names, first)
            return meant, found(meant, k, reranks=True)
        except ModelChanged:
            if not left:
                raise
    raise AssertionError


def _reranked(context: Context, question: Masked) -> Reranked | None:
    """Return what orders hits as the corpus file says; None: nothing, or it costs too much."""
    settings = context.config.search
    uri = settings.rerank
    if uri is None or not _pays_reranking(uri, settings.reranked):
        return None

    def ordered(hits: Sequence[Candidate]) -> list[Candidate]:
        from rag.retrieve.rerank import rerank

        share = limits().seconds_left() * _RERANK_SHARE
        with Budget(seconds=max(share, 1e-6) if share != float("inf") else None).running():
            return rerank(uri, question, hits, settings.reranked, context.config.aws)

    return ordered


def _pays_embedding(embedding: Embedding, question: Masked) -> bool:
    """Whether the budget pays for the question's vector; a token has a byte at least."""
    if embedding.model.startswith("embedded/"):
        return True
    model = embedding.model.partition("/")[2]
    return limits().affords(price_of(model, len(question.encode())))


def _pays_reranking(uri: str, candidates: int) -> bool:
    family, _, model = uri.partition("/")
    if family == "embedded":
        return True
    queries = -(-candidates // _PASSAGES_A_QUERY)
    return limits().affords(price_of(model, 0, queries=queries))
