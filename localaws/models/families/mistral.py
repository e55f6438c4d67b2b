"""Mistral: a prompt text continued, or chat completion."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from localaws.models.bodies import GUARDRAIL, malformed
from localaws.models.catalogue import Model
from localaws.models.families.templates import instructed
from localaws.models.prompt import Finish, Inference, Part, Piece, Prompt, Reply, Said, Tool, Turn
from localaws.models.prompt import ToolUse as Use

_UNIT = {"type": "number", "minimum": 0, "maximum": 1}
_STRINGS = {"type": "array", "items": {"type": "string"}}

_FUNCTION = {
    "type": "object",
    "properties": {
        "function": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "arguments": {"type": "string"},
                "description": {"type": "string"},
                "parameters": {"type": "object"},
            },
            "required": ["name"],
        }
    },
    "required": ["function"],
}
"""A tool, or a call of one."""


def schema(model: Model) -> Mapping[str, Any]:
    """Return the JSON schema of the body."""
    return {
        "properties": {
            "prompt": {"type": "string", "minLength": 1},
            "messages": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "properties": {
                        "role": {
                            "type": "string",
                            "enum": ["system", "user", "assistant", "tool"],
                        },
                        "content": {"type": ["string", "array", "null"]},
                        "tool_call_id": {"type": "string"},
                        "tool_calls": {"type": ["array", "null"], "items": _FUNCTION},
                    },
                    "required": ["role"],
                },
            },
            "max_tokens": {"type": "integer", "minimum": 1, "maximum": model.max_output_tokens},
            "temperature": _UNIT,
            "top_p": _UNIT,
            "top_k": {"type": "integer", "minimum": 0},
            "stop": _STRINGS,
            "tools": {"type": "array", "items": _FUNCTION},
            "tool_choice": {"type": ["string", "object"]},
            GUARDRAIL: {"type": "object"},
        }
    }


def prompt(model: Model, body: Mapping[str, Any]) -> Prompt:
    """Return what a body asks.

    Raises:
        AwsError: It has neither prompt nor messages.
    """
    config = Inference(
        body.get("max_tokens", min(512, model.max_output_tokens)),
        body.get("temperature"),
        body.get("top_p"),
        tuple(body.get("stop", ())),
    )
    if "messages" in body:
        return _chat(model, body, config)
    if "prompt" not in body:
        raise malformed("#: required key [prompt] not found")
    system, turns = instructed(body["prompt"])
    return Prompt(model, turns, system, config)


def answer(asked: Prompt, made: Reply, chat: bool = False) -> dict[str, Any]:
    """Return the body of a whole answer."""
    if not chat:
        return {"outputs": [{"text": made.text, "stop_reason": _reason(made.stop_reason)}]}
    message: dict[str, Any] = {"role": "assistant", "content": made.text}
    if made.tool_uses:
        message["tool_calls"] = [_call(use) for use in made.tool_uses]
    choice = {"index": 0, "message": message, "stop_reason": _reason(made.stop_reason)}
    return {
        **_completion(asked, "chat.completion"),
        "choices": [{**choice, "finish_reason": choice["stop_reason"]}],
        "usage": {
            "prompt_tokens": made.input_tokens,
            "completion_tokens": made.output_tokens,
            "total_tokens": made.input_tokens + made.output_tokens,
        },
    }


def events(asked: Prompt, pieces: Iterable[Piece], chat: bool = False) -> Iterator[dict[str, Any]]:
    """Yield the chunks of a stream."""
    frame = _completion(asked, "chat.completion.chunk")
    for piece in pieces:
        text = piece.text if isinstance(piece, Said) else ""
        reason = _reason(piece.stop_reason) if isinstance(piece, Finish) else None
        if not chat:
            yield {"outputs": [{"text": text, "stop_reason": reason}]}
            continue
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if isinstance(piece, Use):
            message["tool_calls"] = [_call(piece)]
        yield {**frame, "choices": [{"index": 0, "message": message, "stop_reason": reason}]}


def _chat(model: Model, body: Mapping[str, Any], config: Inference) -> Prompt:
    system, turns = [], []
    for message in body["messages"]:
        role, text = message["role"], _text(message.get("content"))
        if role == "system":
            system.append(text)
        elif role == "tool":
            part = Part("tool_result", text, id=message.get("tool_call_id", ""))
            turns.append(Turn("user", (part,)))
        elif role == "user":
            turns.append(Turn("user", (Part("text", text),)))
        else:
            uses = tuple(
                Part("tool_use", one["function"].get("arguments", ""), name=one["function"]["name"])
                for one in message.get("tool_calls") or ()
            )
            said = (Part("text", text),) if text else ()
            turns.append(Turn("assistant", said + uses))
    if not turns:
        raise malformed("#/messages: a message of the user is missing")
    tools = tuple(
        Tool(
            one["function"]["name"],
            one["function"].get("description", ""),
            one["function"].get("parameters", {}),
        )
        for one in body.get("tools", ())
    )
    choice = body.get("tool_choice", "auto")
    if isinstance(choice, dict):
        named = choice.get("function")
        choice = named.get("name", "any") if isinstance(named, dict) else "any"
    choice = "any" if choice == "required" else choice
    return Prompt(model, tuple(turns), "\n".join(system), config, tools, choice)


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(str(one.get("text", "")) for one in content if isinstance(one, dict))
    return content or ""


def _call(use: Use) -> dict[str, Any]:
    arguments = json.dumps(dict(use.input), ensure_ascii=False)
    return {
        "id": use.id.removeprefix("tooluse_")[:9],
        "type": "function",
        "function": {"name": use.name, "arguments": arguments},
    }


def _completion(asked: Prompt, kind: str) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "object": kind,
        "created": int(time.time()),
        "model": asked.model.id,
    }


def _reason(reason: str) -> str:
    return {"max_tokens": "length", "tool_use": "tool_calls"}.get(reason, "stop")
