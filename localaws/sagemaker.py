"""SageMaker's runtime: endpoints that embed, rerank and generate, in their containers' bodies.

``LOCALAWS_ENDPOINTS`` says which endpoints there are, as globs: ``tei-*=embed,llm-*=generate``.
By default any endpoint is there whose name begins with ``embed``, ``tei``, ``rerank``, ``llm``,
``tgi``, ``lmi``, ``generate`` or ``chat``.
Bodies are those of Hugging Face's Text Embeddings Inference and Text Generation Inference, and the
OpenAI-like chat of DJL's LMI.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from localaws.models import embedding, rerank
from localaws.models.bodies import check
from localaws.models.catalogue import Model
from localaws.models.prompt import Finish, Inference, Part, Piece, Prompt, Reply, Said, Turn
from localaws.models.text import reply, run
from localaws.operations import AwsError, Call, operation

VARIABLE = "LOCALAWS_ENDPOINTS"
DEFAULT = (
    "embed*=embed,tei*=embed,rerank*=rerank,llm*=generate,tgi*=generate,lmi*=generate,"
    "generate*=generate,chat*=generate"
)

BATCH = 32
"""Texts that Text Embeddings Inference takes at once, unless told otherwise."""

_JSON = "application/json"
_VARIANT = "AllTraffic"
_CONTEXT = 32_768  # tokens
_MOST = 8_192  # tokens of output
_INPUTS = {
    "properties": {
        "inputs": {"type": ["string", "array"], "items": {"type": "string"}},
        "normalize": {"type": "boolean"},
        "truncate": {"type": "boolean"},
        "truncation_direction": {"type": "string"},
        "prompt_name": {"type": ["string", "null"]},
        "dimensions": {"type": ["integer", "null"]},
        "parameters": {"type": "object"},
    },
    "required": ["inputs"],
}
_TEXTS = {
    "properties": {
        "query": {"type": "string"},
        "texts": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "raw_scores": {"type": "boolean"},
        "return_text": {"type": "boolean"},
        "truncate": {"type": "boolean"},
    },
    "required": ["query", "texts"],
}
_PARAMETERS = {
    "properties": {
        "max_new_tokens": {"type": ["integer", "null"], "minimum": 1},
        "temperature": {"type": ["number", "null"], "minimum": 0},
        "top_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
        "stop": {"type": ["array", "null"], "items": {"type": "string"}},
    }
}
_GENERATE = {
    "properties": {
        "inputs": {"type": "string", "minLength": 1},
        "parameters": {"type": ["object", "null"], **_PARAMETERS},
        "stream": {"type": "boolean"},
    },
    "required": ["inputs"],
}
_CHAT = {
    "properties": {
        "messages": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": {
                    "role": {"type": "string", "enum": ["system", "user", "assistant", "tool"]},
                    "content": {"type": ["string", "array", "null"]},
                },
                "required": ["role"],
            },
        },
        "max_tokens": {"type": ["integer", "null"], "minimum": 1},
        "temperature": {"type": ["number", "null"], "minimum": 0},
        "stop": {"type": ["array", "string", "null"], "items": {"type": "string"}},
        "stream": {"type": "boolean"},
    },
    "required": ["messages"],
}

Body = Mapping[str, Any]


@operation("sagemaker-runtime", "InvokeEndpoint")
def invoke_endpoint(call: Call) -> dict[str, Any]:
    """Answer an endpoint's body, whole."""
    kind = _kind(call)
    made = _ANSWERS[kind](call, _body(call))
    return {
        "Body": json.dumps(made, ensure_ascii=False).encode(),
        "ContentType": _JSON,
        "InvokedProductionVariant": call.params.get("TargetVariant", _VARIANT),
    }


@operation("sagemaker-runtime", "InvokeEndpointWithResponseStream")
def invoke_endpoint_with_response_stream(call: Call) -> dict[str, Any]:
    """Answer a generating endpoint's body as it is written: server-sent events, one a word."""
    if _kind(call) != "generate":
        raise _model_error(call, 400, "The endpoint does not stream.")
    body = _body(call)
    prompt = _prompt(call, body)
    lines = (_chat_lines if "messages" in body else _token_lines)(call, prompt)
    return {
        "Body": ({"PayloadPart": {"Bytes": line}} for line in lines),
        "ContentType": "text/event-stream",
        "InvokedProductionVariant": call.params.get("TargetVariant", _VARIANT),
    }


def _kind(call: Call) -> str:
    name = call.params["EndpointName"]
    for entry in (os.environ.get(VARIABLE) or DEFAULT).split(","):
        glob, _, kind = entry.strip().partition("=")
        if fnmatchcase(name.lower(), glob.lower()) and kind in _ANSWERS:
            return kind
    raise AwsError("ValidationError", f"Endpoint {name} of account {call.account} not found.")


def _body(call: Call) -> Body:
    try:
        body = json.loads(call.params["Body"])
    except ValueError:
        raise _model_error(call, 400, "The body is no JSON.") from None
    if not isinstance(body, dict):
        raise _model_error(call, 400, "The body is no JSON object.")
    return body


def _checked(call: Call, body: Body, schema: Mapping[str, Any], status: int) -> None:
    found = check(body, {"type": "object", **schema})
    if found:
        raise _model_error(call, status, "; ".join(found))


def _model_error(call: Call, status: int, message: str) -> AwsError:
    name = call.params["EndpointName"]
    kind = "client" if status < 500 and status != 424 else "server"
    text = json.dumps({"error": message, "error_type": "Validation"})
    return AwsError(
        "ModelError",
        f'Received {kind} error ({status}) from primary with message "{text}". See'
        f" https://{call.region}.console.aws.amazon.com/cloudwatch/home?region={call.region}"
        f"#logEventViewer:group=/aws/sagemaker/Endpoints/{name} in account {call.account} for more"
        " information.",
        {
            "OriginalStatusCode": status,
            "OriginalMessage": text,
            "LogStreamArn": call.arn(f"log-group:/aws/sagemaker/Endpoints/{name}", "logs"),
        },
    )


def _embed(call: Call, body: Body) -> Any:
    """Text Embeddings Inference's ``/embed``."""
    _checked(call, body, _INPUTS, 424)
    texts = [body["inputs"]] if isinstance(body["inputs"], str) else body["inputs"]
    if len(texts) > BATCH:
        raise _model_error(
            call, 413, f"batch size {len(texts)} > maximum allowed batch size {BATCH}"
        )
    return embedding.embed("sagemaker", texts, 384).tolist()


def _rerank(call: Call, body: Body) -> Any:
    """Text Embeddings Inference's ``/rerank``."""
    _checked(call, body, _TEXTS, 424)
    texts = body["texts"]
    ranked = rerank.rank(call.params["EndpointName"], body["query"], texts)
    shown = body.get("return_text", False)
    return [
        {"index": place, "score": score, **({"text": texts[place]} if shown else {})}
        for place, score in ranked
    ]


def _generate(call: Call, body: Body) -> Any:
    answer = reply(run(_prompt(call, body), call.state))
    if "messages" in body:
        return _completion(call, answer)
    made: dict[str, Any] = {"generated_text": answer.text}
    if (body.get("parameters") or {}).get("details"):
        made["details"] = {
            "finish_reason": _reason(answer.stop_reason),
            "generated_tokens": answer.output_tokens,
        }
    return [made]


_ANSWERS: Mapping[str, Callable[[Call, Body], Any]] = {
    "embed": _embed,
    "rerank": _rerank,
    "generate": _generate,
}


def _prompt(call: Call, body: Body) -> Prompt:
    name = call.params["EndpointName"]
    model = Model(name, name, "SageMaker", "mistral-chat", _CONTEXT, _MOST)
    if "messages" in body:
        _checked(call, body, _CHAT, 424)
        stop = body.get("stop") or ()
        config = Inference(
            body.get("max_tokens"),
            body.get("temperature"),
            body.get("top_p"),
            (stop,) if isinstance(stop, str) else tuple(stop),
        )
        return _chat(model, body, config)
    from localaws.models.families.templates import instructed, llama

    _checked(call, body, _GENERATE, 424)
    given = body.get("parameters") or {}
    config = Inference(
        given.get("max_new_tokens") or 256,
        given.get("temperature"),
        given.get("top_p"),
        tuple(given.get("stop") or ()),
    )
    text = body["inputs"]
    system, turns = (llama if "<|" in text else instructed)(text)
    return Prompt(model, turns, system, config)


def _chat(model: Model, body: Body, config: Inference) -> Prompt:
    said = [(one["role"], _text(one.get("content"))) for one in body["messages"]]
    turns = tuple(
        Turn("assistant" if role == "assistant" else "user", (Part("text", text),))
        for role, text in said
        if role != "system" and text
    )
    system = "\n".join(text for role, text in said if role == "system")
    return Prompt(model, turns or (Turn("user", (Part("text", ""),)),), system, config)


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(str(one.get("text", "")) for one in content if isinstance(one, dict))
    return content or ""


def _token_lines(call: Call, prompt: Prompt) -> Iterator[bytes]:
    """Text Generation Inference's stream; the last event has the whole text."""
    text, number = "", 0
    pieces = run(prompt, call.state)
    try:
        for piece in pieces:
            number += 1
            shown = piece.text if isinstance(piece, Said) else ""
            text += shown
            token = {"id": number, "text": shown, "logprob": 0.0, "special": not shown}
            event: dict[str, Any] = {"index": number, "token": token}
            event |= {"generated_text": None, "details": None}
            if isinstance(piece, Finish):
                event["generated_text"] = text
                event["details"] = {
                    "finish_reason": _reason(piece.stop_reason),
                    "generated_tokens": piece.output_tokens,
                    "input_length": piece.input_tokens,
                }
            yield _line(event)
    finally:
        pieces.close()


def _chat_lines(call: Call, prompt: Prompt) -> Iterator[bytes]:
    frame = _frame(call, "chat.completion.chunk")
    pieces = run(prompt, call.state)
    try:
        for piece in pieces:
            yield _line({**frame, "choices": [_choice(piece)]})
        yield b"data: [DONE]\n\n"
    finally:
        pieces.close()


def _choice(piece: Piece) -> dict[str, Any]:
    text = piece.text if isinstance(piece, Said) else ""
    reason = _chat_reason(piece.stop_reason) if isinstance(piece, Finish) else None
    return {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": reason}


def _line(event: Mapping[str, Any]) -> bytes:
    return f"data:{json.dumps(event, ensure_ascii=False)}\n\n".encode()


def _completion(call: Call, answer: Reply) -> dict[str, Any]:
    message = {"role": "assistant", "content": answer.text}
    choice = {"index": 0, "message": message, "finish_reason": _chat_reason(answer.stop_reason)}
    return {
        **_frame(call, "chat.completion"),
        "choices": [choice],
        "usage": {
            "prompt_tokens": answer.input_tokens,
            "completion_tokens": answer.output_tokens,
            "total_tokens": answer.input_tokens + answer.output_tokens,
        },
    }


def _frame(call: Call, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{uuid.uuid4()}",
        "object": kind,
        "created": int(time.time()),
        "model": call.params["EndpointName"],
    }


def _reason(reason: str) -> str:
    return {"max_tokens": "length", "stop_sequence": "stop_sequence"}.get(reason, "eos_token")


def _chat_reason(reason: str) -> str:
    return "length" if reason == "max_tokens" else "stop"
