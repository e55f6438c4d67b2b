"""Amazon Nova's ``messages-v1``: Converse's shapes in JSON, with bytes in base64."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from localaws.models import turns
from localaws.models.bodies import GUARDRAIL
from localaws.models.catalogue import Model
from localaws.models.converse import blocks, content, usage
from localaws.models.prompt import Piece, Prompt, Reply
from localaws.operations import AwsError
from localaws.wire.problems import Problems
from localaws.wire.shapes import service_model
from localaws.wire.values import read

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
    params: dict[str, Any] = {
        name: _read(name, body[name])
        for name in ("messages", "system", "toolConfig")
        if name in body
    }
    return turns.prompt(model, {**params, "inferenceConfig": config})


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


def _read(name: str, value: Any) -> Any:
    """Return what Converse's member of that name would be."""
    problems = Problems()
    shape = service_model("bedrock-runtime").operations["Converse"].input.members[name].shape
    found = read(shape, value, name, problems)
    if problems:
        raise AwsError("ValidationException", problems.message())
    return found
