"""Denied topics: how near a text's sentences are to a topic's definition and examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.guardrails.meaning import content_words, cosines

NEAR_DEFINITION = 0.42
NEAR_EXAMPLE = 0.56
BOTH = (0.33, 0.45)
"""Least cosines: with the definition alone, an example alone, both. Questions on a subject such as
investment advice lie above them, those on its neighbours (opening a savings account) below."""
SHARED = 0.5
"""Share of an example's words that alone decides, when there are three or more."""


def on_topic(text: str, topic: Mapping[str, Any]) -> bool:
    """Whether any sentence of the text is about the topic.

    Args:
        topic: With name, definition and examples, as GetGuardrail shows it.
    """
    from rag.sentences import sentences

    parts = sentences(text)[:200]
    if not parts:
        return False
    definition = f"{topic['name'].replace('_', ' ').replace('-', ' ')}. {topic['definition']}"
    examples = list(topic.get("examples", ()))
    scores = cosines(parts, [definition, *examples])
    if scores[:, 0].max() >= NEAR_DEFINITION:
        return True
    if examples:
        best = scores[:, 1:].max(axis=1)
        both = (scores[:, 0] >= BOTH[0]) & (best >= BOTH[1])
        if best.max() >= NEAR_EXAMPLE or both.any():
            return True
    return any(_shares(part, example) for part in parts for example in examples)


def _shares(part: str, example: str) -> bool:
    words = content_words(example)
    return len(words) >= 3 and len(words & content_words(part)) / len(words) > SHARED
