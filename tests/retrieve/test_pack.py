from __future__ import annotations

from collections.abc import Callable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from rag.asking.packing import limits, packed
from rag.config import Answering
from rag.masked import Masked
from rag.records import Chunk, Hit
from rag.retrieve.pack import Passage, pack
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


COUNTERS: dict[str, Callable[[str], int]] = {
    "words": count,
    "characters": len,
    "bytes": lambda text: len(text.encode()),
    "more of the whole than of its parts": lambda text: len(text) ** 2 // 50,
    "lines": lambda text: text.count("\n") + 1,
}


def sent(passages: Sequence[Passage]) -> Masked:
    """A prompt with passages between tags."""
    return masked("Answer.\n" + "\n".join(f"<p>{one.shown}</p>" for one in passages) + "\nWhy?")


@given(
    hits=st.lists(st.tuples(st.text(max_size=60), st.text(max_size=8)), max_size=6),
    tokens=st.integers(1, 400),
    counter=st.sampled_from(sorted(COUNTERS)),
    exact=st.sampled_from([None, *sorted(COUNTERS)]),
    question=st.text(max_size=20),
)
def test_no_context_is_over_its_tokens_prompt_and_tags_and_all(
    hits: list[tuple[str, str]], tokens: int, counter: str, exact: str | None, question: str
) -> None:
    found = [hit(f"c{n}", text, heading) for n, (text, heading) in enumerate(hits)]
    share = limits(Answering(), tokens)
    exactly = COUNTERS[exact] if exact else None
    chosen, said = packed(found, share, COUNTERS[counter], masked(question), sent, exactly)
    if chosen.passages:
        own = {one(sent(chosen.passages)) for one in (COUNTERS[counter], exactly) if one}
        assert said in own
        assert said + share.answer <= tokens
    for passage in chosen.passages:
        assert passage.text in passage.hit.chunk.text


def test_a_models_own_count_makes_room_that_an_estimate_does_not_see() -> None:
    found = [hit(f"c{n}", f"Ward {n} has {n} beds. Ward {n} has a kitchen.") for n in range(5)]
    share = limits(Answering(), 60)
    few, much = packed(found, share, lambda text: 3 * count(text), masked("Which?"), sent)
    more, exact = packed(
        found, share, lambda text: 3 * count(text), masked("Which?"), sent, lambda text: count(text)
    )
    assert len(more.passages) > len(few.passages)
    assert much == 3 * count(sent(few.passages))
    assert exact == count(sent(more.passages)) <= 60
    assert packed(found, share, count, masked(""), sent, lambda _: None)[1] <= 60


def test_the_sentence_with_the_questions_words_is_kept_wherever_it_stands() -> None:
    text = "Nine ten eleven. One two three. The canteen opens at six. Four five six."
    chosen = pack([hit("a", text)], 5, count, masked("When does the canteen open?"))
    assert [passage.text for passage in chosen.passages] == ["The canteen opens at six."]


def test_a_sentence_that_leans_on_another_brings_it_along() -> None:
    text = "Ward seven has a pump. It is checked daily. Other things are here too and long."
    chosen = pack([hit("a", text)], 9, count, masked("What is checked daily?"))
    assert chosen.passages[0].text == "Ward seven has a pump. It is checked daily."


def test_what_is_said_already_makes_room_for_something_else() -> None:
    hits = [
        hit("a", "The pump is checked daily."),
        hit("b", "Daily checked is the pump. Seven eight nine ten."),
        hit("c", "The pump stands in room four."),
    ]
    chosen = pack(hits, 11, count, masked("Where is the pump?"))
    assert {passage.hit.chunk.id for passage in chosen.passages} == {"a", "c"}


def test_the_best_passages_stand_at_the_two_ends() -> None:
    hits = [hit(name, f"Text {name} {name}.") for name in "abcde"]
    chosen = pack(hits, 100, count)
    assert "".join(passage.hit.chunk.id for passage in chosen.passages) == "acedb"
