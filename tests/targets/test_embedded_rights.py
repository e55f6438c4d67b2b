"""Rules that hold for every set of rights and every asker."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.retrieve.query import Query
from rag.retrieve.search import search
from rag.targets.embedded import EmbeddedIndex
from tests.masked import masked
from tests.targets.documents import DIMENSIONS, make, told, vector

NASTY = (
    *("group:staff", "group:Staff", "group:staff ", "user:o'neil", "user:o''neil", "user:''"),
    *("user:') OR 1=1 --", "user:\\'", "user:\\", 'user:"x"', "group:ärzte", "group:a\u0308rzte"),
    *("user:漢字", "user:𝕏", "user:%", "user:_", "user:a,b", "user:]", "user:\n", "", "'", "NULL"),
)
principals = st.sampled_from(NASTY) | st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8
)
rights = st.lists(principals, max_size=4, unique=True).map(tuple)


@pytest.mark.parametrize("scalar_from", [10**9, 1], ids=["scanned", "indexed"])
@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    acls=st.lists(rights, min_size=1, max_size=8), askers=st.lists(rights, min_size=1, max_size=5)
)
def test_every_asker_sees_exactly_what_the_rights_allow(
    scalar_from: int, acls: list[tuple[str, ...]], askers: list[tuple[str, ...]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        index = EmbeddedIndex(Path(folder), DIMENSIONS, scalar_from=scalar_from)
        half = len(acls) // 2
        documents = [make(f"d{n}", f"word {n}", "word", acl=acl) for n, acl in enumerate(acls)]
        index.apply(documents[:half], [])
        index.compact()
        index.apply(documents[half:], [])  # some rows indexed, some not
        named = sorted({principal for acl in acls for principal in acl})
        for asker in [*askers, (), *[(principal,) for principal in named]]:
            allowed = {
                f"d{n}-1-{part}"
                for n, acl in enumerate(acls)
                for part in (0, 1)
                if not set(acl).isdisjoint(asker)
            }
            query = Query(masked("word"), list(vector("word")), asker)
            legs = index.legs(query, 1000)
            for leg in ("vector", "text"):
                assert {hit.id for hit in legs.get(leg, [])} == allowed
            hits = search(index, query.text, query.vector, asker, k=1000)
            assert {hit.chunk.id for hit in hits} == allowed


@settings(max_examples=8, deadline=None, derandomize=True)
@given(before=rights, after=rights)
def test_rights_taken_away_are_gone_at_once(
    before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        index = EmbeddedIndex(Path(folder), DIMENSIONS, scalar_from=1)
        index.apply([make("a", "word", acl=before)], [])
        index.compact()
        index.set_acl({"a": after})
        for principal in {*before, *after}:
            hits = search(index, masked("word"), list(vector("w")), [principal])
            assert bool(hits) == (principal in after)


def test_an_approximate_vector_index_keeps_the_rights(tmp_path: Path) -> None:
    index = EmbeddedIndex(tmp_path / "index", DIMENSIONS, scalar_from=1, vector_from=300)
    documents = [
        make(f"d{n}", *[f"text {n} {part}" for part in range(30)], acl=(f"user:{n}",))
        for n in range(20)
    ]
    index.apply(documents, [])
    index.compact()
    late = make("late", "text late", acl=("user:3",))
    index.apply([late], [])
    hits = index.legs(Query(masked(""), list(vector("q")), ("user:3",)), 100)["vector"]
    assert {hit.chunk.document_id for hit in told(index, hits)} == {"d3", "late"}
    assert len(hits) == 31
