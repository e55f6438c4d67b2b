"""The OpenSearch target: a cluster, a domain of Amazon OpenSearch Service, or Serverless.

One row a passage in the index that an alias points to, both legs of a search in one request. A
cluster's index is refreshed only here: the rows of a document's new version appear in the moment
in which those of its old one go, for they are in one shard. Serverless refreshes when it likes
and gives rows ids of its own: there the new rows are found before the old ones are deleted.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rag import config
from rag.errors import DocumentsRefused, ModelChanged, TargetFailed
from rag.records import IndexedDocument, Principal
from rag.retrieve.candidates import Candidate, Legs
from rag.retrieve.filters import EVERYTHING, sifted
from rag.retrieve.query import Query
from rag.targets import Contents, Job, Stored, gated
from rag.targets.opensearch import bulk, filters, generations, rows, search
from rag.targets.opensearch.connection import Connection
from rag.targets.opensearch.generations import Generation
from rag.targets.opensearch.reading import Row, inventory, refreshed, rows_of, size, whole_rows
from rag.targets.opensearch.settling import Settling
from rag.telemetry import WARNING, event

if TYPE_CHECKING:
    import numpy

log = logging.getLogger(__name__)

_COMPACT_SECONDS = 600
MANY = 10
"""Segments of a shard from which `OpenSearchIndex.compact` makes one of them: a search of 100,000
passages in 22 segments takes 2.5 times as long as in one (`bench.latency`)."""
_LARGE = 5 * 2**30
"""Bytes of a shard from which that would take too long: Lucene merges no further by itself."""
MOST_SIFTED = 2000
"""Passages that are asked for at most, where an index of the first layout cannot filter."""
LOOKS = 4
"""How often a search looks which generation is served, when they are exchanged meanwhile."""


SAMPLED_SECONDS = 600
"""How long a sample of the vectors is taken for what the index holds."""


class _Exchanged(Exception):
    """Another generation is served by now."""


class OpenSearchIndex:
    """A `rag.targets.Target` in OpenSearch.

    Args:
        dimensions: Of the embeddings, for an index that is yet to be made.
        generation: Of the alias's indexes, the one to work on; None: the one that is served.
        hybrid: Let the cluster fuse the legs by rank where it can; else both are asked for in
            one request, to be fused here as every target's are.
    """

    embeds = False

    def __init__(
        self,
        target: config.OpenSearchTarget,
        corpus: config.CorpusConfig,
        dimensions: int,
        *,
        generation: Generation | None = None,
        hybrid: bool = False,
    ) -> None:
        self.alias = target.index or f"sluice-{corpus.corpus}"
        self.connection = Connection(target, corpus.aws)
        self._target = target
        self._corpus = corpus
        self._dimensions = dimensions
        self._pinned = generation
        self._served: Generation | None = None
        self._hybrid = hybrid
        self._settling = Settling(self.connection)
        self._sampled: tuple[tuple[str, int], float, numpy.ndarray | None] | None = None

    # Writing

    def apply(self, upserts: Sequence[IndexedDocument], deletes: Sequence[str]) -> None:
        """See `rag.targets.Target.apply`; all of it appears at once in each shard.

        Deleted documents go from a generation kept for rollback too, so that it does not bring
        them back.
        """
        gated.documents(upserts)
        ids = [document.id for document in upserts]
        if len(set(ids)) != len(ids) or not set(ids).isdisjoint(deletes):
            raise ValueError("a document id comes twice")
        if not ids and not deletes:
            return
        generation = self._writable(self._dimensions if ids else None)
        if generation is None:
            return
        for document in upserts:
            shape = (len(document.chunks), generation.dimensions)
            if document.chunks and getattr(document.vectors, "shape", None) != shape:
                raise ValueError(f"document {document.id} needs embeddings of shape {shape}")
        self._settling.wait_for(generation.index, [*ids, *deletes])
        before = list(rows_of(self.connection, generation.index, [*ids, *deletes]))
        written = max([time.time_ns() // 1000, *(row.written + 1 for row in before)])
        full = [document for document in upserts if document.chunks]
        if self.connection.serverless:
            refused = self._settling.replace(
                generation.index, before, full, written, generation.layout, self._bytes
            )
        else:
            refused = self._replace(generation, [*ids, *deletes], before, full, written)
        for kept in self._kept(generation) if deletes else ():
            self._delete(kept, rows_of(self.connection, kept, deletes))
        if refused:
            self.apply([], sorted(refused))
            raise DocumentsRefused(refused)

    def _replace(
        self,
        generation: Generation,
        touched: Sequence[str],
        before: Sequence[Row],
        upserts: Sequence[IndexedDocument],
        written: int,
    ) -> dict[str, str]:
        """Write the new rows and remove the stale ones, then refresh; return what was refused.

        Args:
            touched: Ids of all documents that are written or deleted.
            before: Their rows.
        """
        index = generation.index
        stays = {chunk.id for document in upserts for chunk in document.chunks}

        def items() -> Iterator[bulk.Item]:
            for document in upserts:
                for row in rows.rows(document, written, generation.layout):
                    yield bulk.index(row, row["chunk_id"])
            for old in before:
                if old.id not in stays:
                    yield bulk.delete(old)

        refused = bulk.write(self.connection, index, items(), self._bytes)
        self._refresh(index)
        # What a killed writer had written and never refreshed was not among `before`.
        self._delete(index, rows_of(self.connection, index, touched, other_than=written))
        return refused

    def _delete(self, index: str, found: Iterable[Row]) -> None:
        routed = not self.connection.serverless
        if gone := [bulk.delete(row, routed=routed) for row in found]:
            bulk.write(self.connection, index, gone, self._bytes)
            self._refresh(index)

    def set_acl(
        self,
        acls: Mapping[str, tuple[Principal, ...]],
        digests: Mapping[str, str] | None = None,
    ) -> None:
        """See `rag.targets.Target.set_acl`; a generation kept for rollback gets the rights too."""
        generation = self._writable(None)
        if generation is None or not acls:
            return
        for index in (generation.index, *self._kept(generation)):
            given = digests if index == generation.index else None

            def fields(document: str, given: Any = given) -> dict[str, Any]:
                new: dict[str, Any] = {"acl": acls[document]}
                return new | ({"digest": given[document]} if given and document in given else {})

            if self.connection.serverless:
                self._settling.wait_for(index, acls)
                found = whole_rows(self.connection, index, sorted(acls))
                self._settling.rewrite(index, found, fields, self._bytes)
                continue
            self._refresh(index)  # to see what a killed writer left: that gets the rights too
            changes = (
                bulk.update(row, fields(row.document_id))
                for row in rows_of(self.connection, index, sorted(acls))
            )
            bulk.write(self.connection, index, changes, self._bytes)
            self._refresh(index)

    def compact(self) -> None:
        """See `rag.targets.Target.compact`; Serverless does it by itself.

        Many segments become one: each has a graph of its own vectors, which a search goes through.
        OpenSearch keeps deleted rows for half a minute more, for copies that may have to catch
        up with them; those leave the disk with the next merge.
        """
        generation = self._current()
        if generation is None or self.connection.serverless:
            return
        taken = size(self.connection, generation.index)
        how: dict[str, Any] = {"request_timeout": _COMPACT_SECONDS}
        if taken.shard_segments > MANY and taken.shard_bytes < _LARGE:
            how["max_num_segments"] = 1
        elif taken.deleted:
            how["only_expunge_deletes"] = "true"
        else:
            return

        def merge(client: Any) -> None:
            client.indices.forcemerge(index=generation.index, params=how)
            refreshed(client, generation.index)  # searches go on in the old segments until then

        try:
            self.connection.ask(merge)
        except TargetFailed as error:
            # Not allowed for us, or it goes on there for longer: searches find the same.
            event(log, WARNING, "what was deleted stays on disk until it is merged", error=error)

    def begin(self) -> Job | None:
        """See `rag.targets.Target.begin`: what was applied can be searched."""
        return None

    def outcome(self, job: Job) -> Mapping[str, str]:
        """See `rag.targets.Target.outcome`."""
        return {}

    # Reading

    def model(self) -> config.Embedding | None:
        """See `rag.targets.Target.model`: kept with the index, so it changes with the alias."""
        generation = self._current()
        return generation.embedding if generation else None

    def inventory(self) -> Mapping[str, Stored]:
        """See `rag.targets.Target.inventory`; on Serverless, once it shows what was written."""
        self._served = None
        generation = self._current()
        if generation is None:
            return {}
        self._settling.wait()
        return inventory(self.connection, generation.index)

    def legs(self, query: Query, depth: int) -> Legs:
        """See `rag.targets.Target.legs`; one leg ``hybrid`` where the cluster fuses them.

        Raises:
            ModelChanged: Another generation is served by now, embedded with another model than
                `query.embedding`.
        """
        gated.question(query)
        if not query.principals or depth < 1:
            return {}
        for _ in range(LOOKS):
            generation = self._asked(query)
            if generation is None:
                return {}
            found = self._found(generation, query, depth)
            if found is not None:
                return found
        raise TargetFailed("The index that is served keeps changing.", "Ask again.")

    def _asked(self, query: Query) -> Generation | None:
        """Return the generation to ask, which is of the model that the question is of."""
        generation = self._current()
        if generation is None or query.embedding in (None, generation.embedding):
            return generation
        generation = self._again()
        if generation is None or generation.embedding != query.embedding:
            raise ModelChanged(
                "Another index is served by now, embedded with another model.", "Ask again."
            )
        return generation

    def _found(self, generation: Generation, query: Query, depth: int) -> Legs | None:
        """Return each leg's hits; None: it was another generation that answered, or none."""
        _, left = filters.parted(query.filter, generation.layout)

        def ask(depth: int) -> Legs:
            clauses = search.legs(query, depth, generation.search, generation.layout)
            wanted = rows.wanted(generation.layout, vectors=query.vectors, texts=left != EVERYTHING)
            answers = self._answers(generation, clauses, depth, wanted) if clauses else {}
            if answers is None or (clauses and not self._is_from(generation, answers)):
                raise _Exchanged
            found = search.newest(answers)
            return {
                leg: search.candidates(some, leg, generation.search) for leg, some in found.items()
            }

        try:
            return sifted(ask, left, depth, max(depth, MOST_SIFTED), self._target.kind)
        except _Exchanged:
            return None
        except TargetFailed:
            if self._again() == generation:
                raise
            return None

    def _is_from(self, generation: Generation, answers: Mapping[str, Any]) -> bool:
        """Whether it was this generation that answered; no hits say nothing of whose they are."""
        found = {row["_index"] for one in answers.values() for row in one["hits"]["hits"]}
        if found == {generation.index}:
            return True
        now = self._again()
        return not found and now is not None and now.index == generation.index

    def _answers(
        self,
        generation: Generation,
        clauses: Mapping[str, search.Body],
        depth: int,
        wanted: search.Body,
    ) -> dict[str, Any] | None:
        """Return each leg's answer; None: the index is gone."""
        where = self._where(generation)
        if self._hybrid and generation.pipeline and len(clauses) > 1:
            try:
                return search.ask_hybrid(
                    self.connection, where, generation.pipeline, clauses, depth, wanted
                )
            except TargetFailed:
                # Without the pipeline (a cluster that was restored, say) both ways must do.
                answers = search.ask_each(self.connection, where, clauses, depth, wanted)
                self._hybrid = False
                return answers
        return search.ask_each(self.connection, where, clauses, depth, wanted)

    def _where(self, generation: Generation) -> str:
        return generation.index if self._pinned else self.alias

    def read(
        self, candidates: Sequence[Candidate], principals: Sequence[Principal]
    ) -> list[Candidate]:
        """See `rag.targets.Target.read`."""
        unread = [one for one in candidates if not one.read]
        if not unread:
            return list(candidates)
        generation = self._current()
        found = None
        if generation is not None:
            found = search.read(self.connection, self._where(generation), unread, principals)
        if found is None or (len(found) < len(unread) and self._again() != generation):
            raise ModelChanged("Another index is served by now.", "Ask again.")
        known = {one.id: one for one in found}
        every = (one if one.read else known.get(one.id) for one in candidates)
        return [one for one in every if one]

    def sample(self, size: int) -> numpy.ndarray | None:
        """See `rag.targets.Target.sample`; looked at again after `SAMPLED_SECONDS`."""
        generation = self._current()
        if generation is None:
            return None
        kept = self._sampled
        if kept and kept[0] == (generation.index, size) and time.monotonic() < kept[1]:
            return kept[2]
        found = search.sample(self.connection, generation.index, size, generation.layout)
        self._sampled = ((generation.index, size), time.monotonic() + SAMPLED_SECONDS, found)
        return found

    def stats(self) -> Contents:
        """See `rag.targets.Contents`."""
        generation = self._current()
        if generation is None:
            return Contents(0, 0, 0)
        held = self.inventory()
        taken = -1 if self.connection.serverless else size(self.connection, generation.index).bytes
        return Contents(len(held), sum(len(stored.chunks) for stored in held.values()), taken)

    # Generations

    def beside(
        self, target: config.OpenSearchTarget, embedding: config.Embedding, dimensions: int
    ) -> OpenSearchIndex:
        """Make the generation that is to replace the one that is served; return it to be filled.

        What earlier attempts left, and what no rollback leads to, is deleted.

        Raises:
            TargetFailed: Nothing is served yet, or the cluster refuses the new index's settings.
        """
        now = self._again()
        if now is None:
            raise TargetFailed("There is no index to replace.", "Run `sluice sync` first.")
        for name in generations.every(self.connection, self.alias):
            if name not in (now.index, now.replaces):
                generations.drop(self.connection, name)
        made = generations.create(
            self.connection, self.alias, target, embedding, dimensions, replaces=now.index
        )
        return self._pinned_to(made)

    def before(self) -> OpenSearchIndex | None:
        """Return the generation that was served before this one; None: there is none any more."""
        now = self._again()
        if now is None or not now.replaces:
            return None
        kept = generations.named(self.connection, now.replaces, self._target)
        return self._pinned_to(kept) if kept else None

    def serve(self, other: OpenSearchIndex) -> None:
        """Serve another generation from now on; this one is kept, older ones are deleted."""
        assert other._pinned is not None
        now = self._again()
        assert now is not None
        generations.serve(self.connection, self.alias, other._pinned.index, now.index)
        self._served = None
        keep = {now.index, other._pinned.index, other._pinned.replaces}
        for name in generations.every(self.connection, self.alias):
            if name not in keep:
                generations.drop(self.connection, name)

    def drop_others(self) -> int:
        """Delete every generation but the served one; return how many. No rollback after that."""
        now = self._again()
        others = [
            name
            for name in generations.every(self.connection, self.alias)
            if now is None or name != now.index
        ]
        for name in others:
            generations.drop(self.connection, name)
        return len(others)

    def drop(self) -> None:
        """Delete this generation, which is not served."""
        assert self._pinned is not None
        generations.drop(self.connection, self._pinned.index)

    def _pinned_to(self, generation: Generation) -> OpenSearchIndex:
        return OpenSearchIndex(
            generation.search, self._corpus, generation.dimensions, generation=generation
        )

    @property
    def _bytes(self) -> int:
        most = self._target.bulk_bytes
        return min(most, bulk.SERVERLESS_BYTES) if self.connection.serverless else most

    def _current(self) -> Generation | None:
        return self._pinned or self._served or self._again()

    def _again(self) -> Generation | None:
        """Look again at what is served."""
        if self._pinned is None:
            self._served = generations.served(self.connection, self.alias, self._target)
        return self._pinned or self._served

    def _writable(self, dimensions: int | None) -> Generation | None:
        """Return the generation to write to; made when there is none and `dimensions` are given."""
        there = self._again()
        if there is None and dimensions is not None:
            there = generations.create(
                self.connection, self.alias, self._target, self._corpus.embed, dimensions
            )
        return there

    def _kept(self, generation: Generation) -> list[str]:
        """Return the generation that a rollback would serve, where there is one."""
        if self._pinned is not None or not generation.replaces:
            return []
        kept = generations.named(self.connection, generation.replaces, self._target)
        return [kept.index] if kept else []

    def _refresh(self, index: str) -> None:
        if not self.connection.serverless:
            self.connection.ask(lambda client: refreshed(client, index))
