"""Rules that hold for every set of rights and every asker, in both ways of searching."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.retrieve.query import Query
from rag.retrieve.search import search
from rag.targets.opensearch import OpenSearchIndex
from tests.masked import masked
from tests.services.opensearch import OpenSearch
from tests.targets.documents import make, told, vector
from tests.targets.opensearch_index import index_of
from tests.targets.test_embedded_rights import rights

_numbers = itertools.count()


@pytest.fixture(scope="module", params=[False, True], ids=["side by side", "hybrid"])
def index(request: pytest.FixtureRequest, opensearch_url: str) -> OpenSearchIndex:
    """One index for all examples: each has documents of its own and removes them."""
    server = OpenSearch(opensearch_url, f"rights-{next(_numbers)}-{id(request):x}")
    return index_of(server, hybrid=request.param)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(
    acls=st.lists(rights, min_size=1, max_size=8), askers=st.lists(rights, min_size=1, max_size=4)
)
def test_every_asker_sees_exactly_what_the_rights_allow(
    index: OpenSearchIndex, acls: list[tuple[str, ...]], askers: list[tuple[str, ...]]
) -> None:
    documents = [make(f"d{n}", f"word {n}", "word", acl=acl) for n, acl in enumerate(acls)]
    held = set(index.inventory())
    index.apply(documents, sorted(held - {one.id for one in documents}))
    named = sorted({principal for acl in acls for principal in acl})
    for asker in [*askers, (), *[(principal,) for principal in named]]:
        allowed = {
            f"d{n}-1-{part}"
            for n, acl in enumerate(acls)
            for part in (0, 1)
            if not set(acl).isdisjoint(asker)
        }
        query = Query(masked("word"), list(vector("word")), asker)
        for leg in index.legs(query, 1000).values():
            assert {hit.id for hit in leg} == {hit.chunk.id for hit in told(index, leg, *asker)}
            assert {hit.id for hit in leg} == allowed
        hits = search(index, query.text, query.vector, asker, k=1000)
        assert {hit.chunk.id for hit in hits} == allowed


@settings(max_examples=10, deadline=None, derandomize=True)
@given(before=rights, after=rights)
def test_rights_taken_away_are_gone_at_once(
    index: OpenSearchIndex, before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    index.apply([make("a", "word", acl=before)], [one for one in index.inventory() if one != "a"])
    index.set_acl({"a": after})
    for principal in {*before, *after}:
        hits = search(index, masked("word"), list(vector("w")), [principal])
        assert bool(hits) == (principal in after)


def test_what_is_gone_or_may_no_longer_be_read_when_it_is_read_is_left_out(
    index: OpenSearchIndex,
) -> None:
    names = ("kept", "gone", "closed", "changed")
    index.apply([make(name, "word") for name in names], sorted(index.inventory()))
    legs = index.legs(Query(masked("word"), list(vector("w")), ("group:staff",)), 10)
    index.apply([make("changed", "other", version="2")], ["gone"])
    index.set_acl({"closed": ("user:other",)})
    for leg in legs.values():
        assert len(leg) == len(names)
        assert [hit.chunk.document_id for hit in told(index, leg)] == ["kept"]
