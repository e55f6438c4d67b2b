"""Tool use without a model that reasons: which tool, and an input that its schema accepts."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from localaws.models import embedding
from localaws.models.prompt import Prompt, Tool, ToolUse

NEAR = 0.35
"""Cosine of question and description from which on a tool is used unasked."""

_ANSWERS = frozenset({"answer", "response", "reply", "result", "summary", "explanation"})
_WHOLE = frozenset({"query", "question", "text", "input", "prompt", "message", "q", "search"})
_DEEPEST = 12

_QUOTED = re.compile(r"[\"“”'‘`]([^\"“”'’`]{1,200})[\"“”'’`]")
_NAME = re.compile(r"(?<!^)(?<![.!?]\s)\b[A-ZÀ-Þ][\w'’-]*(?:\s+[A-ZÀ-Þ][\w'’-]*)*")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

_FORMATS = {
    "date": "2000-01-01",
    "date-time": "2000-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def new_id() -> str:
    """Return an id as Bedrock gives a tool's use."""
    letters = string.ascii_letters + string.digits
    return "tooluse_" + "".join(secrets.choice(letters) for _ in range(22))


def wanted(prompt: Prompt, answer: Callable[[], str] | None = None) -> ToolUse | None:
    """Return the tool use with which a prompt is best answered, or None for words.

    With the choice ``auto`` that is a tool whose description is near to what the user said, unless
    a tool has just answered.

    Args:
        answer: Gives what the prompt's passages say, for members that want an answer.
    """
    if not prompt.tools or prompt.tool_choice == "none":
        return None
    forced = [tool for tool in prompt.tools if tool.name == prompt.tool_choice]
    if forced:
        tool = forced[0]
    else:
        answered = any(part.kind == "tool_result" for part in prompt.turns[-1].parts)
        if prompt.tool_choice == "auto" and answered:
            return None
        tool, nearness = _nearest(prompt.asked, prompt.tools)
        if prompt.tool_choice == "auto" and nearness < NEAR:
            return None
    return ToolUse(new_id(), tool.name, fill(tool.schema, prompt.asked, answer))


def fill(
    schema: Mapping[str, Any], text: str, answer: Callable[[], str] | None = None
) -> dict[str, Any]:
    """Return an object with the members that a JSON schema requires, taken from `text`.

    What the text has nothing for gets the smallest value that the schema allows; patterns are not
    satisfied on purpose.
    """
    filled = _Filler(schema, text, answer).value(schema, "", 0)
    return filled if isinstance(filled, dict) else {}


def _nearest(asked: str, tools: Sequence[Tool]) -> tuple[Tool, float]:
    described = [f"{tool.name.replace('_', ' ')}: {tool.description}" for tool in tools]
    vectors = embedding.meanings([asked, *described])
    cosines = vectors[1:] @ vectors[0]
    best = int(cosines.argmax())
    return tools[best], float(cosines[best])


class _Filler:
    """One walk through one schema; what was taken from the text is not taken twice."""

    def __init__(
        self, root: Mapping[str, Any], text: str, answer: Callable[[], str] | None
    ) -> None:
        self._root = root
        self._text = text
        self._answer = answer
        self._numbers: list[str] = _NUMBER.findall(text)
        self._names: list[str] = _QUOTED.findall(text) + _NAME.findall(text)

    def value(self, schema: Any, name: str, depth: int) -> Any:
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._chosen(schema["enum"])
        kind = schema.get("type", "object" if "properties" in schema else "string")
        if isinstance(kind, list):
            kind = next((one for one in kind if one != "null"), "null")
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, name, depth)
        if kind in ("integer", "number"):
            return self._number(schema, kind)
        if kind == "boolean":
            return not re.search(r"\b(?:not?|without|false|off|never)\b", self._text, re.IGNORECASE)
        if kind == "null":
            return None
        return self._string(schema, name)

    def _resolved(self, schema: Any) -> Mapping[str, Any]:
        for _ in range(_DEEPEST):
            if not isinstance(schema, Mapping):
                return {}
            if "$ref" in schema:
                target: Any = self._root
                for step in str(schema["$ref"]).lstrip("#/").split("/"):
                    target = target.get(step, {}) if isinstance(target, Mapping) else {}
                schema = target
            elif choices := schema.get("anyOf") or schema.get("oneOf"):
                schema = next((one for one in choices if one.get("type") != "null"), {})
            elif schema.get("allOf"):
                merged: dict[str, Any] = {}
                for one in schema["allOf"]:
                    merged |= self._resolved(one)
                return merged
            else:
                return schema
        return {}

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties", {})
        required = schema.get("required", [])
        if depth >= _DEEPEST:
            return {}
        return {key: self.value(properties.get(key, {}), key, depth + 1) for key in required}

    def _array(self, schema: Mapping[str, Any], name: str, depth: int) -> list[Any]:
        length = max(1, schema.get("minItems", 1))
        if schema.get("maxItems", length) < 1 or depth >= _DEEPEST:
            return []
        return [self.value(schema.get("items", {}), name, depth + 1) for _ in range(length)]

    def _chosen(self, values: Sequence[Any]) -> Any:
        low = self._text.lower()
        return next((one for one in values if str(one).lower() in low), values[0])

    def _number(self, schema: Mapping[str, Any], kind: str) -> int | float:
        low, high = schema.get("minimum"), schema.get("maximum")
        if "exclusiveMinimum" in schema:
            low = schema["exclusiveMinimum"] + 1
        if "exclusiveMaximum" in schema:
            high = schema["exclusiveMaximum"] - 1
        for place, found in enumerate(self._numbers):
            number = float(found)
            if kind == "integer" and not number.is_integer():
                continue
            if (low is None or number >= low) and (high is None or number <= high):
                del self._numbers[place]
                return int(number) if kind == "integer" else number
        fallback = low if low is not None else high if high is not None else 0
        step = schema.get("multipleOf")
        if step:
            fallback = -(-fallback // step) * step
        return int(-(-fallback // 1)) if kind == "integer" else fallback

    def _string(self, schema: Mapping[str, Any], name: str) -> str:
        form = schema.get("format")
        if form in _FORMATS:
            found = _DATE.search(self._text) if form == "date" else None
            return found.group() if found else _FORMATS[str(form)]
        text: str = self._words(name)
        pattern = schema.get("pattern")
        if pattern:
            text = next((w for w in [*self._text.split(), text] if _fits(pattern, w)), text)
        least, most = schema.get("minLength", 0), schema.get("maxLength")
        text = text.ljust(int(least), ".")
        return text[: len(text) if most is None else int(most)]

    def _words(self, name: str) -> str:
        low = name.lower()
        if low in _ANSWERS and self._answer is not None:
            return self._answer()
        if low in _WHOLE or not self._names:
            return self._text
        return self._names.pop(0)


def _fits(pattern: str, word: str) -> bool:
    try:
        return re.search(pattern, word) is not None
    except re.error:
        return False
