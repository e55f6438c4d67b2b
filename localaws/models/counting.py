"""CountTokens: what a request would be charged for reading."""

from __future__ import annotations

from typing import Any

from localaws.models import catalogue, turns
from localaws.models.invoke import parsed
from localaws.models.text import input_tokens
from localaws.operations import AwsError, Call, operation


@operation("bedrock-runtime", "CountTokens")
def count_tokens(call: Call) -> dict[str, Any]:
    """Count the input tokens of an InvokeModel or Converse request."""
    model = catalogue.find(call.params["modelId"], call.state)
    if not model.writes:
        raise AwsError("ValidationException", "The provided model doesn't support counting tokens.")
    given = call.params["input"]
    if "invokeModel" in given:
        _, prompt = parsed(model, given["invokeModel"]["body"])
    else:
        prompt = turns.prompt(model, given["converse"])
    return {"inputTokens": input_tokens(prompt)}
