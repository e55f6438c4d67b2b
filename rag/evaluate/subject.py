"""The corpus that is judged: who asks it, and what judgements call its documents."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.records import Principal

if TYPE_CHECKING:
    from rag.config import CorpusConfig
    from rag.ingest.context import Context
    from rag.masked import Masked

INDEXED_BY = ("source", "parse", "privacy", "chunk", "embed", "targets")
"""Sections of a corpus file that say what is in its index; two files with equal ones may share it.
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """A corpus, and who asks it.

    Attributes:
        principals: Who asks.
        names: Document id to what judgements call the document.
    """

    context: Context
    principals: tuple[Principal, ...]
    names: Mapping[str, str]

    def under(self, config: CorpusConfig) -> Subject:
        """Return the same index under other settings of searching and answering."""
        return replace(self, context=with_settings(self.context, config))

    def text_of(self, name: str) -> Masked | None:
        """Return a document's masked text; None: the working store has it no longer."""
        from rag.ledger import documents
        from rag.masked import SPACE

        wanted = [one for one, called in self.names.items() if called == name]
        with self.context.ledger.read() as db:
            entries = documents.entries(db, self.context.corpus, wanted)
        for entry in entries:
            made = self.context.made_by(entry.sealed_key)
            if document := self.context.store.masked(entry.content_id, made):
                return SPACE.join([document.title, *(one.text for one in document.elements)])
        return None


def subject(
    context: Context, called: Collection[str], principals: Sequence[Principal] | None = None
) -> Subject:
    """Return a corpus as it is judged.

    Args:
        called: What judgements call documents: source keys, or file names without extension. A
            passage of an attachment counts for its mail.
        principals: Who asks; None: everybody who may read anything.
    """
    from rag.ledger import documents

    judged = frozenset(called)
    with context.ledger.read() as db:
        entries = documents.entries(db, context.corpus)
    names: dict[str, str] = {}
    for entry in entries:
        sealed = entry.sealed_key  # empty: an erasure took it out of the vault
        key = context.unseal(sealed)[0] if sealed else str(entry.name)
        names[entry.document_id] = key if key in judged else Path(key).stem
    everybody = sorted({who for entry in entries for who in entry.acl})
    return Subject(context, tuple(everybody if principals is None else principals), names)


def with_settings(context: Context, config: CorpusConfig) -> Context:
    """Return a context over the same index and ledger, under another configuration."""
    from rag.ingest.context import Context

    return Context(replace(context.loaded, config=config), context.threads)


def other(context: Context, given: CorpusConfig) -> CorpusConfig | None:
    """Return this corpus's configuration as another file would search and answer it.

    None: the other file makes another index, which has to be searched itself.
    """
    ours = context.config
    if any(getattr(ours, part) != getattr(given, part) for part in INDEXED_BY):
        return None
    return ours.model_copy(update={"search": given.search, "answer": given.answer})
