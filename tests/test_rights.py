"""Who an asker is: groups by a hook, and nobody when it fails."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from rag import config
from rag.errors import ConfigError, RightsUnknown
from rag.rights import Expand, expanded, named

MEMBERS = {"user:ana": ["group:staff", "group:hr"], "user:bo": []}


def directory(principals: tuple[str, ...]) -> Iterable[str]:
    """A company's directory: the example of the documentation."""
    for one in principals:
        yield one
        yield from MEMBERS[one]


def test_groups_are_added_in_order_and_once() -> None:
    assert expanded(["user:ana"], directory) == ("user:ana", "group:staff", "group:hr")
    assert expanded(["user:ana", "user:ana"], directory)[:1] == ("user:ana",)
    assert expanded(["user:ana"], None) == ("user:ana",)


def test_what_the_hook_returns_takes_the_place_of_what_was_given() -> None:
    assert expanded(["user:gone"], lambda _: []) == ()


def test_nobody_stays_nobody() -> None:
    assert expanded([], lambda _: ["group:everybody"]) == ()


@pytest.mark.parametrize(
    "hook",
    [directory, lambda _: "group:hr", lambda _: ["hr"], lambda _: [None], lambda _: None],
    ids=["raises", "a text", "no principal", "no text", "nothing"],
)
def test_a_hook_that_fails_lets_nobody_in_and_its_words_are_not_told(hook: Expand) -> None:
    with pytest.raises(RightsUnknown) as caught:
        expanded(["user:secret"], hook)
    assert "secret" not in str(caught.value)


def test_a_corpus_file_names_the_hook() -> None:
    place = f"{__name__}:directory"
    assert config.Rights(expand=place).expand == place
    assert expanded(["user:bo"], named(place)) == ("user:bo",)
    for wrong in ("no.such.module:f", f"{__name__}:none", f"{__name__}:MEMBERS"):
        with pytest.raises(ConfigError, match=re.escape("rights.expand")):
            named(wrong)
