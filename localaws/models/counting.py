"""CountTokens: what a request would be charged for reading."""

from __future__ import annotations

from typing import Any

from localaws.models import catalogue, turns
from localaws.models.invoke import parsed
from localaws.models.text import input_tokens
from localaws.operations import Call, operation


@operation("bedrock-runtime", "CountTokens")
def count_tokens(call: Call) -> dict[str, Any]:
    """Count the input tokens of an InvokeModel or Converse request."""
    model = catalogue.writer(call.params["modelId"], call.state)
    given = call.params["input"]
    if "invokeModel" in given:
        _, prompt = parsed(model, given["invokeModel"]["body"])
    else:
        prompt = turns.prompt(model, given["converse"])
    return {"inputTokens": input_tokens(prompt)}
