"""Who writes the text, behind one door.

``LOCALAWS_GENERATOR`` (``sluice localaws --generator``) says who: ``extractive``, the default, or
``model``, or globs over model ids and endpoint names, of which the first that fits wins:
``meta.*=model,anthropic.*=extractive,model``.

``LOCALAWS_SCRIPT`` (``--replies``) names a file of rules that is asked first, see
`localaws.models.generators.scripted`; by default ``script.yaml`` in the state's folder, if it is
there. It is read anew when it changes.
"""

from __future__ import annotations

import os
from collections.abc import Generator as Running
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol

from localaws.models.prompt import Piece, Prompt
from localaws.operations import AwsError
from localaws.state import State

VARIABLE = "LOCALAWS_GENERATOR"
SCRIPT = "LOCALAWS_SCRIPT"


class Generator(Protocol):
    """Writes an answer to a prompt."""

    def __call__(self, prompt: Prompt) -> Running[Piece, None, None]:
        """Yield pieces in order; a `Finish` is needed only to say another reason than the end.

        Closed early, it stops working.
        """
        ...


def generator(prompt: Prompt, state: State | None = None) -> Generator:
    """Return who answers `prompt`."""
    from localaws.models.generators import scripted

    named_script = os.environ.get(SCRIPT)
    if named_script:
        rule = scripted.matching(Path(named_script), prompt)
    else:
        rule = scripted.matching(state.folder / "script.yaml", prompt) if state else None
    if rule is not None and rule.generator is None:
        return scripted.speaker(rule)
    asked = rule.generator if rule is not None else None
    return _named(asked or configured(os.environ.get(VARIABLE, ""), prompt.model.id))


def configured(setting: str, model_id: str) -> str:
    """Return the name of the generator that `setting` gives to a model."""
    for entry in filter(None, (part.strip() for part in setting.split(","))):
        glob, equals, name = entry.rpartition("=")
        if not equals or fnmatchcase(model_id, glob):
            return name
    return "extractive"


def _named(name: str) -> Generator:
    if name == "extractive":
        from localaws.models.generators.quoting import generate

        return generate
    if name == "model":
        from localaws.models.generators import small

        return small.generate
    raise AwsError(
        "InternalServerException",
        f"There is no generator {name!r}. Set {VARIABLE}, or the script's rule, to extractive or"
        " model.",
    )
