"""What is masked in natural text, where little or nothing is personal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.privacy.measure import Detect

MOST = 400


@dataclass(frozen=True)
class Prose:
    """Findings in texts: how many for 1,000 words, and what they are.

    Attributes:
        kinds: Findings per kind.
        examples: Each finding's kind and text.
    """

    words: int
    kinds: Counter[str]
    examples: tuple[tuple[str, str], ...]

    def figures(self) -> dict[str, object]:
        return {
            "words": self.words,
            "findings_per_1000_words": round(1000 * self.kinds.total() / self.words, 2),
            "kinds": dict(self.kinds.most_common()),
        }


def read(texts: Sequence[str], detect: Detect) -> Prose:
    """Run a detector over natural texts."""
    found = [
        (entity, text[start:end])
        for text, findings in zip(texts, detect(texts), strict=True)
        for start, end, entity in findings
    ]
    words = sum(len(text.split()) for text in texts)
    return Prose(words, Counter(entity for entity, _ in found), tuple(found))


def shared(folder: Path) -> dict[str, list[str]]:
    """Read collections of texts: each ``corpus.jsonl`` below a folder, at most `MOST` texts of it.

    They name people, authors and heroes of history, so that findings in them are no errors by
    themselves: read the figure against another detector's, not against zero.
    """
    collections: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("corpus.jsonl")):
        lines = path.read_text("utf-8").splitlines()
        step = max(len(lines) // MOST, 1)
        collections[path.parent.name] = [json.loads(line)["text"] for line in lines[::step]][:MOST]
    return collections


def joined(folder: Path, length: int) -> list[str]:
    """Return the collections' texts as documents of some ``length`` characters, none twice."""
    documents: list[str] = []
    for texts in shared(folder).values():
        paragraphs: list[str] = []
        for text in texts:
            paragraphs.append(text)
            if sum(map(len, paragraphs)) >= length:
                documents.append("\n\n".join(paragraphs))
                paragraphs = []
    return documents
