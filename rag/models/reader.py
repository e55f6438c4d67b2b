"""Reads a question and a passage together, and says which sentence holds the answer, or none.

Span extraction with a place for "no answer" (SQuAD 2.0: Rajpurkar, Jia, Liang, ACL 2018). The lower
layers are those of the embedding model (`rag.models.embedded`), which come inside its package; the
upper ones were trained by ``packaging/reader/train.py`` and are `reader.npz` beside this file.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.masked import Masked, require
from rag.models import embedded

if TYPE_CHECKING:
    import numpy

    Weights = dict[str, numpy.ndarray]

LOWER = 3
"""Layers of the embedding model that are kept as they are."""
HEADS = 12
WINDOW = 128
"""Tokens of a passage that are read at a time; a longer sentence is cut."""
QUESTION = 48
"""Tokens of a question that are read."""

NEAR, SPREAD = 0.5, 4.0
"""Cosines of tokens are told as their distance from the first, times the second."""
CLS, SEP = 101, 102

WEIGHTS = Path(__file__).with_name("reader.npz")
_busy = threading.Lock()


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
    for batch, feed in feeds(fed):
        with _busy:
            logits = _request().infer(feed, share_inputs=True)[0].copy()
        for row, place in enumerate(batch):
            yield place, logits[row]


def feeds(fed: Sequence[Window]) -> Iterator[tuple[list[int], embedded.Feed]]:
    """Yield the places of some windows and what the model is fed for them, as `embedded.fed`."""
    for batch, feed in embedded.fed([window.ids for window in fed]):
        for row, place in enumerate(batch):
            feed["token_type_ids"][row, : len(fed[place].ids)] = fed[place].types
        yield batch, feed


def layers(weights: Weights) -> int:
    """Return how many upper layers there are."""
    return sum(name.endswith(".query.weight") for name in weights)


@lru_cache(maxsize=1)
def _request() -> Any:
    import numpy

    with numpy.load(WEIGHTS) as file:
        weights = {name: file[name] for name in file.files}
    return embedded.compile_model(_whole(weights), 1).create_infer_request()


def lower() -> Any:
    """Return the lower layers: token ids, mask and types in, (texts, tokens, dimensions) out."""
    model = embedded.read_model()
    return embedded.openvino().Model([_hidden(model)], model.get_parameters(), "lower")


def _hidden(model: Any) -> Any:
    """Return the output of the last of the lower layers."""
    wanted = f"encoder.layer.{LOWER - 1}.output.LayerNorm.bias"
    for node in model.get_ops():
        if node.get_friendly_name().endswith(wanted):
            (target,) = node.output(0).get_target_inputs()
            return target.get_node().output(0)
    raise LookupError(f"the embedding model has no {wanted}")


def _whole(weights: Weights) -> Any:
    """Return lower and upper layers and both heads: logits (texts, tokens, 2) out."""
    import numpy
    from openvino import opset13 as op

    def constant(value: Any, kind: Any = numpy.float32) -> Any:
        return op.constant(numpy.asarray(value, kind))

    def dense(x: Any, name: str) -> Any:
        """Weights are int8 with a scale for each output: (out, in)."""
        kept = op.convert(op.constant(weights[f"{name}.weight"]), "f32")
        weight = op.multiply(kept, constant(weights[f"{name}.scale"][:, None]))
        return op.add(op.matmul(x, weight, False, True), constant(weights[f"{name}.bias"]))

    def normal(x: Any, name: str) -> Any:
        axes = op.constant(numpy.array([-1]))
        unit = op.mvn(x, axes, True, 1e-12, "inside_sqrt")
        scaled = op.multiply(unit, constant(weights[f"{name}.weight"]))
        return op.add(scaled, constant(weights[f"{name}.bias"]))

    def heads(x: Any) -> Any:
        """(texts, tokens, dimensions) to (texts, heads, tokens, dimensions of a head)."""
        split = op.reshape(x, op.constant(numpy.array([0, 0, HEADS, -1])), True)
        return op.transpose(split, op.constant(numpy.array([0, 2, 1, 3])))

    model = embedded.read_model()
    x = _hidden(model)
    x = op.add(x, op.matmul(_matches(model, x), constant(weights["match.weight"]), False, True))
    mask = op.convert(model.input("attention_mask"), "f32")
    blind = op.multiply(op.subtract(mask, constant(1.0)), constant(1e9))
    blind = op.unsqueeze(blind, op.constant(numpy.array([1, 2])))
    size = weights["0.query.weight"].shape[0]
    for layer in range(layers(weights)):
        query, key, value = (
            heads(dense(x, f"{layer}.{part}")) for part in ("query", "key", "value")
        )
        scores = op.multiply(op.matmul(query, key, False, True), constant((size / HEADS) ** -0.5))
        seen = op.matmul(op.softmax(op.add(scores, blind), -1), value, False, False)
        joined = op.reshape(
            op.transpose(seen, op.constant(numpy.array([0, 2, 1, 3]))),
            op.constant(numpy.array([0, 0, -1])),
            True,
        )
        x = normal(op.add(x, dense(joined, f"{layer}.attended")), f"{layer}.first")
        wide = op.gelu(dense(x, f"{layer}.wide"), "tanh")
        x = normal(op.add(x, dense(wide, f"{layer}.narrow")), f"{layer}.second")
    logits = op.add(
        op.matmul(x, constant(weights["head.weight"]), False, True), constant(weights["head.bias"])
    )
    return embedded.openvino().Model([logits], model.get_parameters(), "reader")


def _matches(model: Any, hidden: Any) -> Any:
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

    ids, types = model.input("input_ids"), model.input("token_type_ids")
    mask = op.convert(model.input("attention_mask"), "boolean")
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
