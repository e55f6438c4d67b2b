"""Nobody gets a passage beyond their rights: one rule, for every target and every part of search.

Documents of random rights, many of them with the same text, so that near-duplicates are put
together; random askers; every switch of search, filters among them.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag import config
from rag.corpus import Corpus
from rag.records import Hit, IndexedDocument
from rag.retrieve.filters import Filter, matches
from rag.retrieve.search import search
from rag.targets import Target
from rag.targets.embedded import EmbeddedIndex
from rag.targets.knowledge_base import KnowledgeBase
from tests.conftest import Project
from tests.filters import filters
from tests.masked import masked
from tests.services.knowledge import corpus, knowledge, knowledge_server, make_base
from tests.services.localaws import LocalAws
from tests.services.opensearch import OpenSearch, opensearch_url
from tests.services.s3 import s3_endpoint
from tests.targets.documents import DIMENSIONS, make, vector
from tests.targets.opensearch_index import index_of

__all__ = [
    "knowledge",
    "knowledge_server",
    "opensearch_url",
    "s3_endpoint",
]

PRINCIPALS = ("user:ana", "user:Ana", "user:o'neil", "group:hr", "group:h", "group:hr2")
TEXTS = (
    "word of the pump in room seven",
    "word of the pump in room seven",
    "word of overtime and pay",
    "word of parking, code AB-12",
)
SWITCHES = (
    config.Search(),
    config.Search(neighbours=2, diversity=0.4),
    config.Search(fusion="ranks", feedback=0, collapse=False, exact=False, centred=False),
    config.Search(feedback=0.9, neighbours=1, weights={"text": 0.2}, recency=config.Recency()),
)
VALUES = st.sampled_from(["d0.txt", "d1.txt", "Title", "Heading", "text/plain", "d2"])
_numbers = itertools.count()

rights = st.lists(st.sampled_from(PRINCIPALS), max_size=3, unique=True).map(tuple)
written = st.lists(
    st.tuples(rights, st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3)),
    min_size=2,
    max_size=6,
)


@pytest.fixture(params=["embedded", "opensearch", "knowledge base"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Target:
    if request.param == "embedded":
        return EmbeddedIndex(tmp_path / "index", DIMENSIONS, scalar_from=1)
    if request.param == "opensearch":
        url: str = request.getfixturevalue("opensearch_url")
        return index_of(OpenSearch(url, f"everybody-{next(_numbers)}-{id(request):x}"))
    server: LocalAws = request.getfixturevalue("knowledge")
    made = make_base(server.client("bedrock-agent"), None)
    return KnowledgeBase(made.target(), corpus())


def written_there(target: Target, documents: list[IndexedDocument]) -> None:
    """Write, and wait until a service has taken it in."""
    stale = set(target.inventory()) - {one.id for one in documents}
    target.apply(documents, sorted(stale))
    until = time.monotonic() + 60
    while job := target.begin():
        while target.outcome(job) is None:
            assert time.monotonic() < until
            time.sleep(0.02)


@settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    written, st.lists(rights, min_size=1, max_size=2), filters(VALUES), st.sampled_from(SWITCHES)
)
def test_nobody_gets_a_passage_beyond_their_rights(
    target: Target,
    shelf: list[tuple[tuple[str, ...], list[str]]],
    askers: list[tuple[str, ...]],
    where: Filter,
    switches: config.Search,
) -> None:
    version = str(next(_numbers))
    documents = [
        make(f"d{number}", *texts, acl=acl, version=version, modified=20250101 + number)
        for number, (acl, texts) in enumerate(shelf)
    ]
    written_there(target, documents)

    def asked(asker: tuple[str, ...], **how: object) -> list[Hit]:
        found: Callable[..., list[Hit]] = search
        return found(
            target,
            masked("word of the pump"),
            list(vector("word")),
            asker,
            settings=switches,
            **how,
        )

    for asker in [*askers, (), *((one,) for one in PRINCIPALS)]:
        may = {one.id: one for one in documents if not set(one.acl).isdisjoint(asker)}
        hits = asked(asker, k=100)
        assert {hit.chunk.document_id for hit in hits} == set(may)
        assert all(set(hit.acl) == set(may[hit.chunk.document_id].acl) for hit in hits)
        chunks = {chunk.id for one in may.values() for chunk in one.chunks}
        assert {hit.chunk.id for hit in hits} == chunks
        # Few: what nobody may see hides nothing that the asker may.
        texts = {chunk.text for one in may.values() for chunk in one.chunks}
        few = asked(asker, k=2)
        assert len({hit.chunk.text for hit in few}) >= min(
            2 if switches.collapse else 1, len(texts)
        )
        narrowed = asked(asker, k=100, where=where)
        assert {hit.chunk.id for hit in narrowed if hit.legs} <= chunks
        assert {hit.chunk.id for hit in narrowed} == {
            hit.chunk.id for hit in hits if matches(where, hit)
        }


def test_an_answer_a_refusal_and_their_record_tell_of_nothing_beyond_the_rights(
    make_project: Callable[..., Project],
) -> None:
    project = make_project()
    shared = "Rules\n\nThe pump in the cellar is checked every week by the housekeeping team.\n"
    for folder, who in (("open", "group:staff"), ("hidden", "group:board")):
        project.write(f"{folder}/.acl.yaml", f"allow: ['{who}']\n")
        project.write(f"{folder}/{folder}-rules.txt", shared)
    project.write("hidden/hidden-plans.txt", "Plans\n\nThe moon base opens in April.\n")
    project.sync()
    corpus = project.corpus
    found = {hit.document for hit in corpus.search("hidden plans", principals=["group:staff"])}
    assert found == {"open/open-rules.txt"}
    for question in ("How often is the pump checked?", "When does the moon base open?"):
        answer = corpus.ask(question, principals=["group:staff"])
        told = corpus.explain(answer.answer_id, principals=["group:staff"])
        assert "hidden" not in f"{answer}{told}"
        assert "April" not in f"{answer}{told}"
    assert corpus.ask("When does the moon base open?", principals=["group:board"]).citations
    grouped = Corpus.open(project.path, expand=lambda who: [*who, "group:board"])
    assert len(grouped.search("moon base", principals=["user:ana"], where="name ~ hidden/*")) == 2
