"""Converse and ConverseStream: one shape for every model that writes text."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any

from localaws.models import catalogue, guarding, turns
from localaws.models.prompt import Finish, Piece, Prompt, Reply, Said, ToolUse
from localaws.models.text import reply as gathered
from localaws.models.text import run
from localaws.operations import Call, operation
from localaws.state import State

_PIECE = 64  # characters of a tool's input in one event

Event = dict[str, Any]


def reply(
    model_id: str,
    system: str,
    messages: Sequence[Mapping[str, Any]],
    inference: Mapping[str, Any] | None = None,
    state: State | None = None,
) -> Reply:
    """Return a model's whole answer to a conversation; for other operations that generate.

    Args:
        system: Goes in front of the last message where the model takes none.
        messages: As Converse takes them.
        inference: As Converse's inferenceConfig.
        state: Knows application inference profiles, and the script beside it.

    Raises:
        AwsError: There is no such model, or it does not take this.
    """
    return gathered(stream(model_id, system, messages, inference, state))


def stream(
    model_id: str,
    system: str,
    messages: Sequence[Mapping[str, Any]],
    inference: Mapping[str, Any] | None = None,
    state: State | None = None,
) -> Iterator[Piece]:
    """`reply` piece by piece: some `Said`, then a `Finish`."""
    model = catalogue.writer(model_id, state)
    params: dict[str, Any] = {"messages": messages, "inferenceConfig": inference or {}}
    if system and "system" in model.accepts:
        params["system"] = [{"text": system}]
    elif system:
        *before, last = messages
        told = {**last, "content": [{"text": system}, *last["content"]]}
        params["messages"] = [*before, told]
    return run(turns.prompt(model, params), state)


@operation("bedrock-runtime", "Converse")
def converse(call: Call) -> dict[str, Any]:
    """Answer a conversation, whole."""
    began = time.perf_counter()
    prompt, guard, blocked = _asked(call)
    if blocked is not None:
        answer = guarding.refused(blocked, 0, 0)
    else:
        answer = gathered(run(prompt, call.state))
        if guard is not None:
            answer = guarding.answered(guard, answer)
    result = {
        "output": {"message": {"role": "assistant", "content": content(prompt, answer)}},
        "stopReason": answer.stop_reason,
        "usage": usage(answer.input_tokens, answer.output_tokens),
        "metrics": {"latencyMs": _milliseconds(began)},
        "additionalModelResponseFields": _native(call.params, answer),
        **_echoed(call.params),
    }
    if guard is not None:
        result["trace"] = guard.shown
    return result


@operation("bedrock-runtime", "ConverseStream")
def converse_stream(call: Call) -> dict[str, Any]:
    """Answer a conversation, as it is written."""
    began = time.perf_counter()
    prompt, guard, blocked = _asked(call)
    if prompt.tools and prompt.model.family == "meta":
        raise turns.invalid("This model doesn't support tool use in streaming mode.")
    pieces: Iterator[Piece]
    if blocked is not None:
        pieces = iter((Said(blocked), Finish("guardrail_intervened", 0, 0)))
    else:
        pieces = run(prompt, call.state)
        if guard is not None:
            pieces = guarding.passed(guard, pieces, call.params["guardrailConfig"])
    return {"stream": _events(call, began, prompt, guard, pieces)}


def _asked(call: Call) -> tuple[Prompt, guarding.Guard | None, str | None]:
    """Return the prompt as masked, its guardrail, and the message that blocks it, if one does."""
    params = call.params
    model = catalogue.writer(params["modelId"], call.state)
    prompt = turns.prompt(model, params)
    guard = guarding.guard(call, params.get("guardrailConfig"))
    if guard is None:
        return prompt, None, None
    blocked, messages = guarding.guarded(guard, params["messages"], params.get("system", ()))
    if blocked is None and messages != list(params["messages"]):
        prompt = turns.prompt(model, {**params, "messages": messages})
    return prompt, guard, blocked


def _events(
    call: Call,
    began: float,
    prompt: Prompt,
    guard: guarding.Guard | None,
    pieces: Iterator[Piece],
) -> Iterator[Event]:
    yield {"messageStart": {"role": "assistant"}}
    finish = yield from blocks(prompt, pieces)
    answer = Reply("", finish.input_tokens, finish.output_tokens, finish.stop_reason,
                   finish.stop_sequence)  # fmt: skip
    stop: Event = {"stopReason": finish.stop_reason}
    if native := _native(call.params, answer):
        stop["additionalModelResponseFields"] = native
    yield {"messageStop": stop}
    metadata: Event = {
        "usage": usage(finish.input_tokens, finish.output_tokens),
        "metrics": {"latencyMs": _milliseconds(began)},
        **_echoed(call.params),
    }
    if guard is not None and guard.shown is not None:
        metadata["trace"] = guard.shown
    yield {"metadata": metadata}


def blocks(prompt: Prompt, pieces: Iterator[Piece]) -> Generator[Event, None, Finish]:
    """Yield ConverseStream's events of the content blocks; return the `Finish`."""
    index, open_text = 0, False
    finish = None
    try:
        for piece in pieces:
            if isinstance(piece, Finish):
                finish = piece
                break
            if isinstance(piece, Said):
                for delta in _deltas(prompt, piece):
                    yield {"contentBlockDelta": {"delta": delta, "contentBlockIndex": index}}
                open_text = True
                continue
            if open_text:
                yield {"contentBlockStop": {"contentBlockIndex": index}}
                index, open_text = index + 1, False
            yield from _tool_events(piece, index)
            index += 1
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()
    if open_text:
        yield {"contentBlockStop": {"contentBlockIndex": index}}
    assert finish is not None
    return finish


def _tool_events(use: ToolUse, index: int) -> Iterator[Event]:
    start = {"toolUse": {"toolUseId": use.id, "name": use.name}}
    yield {"contentBlockStart": {"start": start, "contentBlockIndex": index}}
    text = json.dumps(use.input, ensure_ascii=False)
    for at in range(0, len(text), _PIECE):
        delta = {"toolUse": {"input": text[at : at + _PIECE]}}
        yield {"contentBlockDelta": {"delta": delta, "contentBlockIndex": index}}
    yield {"contentBlockStop": {"contentBlockIndex": index}}


def _deltas(prompt: Prompt, said: Said) -> Iterator[Event]:
    yield {"text": said.text}
    for citation in _citations(prompt, said):
        yield {"citation": citation}


def content(prompt: Prompt, answer: Reply) -> list[dict[str, Any]]:
    """Return the content blocks of an answer."""
    found: list[dict[str, Any]] = []
    for piece in answer.pieces:
        if isinstance(piece, ToolUse):
            used = {"toolUseId": piece.id, "name": piece.name, "input": dict(piece.input)}
            found.append({"toolUse": used})
        elif piece.cites:
            cited = {
                "content": [{"text": piece.text}],
                "citations": list(_citations(prompt, piece)),
            }
            found.append({"citationsContent": cited})
        elif found and "text" in found[-1]:
            found[-1]["text"] += piece.text
        else:
            found.append({"text": piece.text})
    return found


def _citations(prompt: Prompt, said: Said) -> Iterator[dict[str, Any]]:
    sources = [
        part
        for turn in prompt.turns
        for part in turn.parts
        if part.kind in ("document", "search_result")
    ]
    for place, start, end in said.cites:
        part = sources[place]
        number = sum(1 for one in sources[:place] if one.kind == part.kind)
        if part.kind == "document":
            location = {"documentChar": {"documentIndex": number, "start": start, "end": end}}
        else:
            location = {"searchResultLocation": {"searchResultIndex": number, "start": 0, "end": 1}}
        yield {
            "title": part.title or part.name,
            "source": part.name,
            "sourceContent": [{"text": part.text[start:end]}],
            "location": location,
        }


def usage(read: int, written: int) -> dict[str, int]:
    """Return token counts as Converse has them."""
    return {"inputTokens": read, "outputTokens": written, "totalTokens": read + written}


def _native(params: Mapping[str, Any], answer: Reply) -> dict[str, Any] | None:
    """Return the fields of the model's own answer that were asked for by JSON pointer."""
    fields = {"stop_sequence": answer.stop_sequence, "stop_reason": answer.stop_reason}
    paths = params.get("additionalModelResponseFieldPaths", ())
    found = {path[1:]: fields[path[1:]] for path in paths if path[1:] in fields}
    return found or None


def _echoed(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: params[name] for name in ("performanceConfig", "serviceTier") if name in params}


def _milliseconds(began: float) -> int:
    return max(1, round((time.perf_counter() - began) * 1000))
