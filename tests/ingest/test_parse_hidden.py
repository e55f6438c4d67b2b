"""Each place where a format can hide a text is read, or left out by decision."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag.config import Limits, Parse
from rag.ingest.parse import Parser
from rag.records import Failure, ParsedDocument
from tests.leaks.hiding import BUILDERS, UNREAD


@pytest.fixture(scope="module")
def parser() -> Iterator[Parser]:
    with Parser(Parse(limits=Limits(seconds=60))) as parser:
        yield parser


def everything(found: ParsedDocument | Failure) -> Iterator[str]:
    yield found.name
    if isinstance(found, ParsedDocument):
        yield found.title
        for each in found.elements:
            yield from (
                each.text,
                each.label,
                *each.section,
                *(c for row in each.rows for c in row),
            )
        for inner in found.attachments:
            yield from everything(inner)


@pytest.mark.parametrize("kind", BUILDERS)
def test_a_place_is_read_or_left_out_by_decision(kind: str, parser: Parser) -> None:
    places: dict[str, str] = {}

    def put(place: str) -> str:
        return places.setdefault(place, f"Zq{len(places):03d}x marks this place")

    found = parser.submit(BUILDERS[kind](put), f"a.{kind}").result()
    assert isinstance(found, ParsedDocument), found
    said = "\n".join(everything(found))
    read = {place for place, text in places.items() if text[:6] in said}
    assert places.keys() - read == UNREAD & places.keys()


def test_the_list_of_what_is_left_out_has_no_place_that_is_not_there() -> None:
    places: set[str] = set()

    def put(place: str) -> str:
        places.add(place)
        return place.replace(" ", "-")

    for build in BUILDERS.values():
        build(put)
    assert places >= UNREAD
    assert len(places) > 150
