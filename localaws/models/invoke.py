"""InvokeModel and InvokeModelWithResponseStream: each family's own body."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from localaws.models import catalogue, guarding
from localaws.models.bodies import GUARDRAIL, parse
from localaws.models.catalogue import Model
from localaws.models.families import anthropic, cohere, meta, mistral, nova, titan
from localaws.models.prompt import Finish, Piece, Prompt, Said
from localaws.models.text import reply, run
from localaws.operations import AwsError, Call, operation

METRICS = "amazon-bedrock-invocationMetrics"
ACTION = "amazon-bedrock-guardrailAction"
TRACE = "amazon-bedrock-trace"

_JSON = "application/json"

_TEXT: Mapping[str, Any] = {
    "anthropic": anthropic,
    "nova": nova,
    "meta": meta,
    "mistral-text": mistral,
    "mistral-chat": mistral,
}
_VECTORS: Mapping[str, Any] = {
    "titan-embed": titan,
    "cohere-embed": cohere,
    "cohere-rerank": cohere,
    "amazon-rerank": cohere,
}


@operation("bedrock-runtime", "InvokeModel")
def invoke_model(call: Call) -> dict[str, Any]:
    """Answer a native body, whole."""
    began = time.perf_counter()
    model = _model(call)
    if not model.writes:
        family = _VECTORS[model.family]
        made, read = family.answer(model, parse(call.params.get("body"), family.schema(model)))
        _tell(call, began, read, None)
        return _result(call, made)
    body, prompt = parsed(model, call.params.get("body"))
    guard, blocked, prompt = _guarded(call, body, prompt)
    if blocked is not None:
        answer = guarding.refused(blocked, 0, 0)
    else:
        answer = reply(run(prompt, call.state))
        if guard is not None:
            answer = guarding.answered(guard, answer)
    made = _form(model, body, "answer")(prompt, answer)
    if guard is not None:
        made |= _noted(guard, answer.stop_reason == "guardrail_intervened")
    _tell(call, began, answer.input_tokens, answer.output_tokens)
    return _result(call, made)


@operation("bedrock-runtime", "InvokeModelWithResponseStream")
def invoke_model_with_response_stream(call: Call) -> dict[str, Any]:
    """Answer a native body as it is written."""
    began = time.perf_counter()
    model = _model(call)
    if not model.writes:
        raise AwsError("ValidationException", "The model is unsupported for streaming.")
    body, prompt = parsed(model, call.params.get("body"))
    guard, blocked, prompt = _guarded(call, body, prompt)
    pieces: Iterator[Piece]
    if blocked is not None:
        pieces = iter((Said(blocked), Finish("guardrail_intervened", 0, 0)))
    else:
        pieces = run(prompt, call.state)
        if guard is not None:
            pieces = guarding.passed(guard, pieces, body.get(GUARDRAIL, {}))
    tally = _Tally(pieces)
    chunks = _form(model, body, "events")(prompt, tally)
    return {"body": _chunks(chunks, tally, guard, began), "contentType": _JSON}


def parsed(model: Model, body: bytes | None) -> tuple[dict[str, Any], Prompt]:
    """Return a text model's native body, checked, and what it asks.

    Raises:
        AwsError: The model does not take it.
    """
    family = _TEXT[model.family]
    found = parse(body, family.schema(model))
    return found, family.prompt(model, found)


class _Tally:
    """Pieces on their way, and how they ended."""

    def __init__(self, pieces: Iterator[Piece]) -> None:
        self.finish: Finish | None = None
        self._pieces = pieces

    def __iter__(self) -> Iterator[Piece]:
        for piece in self._pieces:
            if isinstance(piece, Finish):
                self.finish = piece
            yield piece

    def close(self) -> None:
        close = getattr(self._pieces, "close", None)
        if close is not None:
            close()


def _chunks(
    chunks: Iterator[dict[str, Any]], tally: _Tally, guard: guarding.Guard | None, began: float
) -> Iterator[dict[str, Any]]:
    first: float | None = None
    held: dict[str, Any] | None = None
    try:
        for chunk in chunks:
            first = first or time.perf_counter()
            if held is not None:
                yield _chunk(held)
            held = chunk
    finally:
        tally.close()
    assert held is not None
    assert tally.finish is not None
    if guard is not None:
        held |= _noted(guard, tally.finish.stop_reason == "guardrail_intervened")
    held[METRICS] = {
        "inputTokenCount": tally.finish.input_tokens,
        "outputTokenCount": tally.finish.output_tokens,
        "invocationLatency": _milliseconds(began),
        "firstByteLatency": round(((first or began) - began) * 1000),
    }
    yield _chunk(held)


def _chunk(value: Mapping[str, Any]) -> dict[str, Any]:
    return {"chunk": {"bytes": json.dumps(value, ensure_ascii=False).encode()}}


def _model(call: Call) -> Model:
    model = catalogue.find(call.params["modelId"], call.state)
    for name in ("contentType", "accept"):
        kind = call.params.get(name, _JSON).split(";")[0].strip().lower()
        if kind not in (_JSON, "*/*"):
            raise AwsError(
                "ValidationException", f"The provided {name} {kind} is not supported by the model."
            )
    return model


def _form(model: Model, body: Mapping[str, Any], name: str) -> Any:
    """Return the family's function that words an answer, as the body wants it."""
    made = getattr(_TEXT[model.family], name)
    if model.family.startswith("mistral"):
        return partial(made, chat="messages" in body)
    return made


def _guarded(
    call: Call, body: Mapping[str, Any], prompt: Prompt
) -> tuple[guarding.Guard | None, str | None, Prompt]:
    params = call.params
    guard = guarding.guard(
        call,
        {
            "guardrailIdentifier": params.get("guardrailIdentifier"),
            "guardrailVersion": params.get("guardrailVersion"),
            "trace": params.get("trace", "DISABLED").lower(),
        },
    )
    if guard is None:
        return None, None, prompt
    suffix = str(body.get(GUARDRAIL, {}).get("tagSuffix", ""))
    blocked, prompt = guarding.guarded_prompt(guard, prompt, suffix)
    return guard, blocked, prompt


def _noted(guard: guarding.Guard, blocked: bool) -> dict[str, Any]:
    intervened = blocked or "actionReason" in guard.trace
    noted: dict[str, Any] = {ACTION: "INTERVENED" if intervened else "NONE"}
    if guard.traced:
        found: dict[str, Any] = {}
        if "inputAssessment" in guard.trace:
            found["input"] = guard.trace["inputAssessment"]
        if "outputAssessments" in guard.trace:
            outputs = guard.trace["outputAssessments"].items()
            found["outputs"] = [{name: one[0]} for name, one in outputs if one]
        if "modelOutput" in guard.trace:
            found["modelOutput"] = guard.trace["modelOutput"]
        noted[TRACE] = {"guardrail": found}
    return noted


def _tell(call: Call, began: float, read: int, written: int | None) -> None:
    call.headers["x-amzn-bedrock-input-token-count"] = str(read)
    if written is not None:
        call.headers["x-amzn-bedrock-output-token-count"] = str(written)
    call.headers["x-amzn-bedrock-invocation-latency"] = str(_milliseconds(began))


def _result(call: Call, made: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "body": json.dumps(made, ensure_ascii=False).encode(),
        "contentType": _JSON,
    }
    for name in ("performanceConfigLatency", "serviceTier"):
        if name in call.params:
            result[name] = call.params[name]
    return result


def _milliseconds(began: float) -> int:
    return max(1, round((time.perf_counter() - began) * 1000))
