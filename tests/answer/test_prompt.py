"""Prompts are files with versions."""

from __future__ import annotations

import pytest

from rag.answer import prompt_version
from rag.answer.prompt import LATEST, prompt, versions
from rag.errors import ConfigError

RELEASED = {1: "1fdccc69ea6b4e7b47d7bf0bf8686a330a1f4c1ed04b2c511aafa0ed2b6245b8"}
"""A released prompt never changes: an audit names it by this hash."""


def test_a_released_prompt_is_as_it_was() -> None:
    assert {version: prompt(version).sha256 for version in versions()} == RELEASED


def test_the_audit_is_told_version_and_hash() -> None:
    assert prompt_version("bedrock/x") == (str(LATEST), prompt().sha256)
    assert prompt_version("embedded/extractive") == ("", "")


def test_an_unknown_version_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError) as raised:
        prompt(99)
    assert raised.value.hint == "Set answer.prompt to one of: 1."
