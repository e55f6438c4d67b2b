"""What a generator is asked and what it says: the same records for every family's body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from localaws.models.catalogue import Model

StopReason = Literal["end_turn", "tool_use", "max_tokens", "stop_sequence", "guardrail_intervened"]
PartKind = Literal["text", "document", "search_result", "image", "tool_use", "tool_result"]


@dataclass(frozen=True, slots=True)
class Part:
    """One block of a turn.

    Attributes:
        text: What a reader sees of it; of a tool's use, its input as JSON.
        name: A document's or tool's name, a search result's source.
        title: Of a search result.
        id: Of a tool's use.
        tokens: Of an image, which has no text.
        cited: Whether the answer shall cite this document with citation blocks.
    """

    kind: PartKind
    text: str = ""
    name: str = ""
    title: str = ""
    id: str = ""
    tokens: int = 0
    cited: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said."""

    role: Literal["user", "assistant"]
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """All that was said in words."""
        return "\n".join(part.text for part in self.parts if part.kind == "text")


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that may be used; `schema` is the JSON schema of its input."""

    name: str
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Inference:
    """How to write; None means the model's own default."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """All that a generator is given.

    Attributes:
        tool_choice: ``auto``, ``any``, ``none``, or the name of the tool to use.
        answer_schema: JSON schema that the text of the answer must satisfy, or None.
    """

    model: Model
    turns: tuple[Turn, ...]
    system: str = ""
    inference: Inference = field(default_factory=Inference)
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"
    answer_schema: Mapping[str, Any] | None = None

    @property
    def asked(self) -> str:
        """The last words of the user."""
        for turn in reversed(self.turns):
            if turn.role == "user" and turn.text.strip():
                return turn.text
        return ""

    @property
    def limit(self) -> int:
        """Most tokens to write."""
        most = self.model.max_output_tokens
        return most if self.inference.max_tokens is None else min(most, self.inference.max_tokens)


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of text, with the passage that it quotes where citations were asked for.

    Attributes:
        cites: Places of the quoted parts among all documents and search results of the prompt,
            with start and end in their text.
    """

    text: str
    cites: tuple[tuple[int, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A wish to use a tool."""

    id: str
    name: str
    input: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finish:
    """The end: why, and how many tokens were read and written."""

    stop_reason: StopReason
    input_tokens: int
    output_tokens: int
    stop_sequence: str | None = None


Piece = Said | ToolUse | Finish


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer.

    Attributes:
        pieces: `Said` and `ToolUse` in order.
    """

    text: str
    input_tokens: int
    output_tokens: int
    stop_reason: StopReason
    stop_sequence: str | None = None
    pieces: tuple[Said | ToolUse, ...] = ()

    @property
    def tool_uses(self) -> tuple[ToolUse, ...]:
        return tuple(piece for piece in self.pieces if isinstance(piece, ToolUse))
