"""Sentences of a passage that speak to a model instead of telling people something.

What is retrieved is data. A sentence that gives orders to whoever reads the prompt is no evidence
for anything, and the model is not shown it: neither it nor what stands after it in its paragraph.
"""

from __future__ import annotations

import re
import unicodedata
from importlib.resources import files

from rag.sentences import split

HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
"""Characters that nobody sees: zero-width ones, marks of direction, tags."""

_LISTED = (files("rag.answer") / "orders.txt").read_text("utf-8").splitlines()
_ORDER = re.compile(
    "|".join(f"(?:{one})" for one in _LISTED if one and not one.startswith("#")),
    re.IGNORECASE | re.MULTILINE,
)
_FRAME = re.compile(
    r"<\s*/?\s*(?:passages?|question|system|instructions?|im_)|<\||\[/?INST\]"
    r"|^\s*(?:human|user|assistant|system)\s*:",
    re.IGNORECASE | re.MULTILINE,
)
"""What a prompt is made of: after it nothing is the document's any more."""
_PARAGRAPH = re.compile(r"\n\s*\n")


def speaks_to_model(text: str) -> bool:
    """Whether a text gives orders to a model, or imitates what a prompt is made of."""
    if len(HIDDEN.findall(text)) > 2 + len(text) // 40:
        return True
    return _ORDER.search(plain(text)) is not None


def plain(text: str) -> str:
    """Return a text as it is read: without what nobody sees, letters in their usual form."""
    return unicodedata.normalize("NFKC", HIDDEN.sub("", text))


def orders(text: str) -> list[tuple[int, int]]:
    """Return where a text speaks to a model: from such a sentence to the end of its paragraph.

    Where it imitates a prompt's frame, to the end of the text.
    """
    if not speaks_to_model(text):
        return []
    breaks = [match.start() for match in _PARAGRAPH.finditer(text)]
    found: list[tuple[int, int]] = []
    spans = split(text)
    for at, (start, end) in enumerate(spans):
        if found and start < found[-1][1]:
            continue
        sentence = text[start:end]
        pair = text[start : spans[at + 1][1]] if at + 1 < len(spans) else sentence
        if speaks_to_model(sentence) or (
            speaks_to_model(pair) and not speaks_to_model(text[slice(*spans[at + 1])])
        ):
            frame = _FRAME.search(plain(pair)) is not None
            until = next((place for place in breaks if place >= end and not frame), len(text))
            found.append((start, until))
    return found
