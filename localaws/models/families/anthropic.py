"""Anthropic's Messages API as Bedrock takes it."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from localaws.models.attachments import document_text, image_tokens
from localaws.models.bodies import GUARDRAIL
from localaws.models.catalogue import Model
from localaws.models.prompt import (
    Finish,
    Inference,
    Part,
    Piece,
    Prompt,
    Reply,
    Said,
    Tool,
    ToolUse,
    Turn,
)
from localaws.models.text import input_tokens
from localaws.operations import AwsError

VERSION = "bedrock-2023-05-31"

_UNIT = {"type": "number", "minimum": 0, "maximum": 1}
_STRING = {"type": "string"}
_OBJECT = {"type": "object"}
_BLOCK = {
    "type": "object",
    "properties": {
        **dict.fromkeys(("type", "text", "id", "name", "tool_use_id"), _STRING),
        "title": {"type": ["string", "null"]},
        "source": {
            "type": "object",
            "properties": {
                **dict.fromkeys(("type", "media_type", "data"), _STRING),
                "content": {"type": ["string", "array"], "items": _OBJECT},
            },
        },
        "content": {"type": ["string", "array"], "items": _OBJECT},
        "input": _OBJECT,
        "citations": {"type": ["object", "array", "null"]},
    },
    "required": ["type"],
}
_TOOL = {
    "type": "object",
    "properties": {"name": _STRING, "description": _STRING, "input_schema": _OBJECT},
    "required": ["name"],
}
_SCHEMA = {
    "properties": {
        "anthropic_version": {"type": "string", "enum": [VERSION]},
        "anthropic_beta": {"type": "array"},
        "max_tokens": {"type": "integer", "minimum": 1},
        "messages": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": {
                    "role": {"type": "string", "enum": ["user", "assistant"]},
                    "content": {"type": ["string", "array"], "items": _BLOCK},
                },
                "required": ["role", "content"],
                "additionalProperties": False,
            },
        },
        "system": {"type": ["string", "array"], "items": _BLOCK},
        "stop_sequences": {"type": "array", "items": {"type": "string"}},
        "temperature": _UNIT,
        "top_p": _UNIT,
        "top_k": {"type": "integer", "minimum": 0},
        "tools": {"type": "array", "items": _TOOL},
        "tool_choice": {
            "type": "object",
            "properties": {
                "type": {"type": "string", "enum": ["auto", "any", "tool", "none"]},
                "name": _STRING,
            },
            "required": ["type"],
        },
        "metadata": {"type": "object"},
        "thinking": {"type": "object"},
        "output_config": {
            "type": "object",
            "properties": {
                "format": {"type": "object", "properties": {"schema": _OBJECT}},
            },
        },
        GUARDRAIL: {"type": "object"},
    },
    "required": ["anthropic_version", "max_tokens", "messages"],
}

_FORMATS = {"application/pdf": "pdf", "text/plain": "txt"}


def schema(model: Model) -> Mapping[str, Any]:
    """Return the JSON schema of the body."""
    return _SCHEMA


def prompt(model: Model, body: Mapping[str, Any]) -> Prompt:
    """Return what a body asks.

    Raises:
        AwsError: The conversation is not as Anthropic takes it.
    """
    if body["max_tokens"] > model.max_output_tokens:
        raise _invalid(
            f"max_tokens: {body['max_tokens']} > {model.max_output_tokens}, which is the maximum"
            f" allowed number of output tokens for {model.id.partition('.')[2]}"
        )
    messages = body["messages"]
    if messages[0]["role"] != "user":
        raise _invalid('messages: first message must use the "user" role')
    turns = tuple(_turn(message, number) for number, message in enumerate(messages))
    _answered(turns)
    system = body.get("system", "")
    choice = body.get("tool_choice", {"type": "auto"})
    return Prompt(
        model=model,
        turns=turns,
        system=system if isinstance(system, str) else "\n".join(_texts(system)),
        inference=Inference(
            body["max_tokens"],
            body.get("temperature"),
            body.get("top_p"),
            tuple(body.get("stop_sequences", ())),
        ),
        tools=tuple(
            Tool(tool["name"], tool.get("description", ""), tool.get("input_schema", {}))
            for tool in body.get("tools", ())
        ),
        tool_choice=choice.get("name", "") if choice["type"] == "tool" else choice["type"],
        answer_schema=body.get("output_config", {}).get("format", {}).get("schema"),
    )


def answer(asked: Prompt, made: Reply) -> dict[str, Any]:
    """Return the body of a whole answer."""
    content = [_block(asked, piece) for piece in _joined(made.pieces)]
    return {
        **_message(asked),
        "content": content,
        "stop_reason": _reason(made.stop_reason),
        "stop_sequence": made.stop_sequence,
        "usage": {"input_tokens": made.input_tokens, "output_tokens": made.output_tokens},
    }


def events(asked: Prompt, pieces: Iterable[Piece]) -> Iterator[dict[str, Any]]:
    """Yield the chunks of a stream."""
    usage = {"input_tokens": input_tokens(asked), "output_tokens": 1}
    nothing: dict[str, Any] = {"content": [], "stop_reason": None, "stop_sequence": None}
    yield {"type": "message_start", "message": {**_message(asked), **nothing, "usage": usage}}
    index, open_text = 0, False
    for piece in pieces:
        if isinstance(piece, Said):
            if not open_text:
                yield _start(index, {"type": "text", "text": ""})
            open_text = True
            yield _delta(index, {"type": "text_delta", "text": piece.text})
            for citation in _citations(asked, piece):
                yield _delta(index, {"type": "citations_delta", "citation": citation})
            continue
        if open_text:
            yield {"type": "content_block_stop", "index": index}
            index, open_text = index + 1, False
        if isinstance(piece, ToolUse):
            used = {"id": _id(piece), "name": piece.name, "input": {}}
            yield _start(index, {"type": "tool_use", **used})
            text = json.dumps(dict(piece.input), ensure_ascii=False)
            yield _delta(index, {"type": "input_json_delta", "partial_json": text})
            yield {"type": "content_block_stop", "index": index}
            index += 1
        else:
            yield from _end(piece)


def _end(finish: Finish) -> Iterator[dict[str, Any]]:
    delta = {"stop_reason": _reason(finish.stop_reason), "stop_sequence": finish.stop_sequence}
    usage = {"output_tokens": finish.output_tokens}
    yield {"type": "message_delta", "delta": delta, "usage": usage}
    yield {"type": "message_stop"}


def _start(index: int, block: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def _delta(index: int, delta: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": delta}


def _message(asked: Prompt) -> dict[str, Any]:
    return {
        "model": asked.model.id.partition(".")[2].split("-v1")[0],
        "id": f"msg_bdrk_01{secrets.token_hex(11)}",
        "type": "message",
        "role": "assistant",
    }


def _reason(reason: str) -> str:
    return "end_turn" if reason == "guardrail_intervened" else reason


def _id(use: ToolUse) -> str:
    return f"toolu_bdrk_{use.id.removeprefix('tooluse_')}"


def _joined(pieces: Sequence[Said | ToolUse]) -> Iterator[Said | ToolUse]:
    """Join neighbouring text that cites nothing."""
    held = ""
    for piece in pieces:
        if isinstance(piece, Said) and not piece.cites:
            held += piece.text
            continue
        if held:
            yield Said(held)
            held = ""
        yield piece
    if held:
        yield Said(held)


def _block(asked: Prompt, piece: Said | ToolUse) -> dict[str, Any]:
    if isinstance(piece, ToolUse):
        used = {"id": _id(piece), "name": piece.name, "input": dict(piece.input)}
        return {"type": "tool_use", **used}
    block: dict[str, Any] = {"type": "text", "text": piece.text}
    if piece.cites:
        block["citations"] = list(_citations(asked, piece))
    return block


def _citations(asked: Prompt, said: Said) -> Iterator[dict[str, Any]]:
    documents = [
        part
        for turn in asked.turns
        for part in turn.parts
        if part.kind in ("document", "search_result")
    ]
    for place, start, end in said.cites:
        yield {
            "type": "char_location",
            "cited_text": documents[place].text[start:end],
            "document_index": place,
            "document_title": documents[place].name or None,
            "start_char_index": start,
            "end_char_index": end,
        }


def _turn(message: Mapping[str, Any], number: int) -> Turn:
    content = message["content"]
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    if not content:
        raise _invalid(f"messages.{number}: all messages must have non-empty content")
    parts = (_part(block, f"messages.{number}.content.{at}") for at, block in enumerate(content))
    return Turn(message["role"], tuple(part for part in parts if part is not None))


def _part(block: Mapping[str, Any], where: str) -> Part | None:
    kind = block.get("type")
    if kind == "text":
        if not block.get("text", "").strip():
            raise _invalid("messages: text content blocks must be non-empty")
        return Part("text", block["text"])
    if kind == "image":
        return Part("image", tokens=image_tokens(_decoded(block.get("source", {}), where)))
    if kind == "document":
        return _document(block, where)
    if kind == "tool_use":
        given = json.dumps(block.get("input", {}))
        return Part("tool_use", given, name=block.get("name", ""), id=block.get("id", ""))
    if kind == "tool_result":
        content = block.get("content", "")
        text = content if isinstance(content, str) else "\n".join(_texts(content))
        return Part("tool_result", text, id=block.get("tool_use_id", ""))
    if kind in ("thinking", "redacted_thinking"):
        return None
    raise _invalid(f"{where}: Input tag '{kind}' found using 'type' does not match any tag")


def _document(block: Mapping[str, Any], where: str) -> Part:
    source = block.get("source", {})
    if source.get("type") == "text":
        text = str(source.get("data", ""))
    elif source.get("type") == "content":
        content = source.get("content", "")
        text = content if isinstance(content, str) else "\n".join(_texts(content))
    else:
        form = _FORMATS.get(source.get("media_type", ""), "txt")
        text = document_text(_decoded(source, where), form)
    wish = block.get("citations")
    cited = isinstance(wish, dict) and bool(wish.get("enabled"))
    return Part("document", text, name=block.get("title") or "", cited=cited)


def _decoded(source: Mapping[str, Any], where: str) -> bytes:
    try:
        return base64.b64decode(source["data"], validate=True)
    except (KeyError, TypeError, binascii.Error):
        raise _invalid(f"{where}.source.base64.data: invalid base64 data") from None


def _texts(blocks: Iterable[Mapping[str, Any]]) -> list[str]:
    return [str(block["text"]) for block in blocks if "text" in block]


def _answered(turns: Sequence[Turn]) -> None:
    uses: list[str] = []
    for number, turn in enumerate(turns):
        results = [part.id for part in turn.parts if part.kind == "tool_result"]
        unknown = [one for one in results if one not in uses]
        if unknown:
            raise _invalid(
                f"messages.{number}.content.0: unexpected `tool_use_id` found in `tool_result`"
                f" blocks: {', '.join(unknown)}. Each `tool_result` block must have a corresponding"
                " `tool_use` block in the previous message."
            )
        missing = [one for one in uses if one not in results]
        if missing:
            raise _invalid(
                f"messages.{number - 1}: `tool_use` ids were found without `tool_result` blocks"
                f" immediately after: {', '.join(missing)}. Each `tool_use` block must have a"
                " corresponding `tool_result` block in the next message."
            )
        uses = [part.id for part in turn.parts if part.kind == "tool_use"]


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
