"""SmolLM2-135M-Instruct, as `rag.models.smollm2` runs it: real words, wrong facts.

It answers wrongly and invents, which is what grounding checks are tested with.
"""

from __future__ import annotations

from collections.abc import Generator as Running
from typing import Any

from localaws.models import tools
from localaws.models.prompt import Piece, Prompt, Said
from localaws.operations import AwsError

_CHARACTERS = 5_000  # of prompt, longer ones lose their middle; a second or two on one idle core
_WRITTEN = 800  # tokens that it writes at most


def generate(prompt: Prompt) -> Running[Piece, None, None]:
    """Write; see `localaws.models.generators.Generator`."""
    from rag.errors import ConfigError, ServiceFailed
    from rag.models.smollm2 import TooLong, written

    use = tools.wanted(prompt)
    if use is not None:
        yield use
        return
    try:
        for text in written(**_request(prompt)):
            yield Said(text)
    except ConfigError as error:
        raise AwsError("ServiceUnavailableException", str(error)) from None
    except TooLong:
        raise AwsError("ValidationException", "Input is too long for requested model.") from None
    except ServiceFailed:
        raise AwsError(
            "InternalServerException", "The model failed to process the request."
        ) from None


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
        "max_tokens": min(_WRITTEN, prompt.limit * 2 + 8),
        "temperature": 0.0 if inference.temperature is None else inference.temperature,
    }
    if inference.top_p is not None:
        request["top_p"] = inference.top_p
    if prompt.answer_schema is not None:
        request["response_format"] = {
            "type": "json_schema",
            "json_schema": {"schema": prompt.answer_schema},
        }
    return request
