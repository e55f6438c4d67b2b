"""A guardrail around a model: what goes in and what comes out is read by it first.

AWS: if messages hold ``guardContent``, that alone is guarded, else every text of the user; tool
results, tool inputs and system prompts without ``guardContent`` are not
(user guide, "Include a guardrail with the Converse API").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from localaws.models.prompt import Finish, Part, Piece, Prompt, Reply, Said
from localaws.models.text import reply
from localaws.operations import AwsError, Call

Block = Mapping[str, Any]
Message = Mapping[str, Any]

_EVIDENCE = frozenset({"grounding_source", "query"})
_UNIT = 1_000  # characters: what a guardrail charges for at once


@dataclass
class Guard:
    """One guardrail during one call.

    Attributes:
        traced: Whether the caller wants to see what was found; `full`: and what was not.
        evidence: Blocks that ground the answer, as ApplyGuardrail takes them; without a source
            and a query its grounding is not judged.
        trace: What was found so far, as Converse's trace has it.
    """

    call: Call
    identifier: str
    version: str
    traced: bool
    full: bool = False
    evidence: list[Block] = field(default_factory=list)
    trace: dict[str, Any] = field(default_factory=dict)

    def input(self, texts: Sequence[str]) -> tuple[str | None, Sequence[str]]:
        """Return the message that blocks, or None, and the texts with what is masked.

        Raises:
            AwsError: There is no such guardrail.
        """
        content = [*self.evidence, *map(_block, texts)] if texts else list(self.evidence)
        if not content:
            return None, texts
        result = self._evaluated("INPUT", content)
        self.trace["inputAssessment"] = {self._id(result): _first(result)}
        return _decided(result, texts)

    def output(self, text: str) -> tuple[str | None, str]:
        """Return the message that blocks, or None, and the text with what is masked."""
        if not text.strip():
            return None, text
        guarded = {"text": {"text": text, "qualifiers": ["guard_content"]}}
        content = [*self.evidence, guarded] if self.evidence else [_block(text)]
        result = self._evaluated("OUTPUT", content)
        self.trace["outputAssessments"] = {self._id(result): result["assessments"]}
        if result["action"] != "NONE":
            self.trace["modelOutput"] = [text]
        message, texts = _decided(result, [text])
        return message, texts[0]

    @property
    def shown(self) -> dict[str, Any] | None:
        """The trace as the answer has it, or None."""
        return {"guardrail": self.trace} if self.traced and self.trace else None

    def _evaluated(self, source: str, content: Sequence[Block]) -> Mapping[str, Any]:
        from localaws.guardrails.apply import evaluate

        try:
            result = evaluate(
                *(self.call.state, self.identifier, self.version, source, content),
                full=self.full,
                grounds=self._given >= _EVIDENCE,
            )
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise
            raise AwsError(
                "ValidationException",
                "The guardrail identifier or version provided in the request does not exist.",
            ) from None
        if result["action"] != "NONE":
            self.trace["actionReason"] = result.get("actionReason", "")
        return result

    @property
    def _given(self) -> set[str]:
        """The qualifiers of the evidence."""
        return {name for block in self.evidence for name in block["text"]["qualifiers"]}

    def _id(self, result: Mapping[str, Any]) -> str:
        details = _first(result).get("appliedGuardrailDetails", {})
        return str(details.get("guardrailId") or self.identifier.rsplit("/", 1)[-1])


def guard(call: Call, config: Mapping[str, Any] | None) -> Guard | None:
    """Return the guardrail that ``guardrailConfig`` names, or None."""
    if not config or not config.get("guardrailIdentifier"):
        return None
    if not config.get("guardrailVersion"):
        raise AwsError(
            "ValidationException",
            "The guardrail version must be given along with the guardrail identifier.",
        )
    trace = config.get("trace", "disabled")
    return Guard(
        call,
        config["guardrailIdentifier"],
        config["guardrailVersion"],
        traced=trace.startswith("enabled"),
        full=trace == "enabled_full",
    )


def guarded(
    one: Guard, messages: Sequence[Message], system: Sequence[Block]
) -> tuple[str | None, list[Message]]:
    """Read a conversation; return the message that blocks, or None, and the messages as masked."""
    places = _places(messages)
    texts = []
    for number, at, marked in places:
        block = messages[number]["content"][at]
        texts.append(block["guardContent"]["text"]["text"] if marked else block["text"])
    one.evidence = [
        {"text": dict(block["guardContent"]["text"])}
        for message in messages
        for block in message["content"]
        if _qualifiers(block) & _EVIDENCE
    ]
    extra = [
        block["guardContent"]["text"]["text"]
        for block in system
        if block.get("guardContent", {}).get("text")
    ]
    message, masked = one.input([*texts, *extra])
    if message is not None or list(masked) == [*texts, *extra]:
        return message, list(messages)
    changed: list[Message] = [
        {**message, "content": list(message["content"])} for message in messages
    ]
    for (number, at, marked), text in zip(places, masked, strict=False):
        block = changed[number]["content"][at]
        if marked:
            inner = {**block["guardContent"]["text"], "text": text}
            changed[number]["content"][at] = {"guardContent": {"text": inner}}
        else:
            changed[number]["content"][at] = {"text": text}
    return None, changed


def guarded_prompt(one: Guard, prompt: Prompt, suffix: str = "") -> tuple[str | None, Prompt]:
    """`guarded` for a native body's prompt, whose input tags end in `suffix`."""
    places = [
        (at, within)
        for at, turn in enumerate(prompt.turns)
        for within, part in enumerate(turn.parts)
        if turn.role == "user" and part.kind == "text"
    ]
    texts = [prompt.turns[at].parts[within].text for at, within in places]
    tag = re.compile(
        rf"<amazon-bedrock-guardrails-guardContent_{re.escape(suffix)}>(.*?)"
        rf"</amazon-bedrock-guardrails-guardContent_{re.escape(suffix)}>",
        re.DOTALL,
    )
    tagged = [inner for text in texts for inner in tag.findall(text)] if suffix else []
    if tagged:
        message, _ = one.input(tagged)
        return message, prompt
    message, masked = one.input(texts)
    turns = [list(turn.parts) for turn in prompt.turns]
    for (at, within), text in zip(places, masked, strict=True):
        turns[at][within] = Part("text", text)
    changed = tuple(
        replace(turn, parts=tuple(parts)) for turn, parts in zip(prompt.turns, turns, strict=True)
    )
    return message, replace(prompt, turns=changed)


def refused(message: str, read: int, written: int) -> Reply:
    """Return the answer of a guardrail that blocks."""
    return Reply(message, read, written, "guardrail_intervened", pieces=(Said(message),))


def answered(one: Guard, answer: Reply) -> Reply:
    """Return an answer as the guardrail lets it pass: as it is, masked, or refused."""
    blocked, text = one.output(answer.text)
    if blocked is not None:
        return refused(blocked, answer.input_tokens, answer.output_tokens)
    if text == answer.text:
        return answer
    return replace(answer, text=text, pieces=(Said(text), *answer.tool_uses))


def passed(one: Guard, pieces: Iterator[Piece], config: Mapping[str, Any]) -> Iterator[Piece]:
    """Let a stream pass through the guardrail, ``sync`` (the default) or ``async``."""
    later = str(config.get("streamProcessingMode", "")).lower().startswith("async")
    return (_watched if later else _withheld)(one, pieces)


def _withheld(one: Guard, pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Hold all back until the guardrail has read it."""
    answer = answered(one, reply(pieces))
    yield from answer.pieces
    yield Finish(
        answer.stop_reason, answer.input_tokens, answer.output_tokens, answer.stop_sequence
    )


def _watched(one: Guard, pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Pass on at once, and end when the guardrail blocks what has gone out; nothing is masked."""
    text, unread = "", 0
    for piece in pieces:
        if isinstance(piece, Said):
            text += piece.text
            unread += len(piece.text)
        if unread >= _UNIT or (isinstance(piece, Finish) and unread):
            unread = 0
            blocked, _ = one.output(text)
            if blocked is not None:
                yield Said(blocked)
                read = piece.input_tokens if isinstance(piece, Finish) else 0
                wrote = piece.output_tokens if isinstance(piece, Finish) else 0
                yield Finish("guardrail_intervened", read, wrote)
                return
        yield piece


def _places(messages: Sequence[Message]) -> list[tuple[int, int, bool]]:
    """Message, block, and whether it is ``guardContent``, of every text that is guarded."""
    marked: list[tuple[int, int, bool]] = []
    plain: list[tuple[int, int, bool]] = []
    tagged = False
    for number, message in enumerate(messages):
        for at, block in enumerate(message["content"]):
            if block.get("guardContent", {}).get("text"):
                tagged = True
                if not _qualifiers(block) or "guard_content" in _qualifiers(block):
                    marked.append((number, at, True))
            elif message["role"] == "user" and "text" in block:
                plain.append((number, at, False))
    return marked if tagged else plain


def _qualifiers(block: Block) -> frozenset[str]:
    return frozenset(block.get("guardContent", {}).get("text", {}).get("qualifiers", ()))


def _block(text: str) -> Block:
    return {"text": {"text": text}}


def _first(result: Mapping[str, Any]) -> Mapping[str, Any]:
    return result["assessments"][0] if result["assessments"] else {}


def _decided(result: Mapping[str, Any], texts: Sequence[str]) -> tuple[str | None, Sequence[str]]:
    if result["action"] == "NONE":
        return None, texts
    outputs = [output["text"] for output in result["outputs"]]
    if _blocks(result["assessments"]) or len(outputs) != len(texts):
        return "\n".join(outputs), texts
    return None, outputs


def _blocks(found: Any) -> bool:
    if isinstance(found, Mapping):
        return found.get("action") == "BLOCKED" or any(map(_blocks, found.values()))
    return isinstance(found, list) and any(map(_blocks, found))
