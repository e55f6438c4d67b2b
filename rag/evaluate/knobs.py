"""What tuning turns: settings of a corpus file and the values worth trying.

A new setting is one line in `KNOBS`. One that this version's corpus files do not have, or that does
not go with the corpus at hand (an OpenSearch setting of an embedded index, say), is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.config import CorpusConfig

Values = Mapping[str, Any]
"""Dotted field to value: what a trial changes in the corpus file."""


@dataclass(frozen=True, slots=True)
class Knob:
    """A setting and its values.

    Attributes:
        field: Dotted; ``targets.0`` is the first target.
        index: Whether another value needs another index.
    """

    field: str
    values: tuple[Any, ...]
    index: bool = False


KNOBS = (
    Knob("search.fusion", ("scores", "ranks")),
    Knob("search.weights.text", (0.5, 0.75, 1.0, 1.5, 2.0)),
    Knob("search.feedback", (0.0, 0.15, 0.3, 0.45)),
    Knob("search.centred", (True, False)),
    Knob("search.exact", (True, False)),
    Knob("search.collapse", (True, False)),
    Knob("search.diversity", (0.0, 0.2)),
    Knob("search.related", (0.0, 0.5)),
    Knob("search.rerank", (None, "embedded/minilm-reranker")),
    Knob("search.candidates", (8, 16, 32, 50)),
    Knob("targets.0.ef_search", (32, 64, 128, 256)),
    Knob("chunk.max_tokens", (96, 160, 256, 384), index=True),
    Knob("chunk.overlap_tokens", (0, 32, 64), index=True),
)


def turned(config: CorpusConfig, values: Values) -> CorpusConfig | None:
    """Return a configuration with some settings changed; None: they do not fit it."""
    from pydantic import ValidationError

    from rag.config import CorpusConfig

    # Only what the file says, so that a default stays a default.
    plain = config.model_dump(mode="json", exclude_unset=True)
    try:
        for field, value in values.items():
            at: Any = plain
            *way, last = field.split(".")
            for step in way:
                at = at[int(step)] if step.isdigit() else at.setdefault(step, {})
            at[last] = value
        return CorpusConfig.model_validate(plain)
    except (ValidationError, KeyError, IndexError):
        return None


def usable(config: CorpusConfig, knobs: Sequence[Knob] = KNOBS) -> list[Knob]:
    """Return the knobs that this corpus has, each with the values that differ from its own."""
    found = []
    for knob in knobs:
        values = []
        for value in knob.values:
            made = turned(config, {knob.field: value})
            if made is not None and made != config:
                values.append(value)
        if values and _matters(config, knob):
            found.append(Knob(knob.field, tuple(values), knob.index))
    return found


def snippet(values: Values) -> str:
    """Return changed settings as YAML for the corpus file; fields of a target as a comment."""
    import yaml

    sections: dict[str, Any] = {}
    comments = []
    for field, value in values.items():
        if field.startswith("targets."):
            comments.append(f"# in the first of targets: {field.split('.', 2)[2]}: {value}")
            continue
        at = sections
        *way, last = field.split(".")
        for step in way:
            at = at.setdefault(step, {})
        at[last] = value
    written: str = yaml.safe_dump(sections, sort_keys=False) if sections else ""
    return "\n".join([*comments, written.rstrip()]).strip()


def _matters(config: CorpusConfig, knob: Knob) -> bool:
    """Whether a setting changes anything beside the others."""
    if knob.field == "search.candidates":
        return bool(config.search.rerank)
    if knob.field.startswith("targets.0."):
        return knob.field.split(".")[2] in type(config.targets[0]).model_fields
    return True
