"""Trained layers over the reranker's lower ones: what `rag.models.reader` and `checker` stand on.

The lower layers come inside the reranker's package (`rag.models.relevance`); the upper ones of each
model were trained by a script in ``packaging/reader`` and lie in a file beside this one. All read
two texts together: token ids, mask and types in.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rag.models import bert, embedded, relevance
from rag.models.relevance import CLS, SEP

NEAR, SPREAD = 0.5, 4.0
"""Cosines of tokens are told as their distance from the first, times the second."""
_END = 2**31 - 1


def lower(count: int) -> Any:
    """Return the lower layers, so many: hidden states (texts, tokens, dimensions) out."""
    inputs, x = relevance.lower(relevance.weights(), count)
    return embedded.openvino().Model([x], list(inputs.values()), "lower")


def model(path: Path, *, first: bool = False) -> Any:
    """Return lower and upper layers and the heads: logits (texts, tokens, heads) out.

    Args:
        path: Of the upper layers, which stand in the place of as many of the reranker's.
        first: Logits of the first token only: (texts, heads).
    """
    import numpy
    from openvino import opset13 as op

    with numpy.load(path) as file:
        weights = {name: file[name] for name in file.files}
    whole = relevance.weights()
    inputs, x = relevance.lower(whole, bert.layers(whole) - bert.layers(weights))
    told = op.matmul(_matches(inputs, x), bert.constant(weights["match.weight"]), False, True)
    x = op.add(x, told)
    hidden = bert.blind(inputs["attention_mask"])
    for number in range(bert.layers(weights)):
        x = bert.layer(x, weights, number, hidden, "tanh")
    if first:
        x = op.squeeze(op.gather(x, bert.places(0), bert.places(1)), bert.places(1))
    head = op.matmul(x, bert.constant(weights["head.weight"]), False, True)
    logits = op.add(head, bert.constant(weights["head.bias"]))
    return embedded.openvino().Model([logits], list(inputs.values()), path.stem)


def _matches(inputs: Mapping[str, Any], hidden: Any) -> Any:
    """Tell of each token whether the other text has it, how near its nearest there is, and whether
    the other text has it together with the one before it, and with the one after it.

    Features like these let little data teach much (DrQA: Chen et al., ACL 2017); who is who in a
    sentence hangs on neighbours.

    Returns: (texts, tokens, 8): all four for the first text's tokens, then for the second's; 0
        elsewhere.
    """
    import numpy
    from openvino import opset13 as op

    def constant(value: float, kind: Any = numpy.float32) -> Any:
        return op.constant(numpy.array(value, kind))

    def most(x: Any) -> Any:
        """(texts, tokens, tokens) to (texts, tokens, 1): over the tokens of the other text."""
        return op.reduce_max(x, bert.places(-1), True)

    ids, types = inputs["input_ids"], inputs["token_type_ids"]
    mask = op.convert(inputs["attention_mask"], "boolean")
    special = op.logical_or(
        op.equal(ids, constant(CLS, numpy.int64)), op.equal(ids, constant(SEP, numpy.int64))
    )
    word = op.logical_and(mask, op.logical_not(special))
    row, column = bert.places(2), bert.places(1)
    differ = op.not_equal(op.unsqueeze(types, row), op.unsqueeze(types, column))
    other = op.logical_and(differ, op.unsqueeze(word, column))
    equal = op.equal(op.unsqueeze(ids, row), op.unsqueeze(ids, column))
    same = op.convert(op.logical_and(equal, other), "f32")
    unit = op.normalize_l2(hidden, bert.places(2), 1e-12, "max")
    near = most(op.select(other, op.matmul(unit, unit, False, True), constant(-1.0)))
    near = op.multiply(op.subtract(near, constant(NEAR)), constant(SPREAD))
    pairs = most(op.multiply(_inner(same, 1, _END), _inner(same, 0, -1)))
    none, one = bert.places(0, 0, 0), bert.places(0, 1, 0)
    beside = [op.pad(pairs, one, none, "constant"), op.pad(pairs, none, one, "constant")]
    found = [most(same), near, *beside]
    every = op.multiply(op.concat(found, -1), op.unsqueeze(op.convert(word, "f32"), row))
    passage = op.unsqueeze(op.convert(types, "f32"), row)
    first = op.multiply(every, op.subtract(constant(1.0), passage))
    return op.concat([first, op.multiply(every, passage)], -1)


def _inner(x: Any, start: int, stop: int) -> Any:
    """Return the rows and columns of a square from one place to another."""
    from openvino import opset13 as op

    return op.slice(
        x, bert.places(start, start), bert.places(stop, stop), bert.places(1, 1), bert.places(1, 2)
    )
