"""Transformer layers that learn: forward and backward in numpy (BERT: Devlin et al., NAACL 2019).

Arrays are float32. Weights of a dense layer are (out, in); its gradients have the same names.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rag.models.bert import HEADS

Array = Any
Arrays = dict[str, Array]

DROPPED = 0.1
EPSILON = 1e-12
_ROOT = math.sqrt(2 / math.pi)


def forward(
    weights: Arrays, layers: int, x: Array, mask: Array, rng: np.random.Generator | None
) -> tuple[Array, list[Arrays]]:
    """Return hidden states (texts, tokens, dimensions) and what `backward` needs of each layer.

    Args:
        x: Like what is returned.
        mask: 1 where there is a token, (texts, tokens).
        rng: For dropout; None: no dropout.
    """
    blind = (mask - 1)[:, None, None, :] * np.float32(1e9)
    kept = []
    for layer in range(layers):
        x, one = _forward(weights, f"{layer}.", x, blind, rng)
        kept.append(one)
    return x, kept


def backward(weights: Arrays, kept: list[Arrays], back: Array, gradients: Arrays) -> Array:
    """Add to `gradients` those of all layers, given that of the hidden states; return that of x."""
    for layer in reversed(range(len(kept))):
        back = _backward(weights, f"{layer}.", kept[layer], back, gradients)
    return back


def _forward(
    weights: Arrays, at: str, x: Array, blind: Array, rng: np.random.Generator | None
) -> tuple[Array, Arrays]:
    kept: Arrays = {"x": x}
    for part in ("query", "key", "value"):
        kept[part] = _split(_dense(weights, at + part, x))
    scores = kept["query"] @ kept["key"].swapaxes(2, 3)
    scores *= np.float32(kept["query"].shape[-1] ** -0.5)
    scores += blind
    scores -= scores.max(axis=-1, keepdims=True)
    share = np.exp(scores, out=scores)
    share /= share.sum(axis=-1, keepdims=True)
    kept["share"] = share
    kept["seen"] = _join(share @ kept["value"])
    added, kept["drop1"] = _dropped(_dense(weights, at + "attended", kept["seen"]), rng)
    kept["y"] = _normal(weights, at + "first", x + added, kept)
    wide = _dense(weights, at + "wide", kept["y"])
    kept["wide"] = wide
    kept["tanh"] = np.tanh(_ROOT * (wide + np.float32(0.044715) * wide**3))
    kept["bent"] = 0.5 * wide * (1 + kept["tanh"])
    added, kept["drop2"] = _dropped(_dense(weights, at + "narrow", kept["bent"]), rng)
    return _normal(weights, at + "second", kept["y"] + added, kept), kept


def _backward(weights: Arrays, at: str, kept: Arrays, back: Array, gradients: Arrays) -> Array:
    back = _normal_back(weights, at + "second", kept, back, gradients)
    through = back if kept["drop2"] is None else back * kept["drop2"]
    bent = _dense_back(weights, at + "narrow", kept["bent"], through, gradients)
    wide, tanh = kept["wide"], kept["tanh"]
    slope = 0.5 * (1 + tanh) + 0.5 * wide * (1 - tanh * tanh) * np.float32(_ROOT) * (
        1 + np.float32(3 * 0.044715) * wide * wide
    )
    back = back + _dense_back(weights, at + "wide", kept["y"], bent * slope, gradients)
    back = _normal_back(weights, at + "first", kept, back, gradients)
    through = back if kept["drop1"] is None else back * kept["drop1"]
    seen = _split(_dense_back(weights, at + "attended", kept["seen"], through, gradients))
    share = kept["share"]
    value = share.swapaxes(2, 3) @ seen
    shares = seen @ kept["value"].swapaxes(2, 3)
    scores = share * (shares - (shares * share).sum(axis=-1, keepdims=True))
    scores *= np.float32(kept["query"].shape[-1] ** -0.5)
    parts = {
        "query": scores @ kept["key"],
        "key": scores.swapaxes(2, 3) @ kept["query"],
        "value": value,
    }
    for part, gradient in parts.items():
        back = back + _dense_back(weights, at + part, kept["x"], _join(gradient), gradients)
    return back


def _dense(weights: Arrays, name: str, x: Array) -> Array:
    flat = x.reshape(-1, x.shape[-1]) @ weights[f"{name}.weight"].T
    flat += weights[f"{name}.bias"]
    return flat.reshape(*x.shape[:-1], -1)


def _dense_back(weights: Arrays, name: str, x: Array, back: Array, gradients: Arrays) -> Array:
    flat = back.reshape(-1, back.shape[-1])
    gradients[f"{name}.weight"] += flat.T @ x.reshape(-1, x.shape[-1])
    gradients[f"{name}.bias"] += flat.sum(axis=0)
    return (flat @ weights[f"{name}.weight"]).reshape(x.shape)


def _normal(weights: Arrays, name: str, x: Array, kept: Arrays) -> Array:
    centred = x - x.mean(axis=-1, keepdims=True)
    scale = 1 / np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + np.float32(EPSILON))
    name_ = name.partition(".")[2]
    kept[f"{name_}.unit"], kept[f"{name_}.scale"] = centred * scale, scale
    return kept[f"{name_}.unit"] * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def _normal_back(weights: Arrays, name: str, kept: Arrays, back: Array, gradients: Arrays) -> Array:
    name_ = name.partition(".")[2]
    unit, scale = kept[f"{name_}.unit"], kept[f"{name_}.scale"]
    gradients[f"{name}.weight"] += (back * unit).sum(axis=(0, 1))
    gradients[f"{name}.bias"] += back.sum(axis=(0, 1))
    inner = back * weights[f"{name}.weight"]
    return scale * (
        inner
        - inner.mean(axis=-1, keepdims=True)
        - unit * (inner * unit).mean(axis=-1, keepdims=True)
    )


def _dropped(x: Array, rng: np.random.Generator | None) -> tuple[Array, Array]:
    if rng is None:
        return x, None
    drop = (rng.random(x.shape, np.float32) >= DROPPED) / np.float32(1 - DROPPED)
    return x * drop, drop


def _split(x: Array) -> Array:
    return np.ascontiguousarray(x.reshape(*x.shape[:2], HEADS, -1).swapaxes(1, 2))


def _join(x: Array) -> Array:
    x = x.swapaxes(1, 2)
    return np.ascontiguousarray(x).reshape(*x.shape[:2], -1)
