"""Layers of a BERT as OpenVINO runs them: weights of int8, each with a scale, sums of float32.

Devlin et al., NAACL 2019. A layer's weights are named ``N.query``, ``N.key``, ``N.value``,
``N.attended``, ``N.first`` (normalisation), ``N.wide``, ``N.narrow`` and ``N.second``
(normalisation); dense ones have ``.weight`` (out, in), ``.scale`` (out,) and ``.bias`` (out,).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy

    Weights = Mapping[str, numpy.ndarray]

HEADS = 12
"""Of all models used here."""


def constant(value: Any, kind: Any = None) -> Any:
    """Return a constant of the graph, float32 unless told otherwise."""
    import numpy
    from openvino import opset13 as op

    return op.constant(numpy.asarray(value, kind or numpy.float32))


def places(*axes: int) -> Any:
    """Return axes, or a shape, as the graph takes them."""
    import numpy

    return constant(axes, numpy.int64)


def dense(x: Any, weights: Weights, name: str) -> Any:
    """Return `x` times a weight, plus a bias: (…, in) to (…, out)."""
    from openvino import opset13 as op

    kept = op.convert(op.constant(weights[f"{name}.weight"]), "f32")
    weight = op.multiply(kept, constant(weights[f"{name}.scale"][:, None]))
    return op.add(op.matmul(x, weight, False, True), constant(weights[f"{name}.bias"]))


def normal(x: Any, weights: Weights, name: str) -> Any:
    """Return `x`, normalised over its last axis."""
    from openvino import opset13 as op

    unit = op.mvn(x, places(-1), True, 1e-12, "inside_sqrt")
    scaled = op.multiply(unit, constant(weights[f"{name}.weight"]))
    return op.add(scaled, constant(weights[f"{name}.bias"]))


def blind(mask: Any) -> Any:
    """Return what hides padding in a softmax: (texts, tokens) of 1 and 0 to 0 and -1e9."""
    from openvino import opset13 as op

    hidden = op.multiply(op.subtract(op.convert(mask, "f32"), constant(1.0)), constant(1e9))
    return op.unsqueeze(hidden, places(1, 2))


def layer(x: Any, weights: Weights, number: int, hidden: Any, gelu: Literal["erf", "tanh"]) -> Any:
    """Return what one layer makes of `x`: (texts, tokens, dimensions), as it came.

    Args:
        hidden: See `blind`.
        gelu: Exact, or by its approximation.
    """
    from openvino import opset13 as op

    query, key, value = (
        _heads(dense(x, weights, f"{number}.{part}")) for part in ("query", "key", "value")
    )
    size = weights[f"{number}.query.weight"].shape[0]
    scores = op.multiply(op.matmul(query, key, False, True), constant((size / HEADS) ** -0.5))
    seen = op.matmul(op.softmax(op.add(scores, hidden), -1), value, False, False)
    joined = op.reshape(op.transpose(seen, places(0, 2, 1, 3)), places(0, 0, -1), True)
    x = normal(op.add(x, dense(joined, weights, f"{number}.attended")), weights, f"{number}.first")
    wide = op.gelu(dense(x, weights, f"{number}.wide"), gelu)
    return normal(op.add(x, dense(wide, weights, f"{number}.narrow")), weights, f"{number}.second")


def layers(weights: Weights) -> int:
    """Return how many layers there are."""
    return sum(name.endswith(".query.weight") for name in weights)


def _heads(x: Any) -> Any:
    """(texts, tokens, dimensions) to (texts, heads, tokens, dimensions of a head)."""
    from openvino import opset13 as op

    return op.transpose(op.reshape(x, places(0, 0, HEADS, -1), True), places(0, 2, 1, 3))
