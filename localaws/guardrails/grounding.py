"""Contextual grounding: is an answer in its source, and is it about the question.

Each sentence of the answer is compared with the source's sentences, by cosine and by the share of
its words that stand there; numbers and names that do not stand in the source count against it. The
answer is as grounded as its weakest sentence.
"""

from __future__ import annotations

import re

from localaws.guardrails.meaning import content_words, cosines

MOST_SOURCE = 100_000
MOST_QUERY = 1_000
MOST_ANSWER = 5_000
"""Characters, as AWS's quotas say."""

UNFOUNDED = 0.3
"""What a sentence's score is multiplied by when it names a number or a name the source has not."""

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NAME = re.compile(r"(?<![.!?]\s)(?<!^)(?<![\w])[A-Z][a-z]{2,}\b|\b[A-Z]{2,}\b|\b\w+_\w+\b")
_MOST_SENTENCES = 400


def grounded(answer: str, source: str) -> float:
    """Return 0 to 1: how far the answer says only what the source says."""
    from rag.sentences import sentences

    claims = [part for part in sentences(answer) if content_words(part)]
    evidence = sentences(source)[:_MOST_SENTENCES]
    if not claims:
        return 1.0
    if not evidence:
        return 0.0
    near = cosines(claims, evidence).max(axis=1)
    words, numbers = content_words(source), set(_NUMBER.findall(source))
    low = source.lower()
    scores = []
    for claim, cosine in zip(claims, near, strict=True):
        own = content_words(claim)
        score = max(float(cosine), len(own & words) / len(own) if own else 1.0)
        unknown = [number for number in _NUMBER.findall(claim) if number not in numbers]
        unknown += [name for name in _NAME.findall(claim) if name.lower() not in low]
        scores.append(score * UNFOUNDED if unknown else score)
    return round(min(max(min(scores), 0.0), 1.0), 2)


def relevant(answer: str, query: str) -> float:
    """Return 0 to 1: how far the answer is about the question."""
    from rag.sentences import sentences

    parts = sentences(answer)[:_MOST_SENTENCES]
    if not parts or not query.strip():
        return 0.0
    near = float(cosines([answer, *parts], [query]).max())
    asked = content_words(query)
    shared = len(asked & content_words(answer)) / len(asked) if asked else 0.0
    # Cosines of a question and its answer lie between 0.3 and 0.8; of strangers, under 0.2.
    return round(min(max((near - 0.1) / 0.5, shared, 0.0), 1.0), 2)
