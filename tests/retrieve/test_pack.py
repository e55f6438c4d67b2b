from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rag.records import Chunk, Hit
from rag.retrieve.pack import pack
from tests.masked import masked


def hit(name: str, text: str, heading: str = "") -> Hit:
    chunk = Chunk(name, "d", 0, masked(heading), masked(text), 0)
    return Hit(chunk, masked("d.txt"), 1.0, acl=("group:any",))


def count(text: str) -> int:
    return len(text.split())


texts = st.lists(
    st.sampled_from(["One two three.", "Four five!", "six", "\n", "Seven | eight", "Nine ten?"]),
    max_size=8,
).map(" ".join)


@given(
    hits=st.lists(st.tuples(texts, st.sampled_from(["", "A heading"])), max_size=8),
    budget=st.integers(-1, 40),
)
def test_the_budget_is_never_exceeded_and_every_hit_is_accounted_for(
    hits: list[tuple[str, str]], budget: int
) -> None:
    found = [hit(f"c{n}", text, heading) for n, (text, heading) in enumerate(hits)]
    packed = pack(found, budget, count)
    assert packed.tokens <= max(0, budget)
    assert sum(count(passage.shown) for passage in packed.passages) == packed.tokens
    shown = {passage.hit.chunk.id for passage in packed.passages}
    assert shown | set(packed.left_out) == {h.chunk.id for h in found}
    for passage in packed.passages:
        assert passage.text in passage.hit.chunk.text
        whole = passage.text == passage.hit.chunk.text
        assert whole == (passage.hit.chunk.id not in packed.left_out)


def test_the_best_hit_is_cut_after_a_sentence_rather_than_dropped() -> None:
    packed = pack([hit("a", "One two. Three four. Five six.")], 5, count)
    assert [passage.text for passage in packed.passages] == ["One two. Three four."]
    assert packed.left_out == {"a": "1 of its sentences: over the budget"}


def test_a_smaller_hit_may_take_the_place_that_a_larger_one_leaves() -> None:
    packed = pack([hit("a", "One two three four five."), hit("b", "Six seven.")], 3, count)
    assert [passage.hit.chunk.id for passage in packed.passages] == ["b"]
    assert packed.left_out == {"a": "over the budget of 3 tokens"}


def test_the_same_text_is_packed_once() -> None:
    packed = pack([hit("a", "One  two."), hit("b", "one two."), hit("c", "Three.")], 100, count)
    assert [passage.hit.chunk.id for passage in packed.passages] == ["a", "c"]
    assert packed.left_out == {"b": "the same text as a"}


def test_a_heading_counts() -> None:
    assert pack([hit("a", "One two.", "Three four")], 3, count).passages == ()
    assert pack([hit("a", "One two.", "Three four")], 4, count).tokens == 4
