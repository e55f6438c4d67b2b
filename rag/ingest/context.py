"""What every step of a corpus works with, each part opened when it is first needed."""

from __future__ import annotations

import atexit
import json
import os
from collections.abc import Callable
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from rag.config import CorpusConfig, Embedding
from rag.corpus_file import Loaded, load
from rag.home import home
from rag.keys import Sealer, pseudonym_key
from rag.records import DocumentRef

if TYPE_CHECKING:
    from connectors import Connector
    from rag.ingest.embed import EmbeddingCache
    from rag.ingest.parse import Parser
    from rag.ingest.store import Store
    from rag.ledger import Fingerprints, Ledger
    from rag.ledger.vault import Vault
    from rag.models import Embedder
    from rag.privacy import Masker
    from rag.privacy.erased import Erased
    from rag.privacy.guardrail import Guardrail
    from rag.targets import Target


class Context:
    """One corpus and its parts: connector, ledger, working store, masker, embedder, targets.

    Args:
        loaded: The corpus file.
        threads: Threads that a model may use; 1 where several processes work side by side.
    """

    def __init__(self, loaded: Loaded, threads: int = 1) -> None:
        self.loaded = loaded
        self.config: CorpusConfig = loaded.config
        self.corpus: str = loaded.config.corpus
        self.threads = threads
        self._maskers: dict[int, Masker] = {}

    @classmethod
    def open(cls, corpus: str | Path, threads: int = 1) -> Context:
        """Open a corpus by name or by the path of its file.

        Raises:
            ConfigError: There is none, or its file is wrong.
        """
        return cls(load(corpus), threads)

    @cached_property
    def connector(self) -> Connector:
        from connectors import connect

        return connect(self.config.source, self.loaded.base)

    @cached_property
    def ledger(self) -> Ledger:
        from rag.ledger import Ledger

        return Ledger.open()

    @cached_property
    def store(self) -> Store:
        from rag.ingest.store import open_store

        return open_store(self.corpus)

    @cached_property
    def key(self) -> bytes:
        return pseudonym_key(self.config.privacy)

    @cached_property
    def sealer(self) -> Sealer:
        return Sealer(self.key)

    @cached_property
    def fingerprints(self) -> Fingerprints:
        """Of the steps as they are now."""
        from rag.ingest.fingerprints import fingerprints

        return fingerprints(self.config)

    @property
    def parser(self) -> Parser:
        """This process's parser: formats' libraries are imported once, not in every shard."""
        return _parser(self.config.parse.model_dump_json(), os.getpid())

    @cached_property
    def vault(self) -> Vault:
        """Who is behind the pseudonyms, sealed; and where the documents are."""
        from rag.ledger.vault import Vault
        from rag.privacy.vault_keys import ring

        settings = self.config.privacy.vault
        return Vault(
            self.ledger,
            self.corpus,
            lambda: ring(settings, self.config.aws),
            self.sealer,
            on=settings.on,
        )

    @property
    def masker(self) -> Masker:
        """The masker of documents that no override is for."""
        return self._masker(-1)

    @property
    def question_masker(self) -> Masker:
        """The masker of questions: it tells the vault nothing, and knows who is erased by now."""
        return self.masker.keeping(None, self._erased())

    def look_again(self) -> None:
        """Have maskers that know who is erased by now."""
        self._maskers.clear()

    def _erased(self) -> Erased:
        from rag.ledger import erased

        with self.ledger.read() as db:
            return erased.read(db, self.corpus)

    def masker_of(self, key: str) -> Masker:
        """The masker of a document by its source key: an override may have rules of its own."""
        return self._masker(self._override(key))

    def _masker(self, override: int) -> Masker:
        from rag.privacy import masker

        if override not in self._maskers:
            made = masker(self.config.privacy.under(override))
            self._maskers[override] = made.keeping(self.vault.note, self._erased())
        return self._maskers[override]

    def made_by(self, sealed_key: str, made: Fingerprints | None = None) -> str:
        """The fingerprint of a document's masked artifact.

        The same bytes under two names may be masked by different rules.

        Args:
            sealed_key: Empty where an erasure took it out of the vault: no override is for it.
            made: Of the steps that made it; by default as they are now.
        """
        from rag.ingest.fingerprints import artifact

        place = self._override(self.unseal(sealed_key)[0]) if self._overrides and sealed_key else -1
        return artifact(made or self.fingerprints, place)

    @cached_property
    def _overrides(self) -> tuple[Callable[[str], bool], ...]:
        from connectors.globs import matcher

        return tuple(matcher([one.match]) for one in self.config.privacy.overrides)

    def _override(self, key: str) -> int:
        """Return the place of the override that counts for a source key; -1: none does."""
        return max((place for place, fits in enumerate(self._overrides) if fits(key)), default=-1)

    def guardrail(self, reads: str) -> Guardrail | None:
        """The guardrail that reads documents, questions or answers; None: none does."""
        settings = self.config.privacy.guardrail
        if settings is None or reads not in settings.on:
            return None
        from rag.privacy.guardrail import guardrail

        return guardrail(settings, self.config.aws)

    @cached_property
    def embedder(self) -> Embedder:
        from rag.models import embedder

        return embedder(
            self.config.embed.model,
            threads=self.threads,
            dimensions=self.config.embed.dimensions,
            aws=self.config.aws,
        )

    def embedder_of(self, embedding: Embedding) -> Embedder:
        """Return another embedding model: the one of an index that is served, say."""
        from rag.models import embedder

        if embedding == self.config.embed:
            return self.embedder
        return embedder(
            embedding.model, self.threads, dimensions=embedding.dimensions, aws=self.config.aws
        )

    @cached_property
    def cache(self) -> EmbeddingCache:
        from rag.ingest.embed import EmbeddingCache

        return EmbeddingCache(home() / "cache" / "embeddings.sqlite")

    @cached_property
    def targets(self) -> dict[str, Target]:
        """The corpus's targets by name; the first one is searched."""
        from rag.targets import open_target

        root = home() / "corpora"
        return {
            name: open_target(target, self.config, self.embedder.dimensions, root)
            for name, target in zip(self.target_names, self.config.targets, strict=True)
        }

    @property
    def needs_vectors(self) -> bool:
        """Whether any target is given embeddings; a knowledge base makes its own."""
        return any(target.kind != "knowledge_base" for target in self.config.targets)

    @property
    def target_names(self) -> tuple[str, ...]:
        return tuple(target.kind for target in self.config.targets)

    def seal(self, ref: DocumentRef) -> str:
        """Return where a document is, encrypted: what a manifest and the vault keep of it."""
        return self.vault.sources.seal(json.dumps([ref.key, ref.uri]))

    def unseal(self, sealed: str) -> tuple[str, str]:
        """Return key and URI of a sealed reference. Raw: for opening the document only."""
        key, uri = json.loads(self.vault.sources.unseal(sealed))
        return key, uri


@lru_cache(maxsize=4)
def _parser(config: str, process: int) -> Parser:
    """One parser a process: a fork must not speak on its parent's pipes."""
    from rag.config import Parse
    from rag.ingest.parse import Parser

    parser = Parser(Parse.model_validate_json(config))
    atexit.register(parser.close)
    return parser
