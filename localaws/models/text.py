"""Running a prompt: any generator, with stop sequences, token limit and counts on top.

Tokens are those of the embedded model's WordPiece tokenizer, whoever generates, so that
CountTokens, usage and ``maxTokens`` all agree. White space always ends a token, so text is
counted word by word as it comes.
"""

from __future__ import annotations

import json
from collections.abc import Generator as Running
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from functools import lru_cache
from typing import TYPE_CHECKING

from localaws.models import embedding
from localaws.models.prompt import Finish, Piece, Prompt, Reply, Said, ToolUse
from localaws.operations import AwsError
from localaws.state import State

if TYPE_CHECKING:
    from localaws.models.generators import Generator


def input_tokens(prompt: Prompt) -> int:
    """Return the tokens of everything that the model reads."""
    texts = [prompt.system]
    images = 0
    for turn in prompt.turns:
        for part in turn.parts:
            texts += [part.name, part.title, part.text]
            images += part.tokens
    for tool in prompt.tools:
        texts += [tool.name, tool.description, json.dumps(tool.schema)]
    return images + sum(embedding.count([text for text in texts if text]))


def run(prompt: Prompt, state: State | None = None) -> Running[Piece, None, None]:
    """Generate: text a few words at a time, tool uses whole, at last one `Finish`.

    Closing the iterator stops the generator.

    Raises:
        AwsError: The input is longer than the model's context, or the model does not take this
            temperature or top-p; at once, not on the way.
    """
    from localaws.models.generators import generator

    _sampled(prompt)
    read = input_tokens(prompt)
    if read > prompt.model.context_tokens:
        raise AwsError(
            "ValidationException",
            "Input is too long for requested model."
            f" The model reads {prompt.model.context_tokens} tokens, the request has {read}.",
        )
    return _running(generator(prompt, state), prompt, read)


def _running(write: Generator, prompt: Prompt, read: int) -> Running[Piece, None, None]:
    with closing(write(prompt)) as pieces:
        yield from _limited(pieces, prompt, read)


def _sampled(prompt: Prompt) -> None:
    """Newer models of Anthropic take temperature or top-p, still newer ones neither."""
    rule, asked = prompt.model.sampling, prompt.inference
    if rule == "one" and asked.temperature is not None and asked.top_p is not None:
        why = "`temperature` and `top_p` cannot both be specified for this model."
        why += " Please use only one."
    elif rule == "none" and asked.temperature not in (None, 1):
        why = "`temperature` is deprecated for this model."
    elif rule == "none" and asked.top_p is not None:
        why = "`top_p` is deprecated for this model."
    else:
        return
    raise AwsError("ValidationException", f"The model returned the following errors: {why}")


def whole(prompt: Prompt, state: State | None = None) -> Reply:
    """Return all that `run` generates."""
    return reply(run(prompt, state))


def reply(pieces: Iterable[Piece]) -> Reply:
    """Gather a run."""
    said: list[Said | ToolUse] = []
    for piece in pieces:
        if isinstance(piece, Finish):
            return Reply(
                text="".join(one.text for one in said if isinstance(one, Said)),
                input_tokens=piece.input_tokens,
                output_tokens=piece.output_tokens,
                stop_reason=piece.stop_reason,
                stop_sequence=piece.stop_sequence,
                pieces=tuple(said),
            )
        said.append(piece)
    raise AssertionError("a run ends with Finish")


def _limited(pieces: Iterable[Piece], prompt: Prompt, read: int) -> Iterator[Piece]:
    limit, stops = prompt.limit, prompt.inference.stop
    written = 0
    reason: str | None = None
    sequence: str | None = None
    used = False
    for piece in _words(_stopped(pieces, stops)):
        if isinstance(piece, Finish):
            reason, sequence = piece.stop_reason, piece.stop_sequence
            break
        if isinstance(piece, ToolUse):
            used = True
            written += _tokens(piece.name) + _tokens(json.dumps(piece.input))
            yield piece
            continue
        tokens = _tokens(piece.text)
        if written + tokens > limit:
            kept = _cut(piece.text, limit - written)
            written += _tokens(kept)
            if kept:
                yield Said(kept, piece.cites)
            reason = "max_tokens"
            break
        written += tokens
        yield piece
    yield Finish(
        reason or ("tool_use" if used else "end_turn"),  # type: ignore[arg-type]
        read,
        written,
        sequence,
    )


def _words(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Regroup text so that pieces end where words end; white space goes with what follows."""
    held = ""
    for piece in pieces:
        if isinstance(piece, Said) and not piece.cites:
            held += piece.text
            end = _words_end(held)
            if end:
                yield Said(held[:end])
                held = held[end:]
            continue
        if held:
            yield Said(held)
            held = ""
        yield piece
    if held:
        yield Said(held)


def _words_end(text: str) -> int:
    """Where the last word ends that will not grow, for white space follows it."""
    bare = len(text)
    while bare and not text[bare - 1].isspace():
        bare -= 1
    return len(text[:bare].rstrip())


def _stopped(pieces: Iterable[Piece], stops: Sequence[str]) -> Iterator[Piece]:
    """Cut at the first stop sequence, which may span pieces; hold back what may begin one."""
    stops = [stop for stop in stops if stop]
    if not stops:
        yield from pieces
        return
    held = ""
    longest = max(map(len, stops))
    for piece in pieces:
        if not isinstance(piece, Said):
            if held:
                yield Said(held)
                held = ""
            yield piece
            continue
        held += piece.text
        found = [(held.find(stop), -len(stop), stop) for stop in stops if stop in held]
        if found:
            at, _, stop = min(found)
            if at:
                yield Said(held[:at], piece.cites)
            yield Finish("stop_sequence", 0, 0, stop)
            return
        safe = _safe(held, stops, longest)
        if safe:
            yield Said(held[:safe], piece.cites)
            held = held[safe:]
    if held:
        yield Said(held)


def _safe(held: str, stops: Sequence[str], longest: int) -> int:
    """Length of what cannot be the beginning of a stop sequence."""
    for start in range(max(0, len(held) - longest + 1), len(held)):
        if any(stop.startswith(held[start:]) for stop in stops):
            return start
    return len(held)


def _cut(text: str, tokens: int) -> str:
    """The first `tokens` tokens of `text`."""
    if tokens <= 0:
        return ""
    spans = embedding.embedded().offsets(text)
    return text[: spans[tokens - 1][1]] if len(spans) >= tokens else text


@lru_cache(maxsize=4096)
def _tokens(text: str) -> int:
    return embedding.count([text])[0] if text.strip() else 0
