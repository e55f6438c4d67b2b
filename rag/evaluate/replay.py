"""A target that remembers what its legs answered: other settings ask the same things again."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rag.retrieve.candidates import Legs
from rag.retrieve.query import Query

if TYPE_CHECKING:
    from rag.evaluate.subject import Subject
    from rag.ingest.store import DocumentResult
    from rag.targets import Target

_TOGETHER = 100
"""Documents that are made at once."""


class Replayed:
    """A `rag.targets.Target` for searching only: each question of a leg is asked once."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._known: dict[Hashable, Legs] = {}

    def legs(self, query: Query, depth: int) -> Legs:
        """See `rag.targets.Target.legs`."""
        import numpy

        vector = query.vector
        key = (
            query.text,
            None if vector is None else numpy.asarray(vector, numpy.float32).tobytes(),
            query.principals,
            query.weighted,
            query.vectors,
            repr(query.filter),
            depth,
        )
        if key not in self._known:
            self._known[key] = self._target.legs(query, depth)
        return dict(self._known[key])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


@contextmanager
def temporary(subject: Subject, tell: Callable[[int, int], object]) -> Iterator[Target]:
    """Give an index of the corpus under its present settings, gone afterwards.

    It is embedded, and made from the masked documents of the working store: nothing is parsed.
    Documents that the store has no longer are not in it.
    """
    import tempfile
    from pathlib import Path

    from rag.config import EmbeddedTarget
    from rag.ingest.shard import ShardReport, embed_results, results_of
    from rag.ingest.store import Job
    from rag.ingest.sync import indexed
    from rag.ledger import documents
    from rag.targets import open_target

    context = subject.context
    with context.ledger.read() as db:
        entries = [one for one in documents.entries(db, context.corpus) if one.parent_id is None]
    with tempfile.TemporaryDirectory(prefix="sluice-tune-") as folder:
        target = open_target(
            EmbeddedTarget(), context.config, context.embedder.dimensions, Path(folder)
        )
        report = ShardReport()
        for start in range(0, len(entries), _TOGETHER):
            results: list[DocumentResult] = []
            for entry in entries[start : start + _TOGETHER]:
                # The masked document is of the served settings; cutting it anew is the trial.
                masked = context.store.masked(entry.content_id, context.made_by(entry.sealed_key))
                if masked is None:
                    continue
                job = Job.again(entry)
                results += results_of(context, job, entry.content_id, entry.name, masked, report)
            made = embed_results(context, results, report)
            target.apply([indexed(one, context.fingerprints) for one in made if one.chunks], [])
            tell(min(len(entries), start + _TOGETHER), len(entries))
        target.compact()
        yield target
