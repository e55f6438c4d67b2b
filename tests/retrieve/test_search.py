from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rag.config import Search
from rag.records import Chunk, Hit
from rag.retrieve.candidates import Candidate
from rag.retrieve.fuse import by_rank
from rag.retrieve.query import Query, Where
from rag.retrieve.search import readable, search
from rag.targets.embedded import EmbeddedIndex
from tests.masked import masked
from tests.targets.documents import DIMENSIONS, make, vector


def hit(name: str, acl: tuple[str, ...] = ("group:any",)) -> Candidate:
    chunk = Chunk(name, name, 0, masked(""), masked(name), 1)
    return Candidate.of(Hit(chunk, masked(name), 9.0, acl=acl))


def test_ranks_are_fused_as_the_formula_says() -> None:
    fused = by_rank({"vector": [hit("a"), hit("b")], "text": [hit("b"), hit("c")]})
    assert [h.chunk.id for h in fused] == ["b", "a", "c"]
    assert [h.score for h in fused] == [1 / 62 + 1 / 61, 1 / 61, 1 / 62]
    assert fused[0].legs == {"vector": 2, "text": 1}
    assert fused[1].legs == {"vector": 1}


def test_ties_have_one_order() -> None:
    one = by_rank({"vector": [hit("a")], "text": [hit("b")]})
    other = by_rank({"text": [hit("b")], "vector": [hit("a")]})
    assert [h.chunk.id for h in one] == [h.chunk.id for h in other] == ["a", "b"]


def test_no_legs_are_no_hits() -> None:
    assert by_rank({}) == []


def test_a_hit_beyond_the_rights_is_dropped_and_told(caplog: pytest.LogCaptureFixture) -> None:
    hits = [hit("a"), hit("secret", ("user:x",)), hit("nobody", ())]
    with caplog.at_level(logging.ERROR):
        assert [h.chunk.id for h in readable(hits, ["group:any"])] == ["a"]
    assert "2 hits" in caplog.text
    assert "secret" not in caplog.text


def test_both_legs_bring_in_their_best(tmp_path: Path) -> None:
    index = EmbeddedIndex(tmp_path / "index", DIMENSIONS)
    index.apply([make(f"d{n}", f"text {n}") for n in range(90)] + [make("w", "quetzal")], [])
    hits = search(index, masked("quetzal"), list(vector("text 7")), ["group:staff"], k=2)
    assert {h.chunk.document_id for h in hits} == {"w", "d7"}
    assert {frozenset(h.legs) for h in hits} <= {
        frozenset({"text"}),
        frozenset({"vector"}),
        frozenset({"text", "vector"}),
    }
    where = Where(documents=("d7",))
    hits = search(index, masked("quetzal"), list(vector("text 7")), ["group:staff"], where=where)
    assert [h.chunk.document_id for h in hits] == ["d7"]


def test_diversity_brings_no_near_duplicate_back(tmp_path: Path) -> None:
    index = EmbeddedIndex(tmp_path / "index", DIMENSIONS)
    same = ["word of the pump in room seven"] * 2
    index.apply([make("a", *same), make("b", "word of overtime and pay")], [])
    asked = (index, masked("word of the pump"), list(vector("word")), ["group:staff"], 2)
    for share in (0, 0.1, 0.4, 0.9):
        hits = search(*asked, settings=Search(diversity=share))
        assert {hit.chunk.document_id for hit in hits} == {"a", "b"}


def test_nobody_finds_nothing(tmp_path: Path) -> None:
    index = EmbeddedIndex(tmp_path / "index", DIMENSIONS)
    index.apply([make("a", "word"), make("b", "word", acl=())], [])
    assert search(index, masked("word"), list(vector("word")), []) == []
    assert index.legs(Query(masked("word"), None, ("",)), 10) == {"text": []}


def test_only_what_is_believed_or_shown_is_read(tmp_path: Path) -> None:
    index = EmbeddedIndex(tmp_path / "index", DIMENSIONS)
    index.apply([make(f"d{n}", f"{n} words of passage {n}") for n in range(300)], [])
    index.compact()
    unread: list[str] = []

    class Watched:
        def __getattr__(self, name: str) -> Any:
            return getattr(index, name)

        def read(self, some: Sequence[Candidate], who: Sequence[str]) -> list[Candidate]:
            unread.extend(one.id for one in some if not one.read)
            return index.read(some, who)

    target: Any = Watched()
    hits = search(target, masked("passage 7"), list(vector("text 7")), ["group:staff"], k=10)
    assert len(hits) == 10
    assert {hit.chunk.id for hit in hits} <= set(unread)
    assert len(unread) == len(set(unread)) <= 10 + 15
