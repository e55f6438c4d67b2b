"""Amazon Nova's ``messages-v1``: Converse's shapes in JSON, with bytes in base64."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from localaws.models import turns
from localaws.models.bodies import GUARDRAIL, malformed
from localaws.models.catalogue import Model
from localaws.models.converse import blocks, content, usage
from localaws.models.prompt import Piece, Prompt, Reply

_UNIT = {"type": "number", "minimum": 0, "maximum": 1}
_COUNT = {"type": "integer", "minimum": 1}
_SCHEMA = {
    "properties": {
        "schemaVersion": {"type": "string", "enum": ["messages-v1"]},
        "system": {"type": "array", "items": {"type": "object", "required": ["text"]}},
        "messages": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "role": {"type": "string", "enum": ["user", "assistant"]},
                    "content": {"type": "array", "items": {"type": "object", "minProperties": 1}},
                },
                "required": ["role", "content"],
                "additionalProperties": False,
            },
        },
        "inferenceConfig": {
            "type": "object",
            "properties": {
                "maxTokens": _COUNT,
                "max_new_tokens": _COUNT,
                "temperature": _UNIT,
                "topP": _UNIT,
                "top_p": _UNIT,
                "topK": {"type": "integer", "minimum": 0},
                "top_k": {"type": "integer", "minimum": 0},
                "stopSequences": {"type": "array", "items": {"type": "string"}},
                "reasoningConfig": {"type": "object"},
            },
            "additionalProperties": False,
        },
        "toolConfig": {"type": "object", "required": ["tools"]},
        GUARDRAIL: {"type": "object"},
    },
    "required": ["messages"],
}


def schema(model: Model) -> Mapping[str, Any]:
    """Return the JSON schema of the body."""
    return _SCHEMA


def prompt(model: Model, body: Mapping[str, Any]) -> Prompt:
    """Return what a body asks.

    Raises:
        AwsError: The conversation is not as the model takes it.
    """
    given = body.get("inferenceConfig", {})
    config = {
        "maxTokens": given.get("maxTokens", given.get("max_new_tokens")),
        "temperature": given.get("temperature"),
        "topP": given.get("topP", given.get("top_p")),
        "stopSequences": given.get("stopSequences", ()),
    }
    try:
        return turns.prompt(
            model,
            {
                "messages": [_decoded(message) for message in body["messages"]],
                "system": body.get("system", ()),
                "inferenceConfig": config,
                **({"toolConfig": body["toolConfig"]} if "toolConfig" in body else {}),
            },
        )
    except (KeyError, TypeError, AttributeError):
        raise malformed("#/messages: a content block is not as its kind wants it") from None


def answer(asked: Prompt, made: Reply) -> dict[str, Any]:
    """Return the body of a whole answer."""
    return {
        "output": {"message": {"content": content(asked, made), "role": "assistant"}},
        "stopReason": _reason(made.stop_reason),
        "usage": usage(made.input_tokens, made.output_tokens),
    }


def events(asked: Prompt, pieces: Iterable[Piece]) -> Iterator[dict[str, Any]]:
    """Yield the chunks of a stream."""
    yield {"messageStart": {"role": "assistant"}}
    finish = yield from blocks(asked, iter(pieces))
    yield {"messageStop": {"stopReason": _reason(finish.stop_reason)}}
    counts = usage(finish.input_tokens, finish.output_tokens)
    yield {"metadata": {"usage": counts, "metrics": {}, "trace": {}}}


def _reason(reason: str) -> str:
    return "end_turn" if reason == "guardrail_intervened" else reason


def _decoded(message: Mapping[str, Any]) -> dict[str, Any]:
    """Turn base64 into bytes, wherever a source has some."""

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: _bytes(v) if k == "bytes" else walk(v) for k, v in value.items()}
        return [walk(one) for one in value] if isinstance(value, list) else value

    return {"role": message["role"], "content": walk(message["content"])}


def _bytes(value: Any) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, binascii.Error):
        raise malformed("a source's bytes are no base64") from None
