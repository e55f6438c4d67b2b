"""Meta Llama: a prompt text, continued."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from localaws.models.bodies import GUARDRAIL
from localaws.models.catalogue import Model
from localaws.models.embedding import count
from localaws.models.families.templates import llama
from localaws.models.prompt import Finish, Inference, Piece, Prompt, Reply, Said
from localaws.models.text import input_tokens

_UNIT = {"type": "number", "minimum": 0, "maximum": 1}


def schema(model: Model) -> Mapping[str, Any]:
    """Return the JSON schema of the body."""
    most = model.max_output_tokens
    return {
        "properties": {
            "prompt": {"type": "string", "minLength": 1},
            "max_gen_len": {"type": "integer", "minimum": 1, "maximum": most},
            "temperature": _UNIT,
            "top_p": _UNIT,
            "images": {"type": "array", "items": {"type": "string"}},
            GUARDRAIL: {"type": "object"},
        },
        "required": ["prompt"],
    }


def prompt(model: Model, body: Mapping[str, Any]) -> Prompt:
    """Return what a body asks."""
    system, turns = llama(body["prompt"])
    config = Inference(body.get("max_gen_len", 512), body.get("temperature"), body.get("top_p"))
    return Prompt(model, turns, system, config)


def answer(asked: Prompt, made: Reply) -> dict[str, Any]:
    """Return the body of a whole answer."""
    return {
        "generation": made.text,
        "prompt_token_count": made.input_tokens,
        "generation_token_count": made.output_tokens,
        "stop_reason": _reason(made.stop_reason),
    }


def events(asked: Prompt, pieces: Iterable[Piece]) -> Iterator[dict[str, Any]]:
    """Yield the chunks of a stream."""
    read: int | None = input_tokens(asked)
    written = 0
    for piece in pieces:
        finish = piece if isinstance(piece, Finish) else None
        written += count([piece.text])[0] if isinstance(piece, Said) else 0
        yield {
            "generation": piece.text if isinstance(piece, Said) else "",
            "prompt_token_count": read,
            "generation_token_count": finish.output_tokens if finish else written,
            "stop_reason": _reason(finish.stop_reason) if finish else None,
        }
        read = None


def _reason(reason: str) -> str:
    return "length" if reason == "max_tokens" else "stop"
