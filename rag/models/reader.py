"""Reads a question and a passage together, and says which sentence holds the answer, or none.

Span extraction with a place for "no answer" (SQuAD 2.0: Rajpurkar, Jia, Liang, ACL 2018). The lower
layers are those of the reranker (`rag.models.relevance`), which come inside its package; the upper
ones were trained by ``packaging/reader/train.py`` and are `reader.npz` beside this file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.masked import Masked, require
from rag.models import bert, embedded, relevance
from rag.models.engine import Engine
from rag.models.relevance import CLS, SEP

if TYPE_CHECKING:
    import numpy

    Weights = dict[str, numpy.ndarray]

LOWER = 9
"""Layers of the reranker that are kept as they are."""
WINDOW = 128
"""Tokens of a passage that are read at a time; a longer sentence is cut."""
QUESTION = 48
"""Tokens of a question that are read."""

NEAR, SPREAD = 0.5, 4.0
"""Cosines of tokens are told as their distance from the first, times the second."""

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


def windows(question: str, sentences: Sequence[str]) -> list[Window]:
    """Share sentences among windows of at most `WINDOW` tokens of the passage."""
    if not sentences:
        return []
    encoded = embedded.whole().encode_batch([question, *sentences], add_special_tokens=False)
    asked, *told = (one.ids for one in encoded)
    head = [CLS, *asked[:QUESTION], SEP]
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


def lower() -> Any:
    """Return the lower layers: token ids, mask and types in, (texts, tokens, dimensions) out."""
    inputs, x = relevance.lower(relevance.weights(), LOWER)
    return embedded.openvino().Model([x], list(inputs.values()), "lower")


def _whole() -> Any:
    """Return lower and upper layers and both heads: logits (texts, tokens, 2) out."""
    import numpy
    from openvino import opset13 as op

    with numpy.load(WEIGHTS) as file:
        weights = {name: file[name] for name in file.files}
    inputs, x = relevance.lower(relevance.weights(), LOWER)
    told = op.matmul(_matches(inputs, x), bert.constant(weights["match.weight"]), False, True)
    x = op.add(x, told)
    hidden = bert.blind(inputs["attention_mask"])
    for number in range(bert.layers(weights)):
        x = bert.layer(x, weights, number, hidden, "tanh")
    head = op.matmul(x, bert.constant(weights["head.weight"]), False, True)
    logits = op.add(head, bert.constant(weights["head.bias"]))
    return embedded.openvino().Model([logits], list(inputs.values()), "reader")


def _matches(inputs: Mapping[str, Any], hidden: Any) -> Any:
    """Tell of each token whether the other text has it, and how near its nearest there is.

    Returns: (texts, tokens, 4): both for the question's tokens, then both for the passage's; 0
    elsewhere. Features like these let little data teach much (DrQA: Chen et al., ACL 2017).
    """
    import numpy
    from openvino import opset13 as op

    def constant(value: float, kind: Any = numpy.float32) -> Any:
        return op.constant(numpy.array(value, kind))

    def most(x: Any) -> Any:
        """(texts, tokens, tokens) to (texts, tokens, 1): over the tokens of the other text."""
        return op.reduce_max(x, op.constant(numpy.array([-1])), True)

    ids, types = inputs["input_ids"], inputs["token_type_ids"]
    mask = op.convert(inputs["attention_mask"], "boolean")
    special = op.logical_or(
        op.equal(ids, constant(CLS, numpy.int64)), op.equal(ids, constant(SEP, numpy.int64))
    )
    word = op.logical_and(mask, op.logical_not(special))
    row, column = op.constant(numpy.array([2])), op.constant(numpy.array([1]))
    differ = op.not_equal(op.unsqueeze(types, row), op.unsqueeze(types, column))
    other = op.logical_and(differ, op.unsqueeze(word, column))
    same = op.equal(op.unsqueeze(ids, row), op.unsqueeze(ids, column))
    exact = most(op.convert(op.logical_and(same, other), "f32"))
    unit = op.normalize_l2(hidden, op.constant(numpy.array([2])), 1e-12, "max")
    near = most(op.select(other, op.matmul(unit, unit, False, True), constant(-1.0)))
    near = op.multiply(op.subtract(near, constant(NEAR)), constant(SPREAD))
    both = op.multiply(op.concat([exact, near], -1), op.unsqueeze(op.convert(word, "f32"), row))
    passage = op.unsqueeze(op.convert(types, "f32"), row)
    return op.concat(
        [op.multiply(both, op.subtract(constant(1.0), passage)), op.multiply(both, passage)], -1
    )


_engine = Engine(_whole)
