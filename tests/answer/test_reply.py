"""Sentences of a reply, while it comes."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer.reply import Claim, claims
from tests.masked import masked


def read(*pieces: str, cut: bool = False) -> list[Claim]:
    return list(claims(written(pieces, cut=cut), masked))


def written(pieces: Sequence[str], *, cut: bool = False) -> Generator[str, None, bool]:
    yield from pieces
    return cut


@pytest.mark.parametrize(
    ("reply", "claims"),
    [
        ("One thing [1]. Another. [2][3]", [("One thing.", (1,)), ("Another.", (2, 3))]),
        ("A list [1, 2].\n- An item [3]", [("A list.", (1, 2)), ("An item", (3,))]),
        ("Nothing cited here.", [("Nothing cited here.", ())]),
        ("Twice [1] said [1].", [("Twice said.", (1,))]),
        ("", []),
        ("[1]", []),
    ],
)
def test_markers_are_read_wherever_they_stand(
    reply: str, claims: list[tuple[str, tuple[int, ...]]]
) -> None:
    assert read(reply) == [Claim(masked(text), cites) for text, cites in claims]


def test_a_reply_that_was_cut_loses_its_half_sentence() -> None:
    assert [claim.text for claim in read("A whole one [1]. Half a se", cut=True)] == [
        "A whole one."
    ]


def test_a_sentence_is_there_before_the_next_is_written() -> None:
    progress: list[str] = []

    def pieces() -> Generator[str, None, bool]:
        for piece in ("The ward opens ", "at nine. [1] ", "Visitors ", "stay ", "until six. [2]"):
            progress.append(piece)
            yield piece
        return False

    reply = claims(pieces(), masked)
    assert next(reply) == Claim(masked("The ward opens at nine."), (1,))
    assert progress[-1] == "Visitors "
    reply.close()


def test_closing_it_stops_the_model() -> None:
    ended: list[bool] = []

    def pieces() -> Generator[str, None, bool]:
        try:
            while True:
                yield "On and on it goes. "
        finally:
            ended.append(True)

    reply = claims(pieces(), masked)
    next(reply)
    reply.close()
    assert ended == [True]


def test_each_sentence_is_masked_with_those_before_it() -> None:
    seen: list[str] = []

    def mask(text: str) -> object:
        seen.append(text)
        return masked(re.sub("Ruiz", "PERSON_yafx2q4g", text) if "Eva Ruiz" in text else text)

    found = list(claims(written(["Eva Ruiz leads. Later Ruiz left."]), mask))  # type: ignore[arg-type]
    assert [one.text for one in found] == [
        "Eva PERSON_yafx2q4g leads.",
        "Later PERSON_yafx2q4g left.",
    ]


REPLIES = st.text(alphabet="abN1 .[]02,\n!-", max_size=80)


@given(REPLIES, st.lists(st.integers(1, 9), max_size=40))
def test_how_a_reply_comes_in_pieces_changes_nothing(reply: str, sizes: list[int]) -> None:
    pieces = []
    rest = reply
    for size in sizes:
        pieces.append(rest[:size])
        rest = rest[size:]
    assert read(*pieces, rest) == read(reply)
