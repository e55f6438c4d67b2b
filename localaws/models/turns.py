"""Converse's messages, checked as AWS checks them, and as a prompt."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from localaws.models.attachments import document_text, image_tokens
from localaws.models.catalogue import Model
from localaws.models.prompt import Inference, Part, Prompt, Tool, Turn
from localaws.operations import AwsError

_DOCUMENT_NAME = re.compile(r"(?!.*\s\s)[A-Za-z0-9\s\-()\[\]]+")
_CHOICES = {
    "anthropic": frozenset({"auto", "any", "tool"}),
    "nova": frozenset({"auto", "any", "tool"}),
    "mistral-text": frozenset({"auto", "any", "tool"}),
    "mistral-chat": frozenset({"auto", "any", "tool"}),
    "meta": frozenset({"auto"}),
}

Message = Mapping[str, Any]


def invalid(message: str) -> AwsError:
    """Return a ValidationException."""
    return AwsError("ValidationException", message)


def prompt(model: Model, params: Mapping[str, Any]) -> Prompt:
    """Return what a Converse request asks of a model.

    Raises:
        AwsError: The conversation is not as AWS takes it, or the model does not take a part of it.
    """
    messages = params.get("messages", ())
    _ordered(messages)
    if messages[-1]["role"] == "assistant" and model.family != "anthropic":
        raise invalid(
            "A conversation must end with a user message."
            " Try again with a conversation that ends with a user message."
        )
    tools, choice = _tools(model, params.get("toolConfig"))
    _answered(messages, "toolConfig" in params)
    system = _system(model, params.get("system", ()))
    return Prompt(
        model=model,
        turns=tuple(
            Turn(message["role"], _parts(model, message, number))
            for number, message in enumerate(messages)
        ),
        system=system,
        inference=inference(model, params.get("inferenceConfig", {})),
        tools=tools,
        tool_choice=choice,
        answer_schema=_answer_schema(params.get("outputConfig", {})),
    )


def inference(model: Model, config: Mapping[str, Any]) -> Inference:
    """Return inferenceConfig, checked against the model's limit.

    Raises:
        AwsError: More tokens are asked for than the model writes.
    """
    most, limit = config.get("maxTokens"), model.max_output_tokens
    if most is not None and most > limit:
        raise invalid(
            f"The maximum tokens you requested exceeds the model limit of {limit}. Try again with a"
            f" maximum tokens value that is lower than {limit}."
        )
    return Inference(
        max_tokens=most,
        temperature=config.get("temperature"),
        top_p=config.get("topP"),
        stop=tuple(config.get("stopSequences", ())),
    )


def _ordered(messages: Sequence[Message]) -> None:
    if not messages or messages[0]["role"] != "user":
        raise invalid(
            "A conversation must start with a user message."
            " Try again with a conversation that starts with a user message."
        )
    for before, message in pairwise(messages):
        if before["role"] == message["role"] or message["role"] == "system":
            raise invalid(
                "A conversation must alternate between user and assistant roles. Make sure the"
                " conversation alternates between user and assistant roles and try again."
            )
    for number, message in enumerate(messages):
        if not message["content"]:
            raise invalid(
                f"The content field in the Message object at messages.{number} is empty."
                " Add a ContentBlock object to the content field and try again."
            )


def _answered(messages: Sequence[Message], has_tools: bool) -> None:
    """Check that the results of tools answer the uses of the turn before, each once."""
    uses: list[str] = []
    for number, message in enumerate(messages):
        blocks = message["content"]
        results = [b["toolResult"]["toolUseId"] for b in blocks if "toolResult" in b]
        asked = [block["toolUse"]["toolUseId"] for block in blocks if "toolUse" in block]
        if (results or asked) and not has_tools:
            raise invalid(
                "The toolConfig field must be defined when using toolUse and toolResult content"
                " blocks."
            )
        if message["role"] == "user" and asked:
            raise invalid(
                f"The toolUse block at messages.{number}.content is not allowed in a user message."
            )
        if len(results) > len(uses):
            raise invalid(
                f"The number of toolResult blocks at messages.{number}.content exceeds the number"
                " of toolUse blocks of previous turn."
            )
        missing = [one for one in uses if one not in results]
        if missing:
            raise invalid(
                f"Expected toolResult blocks at messages.{number}.content for the following Ids:"
                f" {', '.join(missing)}"
            )
        uses = asked


def _system(model: Model, blocks: Sequence[Mapping[str, Any]]) -> str:
    texts = [
        block["text"] if "text" in block else block["guardContent"].get("text", {}).get("text", "")
        for block in blocks
        if "cachePoint" not in block
    ]
    if texts and "system" not in model.accepts:
        raise invalid(
            "This model doesn't support system messages. Try again without a system message or use"
            " a model that supports system messages."
        )
    return "\n".join(texts)


def _tools(model: Model, config: Mapping[str, Any] | None) -> tuple[tuple[Tool, ...], str]:
    if config is None:
        return (), "auto"
    if "tools" not in model.accepts:
        raise invalid("This model doesn't support tool use.")
    tools = []
    for number, entry in enumerate(config["tools"]):
        if "toolSpec" not in entry:
            continue
        spec = entry["toolSpec"]
        schema = spec["inputSchema"].get("json")
        if not isinstance(schema, Mapping) or schema.get("type") != "object":
            raise invalid(
                f"The value at toolConfig.tools.{number}.toolSpec.inputSchema.json.type must be"
                " one of the following: object."
            )
        tools.append(Tool(spec["name"], spec.get("description", ""), schema))
    choice = config.get("toolChoice", {"auto": {}})
    kind = next(iter(choice))
    if kind not in _CHOICES[model.family]:
        raise invalid(
            f"This model doesn't support the toolConfig.toolChoice.{kind} field."
            f" Remove toolConfig.toolChoice.{kind} and try again."
        )
    if kind != "tool":
        return tuple(tools), kind
    name = choice["tool"]["name"]
    if name not in {tool.name for tool in tools}:
        raise invalid(
            f"The tool {name} in toolConfig.toolChoice.tool.name is not among toolConfig.tools."
        )
    return tuple(tools), name


def _answer_schema(config: Mapping[str, Any]) -> Mapping[str, Any] | None:
    form = config.get("textFormat")
    if form is None:
        return None
    try:
        schema = json.loads(form["structure"]["jsonSchema"]["schema"])
    except ValueError:
        schema = None
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise invalid(
            "The value at outputConfig.textFormat.structure.jsonSchema.schema must be a JSON"
            " schema whose type is object."
        )
    return schema


def _parts(model: Model, message: Message, number: int) -> tuple[Part, ...]:
    parts = []
    for place, block in enumerate(message["content"]):
        kind = next(iter(block))
        where = f"messages.{number}.content.{place}"
        reader = _BLOCKS.get(kind)
        if reader is None:
            raise _unsupported(kind)
        part = reader(model, block[kind], where)
        if part is not None:
            parts.append(part)
    if any(part.kind == "document" for part in parts) and not any(p.kind == "text" for p in parts):
        raise invalid(
            f"A text block must be included with the document at messages.{number}.content."
            " Add a text block and try again."
        )
    return tuple(parts)


def _unsupported(kind: str) -> AwsError:
    return invalid(
        f"This model doesn't support the {kind} content block that you provided."
        f" Remove the {kind} content block and try again."
    )


def _text(_: Model, text: str, where: str) -> Part:
    if not text.strip():
        raise invalid(
            f"The text field in the ContentBlock object at {where} is blank."
            " Add text to the text field, and try again."
        )
    return Part("text", text)


def _guarded(_: Model, block: Mapping[str, Any], where: str) -> Part:
    return Part("text", block["text"]["text"] if "text" in block else "")


def _image(model: Model, block: Mapping[str, Any], where: str) -> Part:
    if "image" not in model.accepts:
        raise _unsupported("image")
    return Part("image", tokens=image_tokens(_bytes(block.get("source", {}), where)))


def _bytes(source: Mapping[str, Any], where: str) -> bytes:
    if "bytes" not in source:
        raise invalid(f"The source at {where} must hold bytes: localaws reads none from S3 here.")
    return bytes(source["bytes"])


def _document(model: Model, block: Mapping[str, Any], where: str) -> Part:
    if "document" not in model.accepts:
        raise _unsupported("document")
    name, source = block["name"], block["source"]
    if not _DOCUMENT_NAME.fullmatch(name):
        raise invalid(
            "The document file name can only contain alphanumeric characters, whitespace"
            " characters, hyphens, parentheses, and square brackets. The name can't contain more"
            " than one consecutive whitespace character."
        )
    if "text" in source:
        text = source["text"]
    elif "content" in source:
        text = "\n".join(one.get("text", "") for one in source["content"])
    else:
        text = document_text(_bytes(source, where), block.get("format", "txt"))
    cited = block.get("citations", {}).get("enabled", False)
    return Part("document", text, name=name, title=block.get("context", ""), cited=cited)


def _found(_: Model, block: Mapping[str, Any], where: str) -> Part:
    text = "\n".join(one["text"] for one in block["content"])
    cited = block.get("citations", {}).get("enabled", False)
    return Part("search_result", text, name=block["source"], title=block["title"], cited=cited)


def _used(_: Model, block: Mapping[str, Any], where: str) -> Part:
    return Part("tool_use", json.dumps(block["input"]), name=block["name"], id=block["toolUseId"])


def _result(_: Model, block: Mapping[str, Any], where: str) -> Part:
    texts = []
    for one in block["content"]:
        if "text" in one:
            texts.append(one["text"])
        elif "json" in one:
            texts.append(json.dumps(one["json"], ensure_ascii=False))
        elif "searchResult" in one:
            texts += [piece["text"] for piece in one["searchResult"]["content"]]
    return Part("tool_result", "\n".join(texts), id=block["toolUseId"])


def _cited(_: Model, block: Mapping[str, Any], where: str) -> Part:
    return Part("text", "".join(one.get("text", "") for one in block.get("content", ())))


def _nothing(_: Model, block: Mapping[str, Any], where: str) -> None:
    return None


_BLOCKS: dict[str, Any] = {
    "text": _text,
    "guardContent": _guarded,
    "image": _image,
    "document": _document,
    "searchResult": _found,
    "toolUse": _used,
    "toolResult": _result,
    "citationsContent": _cited,
    "cachePoint": _nothing,
    "reasoningContent": _nothing,
}
