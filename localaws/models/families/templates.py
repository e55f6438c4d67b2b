"""Chat templates in a single prompt text, read back into turns."""

from __future__ import annotations

import re

from localaws.models.prompt import Part, Turn

_LLAMA = re.compile(
    r"<\|(?:start_header_id|header_start)\|>\s*(\w+)\s*<\|(?:end_header_id|header_end)\|>"
    r"(.*?)(?=<\|(?:eot_id|eot|start_header_id|header_start)\|>|\Z)",
    re.DOTALL,
)
_LLAMA_MARK = re.compile(r"<\|[a-z_]+\|>")
_MISTRAL = re.compile(r"\[INST\](.*?)\[/INST\](.*?)(?=\[INST\]|\Z)", re.DOTALL)
_SYSTEM = re.compile(r"<<SYS>>(.*?)<</SYS>>", re.DOTALL)
_SENTENCE_MARK = re.compile(r"</?s>")


def llama(text: str) -> tuple[str, tuple[Turn, ...]]:
    """Return system prompt and turns of Llama's headers, or of plain text."""
    system, turns = [], []
    for role, said in _LLAMA.findall(text):
        said = said.strip()
        if role == "system":
            system.append(said)
        elif said and role in ("user", "ipython", "assistant"):
            turns.append(_turn("assistant" if role == "assistant" else "user", said))
    if not turns:
        return instructed(_LLAMA_MARK.sub("", text))
    return "\n".join(system), tuple(turns)


def instructed(text: str) -> tuple[str, tuple[Turn, ...]]:
    """Return system prompt and turns of ``[INST] … [/INST]``, or of plain text."""
    text = _SENTENCE_MARK.sub("", text)
    system = "\n".join(found.strip() for found in _SYSTEM.findall(text))
    text = _SYSTEM.sub("", text)
    turns = []
    for asked, answered in _MISTRAL.findall(text):
        turns.append(_turn("user", asked.strip()))
        if answered.strip():
            turns.append(_turn("assistant", answered.strip()))
    return system, tuple(turns) or (_turn("user", text.strip()),)


def _turn(role: str, text: str) -> Turn:
    return Turn("assistant" if role == "assistant" else "user", (Part("text", text),))
