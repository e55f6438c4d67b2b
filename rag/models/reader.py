"""Reads a question and a passage together, and says which sentence holds the answer, or none.

Span extraction with a place for "no answer" (SQuAD 2.0: Rajpurkar, Jia, Liang, ACL 2018). Its upper
layers (`rag.models.upper`) were trained by ``packaging/reader/train.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.masked import Masked, require
from rag.models import embedded, upper
from rag.models.engine import Engine
from rag.models.relevance import CLS, SEP

WINDOW = 128
"""Tokens of a passage that are read at a time; a longer sentence is cut."""
QUESTION = 48
"""Tokens of a question that are read."""

WEIGHTS = Path(__file__).with_name("reader.npz")


@dataclass(frozen=True, slots=True)
class Window:
    """A question and some sentences of one passage, as the model is fed them.

    Attributes:
        ids: Tokens: [CLS] question [SEP] sentences [SEP].
        spans: Tokens `(start, end)` of each sentence.
        first: Place of the first sentence in its passage.
    """

    ids: list[int]
    spans: list[tuple[int, int]]
    first: int

    @property
    def types(self) -> list[int]:
        """0 for the question, 1 for the passage."""
        start = self.spans[0][0]
        return [0] * start + [1] * (len(self.ids) - start)


def read(question: Masked, passages: Sequence[Sequence[Masked]]) -> list[list[float]]:
    """Return, for each sentence of each passage, the log-odds that it holds the answer.

    Args:
        passages: Sentences, in reading order.

    Raises:
        NotMasked: Something may not be sent to a model.
    """
    require(question, "The reader")
    fed = []
    scores: list[list[float]] = [[0.0] * len(sentences) for sentences in passages]
    for place, sentences in enumerate(passages):
        for sentence in sentences:
            require(sentence, "The reader")
        fed += [(place, window) for window in windows(question, sentences)]
    for at, logits in _read([window for _, window in fed]):
        place, window = fed[at]
        for number, score in enumerate(sentence_scores(logits, window.spans), window.first):
            scores[place][number] = score
    return scores


def windows(question: str, sentences: Sequence[str], most: int = QUESTION) -> list[Window]:
    """Share sentences among windows of at most `WINDOW` tokens of the passage.

    Args:
        most: Tokens of the question that are read.
    """
    if not sentences:
        return []
    encoded = embedded.whole().encode_batch([question, *sentences], add_special_tokens=False)
    asked, *told = (one.ids for one in encoded)
    head = [CLS, *asked[:most], SEP]
    made: list[Window] = []
    ids: list[int] = []
    spans: list[tuple[int, int]] = []
    for place, sentence in enumerate(told):
        sentence = sentence[:WINDOW]
        if spans and len(ids) - len(head) + len(sentence) > WINDOW:
            made.append(Window([*ids, SEP], spans, place - len(spans)))
            ids, spans = [], []
        ids = ids or list(head)
        spans.append((len(ids), len(ids) + len(sentence)))
        ids += sentence
    made.append(Window([*ids, SEP], spans, len(told) - len(spans)))
    return made


def sentence_scores(logits: Any, spans: Sequence[tuple[int, int]]) -> list[float]:
    """Return log-odds of sentences against "no answer", which stands at the first token.

    Args:
        logits: Of an answer's start and end: (tokens, 2).
    """
    import numpy

    none = float(logits[0].sum())
    return [
        float(numpy.logaddexp.reduce(logits[start:end], axis=0).sum()) - none
        if end > start
        else -none
        for start, end in spans
    ]


def _read(fed: Sequence[Window]) -> Iterator[tuple[int, Any]]:
    """Yield the place of each window and its logits (tokens, 2)."""
    for batch, logits in _engine.outputs(feeds(fed)):
        for row, place in enumerate(batch):
            yield place, logits[row]


def feeds(fed: Sequence[Window]) -> Iterator[tuple[list[int], embedded.Feed]]:
    """Yield the places of some windows and what the model is fed for them, as `embedded.fed`."""
    return embedded.fed([window.ids for window in fed], [window.spans[0][0] for window in fed])


_engine = Engine(lambda: upper.model(WEIGHTS))
